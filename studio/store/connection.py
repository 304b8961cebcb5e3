"""Opening the library's database: its tables, a damaged file, a newer file, one connection a thread."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from studio.store.rows import StoreDamaged, StoreError, StoreFull

SCHEMA_VERSION = 4

_TABLES = """
CREATE TABLE jobs (id TEXT PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, opened REAL NOT NULL);
CREATE TABLE nodes (name TEXT PRIMARY KEY, address TEXT NOT NULL, last_report TEXT NOT NULL);
CREATE TABLE runs (run_id TEXT PRIMARY KEY, name TEXT NOT NULL, node TEXT NOT NULL, job TEXT NOT NULL,
    state TEXT NOT NULL, step INTEGER NOT NULL, total_steps INTEGER NOT NULL, loss REAL, created_s REAL NOT NULL,
    ended_s REAL NOT NULL, note TEXT NOT NULL, losses TEXT NOT NULL, bundle TEXT NOT NULL);
CREATE TABLE blocks (run_id TEXT NOT NULL, writer TEXT NOT NULL, segment INTEGER NOT NULL, incarnation TEXT NOT NULL,
    offset INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run_id, writer, segment, incarnation, offset));
CREATE TABLE cursors (run_id TEXT NOT NULL, writer TEXT NOT NULL, segment INTEGER NOT NULL, incarnation TEXT NOT NULL,
    offset INTEGER NOT NULL, PRIMARY KEY (run_id, writer)) WITHOUT ROWID;
CREATE TABLE logs (run_id TEXT NOT NULL, rank INTEGER NOT NULL, offset INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (run_id, rank, offset));
"""
_SINCE_2 = """
ALTER TABLE runs ADD COLUMN job_id TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN best_held_out REAL;
ALTER TABLE runs ADD COLUMN tokens_per_s REAL;
CREATE TABLE labels (key TEXT PRIMARY KEY, heading TEXT NOT NULL, tags TEXT NOT NULL, remark TEXT NOT NULL,
    archived INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE forgotten (run_id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_SINCE_3 = """
CREATE TABLE peaks (run_id TEXT PRIMARY KEY, node TEXT NOT NULL, model TEXT NOT NULL, time_s REAL NOT NULL,
    corrects INTEGER NOT NULL, body TEXT NOT NULL);
"""
_SINCE_4 = """
ALTER TABLE blocks ADD COLUMN span INTEGER;
CREATE TABLE stretches (run_id TEXT NOT NULL, writer TEXT NOT NULL, segment INTEGER NOT NULL,
    incarnation TEXT NOT NULL, offset INTEGER NOT NULL, format INTEGER NOT NULL, damaged INTEGER NOT NULL,
    events BLOB NOT NULL, steps BLOB NOT NULL, PRIMARY KEY (run_id, writer, segment, incarnation, offset));
"""
_LAYOUTS = (_TABLES, _SINCE_2, _SINCE_3, _SINCE_4)
"""What each layout of the database adds to the one before it, so that an older library is brought up to date."""

_PATIENCE_S, _RETRY_S = 10.0, 0.01
_SALVAGED = ("jobs", "nodes", "runs", "labels", "peaks")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class _Connection(sqlite3.Connection):
    """A connection that closes itself when its thread is gone."""

    def __del__(self) -> None:
        self.close()


def _turn_on_wal(connection: sqlite3.Connection) -> None:
    """Choose the write-ahead log; SQLite's own patience does not cover two windows that do so on one new file."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_S)


class Database:
    """One SQLite file in WAL mode, each commit on the disk before it counts; a connection for each thread.

    Args:
        path: the file; its folder is made.

    Raises:
        StoreError: the file was written by a newer Luthier, or the folder cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""
        self._threads = threading.local()
        self._guard = threading.Lock()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._marker = path.with_name(path.name + ".damaged")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The library's folder {path.parent} cannot be made: {error.strerror}.") from None
        if self._marker.exists():
            self._begin_anew()
        try:
            self._prepare()
        except StoreDamaged:
            self._begin_anew()
            self._prepare()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection. Raises StoreError in place of sqlite3's errors."""
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise self._translated(error) from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection inside one transaction: all of it happens, or none. Raises StoreError."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connections of all threads; no thread may be using one."""
        with self._guard:
            for connection in list(self._open):
                connection.close()
            self._threads = threading.local()

    def _connection(self) -> _Connection:
        known: _Connection | None = getattr(self._threads, "connection", None)
        if known is not None:
            return known
        # the library closes connections of other threads at the end, hence check_same_thread
        made = sqlite3.connect(
            self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        with self._guard:
            self._open.add(made)
        made.execute("PRAGMA page_size = 16384")
        _turn_on_wal(made)
        made.execute("PRAGMA synchronous = FULL")
        # whose commit copies the log into the file waits for it: rather a follower's than the GUI thread's
        pages = 16_384 if threading.get_ident() == threading.main_thread().ident else 1024
        made.execute(f"PRAGMA wal_autocheckpoint = {pages}")
        made.execute("PRAGMA journal_size_limit = 67108864")
        self._threads.connection = made
        return made

    def _prepare(self) -> None:
        with self.reading() as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if version < SCHEMA_VERSION:
                self._make_tables()
            if version > SCHEMA_VERSION:
                self.close()
                raise StoreError(
                    f"The library {self.path} was written by a newer Luthier (layout {version}, this one knows "
                    f"{SCHEMA_VERSION}). Update Luthier to open it."
                )
            for table in (*_SALVAGED, "blocks", "cursors", "logs", "stretches"):
                connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 - names are our own

    def _make_tables(self) -> None:
        with self.writing() as connection:
            # a second window may have made them while this one waited for the lock
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            for layout in _LAYOUTS[version:]:
                for statement in filter(str.strip, layout.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {max(version, SCHEMA_VERSION)}")

    def _translated(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        missing_table = code == sqlite3.SQLITE_ERROR and "no such table" in str(error)
        if code in _DAMAGE or missing_table:
            with contextlib.suppress(OSError):
                self._marker.touch()
            return StoreDamaged(
                f"The library {self.path} is damaged ({error}). Close and open Luthier: it moves the file aside, "
                "begins a new one and reads the journals from the nodes again."
            )
        if code in _NO_ROOM:
            return StoreFull(
                f"The library {self.path} cannot be written ({error}). Make room on that disk; until then nothing "
                "new is kept."
            )
        return StoreError(f"The library {self.path} could not be used: {error}.")

    def _begin_anew(self) -> None:
        self.close()
        aside = self.path.with_name(f"{self.path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.db")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self.path.with_name(self.path.name + suffix).replace(aside.with_name(aside.name + suffix))
        self._marker.unlink(missing_ok=True)
        self._make_tables()
        saved = self._salvage(aside)
        self.notice = (
            f"The library was damaged and lies aside as {aside}. A new one was begun with what could be read of it "
            f"({saved} jobs, nodes and runs); the journals of runs are read from their nodes again."
        )

    def _salvage(self, aside: Path) -> int:
        """Copy what can still be read of the small tables, row by row, and return how many rows that was."""
        saved = 0
        if not aside.exists():
            return saved
        with contextlib.closing(sqlite3.connect(aside)) as old, self.writing() as new:
            for table in _SALVAGED:
                with contextlib.suppress(sqlite3.Error):
                    found = old.execute(f"SELECT * FROM {table}")  # noqa: S608 - names are our own
                    columns = ",".join(column[0] for column in found.description)  # an older layout has fewer
                    for row in found:
                        marks = ",".join("?" * len(row))
                        new.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", row)  # noqa: S608
                        saved += table not in ("labels", "peaks")
        return saved
