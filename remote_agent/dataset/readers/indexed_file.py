"""One file whose rows are found by their number, with an index that grows as far as it was asked for."""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.data_error import CancelledError
from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.index_cache import SavedIndex, load_index, save_index
from remote_agent.dataset.readers.opening import format_of
from remote_agent.dataset.readers.rows import MARK_ROWS, Entry, Mark

_WIDTH = 4
_FIRST_ROWS = 256


class _Open(NamedTuple):
    """A reading that can go on where the last one stopped."""

    row: int
    entries: Generator[Entry, None, None]


class IndexedFile:
    """The rows of one file. Not for several threads at once.

    Attributes:
        indexed: rows known so far. complete: every row is.
    """

    def __init__(self, path: Path, name: str, cache: Path | None = None) -> None:
        """Look at the file's beginning, or take back its kept index. Raises DataError where it is no data file."""
        self.name = name
        self.source = ByteSource(path, name, cache)
        self.format = format_of(self.source)
        self.indexed = 0
        self.complete = False
        self._end = self.format.start
        self._passed = 0
        self._marks = array("q", [0, *self._end])
        self._open: _Open | None = None
        if cache is not None:
            self._restore(load_index(cache, self.source.key))

    def notes(self) -> list[str]:
        """Return what its owner should know of how it is read."""
        return list(self.source.notes.sentences().values())

    def estimate(self) -> int:
        """Return the number of rows, from bytes until it is exact."""
        if not self.complete and not self.indexed:
            self.extend(_FIRST_ROWS)
        if self.complete:
            return self.indexed
        return max(self.indexed, int(self.indexed * (self.source.estimated_size() / max(1, self._passed))))

    def size(self) -> int:
        """Return the bytes that indexing passes over in all, estimated where the file is packed."""
        return self.source.estimated_size()

    def passed(self) -> int:
        """Return the bytes that indexing has passed over."""
        return self.size() if self.complete else min(self._passed, self.size())

    def extend(self, rows: int, cancelled: Callable[[], bool] | None = None) -> None:
        """Index so many rows at least, all where ``rows`` is negative. Raises CancelledError, DataError."""
        if self.complete or 0 <= rows <= self.indexed:
            return
        with closing(self.format.scan(self.indexed, self._end)) as blocks:
            for block in blocks:
                self._marks.frombytes(np.ascontiguousarray(block.marks).tobytes())
                self.indexed, self._end, self._passed = block.rows, block.end, block.passed
                if cancelled is not None and cancelled():
                    raise CancelledError
                if 0 <= rows <= self.indexed:
                    return
        self._finish()

    def rows(self, start: int, count: int) -> list[Entry]:
        """Return rows by their number; fewer at the file's end."""
        last, self._open = self._open, None
        if last is not None and last.row == start:
            entries = last.entries
        else:
            if last is not None:
                last.entries.close()
            entries = self.entries(start)
        found = [entry for _, entry in zip(range(count), entries, strict=False)]
        if len(found) == count:
            self._open = _Open(start + count, entries)
        return found

    def entries(self, start: int) -> Generator[Entry, None, None]:
        """Yield the rows from a number on; passing the known rows makes more known."""
        self.extend(start)
        if self.complete and start >= self.indexed:
            return
        number, mark = self._mark_before(start)
        reader = self.format.reader(mark)
        with closing(reader):
            number += reader.skip(start - number)
            for entry in reader.entries():
                number += 1
                if number > self.indexed:
                    self._record(number, reader.mark())
                yield entry
            is_marked = reader.mark() is not None
        if self.source.ended_early:
            number += 1
            yield Entry(0, {}, f"the file {self.source.ended_early}")
        if is_marked:
            self.extend(-1)

    def close(self) -> None:
        """Let go of what is open."""
        if self._open is not None:
            self._open.entries.close()
            self._open = None
        self.format.release()

    def _finish(self) -> None:
        self.indexed += bool(self.source.ended_early)
        self.complete = True
        if self.source.cache is not None:
            self.source.check_unchanged()
            marks: NDArray[np.int64] = np.array(self._marks, np.int64).reshape(-1, _WIDTH)
            notes = self.source.notes.sentences()
            save_index(
                self.source.cache,
                self.source.key,
                SavedIndex(self.indexed, marks, self.format.parts, notes, self.source.ended_early),
            )

    def _restore(self, saved: SavedIndex | None) -> None:
        if saved is None:
            return
        self._marks = array("q", saved.marks.tobytes())
        self.indexed, self.complete = saved.rows, True
        self.format.parts[:] = saved.parts
        self.source.notes.restore(saved.notes)
        self.source.ended_early = saved.ended_early

    def _mark_before(self, row: int) -> tuple[int, Mark]:
        marks = self._marks
        at = bisect.bisect_right(range(len(marks) // _WIDTH), row, key=lambda number: marks[number * _WIDTH]) - 1
        number, *mark = marks[at * _WIDTH : (at + 1) * _WIDTH]
        return number, Mark(*mark)

    def _record(self, number: int, mark: Mark | None) -> None:
        """Keep a place that reading came by, as indexing would."""
        if mark is None:
            return
        self.indexed, self._end, self._passed = number, mark, max(self._passed, mark.offset)
        if number - self._marks[-_WIDTH] >= MARK_ROWS or mark.offset - self._marks[1 - _WIDTH] > 1 << 20:
            self._marks.extend((number, *mark))
