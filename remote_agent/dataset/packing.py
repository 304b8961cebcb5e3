"""Rows into sequences of a bounded length: best-fit decreasing, the same result every time."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

_CHUNK = 1 << 20


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
    Rows of one length are placed together: in the plain loop they would fill one sequence after the other too. So
    the cost is a few array operations for each length and each free space it meets, however many rows there are.
    """
    count = len(lengths)
    if not count:
        return one_row_each(0)
    assert int(lengths.min()) > 0 and int(lengths.max()) <= capacity, (lengths.min(), lengths.max(), capacity)
    # Of many rows every array counts: 32 bits hold a number of rows or sequences on any disk there is.
    order = _longest_first(lengths, capacity).astype(np.int32)
    sequence_of = np.empty(count, dtype=np.int32)
    open_sequences = _OpenSequences(capacity)
    ordered = lengths[order]
    edges = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), count]
    for start, end in itertools.pairwise(edges):
        length = int(ordered[start])
        at = start
        while at < end:
            taken, fit = open_sequences.take(length, end - at)
            placed = np.repeat(taken, fit)[: end - at]
            sequence_of[order[at : at + len(placed)]] = placed
            at += len(placed)
            open_sequences.give_back(taken, fit, length, len(placed))
    del order, ordered
    return _by_sequence(sequence_of, open_sequences.opened)


class _OpenSequences:
    """Sequences by the number of their free tokens."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._by_space: dict[int, list[Int64]] = {}
        self._spaces = 0  # bit s is set where a sequence with s free tokens is open
        self._space = 0
        self.opened = 0

    def take(self, length: int, rows: int) -> tuple[Int64, int]:
        """Return sequences for at most ``rows`` rows of a length, those with the least space it fits in, and how many
        rows each holds; new ones where it fits in none."""
        fitting = self._spaces >> length
        if not fitting:
            self._space = self._capacity
            fit = self._capacity // length
            wanted = -(-rows // fit)
            self.opened += wanted
            return np.arange(self.opened - wanted, self.opened, dtype=np.int64), fit
        self._space = length + (fitting & -fitting).bit_length() - 1
        fit = self._space // length
        wanted = -(-rows // fit)
        stack = self._by_space[self._space]
        some = stack.pop()
        if len(some) > wanted:
            stack.append(some[:-wanted])
            some = some[-wanted:]
        elif not stack:
            self._spaces ^= 1 << self._space
        return some, fit

    def give_back(self, taken: Int64, fit: int, length: int, placed: int) -> None:
        """Put back what was taken, now with ``fit`` rows of a length each, the last one with what was left."""
        full, rest = divmod(placed, fit)
        self._put(taken[:full], self._space - fit * length)
        if rest:
            self._put(taken[full:], self._space - rest * length)

    def _put(self, sequences: Int64, space: int) -> None:
        if space and len(sequences):
            self._by_space.setdefault(space, []).append(sequences)
            self._spaces |= 1 << space


def _longest_first(lengths: NDArray[np.integer], capacity: int) -> Int64:
    """Return the rows by falling length, equal ones in their order."""
    small = np.uint16 if capacity <= np.iinfo(np.uint16).max else np.int64
    # numpy sorts 16 bits by counting.
    return np.argsort((capacity - lengths).astype(small), kind="stable")


def _by_sequence(sequence_of: NDArray[np.int32], sequences: int) -> Packed:
    starts = np.zeros(sequences + 1, dtype=np.int64)
    np.cumsum(np.bincount(sequence_of, minlength=sequences), out=starts[1:])
    # Sequence and row in one number: a sort in place instead of an argsort beside it.
    count = len(sequence_of)
    rows = sequence_of.astype(np.int64)
    rows *= count
    for start in range(0, count, _CHUNK):
        end = min(start + _CHUNK, count)
        rows[start:end] += np.arange(start, end)
    rows.sort()
    rows %= count
    return Packed(starts, rows)
