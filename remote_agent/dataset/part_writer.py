"""Writes one part of prepared data as it comes: no more than a batch is held in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.encoding import MASKED, EncodedRow
from remote_agent.dataset.packing import Packed, one_row_each, pack
from remote_agent.dataset.prepared import (
    IDS,
    LABELS,
    ROW_IDS,
    ROW_STARTS,
    SEQUENCE_ROWS,
    SEQUENCES,
    WEIGHTS,
    array_file,
)

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER_BYTES = 128
_CHUNK = 1 << 18


class GrowingArray:
    """A one-dimensional .npy file whose length is known at the end only; of int32 where nothing else is said."""

    def __init__(self, path: Path, dtype: str = "<i4") -> None:
        self._file = path.open("wb")
        self._dtype = dtype
        self._length = 0
        self._file.write(bytes(_HEADER_BYTES))

    def append(self, values: NDArray[np.generic]) -> None:
        """Write values behind those that are there."""
        self._file.write(np.ascontiguousarray(values, dtype=self._dtype).tobytes())
        self._length += len(values)

    def finish(self) -> None:
        """Write the header and sync to disk."""
        words = f"{{'descr': '{self._dtype}', 'fortran_order': False, 'shape': ({self._length},), }}"
        header = words.encode("latin-1").ljust(_HEADER_BYTES - len(_MAGIC) - 3) + b"\n"
        self._file.seek(0)
        self._file.write(_MAGIC + len(header).to_bytes(2, "little") + header)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._file.close()


class PartWriter:
    """The arrays of one part, growing row by row.

    Attributes:
        rows: rows written, each as often as a pass trains it.
        documents: what they became: a row that is split is several.
        tokens: token ids written.
        supervised_tokens: labels other than -100 written.
        sequences: set by `finish`.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self._folder = folder
        self._part = part
        self._ids = self._array(IDS)
        self._labels = self._array(LABELS)
        self._row_starts = self._array(ROW_STARTS, "<i8")
        self._row_ids = self._array(ROW_IDS, "<i8")
        self._weights: GrowingArray | None = None
        self._row_starts.append(np.zeros(1, dtype=np.int64))
        self.rows = 0
        self.documents = 0
        self.tokens = 0
        self.supervised_tokens = 0
        self.sequences = 0

    def _array(self, name: str, dtype: str = "<i4") -> GrowingArray:
        return GrowingArray(self._folder / array_file(self._part, name), dtype)

    def add(self, rows: Sequence[EncodedRow], times: Sequence[int] | None = None) -> None:
        """Append the pieces of the rows, each row ``times`` times (once where that is not given)."""
        counts = [1] * len(rows) if times is None else times
        used = [row for row, count in zip(rows, counts, strict=True) for _ in range(count if row.pieces else 0)]
        pieces = [(row, start, end) for row in used for start, end in row.pieces]
        if not pieces:
            return
        labels = np.concatenate([row.labels[start:end] for row, start, end in pieces])
        self._ids.append(np.concatenate([row.ids[start:end] for row, start, end in pieces]))
        self._labels.append(labels)
        self._add_weights(pieces, len(labels))
        ends = np.cumsum([end - start for _, start, end in pieces], dtype=np.int64)
        self._row_starts.append(self.tokens + ends)
        self._row_ids.append(np.array([row.row.index for row, _, _ in pieces], dtype=np.int64))
        self.rows += len(used)
        self.documents += len(pieces)
        self.tokens += len(labels)
        self.supervised_tokens += int(np.count_nonzero(labels != MASKED))

    def _add_weights(self, pieces: list[tuple[EncodedRow, int, int]], tokens: int) -> None:
        if self._weights is None:
            if all(row.weights is None for row, _, _ in pieces):
                return
            # The first row whose tokens do not all count 1: those before it did.
            self._weights = self._array(WEIGHTS, "<f4")
            for start in range(0, self.tokens, _CHUNK):
                self._weights.append(np.ones(min(_CHUNK, self.tokens - start), dtype=np.float32))
        weights = np.ones(tokens, dtype=np.float32)
        at = 0
        for row, start, end in pieces:
            if row.weights is not None:
                weights[at : at + end - start] = row.weights[start:end]
            at += end - start
        self._weights.append(weights)

    def finish(self, packing: bool, max_length: int) -> None:
        """Write boundaries and sequences, and sync everything."""
        for growing in (self._ids, self._labels, self._row_starts, self._row_ids, self._weights):
            if growing is not None:
                growing.finish()
        packed = pack(self._lengths(), max_length) if packing else one_row_each(self.documents)
        self.sequences = packed.sequences
        self._write(packed)

    def _lengths(self) -> NDArray[np.int32]:
        starts = np.load(self._folder / array_file(self._part, ROW_STARTS), mmap_mode="r")
        lengths = np.empty(self.documents, dtype=np.int32)
        for start in range(0, self.documents, _CHUNK):
            end = min(start + _CHUNK, self.documents)
            lengths[start:end] = np.diff(starts[start : end + 1])
        return lengths

    def _write(self, packed: Packed) -> None:
        for name, values in ((SEQUENCES, packed.starts), (SEQUENCE_ROWS, packed.rows)):
            with (self._folder / array_file(self._part, name)).open("wb") as file:
                np.save(file, values, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())

    def close(self) -> None:
        """Let go of the files, finished or not."""
        for growing in (self._ids, self._labels, self._row_starts, self._row_ids, self._weights):
            if growing is not None:
                growing.close()
