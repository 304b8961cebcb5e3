"""Least and greatest of a growing column, block by block, so that drawing a long run costs pixels and not points."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.ui.charts.columns import Column

BLOCK = 16
"""How many rows a block of the lowest level has; a block of the next has four of those."""

_FANOUT = 4
_FIRST_BLOCKS = 64


class Extremes:
    """A pyramid over the settled rows of one column: rows that stay as they are while the column grows.

    What is not finite counts as missing; a block without a number is NaN.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._end = float("nan")
        self._levels: list[_Level] = []

    def follow(self, column: Column, settled: int) -> None:
        """Take what is new of a column of which the first ``settled`` rows stay; starts over where they did not."""
        if settled < self.rows or (self.rows and _differ(float(column[self.rows - 1]), self._end)):
            self._levels = []
        lows = highs = column[:settled]
        level, block = 0, BLOCK
        while lows.size >= block:
            if level == len(self._levels):
                self._levels.append(_Level())
            self._levels[level].extend(lows, highs, block)
            lows, highs = self._levels[level].lows, self._levels[level].highs
            level, block = level + 1, _FANOUT
        self.rows = settled
        self._end = float(column[settled - 1]) if settled else float("nan")

    def whole(self, column: Column) -> tuple[float, float]:
        """Return the least and the greatest number of a column, the rows behind the settled ones too, or NaN."""
        import numpy

        lows, highs, done, rows = [], [], 0, BLOCK * _FANOUT ** (len(self._levels) - 1)
        for level in reversed(self._levels):
            first = done // rows
            lows.append(level.lows[first:])
            highs.append(level.highs[first:])
            done, rows = level.lows.size * rows, rows // _FANOUT
        rest = column[done:]
        rest = rest[numpy.isfinite(rest)]
        all_lows, all_highs = numpy.concatenate([*lows, rest]), numpy.concatenate([*highs, rest])
        if not all_lows.size:
            return float("nan"), float("nan")
        return float(numpy.fmin.reduce(all_lows)), float(numpy.fmax.reduce(all_highs))

    def blocks_of(self, start: int, stop: int, most_rows: int) -> tuple[int, Column, Column]:
        """Return a block's rows and the least and greatest of the whole blocks in [start, stop).

        The blocks are the largest that have at most ``most_rows`` rows; where there is none, the rows are 0.
        The first block may begin before ``start``.
        """
        import numpy

        size = 0
        lows = highs = numpy.empty(0)
        rows = BLOCK
        for level in self._levels:
            if rows > most_rows:
                break
            size, lows, highs = rows, level.lows, level.highs
            rows *= _FANOUT
        if not size:
            return 0, lows, highs
        return size, lows[start // size : stop // size], highs[start // size : stop // size]


class _Level:
    """Blocks of one size, kept in arrays that grow by doubling."""

    def __init__(self) -> None:
        import numpy

        self._lows, self._highs = numpy.empty(_FIRST_BLOCKS), numpy.empty(_FIRST_BLOCKS)
        self._count = 0

    @property
    def lows(self) -> Column:
        return self._lows[: self._count]

    @property
    def highs(self) -> Column:
        return self._highs[: self._count]

    def extend(self, lows: Column, highs: Column, block: int) -> None:
        """Add the blocks that are whole by now."""
        import numpy

        first, last = self._count, lows.size // block
        if first == last:
            return
        if last > self._lows.size:
            self._lows, self._highs = _grown(self.lows, last), _grown(self.highs, last)
        shape = (last - first, block)
        low, high = lows[first * block : last * block], highs[first * block : last * block]
        if block == BLOCK:  # the levels above have no infinities left
            low = high = numpy.where(numpy.isfinite(low), low, numpy.nan)
        self._lows[first:last] = numpy.fmin.reduce(low.reshape(shape), axis=1)
        self._highs[first:last] = numpy.fmax.reduce(high.reshape(shape), axis=1)
        self._count = last


def _grown(column: Column, rows: int) -> Column:
    """Return a copy with room for so many rows and as many again."""
    import numpy

    grown = numpy.empty(2 * rows)
    grown[: column.size] = column
    return grown


def _differ(first: float, second: float) -> bool:
    return first != second and not (first != first and second != second)
