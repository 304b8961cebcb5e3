"""Rows into sequences of a bounded length: best-fit decreasing, the same result every time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]


class Packed(NamedTuple):
    """Sequences over rows: sequence i holds ``rows[starts[i]:starts[i + 1]]``, row numbers in rising order."""

    starts: Int64
    rows: Int64

    @property
    def sequences(self) -> int:
        """Return the number of sequences."""
        return len(self.starts) - 1


def one_row_each(count: int) -> Packed:
    """Return a sequence a row."""
    return Packed(np.arange(count + 1, dtype=np.int64), np.arange(count, dtype=np.int64))


def pack(lengths: NDArray[np.integer], capacity: int) -> Packed:
    """Put rows of the given lengths (1 to ``capacity`` tokens) into as few sequences as best-fit decreasing finds.

    Johnson, Demers, Ullman, Garey and Graham, SIAM J. Computing 3(4), 1974: at most 11/9 of the least number + 4.
    Cost: one step of big-integer arithmetic a row, whatever the number of open sequences.
    """
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    sequence_of = np.zeros(len(lengths), dtype=np.int64)
    open_by_space: list[list[int]] = [[] for _ in range(capacity + 1)]
    spaces = 0  # bit s is set where a sequence with s free tokens is open
    opened = 0
    for row, length in zip(order.tolist(), lengths[order].tolist(), strict=True):
        assert 0 < length <= capacity, (row, length)
        fitting = spaces >> length
        if fitting:
            space = length + (fitting & -fitting).bit_length() - 1
            same = open_by_space[space]
            sequence = same.pop()
            if not same:
                spaces ^= 1 << space
        else:
            space, sequence = capacity, opened
            opened += 1
        sequence_of[row] = sequence
        left = space - length
        if left:
            open_by_space[left].append(sequence)
            spaces |= 1 << left
    rows = np.argsort(sequence_of, kind="stable").astype(np.int64)
    starts = np.zeros(opened + 1, dtype=np.int64)
    np.cumsum(np.bincount(sequence_of, minlength=opened), out=starts[1:])
    return Packed(starts, rows)
