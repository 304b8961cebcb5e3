"""What a chart computes over columns: smoothing, and the points that a width in pixels can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.ui.charts.extremes import Extremes

    Column = NDArray[np.float64]


_NOT_FELT = 1e-18
"""A factor below the last bit of a double."""

_LEAST_BLOCKS = 8


def smoothed(values: Sequence[float] | Column, weight: float = 0.9) -> Column:
    """Return the exponential mean of a column, unbiased at its start; what is not finite is skipped over."""
    import numpy

    column = numpy.asarray(values, dtype=numpy.float64)
    finite = numpy.isfinite(column)
    total = _decayed_sum(numpy.where(finite, column, 0.0), weight)
    if finite.all():
        share = (1.0 - weight ** numpy.arange(1.0, column.size + 1.0)) / (1.0 - weight)
    else:
        share = _decayed_sum(finite.astype(numpy.float64), weight)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        return total / share


def logarithm(column: Column, least: float) -> Column:
    """Return the decimal logarithm of a column, what is below ``least`` raised to it; NaN stays."""
    import numpy

    return numpy.log10(numpy.maximum(column, least))


def log_ticks(bottom: float, top: float) -> list[float]:
    """Return the values to tell on a logarithmic axis between two decimal logarithms: 1, 2 and 5 of each decade.

    Over many decades only the 1 of each remains, so that the words do not touch.
    """
    leading = (1, 2, 5) if top - bottom < 3 else (1,)
    exponents = range(math.floor(bottom), math.ceil(top) + 1)
    values = [float(f"{digit}e{exponent}") for exponent in exponents for digit in leading]
    return [value for value in values if bottom <= math.log10(value) <= top]


def value_near(x: Column, y: Column, place: float) -> float | None:
    """Return the value of the point nearest to a place, None outside the reach of ascending x and in a gap."""
    spacing = float(x[-1] - x[0]) / (x.size - 1) if x.size > 1 else 1.0
    beyond = min(0.5, 0.5 * spacing)
    if not x.size or place < x[0] - beyond or place > x[-1] + beyond:
        return None
    after = min(int(x.searchsorted(place)), x.size - 1)
    nearest = after - 1 if after and place - x[after - 1] < x[after] - place else after
    value = float(y[nearest])
    return value if math.isfinite(value) else None


def _decayed_sum(column: Column, weight: float) -> Column:
    """Return s[i] = weight x s[i-1] + column[i], as sums over reaches that double until nothing more is felt."""
    reach = 1
    sums = column
    while reach < column.size and weight**reach > _NOT_FELT:
        longer = sums.copy()
        longer[reach:] += weight**reach * sums[:-reach]
        sums, reach = longer, 2 * reach
    return sums


def reduced(
    x: Column, y: Column, low: float, high: float, columns: int, extremes: Extremes | None = None
) -> tuple[Column, Column]:
    """Return what has to be drawn between two places: at most two points (least and greatest) a pixel column.

    Args:
        x: ascending places.
        y: as many values.
        low: where the view begins.
        high: where it ends.
        columns: pixel columns of the view.
        extremes: what is known of the leading rows of y; with it the cost no longer grows with the rows.

    Returns:
        Arrays of their own, which stay as they are when x and y change.
    """
    import numpy

    start = max(0, int(x.searchsorted(low)) - 1)
    stop = min(x.size, int(x.searchsorted(high, "right")) + 1)
    known = min(stop, extremes.rows) if extremes is not None else start
    parts = [_thinned(x[max(start, known) : stop], y[max(start, known) : stop], columns)]
    if extremes is not None and known > start:
        parts.insert(0, _thinned_by_blocks(x, y, start, known, columns, extremes))
    return numpy.concatenate([part[0] for part in parts]), numpy.concatenate([part[1] for part in parts])


def as_bars(x: Column, y: Column) -> tuple[Column, Column]:
    """Return points as upright bars, each from one point to the next at every second place, which touch each other.

    Where there are two points or more for a pixel, this looks as a line through all of them, and is painted in half the
    time. A bar without a number is left out.
    """
    import numpy

    if x.size % 2:
        x, y = numpy.append(x, x[-1]), numpy.append(y, y[-1])
    finite = numpy.where(numpy.isfinite(y), y, numpy.nan)
    lows, highs = numpy.fmin(finite[0::2], finite[1::2]), numpy.fmax(finite[0::2], finite[1::2])
    bars = numpy.empty(x.size)
    bars[0::2], bars[1::2] = lows, highs
    bars[2::2] = numpy.fmin(lows[1:], numpy.where(numpy.isnan(lows[1:]), numpy.nan, highs[:-1]))
    bars[3::2] = numpy.fmax(highs[1:], numpy.where(numpy.isnan(lows[1:]), numpy.nan, lows[:-1]))
    known = numpy.repeat(~numpy.isnan(lows), 2)
    return numpy.repeat(x[0::2], 2)[known], bars[known]


def _thinned_by_blocks(
    x: Column, y: Column, start: int, stop: int, columns: int, extremes: Extremes
) -> tuple[Column, Column]:
    """Return least and greatest by column of settled rows, from blocks where a column has as many rows as one."""
    import numpy

    most_rows = (stop - start) // columns
    # of several blocks each, so that there are hardly more columns than pixels
    size, lows, highs = extremes.blocks_of(start, stop, max(1, most_rows // _LEAST_BLOCKS))
    if not size or not lows.size:
        return _thinned(x[start:stop], y[start:stop], columns)
    first, together = start // size, max(1, most_rows // size)
    count = lows.size // together
    reached = (first + count * together) * size
    pairs = numpy.empty(2 * count)
    pairs[0::2] = numpy.fmin.reduce(lows[: count * together].reshape(count, together), axis=1)
    pairs[1::2] = numpy.fmax.reduce(highs[: count * together].reshape(count, together), axis=1)
    rows = numpy.arange(first * size, reached, together * size)
    places = numpy.empty(2 * count)
    places[0::2], places[1::2] = x[rows], x[rows + together * size // 2]
    rest = _in_pairs(x[reached:stop], y[reached:stop], together * size)
    return numpy.append(places, rest[0]), numpy.append(pairs, rest[1])


def _thinned(x: Column, y: Column, columns: int) -> tuple[Column, Column]:
    return (x, y) if x.size <= 4 * columns else _in_pairs(x, y, x.size // columns)


def _in_pairs(x: Column, y: Column, size: int) -> tuple[Column, Column]:
    """Return least and greatest of every ``size`` rows; fewer at the end are one more pair, or stay as they are."""
    import numpy

    count = x.size // size
    blocks = y[: count * size].reshape(count, size)
    pairs = numpy.empty(2 * count)
    pairs[0::2], pairs[1::2] = numpy.fmin.reduce(blocks, axis=1), numpy.fmax.reduce(blocks, axis=1)
    places = numpy.empty(2 * count)
    places[0::2], places[1::2] = x[: count * size : size], x[size // 2 : count * size : size]
    rest_x, rest_y = x[count * size :], y[count * size :]
    if rest_x.size > 2:
        rest_y = numpy.array([numpy.fmin.reduce(rest_y), numpy.fmax.reduce(rest_y), rest_y[-1]])
        rest_x = rest_x[[0, rest_x.size // 2, -1]]
    return numpy.append(places, rest_x), numpy.append(pairs, rest_y)
