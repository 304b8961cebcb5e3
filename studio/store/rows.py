"""The rows of the library: what a job, a node, a run and a piece of a journal are on disk."""

from __future__ import annotations

import dataclasses
import math


class StoreError(Exception):
    """The library could not do it; ``sentence`` says what happened and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StoreFull(StoreError):
    """The disk is full or the file may not grow: nothing was written, and a later try may succeed."""


class StoreDamaged(StoreError):
    """The database file is damaged: it is moved aside the next time the library is opened."""


class JournalGap(StoreError):
    """A piece of a journal does not begin where the stored part ends: nothing was written."""


@dataclasses.dataclass(frozen=True, slots=True)
class JobRow:
    """A job. ``spec`` is the text of its job.json, ``opened_s`` when it was last opened (seconds since the epoch)."""

    job_id: str
    name: str
    spec: str
    opened_s: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class NodeRow:
    """A node. ``address`` and ``last_report`` are JSON texts, the latter empty before the first probe."""

    name: str
    address: str
    last_report: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the sidebar lists it. ``job`` is the text of its job.json; ``loss`` is NaN where there is none yet.

    Times are seconds since the epoch, ``ended_s`` 0 while the run goes on. ``losses`` are a few points of the loss
    curve. ``bundle`` is free JSON text that an export needs later. ``job_id`` is the job of this library that it was
    launched from, empty where it came from elsewhere. ``best_held_out`` and ``tokens_per_s`` (the median) are NaN where
    nothing was measured.
    """

    run_id: str
    name: str
    node: str
    job: str
    state: str
    step: int = 0
    total_steps: int = 0
    loss: float = math.nan
    created_s: float = 0.0
    ended_s: float = 0.0
    note: str = ""
    losses: tuple[float, ...] = ()
    bundle: str = ""
    job_id: str = ""
    best_held_out: float = math.nan
    tokens_per_s: float = math.nan


@dataclasses.dataclass(frozen=True, slots=True)
class LabelRow:
    """What a person noted about a job or a run (``key`` is its id); an archived one is out of the sidebar.

    Of a node (`node_key`) it is the group, as the heading, and the tags.
    """

    key: str
    heading: str = ""
    tags: tuple[str, ...] = ()
    remark: str = ""
    archived: bool = False


def node_key(name: str) -> str:
    """Return the key of a node's label, which no id of a job or a run is."""
    return f"node:{name}"


@dataclasses.dataclass(frozen=True, slots=True)
class PeakRow:
    """What a run's memory came to beside its estimate; it stays when the run is forgotten.

    ``model`` is the model's source and id; ``corrects`` says whether later estimates follow it; ``body`` is JSON text.
    """

    run_id: str
    node: str
    model: str
    time_s: float
    corrects: bool
    body: str


@dataclasses.dataclass(frozen=True, slots=True)
class Cursor:
    """How far a writer's journal is known: the next byte is ``offset`` of that segment in that incarnation."""

    segment: int
    incarnation: str
    offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of one writer's journal; ``offset`` is where ``body`` begins in the segment file.

    Only damage without a line feed may come in pieces that are no whole lines. ``span`` is how many bytes of the file
    a thinned body stands for, None where it is the file's own bytes.
    """

    writer: str
    segment: int
    incarnation: str
    offset: int
    body: bytes
    span: int | None = None

    @property
    def end(self) -> Cursor:
        """Return the cursor behind the block."""
        return Cursor(self.segment, self.incarnation, self.offset + (self.span or len(self.body)))


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """What a block of the journal says, decoded: ``events`` are the JSON of its events, ``steps`` its updates.

    ``steps`` is as `studio.store.step_columns` packs it; ``damaged`` lines could not be read. ``end`` lies behind it.
    """

    writer: str
    end: Cursor
    damaged: int
    events: tuple[bytes, ...]
    steps: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class LogBlock:
    """A piece of what a rank printed; ``offset`` is where ``body`` begins in its log file."""

    rank: int
    offset: int
    body: bytes


def beyond(block: Block, cursor: Cursor | None) -> Block | None:
    """Return the part of the block that lies beyond the cursor, None where all of it is known already.

    Raises:
        JournalGap: bytes between the cursor and the block are missing.
    """
    here = cursor is not None and (cursor.segment, cursor.incarnation) == (block.segment, block.incarnation)
    known = cursor.offset if cursor is not None and here else 0
    if cursor is not None and block.segment < cursor.segment:
        return None
    if block.offset > known:
        raise JournalGap(
            f"The journal of {block.writer} has a gap: byte {known} of segment {block.segment} was expected, "
            f"byte {block.offset} came."
        )
    skip = known - block.offset
    if skip >= len(block.body):
        return None
    return dataclasses.replace(block, offset=known, body=block.body[skip:]) if skip else block
