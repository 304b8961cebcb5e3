"""How often each whole number comes among very many: all that distributions, curves and packing need of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import TokenCounts

Int64 = NDArray[np.int64]

_BINS = 40
_COUNTED_BELOW = 1 << 20  # counted by place; what is larger is sorted
_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """Numbers from 0 and how often each comes: ``values`` rise, ``counts`` are above 0."""

    values: Int64
    counts: Int64

    @classmethod
    def of(cls, pieces: Iterable[tuple[NDArray[np.integer], NDArray[np.integer] | None]]) -> ValueCounts:
        """Count numbers that come in pieces, each as often as the array beside it says, once where there is none."""
        counted = [_counted(values, times) for values, times in pieces]
        values, places = np.unique(np.concatenate([_NOTHING, *(one.values for one in counted)]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([_NOTHING, *(one.counts for one in counted)]), len(values))
        return cls(values[counts > 0], counts[counts > 0].astype(np.int64))

    @classmethod
    def joined(cls, found: Iterable[ValueCounts]) -> ValueCounts:
        """Return the counts of several together."""
        return cls.of((one.values, one.counts) for one in found)

    @property
    def count(self) -> int:
        """Return how many numbers there are."""
        return int(self.counts.sum())

    @property
    def total(self) -> int:
        """Return their sum."""
        return int((self.values * self.counts).sum())

    def at(self, place: int) -> int:
        """Return the number at a place among all of them in rising order."""
        return int(self.values[np.searchsorted(np.cumsum(self.counts), place, side="right")])

    def beyond(self, bounds: Int64) -> tuple[Int64, Int64]:
        """Return how many numbers are over each bound, and by how much together."""
        first = np.searchsorted(self.values, bounds, side="right")
        count = np.append(np.cumsum(self.counts[::-1])[::-1], 0)[first]
        total = np.append(np.cumsum((self.values * self.counts)[::-1])[::-1], 0)[first]
        return count, total - count * bounds


def _counted(values: NDArray[np.integer], times: NDArray[np.integer] | None) -> ValueCounts:
    if not len(values):
        return ValueCounts(_NOTHING, _NOTHING)
    if int(values.max()) < _COUNTED_BELOW:
        counts = np.bincount(values, times)
        seen = np.flatnonzero(counts)
        return ValueCounts(seen, counts[seen].astype(np.int64))
    distinct, places = np.unique(values, return_inverse=True)
    return ValueCounts(distinct.astype(np.int64), np.bincount(places, times).astype(np.int64))


def token_counts(found: ValueCounts) -> TokenCounts:
    """Return the distribution of token counts, in at most 40 bins of whole tokens."""
    count = found.count
    if not count:
        return TokenCounts(0, 0, 0.0, 0.0, 0, 0, (), ())
    low, high = int(found.values[0]), int(found.values[-1])
    width = max(1, -(-(high + 1 - low) // _BINS))
    edges = np.arange(low, high + 1 + width, width)
    histogram = np.bincount((found.values - low) // width, weights=found.counts, minlength=len(edges) - 1)
    return TokenCounts(
        count=count,
        minimum=low,
        mean=found.total / count,
        median=(found.at((count - 1) // 2) + found.at(count // 2)) / 2,
        maximum=high,
        total=found.total,
        histogram=tuple(histogram.astype(np.int64).tolist()),
        edges=tuple(edges.astype(np.float64).tolist()),
    )


def packed_sequences(lengths: ValueCounts, capacity: int) -> int:
    """Return into how many sequences `pack` puts documents of such lengths, none over ``capacity``.

    Best-fit decreasing fills the tightest open sequence that a document fits in. Equal documents fill one after the
    other, so that only the numbers of sequences with the same free space have to be kept.
    """
    open_by_space: dict[int, int] = {}
    spaces = 0  # bit s is set where a sequence with s free tokens is open
    opened = 0
    for length, count in zip(lengths.values[::-1].tolist(), lengths.counts[::-1].tolist(), strict=True):
        while count:
            fitting = spaces >> length
            space = length + (fitting & -fitting).bit_length() - 1 if fitting else capacity
            fit = space // length
            wanted = -(-count // fit)
            if fitting:
                wanted = min(wanted, open_by_space[space])
                open_by_space[space] -= wanted
                spaces ^= (not open_by_space[space]) << space
            else:
                opened += wanted
            placed = min(count, wanted * fit)
            full, rest = divmod(placed, fit)
            count -= placed
            for sequences, left in ((full, space - fit * length), (int(rest > 0), space - rest * length)):
                if sequences and left:
                    open_by_space[left] = open_by_space.get(left, 0) + sequences
                    spaces |= 1 << left
    return opened
