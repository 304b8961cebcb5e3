"""A few numbers of every row, in files that grow while a scan runs and that other processes map meanwhile."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import MASKED, EncodedRow
from remote_agent.run_files.atomic_write import atomic_write

CHUNK_ROWS = 1 << 18
"""Rows that are worked on at once, so that the memory in between stays small."""

MOST_CLASSES = 1000
"""Texts that are labels of more classes than these are no classes, and are not counted."""

_CLASSES = "classes.json"
_ARRAYS = {"tokens": "<i4", "usable": "?", "classes": "<i4", "runs": "<i4", "run_ends": "<i8"}
_LAST = "run_ends"

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class RowArrays(NamedTuple):
    """What is remembered of rows 0 to n - 1.

    Attributes:
        tokens: int32 [n], tokens of the whole row, before anything is cut; 0 where it cannot be used.
        usable: bool [n], which rows have no problem.
        classes: int32 [n], a number into ``names``, -1 where the row has no class.
        runs: int32 [runs, 2], first and one past the last token of each stretch of trained tokens.
        run_ends: int64 [n], runs in rows 0 to i, so that row i has ``runs[run_ends[i - 1]:run_ends[i]]``.
        names: the classes.
    """

    tokens: Int32
    usable: NDArray[np.bool_]
    classes: Int32
    runs: Int32
    run_ends: Int64
    names: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return how many rows are in."""
        return len(self.run_ends)

    def slice(self, start: int, end: int) -> RowArrays:
        """Return rows start to end - 1 as arrays of their own."""
        ends = self.run_ends[start:end]
        before = int(self.run_ends[start - 1]) if start else 0
        last = int(ends[-1]) if len(ends) else before
        return RowArrays(
            self.tokens[start:end], self.usable[start:end], self.classes[start:end], self.runs[before:last],
            ends - before, self.names,
        )  # fmt: skip

    def chunks(self) -> Iterator[tuple[int, RowArrays]]:
        """Yield the number of a first row and some rows from it on, all of them in turn."""
        for start in range(0, self.rows, CHUNK_ROWS):
            yield start, self.slice(start, start + CHUNK_ROWS)
            if self.rows > CHUNK_ROWS:
                self.let_go()

    def let_go(self) -> None:
        """Give back the memory of what was read of files; it is read again when it is needed."""
        let_go(self.tokens, self.usable, self.classes, self.runs, self.run_ends)

    def run_rows(self) -> Int64:
        """Return int64 [runs], the row of each stretch of trained tokens."""
        return np.repeat(np.arange(self.rows, dtype=np.int64), np.diff(self.run_ends, prepend=0))

    def runs_of(self, row: int) -> Int32:
        """Return the stretches of trained tokens of one row, int32 [runs, 2]."""
        first = int(self.run_ends[row - 1]) if row else 0
        return self.runs[first : int(self.run_ends[row])]

    def trained(self, length: int = 0) -> Int64:
        """Return int64 [n], each row's trained tokens among its first ``length``; 0: among all."""
        ends = np.minimum(self.runs[:, 1], length) if length else self.runs[:, 1]
        sums = np.zeros(len(self.runs) + 1, dtype=np.int64)
        np.cumsum(np.maximum(ends - self.runs[:, 0], 0), out=sums[1:])
        return np.diff(sums[self.run_ends], prepend=0)

    def first_trained(self) -> Int32:
        """Return int32 [n], the place of each row's first trained token, -1 where it has none."""
        counts = np.diff(self.run_ends, prepend=0)
        first = np.full(self.rows, -1, dtype=np.int32)
        has_any = counts > 0
        first[has_any] = self.runs[(self.run_ends - counts)[has_any], 0]
        return first

    def last_trained(self) -> Int32:
        """Return int32 [n], one past the place of each row's last trained token, -1 where it has none."""
        last = np.full(self.rows, -1, dtype=np.int32)
        has_any = np.diff(self.run_ends, prepend=0) > 0
        last[has_any] = self.runs[self.run_ends[has_any] - 1, 1]
        return last


NO_ROWS = RowArrays(
    np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0, np.int32), np.zeros((0, 2), np.int32),
    np.zeros(0, np.int64), (),
)  # fmt: skip


