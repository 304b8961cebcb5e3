"""Condensing kept journals: small blocks become large ones, and their updates columns that are read back at once."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator

from remote_agent.contract.run_dir import RANK0_WRITER
from studio.store.connection import Database
from studio.store.journal_decoder import decode_lines
from studio.store.kept_blocks import Moved, Place, block_at, places, unchanged
from studio.store.live import RunBatch
from studio.store.step_columns import FORMAT, packed

CONDENSED_BYTES = 1 << 20
"""So much of a segment becomes one block; what is left over waits for more, or for the end of the run."""


def condense(database: Database, run_id: str, is_over: bool) -> Iterator[int]:
    """Condense what is kept of a run, a large block at a time, and yield the bytes of each that was made.

    What is read back stays the same; whoever stops in between leaves a run that is condensed in part.

    Args:
        database: where the run is kept.
        run_id: which run.
        is_over: nothing more is expected, so that what is left over is condensed too.

    Raises:
        StoreError: the disk takes nothing.
    """
    for group in _groups(places(database, run_id), is_over):
        try:
            blocks = [block_at(database, place) for place in group]
        except Moved:  # another window did it, or deleted the run
            return
        body = b"".join(block.body for block in blocks)
        stretch = _decoded(body) if group[0].writer == RANK0_WRITER else None
        with database.writing() as connection:
            if unchanged(connection, run_id, group):
                _write(connection, run_id, group, body, stretch)
        yield len(body)


def _groups(found: list[Place], is_over: bool) -> Iterator[list[Place]]:
    """Yield blocks that lie one behind the other in a segment and are to be one."""
    segments = itertools.groupby(found, key=lambda place: (place.writer, place.segment))
    last = {place.writer: place.segment for place in found}
    for (writer, segment), members in segments:
        group: list[Place] = []
        size = 0
        for place in members:
            breaks = place.stretch is not None or place.span is not None
            if group and (breaks or place.offset != group[-1].end.offset):
                if _gains(group):
                    yield group
                group, size = [], 0
            if not breaks:
                group.append(place)
                size += place.bytes_kept
            if size >= CONDENSED_BYTES:
                if _gains(group):
                    yield group
                group, size = [], 0
        if _gains(group) and (is_over or segment < last[writer]):
            yield group


def _gains(group: list[Place]) -> bool:
    return len(group) > 1 or (bool(group) and group[0].writer == RANK0_WRITER)


def _decoded(body: bytes) -> tuple[int, bytes, bytes]:
    batch = RunBatch()
    events: list[bytes] = []
    decode_lines(body, batch, events)
    return batch.damaged, b"\n".join(events), packed(batch.steps)


def _write(
    connection: sqlite3.Connection,
    run_id: str,
    group: list[Place],
    body: bytes,
    stretch: tuple[int, bytes, bytes] | None,
) -> None:
    first = group[0]
    if len(group) > 1:
        connection.executemany("DELETE FROM blocks WHERE rowid = ?", [(place.row,) for place in group[1:]])
        # its row stays, as the order of rows tells the order of blocks
        connection.execute("UPDATE blocks SET body = ? WHERE rowid = ?", (body, first.row))
    if stretch is not None:
        connection.execute(
            "INSERT OR REPLACE INTO stretches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run_id, first.writer, first.segment, first.incarnation, first.offset, FORMAT, *stretch),
        )
