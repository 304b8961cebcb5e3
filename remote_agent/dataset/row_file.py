"""The rows of a file or folder by their number: any of them at once, the rest indexed as far as it was asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Entry, IndexedFile, Row
from remote_agent.dataset.readers.byte_source import stamp_of, unreadable
from remote_agent.dataset.sources import Advance, Cancelled, check, chosen_files, never, no_progress

_CHECKED_ROWS = 64
_STEP_ROWS = 1 << 16
_GUESSED_ROW_BYTES = 500


class RowFile:
    """The rows of one path (a file, or a folder's files in the order of their names), indexed as far as asked for.

    Numbers are local, from 0; `Row.index` is ``first_row`` + number, `Row.source` is ``source``. A row that cannot be
    read, or a folder's file that cannot, is a row with a problem. Not for several threads at once.

    Attributes:
        indexed: rows known so far.
        complete: every row is indexed.
    """

    def __init__(
        self, path: Path, cache: Path | None = None, source: int = 0, first_row: int = 0, max_rows: int = 0
    ) -> None:
        """Open a path; ``cache`` is a folder for indexes and unpacked copies, ``max_rows`` 0 means all.

        Raises:
            NotThereError: there is no such file or folder.
            DataError: it cannot be read, is empty, or is no data file.
        """
        self.path, self.source, self.first_row = path, source, first_row
        self._most = max_rows
        self._cache = cache
        self._chosen = chosen_files(path)
        self._sizes = [stamp_of(file, name).size for name, file in self._chosen.files]
        # A part is opened once every row before it is counted; only the last can be incomplete.
        self._parts: list[_Part] = []
        self._starts: list[int] = []
        self._bytes_before = [0, *accumulate(self._sizes)]
        self._last: _Part | None = None
        if len(self._chosen.files) == 1:
            self._open_next()

    @property
    def indexed(self) -> int:
        """Return how many rows are known so far."""
        return min(self._known(), self._most) if self._most else self._known()

    @property
    def complete(self) -> bool:
        """Say whether every row is indexed."""
        all_are = len(self._parts) == len(self._chosen.files) and self._parts[-1].complete
        return all_are or bool(self._most and self.indexed >= self._most)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return sentences on how it is read: encodings, files left out, what a format leaves open."""
        return (*self._chosen.notes, *(note for part in self._parts for note in part.notes()))

    def estimate(self) -> int:
        """Return the number of rows, from bytes until it is complete, then exact."""
        if not self._parts:
            self._open_next()
        known = self._starts[-1] + self._parts[-1].estimate()
        opened = self._bytes_before[len(self._parts)]
        row_bytes = opened / known if known else _GUESSED_ROW_BYTES
        rows = known + int((self._bytes_before[-1] - opened) / max(1.0, row_bytes))
        return min(rows, self._most) if self._most else rows

    def rows(self, start: int, count: int) -> list[Row]:
        """Return the rows with the numbers ``start`` to ``start + count - 1``, fewer at the end.

        Raises:
            DataError: the file changed since it was opened, or can no longer be read.
        """
        count = min(count, self._most - start) if self._most else count
        found: list[Row] = []
        while len(found) < count and (at := self._locate(start + len(found))) is not None:
            part, local = at
            entries = part.rows(local, count - len(found))
            found += [self._row(part, number, entry) for number, entry in enumerate(entries, start + len(found))]
        return found

    def iterate(self, start: int = 0) -> Iterator[Row]:
        """Yield every row from ``start`` on, in order, and index by the way. Raises DataError as `rows` does."""
        number = start
        at = self._locate(start)
        while at is not None:
            part, local = at
            for entries in part.iterate(local):
                for entry in entries:
                    if self._most and number >= self._most:
                        return
                    yield self._row(part, number, entry)
                    number += 1
            at = self._locate(number)

    def index(self, progress: Advance = no_progress, cancelled: Cancelled = never) -> int:
        """Index the rest and return the number of rows. Raises CancelledError, and DataError as `rows` does."""
        while not self.complete:
            check(cancelled)
            part = self._parts[-1] if self._parts else None
            if part is None or part.complete:
                self._open_next()
                continue
            step = min(self._most - self.indexed, _STEP_ROWS) if self._most else _STEP_ROWS
            part.extend(part.indexed + step, cancelled)
            before, share = self._bytes_before[len(self._parts) - 1], part.passed() / max(1, part.size())
            progress("index", before + share * self._sizes[len(self._parts) - 1], self._bytes_before[-1], "bytes")
        for part in self._parts:
            part.check_unchanged()
        return self.indexed

    def close(self) -> None:
        """Let go of the files that are open; they are opened again when needed."""
        if self._last is not None:
            self._last.close()
            self._last = None

    def _known(self) -> int:
        return self._starts[-1] + self._parts[-1].indexed if self._parts else 0

    def _locate(self, number: int) -> tuple[_Part, int] | None:
        """Return the file that holds a row, and the row's number within it; None behind the last."""
        if self._most and number >= self._most:
            return None
        while number >= self.indexed and not self.complete:
            if not self._parts or self._parts[-1].complete:
                self._open_next()
            else:
                self._parts[-1].extend(number - self._starts[-1] + 1)
        if number >= self.indexed:
            self._parts[-1].check_unchanged()
            return None
        # Files without rows share their start with the next; the last of them is the one that has the row.
        at = bisect_right(self._starts, number) - 1
        part = self._parts[at]
        if self._last is not part:
            self.close()
            self._last = part
        return part, number - self._starts[at]

    def _open_next(self) -> None:
        number = len(self._parts)
        name, file = self._chosen.files[number]
        try:
            part = _Part(name, IndexedFile(file, name, self._cache))
        except DataError as error:
            if len(self._chosen.files) == 1:
                raise
            part = _Part(name, None, str(error), is_empty=not self._sizes[number])
        self._starts.append(self._known())
        self._parts.append(part)

    def _row(self, part: _Part, number: int, entry: Entry) -> Row:
        file = f"{part.name} ({entry.part})" if entry.part else part.name
        row = Row(self.first_row + number, file, entry.line, entry.fields, self.source)
        if not entry.problem:
            return row
        return replace(row, problem=f"{row.where()}: {entry.problem.rstrip('.')}.")


class _Part:
    """One file; where it cannot be opened, one row that says so."""

    def __init__(self, name: str, file: IndexedFile | None, problem: str = "", is_empty: bool = False) -> None:
        self.name = name
        self._file = file
        self._problem = problem
        self._failed = () if is_empty or not problem else (Entry(0, {}, problem.removeprefix(f"{name}: ")),)

    @property
    def indexed(self) -> int:
        return self._file.indexed if self._file else len(self._failed)

    @property
    def complete(self) -> bool:
        return self._file.complete if self._file else True

    def notes(self) -> list[str]:
        return self._file.notes() if self._file else [self._problem]

    def estimate(self) -> int:
        return self._file.estimate() if self._file else len(self._failed)

    def size(self) -> int:
        return self._file.size() if self._file else 0

    def passed(self) -> int:
        return self._file.passed() if self._file else 0

    def extend(self, rows: int, cancelled: Cancelled = never) -> None:
        if self._file is not None:
            with _told(self._file):
                self._file.extend(rows, cancelled)

    def rows(self, start: int, count: int) -> Sequence[Entry]:
        if self._file is None:
            return self._failed[start : start + count]
        with _told(self._file):
            return self._file.rows(start, count)

    def iterate(self, start: int) -> Iterator[Sequence[Entry]]:
        """Yield the rows in pieces, each once it is sure that the file is still the same."""
        if self._file is None:
            yield self._failed[start:]
            return
        with closing(self._file.entries(start)) as entries:
            found = True
            while found:
                with _told(self._file):
                    piece = list(islice(entries, _CHECKED_ROWS))
                found = bool(piece)
                yield piece

    def check_unchanged(self) -> None:
        if self._file is not None:
            self._file.source.check_unchanged()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def _told(file: IndexedFile) -> Iterator[None]:
    """Check that a file is still the same once something was read of it, and tell what the system refuses."""
    try:
        yield
    except OSError as error:
        file.source.check_unchanged()
        raise unreadable(file.name, error) from None
    except DataError:
        file.source.check_unchanged()
        raise
    file.source.check_unchanged()
