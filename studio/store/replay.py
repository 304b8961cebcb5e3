"""Reading a kept run back: its journals and logs as the same batches that a follower makes."""

from __future__ import annotations

from collections.abc import Iterator

from remote_agent.contract.events import ENDED, StateChanged
from studio.store.journal_decoder import decode_lines
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.log_lines import LogLines
from studio.store.rows import Block, Cursor

# some 50 ms of decoding: charts are not redrawn much more often than 10 times a second
_CHUNK_BYTES = 4 << 20
_SHOWN_LOG_BYTES = 4 << 20
_BYTES_A_STEP = 200


def replay(library: Library, run_id: str) -> Iterator[tuple[RunBatch, Position]]:
    """Yield what is kept of a run, about 4 MiB of journal at a time, each with the position behind it.

    The last batch has ``caught_up`` set, also where nothing is kept. Raises StoreError.
    """
    cursors: dict[str, Cursor] = {}
    batch = RunBatch(expected_lines=library.journal_bytes(run_id) // _BYTES_A_STEP)
    size, ended = 0, False
    for block in library.blocks(run_id):
        note = missing_segments(block, cursors.get(block.writer))
        if note:
            batch.notes.append(note)
        decode_lines(block.body, batch)
        cursors[block.writer] = block.end
        size += len(block.body)
        if size >= _CHUNK_BYTES:
            ended = has_ended(batch, ended)
            yield batch, Position(dict(cursors))
            batch, size = RunBatch(), 0
    logs = _replay_logs(library, run_id, batch, has_ended(batch, ended))
    batch.caught_up = True
    yield batch, Position(cursors, logs)


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


def missing_segments(block: Block, cursor: Cursor | None) -> str:
    """Return a sentence where segments between the cursor and the block are missing, else an empty text."""
    expected = cursor.segment + 1 if cursor is not None else 0
    if block.segment <= expected:
        return ""
    return (
        f"Part of the journal of {block.writer} is missing on the node: segments {expected} to "
        f"{block.segment - 1}. What they held is not shown."
    )
