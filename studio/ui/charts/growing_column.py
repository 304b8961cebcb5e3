"""A column that is computed from others as they grow: only what is new is computed at each refresh."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.ui.charts.columns import Column

_FIRST_ROWS = 4096


class GrowingColumn:
    """Keeps the settled rows of a computed column; what is behind them is computed anew each time.

    Args:
        compute: gets the first row that is wanted, the row behind the last one, and the value before the first row
            (0 where it is row 0); returns as many values.
    """

    def __init__(self, compute: Callable[[int, int, float], Column]) -> None:
        import numpy

        self._compute = compute
        self._values = numpy.empty(_FIRST_ROWS)
        self._rows = 0
        self._key: Hashable = None

    def follow(self, rows: int, settled: int, key: Hashable) -> Column:
        """Return the column's ``rows`` values, a view that is good until the next call.

        Args:
            rows: how many rows there are now.
            settled: how many of the leading ones stay as they are from now on.
            key: another key says that earlier rows may have changed.
        """
        import numpy

        settled = min(settled, rows)
        if key != self._key or settled < self._rows:
            self._key, self._rows = key, 0
        if rows > self._values.size:
            grown = numpy.empty(max(rows, 2 * self._values.size))
            grown[: self._rows] = self._values[: self._rows]
            self._values = grown
        if rows > self._rows:
            before = float(self._values[self._rows - 1]) if self._rows else 0.0
            self._values[self._rows : rows] = self._compute(self._rows, rows, before)
        self._rows = settled
        return self._values[:rows]
