"""Prepared data as the trainer sees it: memory-mapped sequences of token ids, labels and positions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import PreparedData
from remote_agent.contract.wire import from_wire
from remote_agent.dataset.data_error import DataError, NotThereError

REPORT = "prepared.json"
TRAIN, HELD_OUT = "train", "held_out"
IDS, LABELS, ROW_STARTS, ROW_IDS, SEQUENCES, SEQUENCE_ROWS, WEIGHTS = (
    "ids", "labels", "row_starts", "row_ids", "sequences", "sequence_rows", "weights",
)  # fmt: skip

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class Sequence(NamedTuple):
    """One sequence: several documents one after the other, each blind to the others through its positions.

    Attributes:
        ids, labels, positions: int32 [tokens]; positions restart at 0 with each document.
        row_ids: int64, the index over all sources of each document's row; a row that is split has several.
        weights: float32 [tokens], each label's share in the loss; None where the part's labels all count 1.
    """

    ids: Int32
    labels: Int32
    positions: Int32
    row_ids: Int64
    weights: NDArray[np.float32] | None = None


class Part:
    """The sequences of the training or the held-out part."""

    def __init__(self, folder: Path, part: str) -> None:
        """Map the arrays. Raises DataError where one is absent or cut off."""
        self._ids = _mapped(folder, part, IDS)
        self._labels = _mapped(folder, part, LABELS)
        self._row_starts = _mapped(folder, part, ROW_STARTS)
        self.row_ids: Int64 = _mapped(folder, part, ROW_IDS)
        self._sequences = _mapped(folder, part, SEQUENCES)
        self._sequence_rows = _mapped(folder, part, SEQUENCE_ROWS)
        weighted = (folder / array_file(part, WEIGHTS)).exists()
        self._weights: NDArray[np.float32] | None = _mapped(folder, part, WEIGHTS) if weighted else None
        lengths = {len(values) for values in (self._ids, self._labels, self._weights) if values is not None}
        if lengths != {int(self._row_starts[-1])}:
            raise DataError(f"{folder}: the arrays of the {part} part do not fit together. Prepare the data again.")

    def __len__(self) -> int:
        return len(self._sequences) - 1

    @property
    def rows(self) -> int:
        """Return the number of documents: rows, each as often as a pass trains it, and its pieces where it is split."""
        return len(self.row_ids)

    @property
    def tokens(self) -> int:
        """Return the number of tokens."""
        return len(self._ids)

    def sequence(self, index: int) -> Sequence:
        """Return a sequence by its index, from 0. Raises IndexError beyond the last."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        rows = self._sequence_rows[int(self._sequences[index]) : int(self._sequences[index + 1])]
        starts = [int(self._row_starts[row]) for row in rows]
        ends = [int(self._row_starts[row + 1]) for row in rows]
        pieces = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        return Sequence(
            np.concatenate([self._ids[piece] for piece in pieces]),
            np.concatenate([self._labels[piece] for piece in pieces]),
            np.concatenate([np.arange(piece.stop - piece.start, dtype=np.int32) for piece in pieces]),
            np.asarray(self.row_ids[rows], dtype=np.int64),
            None if self._weights is None else np.concatenate([self._weights[piece] for piece in pieces]),
        )


class Prepared(NamedTuple):
    """A folder of prepared data: its report and its two parts."""

    report: PreparedData
    train: Part
    held_out: Part


def open_prepared(folder: Path) -> Prepared:
    """Open what `prepare` wrote, without reading the tokens.

    Raises:
        NotThereError: the folder holds no prepared data.
        DataError: a file of it is damaged.
    """
    return Prepared(read_report(folder), Part(folder, TRAIN), Part(folder, HELD_OUT))


def read_report(folder: Path) -> PreparedData:
    """Return prepared.json. Raises NotThereError where there is none, DataError where it is damaged."""
    path = folder / REPORT
    if not path.is_file():
        raise NotThereError(f"{folder}: there is no prepared data. Prepare the data first.")
    try:
        return from_wire(PreparedData, json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise DataError(f"{path}: damaged ({error}). Delete the folder and prepare the data again.") from None


def array_file(part: str, array: str) -> str:
    """Return the file name of an array, such as ``train.ids.npy``."""
    return f"{part}.{array}.npy"


def _mapped(folder: Path, part: str, array: str) -> NDArray[Any]:
    path = folder / array_file(part, array)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be mapped ({error}). Delete the folder and prepare the data again.") from None
    assert isinstance(found, np.ndarray)
    return found
