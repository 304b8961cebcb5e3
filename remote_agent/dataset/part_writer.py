"""Writes one part of prepared data to disk as its rows come, so that no more than a batch is held in memory."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.encoding import MASKED, EncodedRow
from remote_agent.dataset.packing import Packed, one_row_each, pack
from remote_agent.dataset.prepared import IDS, LABELS, ROW_IDS, ROW_STARTS, SEQUENCE_ROWS, SEQUENCES, array_file

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER_BYTES = 128


class GrowingArray:
    """A one-dimensional .npy file of int32 whose length is known at the end only."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._length = 0
        self._file.write(bytes(_HEADER_BYTES))

    def append(self, values: NDArray[np.int32]) -> None:
        """Write values behind those that are there."""
        self._file.write(np.ascontiguousarray(values, dtype="<i4").tobytes())
        self._length += len(values)

    def finish(self) -> None:
        """Write the header and sync to disk."""
        words = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({self._length},), }}"
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
        tokens: token ids written.
        supervised_tokens: labels other than -100 written.
        sequences: set by `finish`.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self._folder = folder
        self._part = part
        self._ids = GrowingArray(folder / array_file(part, IDS))
        self._labels = GrowingArray(folder / array_file(part, LABELS))
        self._lengths = array("q")
        self._row_ids = array("q")
        self.tokens = 0
        self.supervised_tokens = 0
        self.sequences = 0

    @property
    def rows(self) -> int:
        """Return the number of rows written."""
        return len(self._row_ids)

    def add(self, rows: list[EncodedRow]) -> None:
        """Append what is kept of the rows."""
        used = [row for row in rows if row.kept]
        if not used:
            return
        labels = np.concatenate([row.labels[: row.kept] for row in used])
        self._ids.append(np.concatenate([row.ids[: row.kept] for row in used]))
        self._labels.append(labels)
        self._lengths.extend(row.kept for row in used)
        self._row_ids.extend(row.row.index for row in used)
        self.tokens += len(labels)
        self.supervised_tokens += int(np.count_nonzero(labels != MASKED))

    def finish(self, packing: bool, max_length: int) -> None:
        """Write boundaries and sequences, and sync everything."""
        lengths = np.array(self._lengths, dtype=np.int64)
        starts = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:])
        packed: Packed = pack(lengths, max_length) if packing else one_row_each(len(lengths))
        self.sequences = packed.sequences
        self._ids.finish()
        self._labels.finish()
        for name, values in (
            (ROW_STARTS, starts),
            (ROW_IDS, np.array(self._row_ids, dtype=np.int64)),
            (SEQUENCES, packed.starts),
            (SEQUENCE_ROWS, packed.rows),
        ):
            with (self._folder / array_file(self._part, name)).open("wb") as file:
                np.save(file, values, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())

    def close(self) -> None:
        """Let go of the files, finished or not."""
        self._ids.close()
        self._labels.close()
