"""What a follower hands to the GUI thread: decoded pieces of runs and the state of a link; plain values, no Qt."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence

from remote_agent.contract.events import Stamped
from studio.store.rows import Cursor

STEP_COLUMNS = (
    "step", "loss", "learning_rate", "gradient_norm", "tokens_per_s", "step_time_s", "peak_memory_bytes", "epoch",
    "tokens", "supervised_tokens", "time_s", "attempt", "data_s", "forward_s", "backward_s", "optimizer_s",
    "communication_s",
)  # fmt: skip
"""The columns of completed updates, each an ``array('d')``; units as in `contract.events.StepCompleted`."""
STEP_PARTS = STEP_COLUMNS[-5:]
"""What a step's time is made of, in seconds; all 0 where it was not measured."""

CONNECTED, STALE, RECONNECTING, NEEDS_PERSON = "connected", "stale", "reconnecting", "needs_person"


class StepColumns:
    """Completed updates, column by column, so that a million of them are a few objects."""

    __slots__ = ("columns",)

    def __init__(self) -> None:
        self.columns: tuple[array[float], ...] = tuple(array("d") for _ in STEP_COLUMNS)

    def __len__(self) -> int:
        return len(self.columns[0])

    def column(self, name: str) -> array[float]:
        """Return a column of `STEP_COLUMNS`. Raises ValueError for another name."""
        return self.columns[STEP_COLUMNS.index(name)]

    def append(self, row: Sequence[float]) -> None:
        """Add one update; ``row`` holds its values in the order of `STEP_COLUMNS`."""
        for column, value in zip(self.columns, row, strict=True):
            column.append(value)

    def extend(self, columns: Sequence[array[float]]) -> None:
        """Add many updates, column by column, in the order of `STEP_COLUMNS`."""
        for column, values in zip(self.columns, columns, strict=True):
            column.extend(values)


@dataclasses.dataclass(slots=True)
class RunBatch:
    """What is new of one run, in the order of its journals. Not changed any more once it was handed over.

    Attributes:
        steps: completed updates.
        events: everything else.
        log: whole lines of what ranks printed, (rank, text); plain text, no control characters.
        preview: a sample of the updates to come, shown until they have come; None where nothing new was sampled.
        expected_lines: about how many updates the journal holds, 0 where that was not told.
        damaged: lines that failed their checksum or are no JSON; each cost only itself.
        notes: sentences about the journal itself, such as a missing segment.
        caught_up: everything that the node had when it was asked is here.
        gone: the node has no such run.
    """

    steps: StepColumns = dataclasses.field(default_factory=StepColumns)
    events: list[Stamped] = dataclasses.field(default_factory=list)
    log: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    preview: StepColumns | None = None
    expected_lines: int = 0
    damaged: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
    caught_up: bool = False
    gone: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """How far a run has been shown: a cursor for each writer, the next byte for each rank's log."""

    cursors: dict[str, Cursor] = dataclasses.field(default_factory=dict)
    logs: dict[int, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class LinkState:
    """How the link to a node is. Never says anything about a run.

    Attributes:
        kind: "connected", "stale" (an answer is overdue), "reconnecting" or "needs_person" (key, password).
        since: when the node was last heard, or tried first, in `time.monotonic` seconds.
        next_try_s: when the next try comes, in `time.monotonic` seconds; 0 while one is under way or none will come.
        sentence: why, for people; empty where all is well.
        error: the error that asks for a person (`studio.remote.transport.NeedsPerson`), else None.
    """

    kind: str
    since: float
    next_try_s: float = 0.0
    sentence: str = ""
    error: Exception | None = None
