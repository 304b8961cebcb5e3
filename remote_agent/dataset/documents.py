"""What becomes of the rows at one sequence length, from their numbers alone: the documents `prepare` would write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.row_arrays import Int32, Int64, RowArrays
from remote_agent.dataset.value_counts import ValueCounts


class Documents(NamedTuple):
    """Ranges of tokens that go into sequences, in the order of their rows.

    Attributes:
        rows: int32 [documents], the row of each; a row that is split has several, one after the other.
        starts: int32 [documents], its first token in the row.
        tokens: int32 [documents].
        supervised: int32 [documents], its trained tokens.
    """

    rows: Int32
    starts: Int32
    tokens: Int32
    supervised: Int32

    def of(self, times: NDArray[np.integer]) -> Documents:
        """Return those of each row as often as ``times`` says, an array over all rows."""
        count = times[self.rows]
        if (count <= 1).all():
            return Documents(*(values[count > 0] for values in self))
        # The documents of a row stand together, and come again together.
        first = np.flatnonzero(np.diff(self.rows, prepend=-1))
        pieces = np.diff(np.append(first, len(self.rows)))
        size = pieces * count[first]
        within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        places = np.repeat(first, size) + within % np.repeat(pieces, size)
        return Documents(*(values[places] for values in self))

    def row_numbers(self) -> Int32:
        """Return the rows that have documents, each once."""
        rows: Int32 = self.rows[np.diff(self.rows, prepend=-1) != 0]
        return rows


def documents(arrays: RowArrays, data: DataSpec) -> Documents:
    """Return every row's documents at the job's length, as `RowEncoder` makes its pieces."""
    parts = list(document_chunks(arrays, data))
    nothing = np.zeros(0, dtype=np.int32)
    return Documents(*(np.concatenate([nothing, *(part[field] for part in parts)]) for field in range(4)))


def document_chunks(arrays: RowArrays, data: DataSpec) -> Iterator[Documents]:
    """Yield the documents of some rows after the other, so that not all have to be held."""
    for first, chunk in arrays.chunks():
        yield _documents(first, chunk, data)


class PartCounts(NamedTuple):
    """What one part comes to: ``rows`` with their repeats, documents by their tokens, trained tokens."""

    rows: int
    lengths: ValueCounts
    supervised: int


class LengthCounts(NamedTuple):
    """What the rows come to at a length: both parts, and bool [rows], of which rows something is trained."""

    train: PartCounts
    held_out: PartCounts
    is_used: NDArray[np.bool_]


def counts_at(
    arrays: RowArrays, data: DataSpec, train: NDArray[np.int32] | None, held_out: NDArray[np.bool_] | None
) -> LengthCounts:
    """Count the documents of the two parts; ``train`` and ``held_out`` say how often each row is in them."""
    is_used = np.zeros(arrays.rows, dtype=np.bool_)
    parts = (_Part(train), _Part(held_out))
    for found in document_chunks(arrays, data):
        is_used[found.rows] = True
        for part in parts:
            part.add(found)
    return LengthCounts(parts[0].counts(), parts[1].counts(), is_used)


class _Part:
    def __init__(self, times: NDArray[np.integer] | NDArray[np.bool_] | None) -> None:
        self._times = times
        self._rows = self._supervised = 0
        self._lengths: list[ValueCounts] = []

    def add(self, found: Documents) -> None:
        if self._times is None:
            return
        times = self._times[found.rows].astype(np.int64)
        self._rows += int(self._times[found.row_numbers()].sum(dtype=np.int64))
        self._supervised += int((found.supervised * times).sum())
        self._lengths.append(ValueCounts.of([(found.tokens, times)]))

    def counts(self) -> PartCounts:
        lengths = ValueCounts.joined(self._lengths)
        return PartCounts(self._rows, lengths, self._supervised)


def _documents(first: int, arrays: RowArrays, data: DataSpec) -> Documents:
    length = data.max_length
    if data.over_length == "split" and (arrays.tokens > length).any():
        rows, starts, tokens, supervised = _windows(arrays, length)
    else:
        supervised = arrays.trained(length)
        used = supervised > 0
        if data.over_length == "drop":
            used &= arrays.tokens <= length
        rows = np.flatnonzero(used)
        starts = np.zeros_like(rows)
        tokens, supervised = np.minimum(arrays.tokens[rows], length), supervised[rows]
    return Documents(*(values.astype(np.int32) for values in (rows + first, starts, tokens, supervised)))


def _windows(arrays: RowArrays, length: int) -> tuple[Int64, Int64, Int64, Int64]:
    """Cut every row into windows of ``length`` tokens; the first label of each is not trained."""
    whole = arrays.tokens.astype(np.int64)
    counts = -(-whole // length)
    first_window = np.cumsum(counts) - counts
    rows = np.repeat(np.arange(len(whole)), counts)
    starts = (np.arange(len(rows)) - first_window[rows]) * length
    begin, end = arrays.runs[:, 0].astype(np.int64), arrays.runs[:, 1].astype(np.int64)
    # A stretch of trained tokens may reach over several windows: a part of it in each.
    reach = (end - 1) // length - begin // length + 1
    run = np.repeat(np.arange(len(begin)), reach)
    window = np.arange(len(run)) - np.repeat(np.cumsum(reach) - reach, reach) + (begin // length)[run]
    inside = np.minimum(end[run], (window + 1) * length) - np.maximum(begin[run], window * length + 1)
    at = first_window[arrays.run_rows()[run]] + window
    supervised = np.bincount(at, weights=np.maximum(inside, 0), minlength=len(rows)).astype(np.int64)
    used = supervised > 0
    return rows[used], starts[used], np.minimum(whole[rows] - starts, length)[used], supervised[used]
