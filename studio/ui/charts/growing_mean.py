"""The smoothed loss of a run that grows: each refresh computes only what is new, and at most so much."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING

from studio.ui.charts.columns import smoothed

if TYPE_CHECKING:
    from studio.ui.charts.columns import Column

WEIGHT = 0.9
_NOT_FELT = 1e-18
"""A factor below the last bit of a double: what is weighed by less is left out."""

_FIRST_ROWS = 4096


class GrowingMean:
    """Keeps the exponential mean of a column's settled rows; what is behind them is smoothed anew each time.

    Args:
        most_rows: how many settled rows one call takes in at most.
        weight: of the mean so far against a new value, above 0 and below 1.

    Attributes:
        rows: how many leading means will not change.
        is_behind: settled rows are left over for the next call.
    """

    def __init__(self, most_rows: int = 50_000, weight: float = WEIGHT) -> None:
        import numpy

        self.rows = 0
        self.is_behind = False
        self._most_rows = most_rows
        self._weight = weight
        self._reach = math.ceil(math.log(_NOT_FELT) / math.log(weight))
        self._means = numpy.empty(_FIRST_ROWS)
        self._key: Hashable = None
        self._end = 0.0

    def follow(self, values: Column, settled: int, key: Hashable) -> Column:
        """Return the means of the leading rows; of all rows but while ``is_behind``.

        Args:
            values: a column that grows.
            settled: how many of its leading rows stay as they are; the ones behind may be a sample of rows to come.
            key: another key says that earlier values may have changed (another run, another attempt).

        Returns:
            A view that is good until the next call.
        """
        import numpy

        if key != self._key or settled < self.rows or (self.rows and _number(values[self.rows - 1]) != self._end):
            self.rows = 0
        self._key = key
        upto = min(settled, self.rows + self._most_rows)
        self.is_behind = upto < settled
        end = upto if self.is_behind else values.size
        if end > self._means.size:
            grown = numpy.empty(max(end, 2 * self._means.size))
            grown[: self.rows] = self._means[: self.rows]
            self._means = grown
        start = max(0, self.rows - self._reach)
        self._means[self.rows : upto] = smoothed(values[start:upto], self._weight)[self.rows - start :]
        if end > upto:
            start = max(0, upto - self._reach)
            self._means[upto:end] = smoothed(values[start:end], self._weight)[upto - start :]
        self.rows = upto
        self._end = _number(values[upto - 1]) if upto else 0.0
        return self._means[:end]


def _number(value: float) -> float:
    return float(value) if value == value else 0.0
