"""Reading a kept run back: its journals and logs as the same batches that a follower makes."""

from __future__ import annotations

from collections.abc import Iterator

from remote_agent.contract.events import ENDED, StateChanged
from studio.store.journal_decoder import decode_events, decode_lines
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.log_lines import LogLines
from studio.store.rows import Block, Cursor, StoreDamaged, Stretch
from studio.store.step_columns import unpack

# some 50 ms of decoding: charts are not redrawn much more often than 10 times a second
_CHUNK_BYTES = 4 << 20
_CHUNK_ROWS, _CHUNK_EVENTS, _PART_BYTES = 50_000, 100, 256 << 10
_SHOWN_LOG_BYTES = 4 << 20
_BYTES_A_STEP = 200


def replay(library: Library, run_id: str) -> Iterator[tuple[RunBatch, Position]]:
    """Yield what is kept of a run, a piece at a time that the window takes in a moment, with the position it reached.

    The last batch has ``caught_up`` set, also where nothing is kept. Raises StoreError.
    """
    cursors: dict[str, Cursor] = {}
    batch = RunBatch(expected_lines=library.journal_bytes(run_id) // _BYTES_A_STEP)
    size, ended = 0, False
    for piece in library.pieces(run_id):
        note = missing_segments(piece, cursors.get(piece.writer))
        if note:
            batch.notes.append(note)
        if isinstance(piece, Block):
            for part in _parts(piece.body):
                if size >= _CHUNK_BYTES or len(batch.events) >= _CHUNK_EVENTS:
                    ended = has_ended(batch, ended)
                    yield batch, Position(dict(cursors))
                    batch, size = RunBatch(), 0
                decode_lines(part, batch)
                size += len(part)
        else:
            _unpack(piece, batch)
        cursors[piece.writer] = piece.end
        if size >= _CHUNK_BYTES or len(batch.steps) >= _CHUNK_ROWS:
            ended = has_ended(batch, ended)
            yield batch, Position(dict(cursors))
            batch, size = RunBatch(), 0
    logs = _replay_logs(library, run_id, batch, has_ended(batch, ended))
    batch.caught_up = True
    yield batch, Position(cursors, logs)


def _parts(body: bytes) -> Iterator[bytes]:
    """Yield pieces of whole lines, so that what a batch makes the window do stays short."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _PART_BYTES) + 1 or len(body)
        yield body[start:end]
        start = end


def _unpack(stretch: Stretch, into: RunBatch) -> None:
    """Add a stretch to a batch. Raises StoreDamaged."""
    try:
        unpack(stretch.steps, into.steps)
    except ValueError as error:
        raise StoreDamaged(f"The library is damaged. {error}") from None
    decode_events(stretch.events, into)
    into.damaged += stretch.damaged


def _replay_logs(library: Library, run_id: str, batch: RunBatch, ended: bool) -> dict[int, int]:
    """Add the lines of the kept logs and return for each rank where the next line begins."""
    readers: dict[int, LogLines] = {}
    ends: dict[int, int] = {}
    for log in library.logs(run_id, _SHOWN_LOG_BYTES):
        reader = readers.setdefault(log.rank, LogLines())
        if log.offset != ends.get(log.rank, log.offset):
            reader.finish()
        batch.log.extend((log.rank, line) for line in reader.feed(log.body))
        ends[log.rank] = log.offset + len(log.body)
    for rank, reader in readers.items():
        if ended:
            batch.log.extend((rank, line) for line in reader.finish())
        # else a line without its end is shown when its end has come: the follower begins where the line does
        ends[rank] -= reader.held_bytes
    return ends


def has_ended(batch: RunBatch, before: bool) -> bool:
    """Say whether the run is over after this batch; ``before`` is what held until then."""
    states = [stamped.event.state for stamped in batch.events if isinstance(stamped.event, StateChanged)]
    return states[-1] in ENDED if states else before


def missing_segments(block: Block | Stretch, cursor: Cursor | None) -> str:
    """Return a sentence where segments between the cursor and the block are missing, else an empty text."""
    expected = cursor.segment + 1 if cursor is not None else 0
    if block.end.segment <= expected:
        return ""
    return (
        f"Part of the journal of {block.writer} is missing on the node: segments {expected} to "
        f"{block.end.segment - 1}. What they held is not shown."
    )
