"""The library: jobs, nodes, runs and the mirrored journals of runs; a journal and its cursor move together or not."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.store.condensing import condense
from studio.store.connection import Database
from studio.store.kept_blocks import pieces
from studio.store.rows import (
    Block,
    Cursor,
    JobRow,
    LabelRow,
    LogBlock,
    NodeRow,
    PeakRow,
    RunRow,
    Stretch,
    beyond,
    node_key,
)
from studio.store.thinning import thin

LOG_KEPT_BYTES = 32 << 20
"""How much of what one rank printed is kept; older parts go, since a flood must not fill the desktop's disk."""

_RUN_COLUMNS = (
    "run_id, name, node, job, state, step, total_steps, loss, created_s, ended_s, note, losses, bundle, job_id, "
    "best_held_out, tokens_per_s"
)


class Library:
    """What the studio keeps, in one SQLite file. Safe to use from every thread, and from two windows at once.

    Every method may raise `StoreError` (`StoreFull`, `StoreDamaged`), whose ``sentence`` is for the screen.

    Args:
        path: the database file; made where it is missing. A damaged one is moved aside, see ``notice``.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    @property
    def path(self) -> Path:
        """Return the database file."""
        return self._database.path

    @property
    def notice(self) -> str:
        """Return a sentence to show once after opening, empty where there is nothing to say."""
        return self._database.notice

    def close(self) -> None:
        """Close the connections of all threads; no thread may be using the library."""
        self._database.close()

    def save_job(self, job: JobRow) -> None:
        """Add or replace a job."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)", (job.job_id, job.name, job.spec, job.opened_s)
            )

    def jobs(self) -> list[JobRow]:
        """Return all jobs, last opened first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, name, spec, opened FROM jobs ORDER BY opened DESC, id").fetchall()
        return [JobRow(*row) for row in rows]

    def delete_job(self, job_id: str) -> None:
        """Forget a job; one that is not here is passed over."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            connection.execute("DELETE FROM labels WHERE key = ?", (job_id,))

    def save_label(self, label: LabelRow) -> None:
        """Keep what a person noted about a job, a run or a node; a label that says nothing is not kept."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM labels WHERE key = ?", (label.key,))
            if label != LabelRow(label.key):
                values = (label.key, label.heading, json.dumps(label.tags), label.remark, int(label.archived))
                connection.execute("INSERT INTO labels VALUES (?, ?, ?, ?, ?)", values)

    def labels(self) -> dict[str, LabelRow]:
        """Return what a person noted, by the id of the job or run, or a node's key."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT key, heading, tags, remark, archived FROM labels").fetchall()
        return {
            key: LabelRow(key, heading, tuple(json.loads(tags)), remark, bool(archived))
            for key, heading, tags, remark, archived in rows
        }

    def save_node(self, node: NodeRow) -> None:
        """Add or replace a node."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO nodes VALUES (?, ?, ?)", (node.name, node.address, node.last_report)
            )

    def nodes(self) -> list[NodeRow]:
        """Return all nodes in the order of their names."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name, address, last_report FROM nodes ORDER BY name").fetchall()
        return [NodeRow(*row) for row in rows]

    def delete_node(self, name: str) -> None:
        """Forget a node; one that is not here is passed over."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM nodes WHERE name = ?", (name,))
            connection.execute("DELETE FROM labels WHERE key = ?", (node_key(name),))

    def save_run(self, run: RunRow) -> None:
        """Add a run, or replace its row; its journal stays."""
        losses = json.dumps([loss if math.isfinite(loss) else None for loss in run.losses])
        loss, best, rate = (
            value if math.isfinite(value) else None for value in (run.loss, run.best_held_out, run.tokens_per_s)
        )
        values = (run.run_id, run.name, run.node, run.job, run.state, run.step, run.total_steps, loss)
        rest = (run.created_s, run.ended_s, run.note, losses, run.bundle, run.job_id, best, rate)
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO runs ({_RUN_COLUMNS}) VALUES ({','.join('?' * 16)})",  # noqa: S608
                (*values, *rest),
            )
            connection.execute("DELETE FROM forgotten WHERE run_id = ?", (run.run_id,))

    def runs(self) -> list[RunRow]:
        """Return all runs, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_RUN_COLUMNS} FROM runs ORDER BY created_s DESC, run_id"  # noqa: S608 - names are our own
            ).fetchall()
        return [_run_row(row) for row in rows]

    def run(self, run_id: str) -> RunRow | None:
        """Return a run by its id, None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_RUN_COLUMNS} FROM runs WHERE run_id = ?",  # noqa: S608 - names are our own
                (run_id,),
            ).fetchone()
        return _run_row(row) if row is not None else None

    def delete_run(self, run_id: str) -> None:
        """Forget a run with its journal and logs; what lies on the node stays and is not taken in again by itself."""
        with self._database.writing() as connection:
            for table in ("runs", "blocks", "cursors", "logs", "stretches"):
                connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608
            connection.execute("DELETE FROM labels WHERE key = ?", (run_id,))
            connection.execute("INSERT OR IGNORE INTO forgotten VALUES (?)", (run_id,))

    def is_new(self, run_id: str) -> bool:
        """Say whether a run was never in this library: neither here nor forgotten by a person."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM runs WHERE run_id = ? UNION ALL SELECT 1 FROM forgotten WHERE run_id = ?",
                (run_id, run_id),
            ).fetchone()
        return found is None

    def kept_bytes(self, run_id: str) -> int:
        """Return how many bytes of a run's journals and logs are kept here, which deleting it frees."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT coalesce((SELECT sum(length(body)) FROM logs WHERE run_id = ?1), 0) + "
                "coalesce((SELECT sum(length(events) + length(steps)) FROM stretches WHERE run_id = ?1), 0)",
                (run_id,),
            ).fetchone()
        return int(row[0]) + self.journal_bytes(run_id)

    def save_peak(self, peak: PeakRow) -> None:
        """Add or replace what was measured of a run's memory."""
        values = (peak.run_id, peak.node, peak.model, peak.time_s, int(peak.corrects), peak.body)
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO peaks VALUES (?, ?, ?, ?, ?, ?)", values)

    def peaks(self) -> list[PeakRow]:
        """Return what was measured of runs' memory, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT run_id, node, model, time_s, corrects, body FROM peaks ORDER BY time_s DESC, run_id"
            ).fetchall()
        return [
            PeakRow(run, node, model, time, bool(corrects), body) for run, node, model, time, corrects, body in rows
        ]

    def store_blocks(self, run_id: str, blocks: Sequence[Block], logs: Sequence[LogBlock] = ()) -> None:
        """Keep pieces of a run's journals and logs and move its cursors, all in one transaction.

        A piece that is here already is passed over, of one that overlaps only the new part is kept.

        Raises:
            JournalGap: a piece begins beyond its writer's cursor; nothing was written.
        """
        with self._database.writing() as connection:
            cursors = _cursors(connection, run_id)
            for block in blocks:
                new = beyond(block, cursors.get(block.writer))
                if new is None:
                    continue
                connection.execute(
                    "INSERT INTO blocks (run_id, writer, segment, incarnation, offset, body) VALUES (?, ?, ?, ?, ?, ?)",
                    (run_id, new.writer, new.segment, new.incarnation, new.offset, new.body),
                )
                cursors[new.writer] = new.end
            connection.executemany(
                "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, ?)",
                [(run_id, writer, at.segment, at.incarnation, at.offset) for writer, at in cursors.items()],
            )
            for rank in {log.rank for log in logs}:
                _store_logs(connection, run_id, rank, [log for log in logs if log.rank == rank])

    def cursors(self, run_id: str) -> dict[str, Cursor]:
        """Return how far each writer's journal is kept."""
        with self._database.reading() as connection:
            return _cursors(connection, run_id)

    def log_offsets(self, run_id: str) -> dict[int, int]:
        """Return how far each rank's log is kept, in bytes."""
        with self._database.reading() as connection:
            ranks = connection.execute("SELECT DISTINCT rank FROM logs WHERE run_id = ?", (run_id,)).fetchall()
            return {rank: _log_end(connection, run_id, rank) for (rank,) in ranks}

    def blocks(self, run_id: str, after: Mapping[str, Cursor] | None = None) -> Iterator[Block]:
        """Yield the kept pieces of a run's journals: writer by writer, each in the order it was written.

        ``after`` leaves out what lies before these cursors.

        Of a segment that was begun anew under another incarnation only the incarnation that counts is yielded.
        """
        for piece in pieces(self._database, run_id, after or {}, wants_columns=False):
            assert isinstance(piece, Block)
            yield piece

    def pieces(self, run_id: str) -> Iterator[Block | Stretch]:
        """Yield what `blocks` does, decoded where the run was condensed."""
        return pieces(self._database, run_id, {}, wants_columns=True)

    def condense(self, run_id: str, is_over: bool) -> Iterator[int]:
        """Make large blocks and columns of what is kept of a run, and thin old samples of its node's hardware.

        See `studio.store.condensing` and `studio.store.thinning`; yields the bytes of each block that was treated.
        """
        yield from condense(self._database, run_id, is_over)
        yield from thin(self._database, run_id)

    def journal_bytes(self, run_id: str) -> int:
        """Return how many bytes of the run's journals are kept."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(length(body)), 0) FROM blocks WHERE run_id = ?", (run_id,)
            ).fetchone()
        return int(row[0])

    def logs(self, run_id: str, last_bytes: int = LOG_KEPT_BYTES) -> Iterator[LogBlock]:
        """Yield the kept pieces of each rank's log, rank by rank, at most about ``last_bytes`` a rank."""
        for rank, end in sorted(self.log_offsets(run_id).items()):
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT offset, body FROM logs WHERE run_id = ? AND rank = ? AND offset >= ? ORDER BY offset",
                    (run_id, rank, end - last_bytes),
                ).fetchall()
            yield from (LogBlock(rank, offset, body) for offset, body in rows)


