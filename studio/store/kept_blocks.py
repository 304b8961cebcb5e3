"""The blocks of kept journals in the order they were written, as they are or as the columns beside them."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator, Mapping

from studio.store.connection import Database
from studio.store.rows import Block, Cursor, StoreError, Stretch
from studio.store.step_columns import FORMAT


class Moved(Exception):
    """A block is not where it was: it was made part of a larger one, or deleted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands in the tables; ``stretch`` is the row of its columns, None where there are none."""

    writer: str
    segment: int
    incarnation: str
    offset: int
    bytes_kept: int
    span: int | None
    row: int
    stretch: int | None

    @property
    def end(self) -> Cursor:
        """Return the cursor behind the block."""
        return Cursor(self.segment, self.incarnation, self.offset + (self.span or self.bytes_kept))


def places(database: Database, run_id: str) -> list[Place]:
    """Return where a run's blocks are: writer by writer, each in the order it was written.

    Of a segment that was begun anew under another incarnation only the incarnation that counts is among them.
    """
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT b.writer, b.segment, b.incarnation, b.offset, length(b.body), b.span, b.rowid, s.rowid "
            "FROM blocks b LEFT JOIN stretches s ON s.run_id = b.run_id AND s.writer = b.writer "
            "AND s.segment = b.segment AND s.incarnation = b.incarnation AND s.offset = b.offset AND s.format = ? "
            "WHERE b.run_id = ? ORDER BY b.writer, b.segment, b.rowid",
            (FORMAT, run_id),
        ).fetchall()
    found = [Place(*row) for row in rows]
    last = {(place.writer, place.segment): place.incarnation for place in found}
    return [place for place in found if last[place.writer, place.segment] == place.incarnation]


def block_at(database: Database, place: Place) -> Block:
    """Return a block. Raises Moved."""
    with database.reading() as connection:
        row = connection.execute("SELECT body, offset, span FROM blocks WHERE rowid = ?", (place.row,)).fetchone()
    if row is None or (len(row[0]), row[1]) != (place.bytes_kept, place.offset):
        raise Moved
    return Block(place.writer, place.segment, place.incarnation, place.offset, row[0], row[2])


def pieces(
    database: Database, run_id: str, after: Mapping[str, Cursor], wants_columns: bool
) -> Iterator[Block | Stretch]:
    """Yield a run's blocks, each once, also where another window condenses them meanwhile.

    Args:
        database: where they are kept.
        run_id: which run.
        after: what lies before these cursors is left out.
        wants_columns: give the columns of a block that has some.

    Raises:
        StoreError: the run was deleted meanwhile.
    """
    reached = dict(after)
    while True:
        found = places(database, run_id)
        if reached != after and not found:
            raise StoreError("The run was deleted while it was being read.")
        try:
            for place in found:
                known = reached.get(place.writer)
                if known is not None and (place.segment, place.end.offset) <= (known.segment, known.offset):
                    continue
                is_begun = known is not None and known.segment == place.segment and known.offset > place.offset
                if wants_columns and place.stretch is not None and not is_begun:
                    piece: Block | Stretch = _stretch_at(database, run_id, place)
                else:
                    block = block_at(database, place)
                    piece = _behind(block, known.offset) if known is not None and is_begun else block
                reached[place.writer] = piece.end
                yield piece
            return
        except Moved:
            if not places(database, run_id):
                raise StoreError("The run was deleted while it was being read.") from None


def _behind(block: Block, offset: int) -> Block:
    """Return what of a block lies behind an offset; of a thinned one all of it, as nobody can tell."""
    skip = offset - block.offset
    if block.span is not None:
        return dataclasses.replace(block, offset=offset, span=block.span - skip)
    return dataclasses.replace(block, offset=offset, body=block.body[skip:])


def _stretch_at(database: Database, run_id: str, place: Place) -> Stretch:
    with database.reading() as connection:
        row = connection.execute(
            "SELECT damaged, events, steps FROM stretches WHERE rowid = ? AND run_id = ? AND offset = ?",
            (place.stretch, run_id, place.offset),
        ).fetchone()
    if row is None:
        raise Moved
    return Stretch(place.writer, place.end, row[0], tuple(row[1].split(b"\n")) if row[1] else (), row[2])


def unchanged(connection: sqlite3.Connection, run_id: str, found: list[Place]) -> bool:
    """Say whether the blocks are still as they were read: another window may have condensed or deleted them."""
    for place in found:
        row = connection.execute(
            "SELECT run_id, writer, offset, length(body), span FROM blocks WHERE rowid = ?", (place.row,)
        ).fetchone()
        if row != (run_id, place.writer, place.offset, place.bytes_kept, None):
            return False
    return True
