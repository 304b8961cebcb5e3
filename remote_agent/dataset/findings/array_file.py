"""A long array of fixed-size records that is written once and read back: in memory while short, on disk beyond."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

IN_MEMORY_BYTES = 4 << 20
"""What an array may hold in memory before it goes to disk."""

_CHUNK_RECORDS = 1 << 16
_GAP_BYTES = 512


class ArrayFile:
    """Records of ``width`` values each; the file has no name and vanishes with the object.

    Attributes:
        records: how many there are.
    """

    def __init__(self, dtype: type[np.generic], width: int = 1, in_memory_bytes: int | None = None) -> None:
        self._dtype = np.dtype(dtype)
        self._width = width
        self._most = IN_MEMORY_BYTES if in_memory_bytes is None else in_memory_bytes
        self._held: list[NDArray[Any]] = []
        self._held_bytes = 0
        self._file: IO[bytes] | None = None
        self.records = 0

    def append(self, values: NDArray[Any]) -> None:
        """Add records, [records, width] or [records]. Raises OSError where the disk is full."""
        values = np.ascontiguousarray(values, dtype=self._dtype).reshape(-1, self._width)
        self.records += len(values)
        self._held.append(values)
        self._held_bytes += values.nbytes
        if self._held_bytes > self._most:
            self._spill()

    def array(self) -> NDArray[Any]:
        """Return all records, [records, width]; those of a file are read whole."""
        whole = np.empty((self.records, self._width), self._dtype)
        at = 0
        for chunk in self.chunks():
            whole[at : at + len(chunk)] = chunk
            at += len(chunk)
        return whole

    def at(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[Any]:
        """Return the records of rising ranges that do not overlap, one after the other, [some, width].

        What lies close together in a file is read at once; no page of it stays mapped.
        """
        sizes = ends - starts
        places = np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        if self._file is None:
            held: NDArray[Any] = self._whole()[places]
            return held
        self._spill()
        record = self._width * self._dtype.itemsize
        far = np.flatnonzero((starts[1:] - ends[:-1]) * record > _GAP_BYTES) + 1
        firsts = starts[np.concatenate(([0], far))[: len(starts)]]
        lasts = ends[np.concatenate((far, [len(ends)]))[: len(ends)] - 1]
        raw = b"".join(
            os.pread(self._file.fileno(), (last - first) * record, first * record)
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        )
        block = np.searchsorted(firsts, places, side="right") - 1
        before = np.cumsum(lasts - firsts) - (lasts - firsts)
        read = np.frombuffer(raw, dtype=self._dtype).reshape(-1, self._width)
        found: NDArray[Any] = read[places - firsts[block] + before[block]]
        return found

    def chunks(self) -> Iterator[NDArray[Any]]:
        """Yield the records in order, some at a time, [some, width]; holds no more of a file than that."""
        if self._file is None:
            whole = self._whole()
            yield from (whole[start : start + _CHUNK_RECORDS] for start in range(0, len(whole), _CHUNK_RECORDS))
            return
        self._spill()
        self._file.seek(0)
        size = self._width * self._dtype.itemsize
        while raw := self._file.read(_CHUNK_RECORDS * size):
            yield np.frombuffer(raw, dtype=self._dtype).reshape(-1, self._width)

    def _whole(self) -> NDArray[Any]:
        if len(self._held) != 1:
            self._held = [np.concatenate([np.empty((0, self._width), self._dtype), *self._held])]
        return self._held[0]

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  it is kept for as long as the object
            weakref.finalize(self, self._file.close)
        self._file.seek(0, 2)
        for values in self._held:
            self._file.write(values.data)
        self._file.flush()
        self._held, self._held_bytes = [], 0