def let_go(*arrays: NDArray[Any]) -> None:
    """Give back the memory of arrays that are mapped from files; others are left alone."""
    for array in arrays:
        mapped = getattr(array, "_mmap", None)
        if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)


class ArrayWriter:
    """The arrays of a folder, growing batch by batch; rows have to come in the order of their indices."""

    def __init__(self, folder: Path) -> None:
        """Begin anew. Raises OSError."""
        self.folder = folder
        self._names: dict[str, int] = {}
        self._runs = 0
        self.rows = 0
        self._files: dict[str, BinaryIO] = {name: (folder / name).open("wb") for name in _ARRAYS}

    def add(self, batch: Sequence[EncodedRow]) -> None:
        """Append rows, and let readers see them. Raises OSError."""
        runs, counts = _runs(batch)
        known = len(self._names)
        arrays = {
            "tokens": np.array([0 if row.problem else len(row.ids) for row in batch]),
            "usable": np.array([not row.problem for row in batch]),
            "classes": np.array([self._class(row) for row in batch]),
            "runs": runs,
            _LAST: self._runs + np.cumsum(counts),
        }
        if len(self._names) > known:
            atomic_write(str(self.folder / _CLASSES), json.dumps(list(self._names)).encode())
        # A reader counts rows by the file that is written last.
        for name, values in arrays.items():
            self._files[name].write(np.ascontiguousarray(values, dtype=_ARRAYS[name]).tobytes())
            self._files[name].flush()
        self._runs += len(runs)
        self.rows += len(batch)

    def _class(self, row: EncodedRow) -> int:
        label = row.conversation.label if row.conversation else ""
        if not label or (label not in self._names and len(self._names) >= MOST_CLASSES):
            return -1
        return self._names.setdefault(label, len(self._names))

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()


def _runs(batch: Sequence[EncodedRow]) -> tuple[Int64, Int64]:
    """Return the stretches of trained tokens of all rows, int64 [runs, 2], and how many each row has."""
    gap = np.full(1, MASKED, dtype=np.int32)
    labels = [piece for row in batch for piece in (gap, gap[:0] if row.problem else row.labels)]
    trained = np.concatenate([*labels, gap]) != MASKED
    edges = np.flatnonzero(trained[1:] != trained[:-1]).astype(np.int64)
    # Label i of the first row stands at i + 1, so the edge before it has the number i.
    begins = np.zeros(len(batch), dtype=np.int64)
    np.cumsum([1 + (0 if row.problem else len(row.labels)) for row in batch[:-1]], out=begins[1:])
    rows = np.searchsorted(begins, edges[0::2], side="right") - 1
    runs = np.stack([edges[0::2], edges[1::2]], axis=1) - begins[rows][:, np.newaxis]
    return runs, np.bincount(rows, minlength=len(batch)).astype(np.int64)


def read_arrays(folder: Path) -> RowArrays:
    """Map the arrays of a folder as far as they are written.

    Raises:
        DataError: they do not fit together.
        OSError: one is not there.
    """
    ends = _mapped(folder, _LAST)
    rows = len(ends)
    if not rows:
        return NO_ROWS
    arrays = {name: _mapped(folder, name) for name in ("tokens", "usable", "classes", "runs")}
    runs = int(ends[-1])
    names = folder / _CLASSES
    if len(arrays["runs"]) < 2 * runs or any(len(arrays[name]) < rows for name in ("tokens", "usable", "classes")):
        raise DataError(f"{folder}: the arrays do not fit together.")
    return RowArrays(
        arrays["tokens"][:rows], arrays["usable"][:rows], arrays["classes"][:rows],
        arrays["runs"][: 2 * runs].reshape(runs, 2), ends,
        tuple(json.loads(names.read_text(encoding="utf-8"))) if names.is_file() else (),
    )  # fmt: skip


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    kind = np.dtype(_ARRAYS[name])
    length = (folder / name).stat().st_size // kind.itemsize
    # an empty file cannot be mapped
    return np.memmap(folder / name, dtype=kind, mode="r", shape=(length,)) if length else np.zeros(0, dtype=kind)