def _run_row(row: Sequence[Any]) -> RunRow:
    run_id, name, node, job, state, step, total, loss, created_s, ended_s, note, losses, bundle, job_id, best, rate = (
        row
    )
    points = tuple(math.nan if point is None else float(point) for point in json.loads(losses))
    loss, best, rate = (math.nan if value is None else value for value in (loss, best, rate))
    return RunRow(
        run_id, name, node, job, state, step, total, loss, created_s, ended_s, note, points, bundle, job_id, best, rate
    )


def _cursors(connection: sqlite3.Connection, run_id: str) -> dict[str, Cursor]:
    rows = connection.execute("SELECT writer, segment, incarnation, offset FROM cursors WHERE run_id = ?", (run_id,))
    return {writer: Cursor(segment, incarnation, offset) for writer, segment, incarnation, offset in rows}


def _log_end(connection: sqlite3.Connection, run_id: str, rank: int) -> int:
    row = connection.execute(
        "SELECT offset + length(body) FROM logs WHERE run_id = ? AND rank = ? ORDER BY offset DESC LIMIT 1",
        (run_id, rank),
    ).fetchone()
    return int(row[0]) if row is not None else 0


def _store_logs(connection: sqlite3.Connection, run_id: str, rank: int, logs: Iterable[LogBlock]) -> None:
    end = _log_end(connection, run_id, rank)
    for log in logs:
        # a hole is allowed here: a node under a flood drops the middle of a log
        body = log.body[max(0, end - log.offset) :]
        if not body:
            continue
        start = log.offset + len(log.body) - len(body)
        connection.execute("INSERT INTO logs VALUES (?, ?, ?, ?)", (run_id, rank, start, body))
        end = start + len(body)
    connection.execute(
        "DELETE FROM logs WHERE run_id = ? AND rank = ? AND offset < ?", (run_id, rank, end - LOG_KEPT_BYTES)
    )
