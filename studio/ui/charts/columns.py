"""What a chart computes over columns: smoothing, and the points that a width in pixels can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float64]


def smoothed(values: Sequence[float] | Column, weight: float = 0.9) -> Column:
    """Return the exponential mean of a column, unbiased at its start; what is not finite is skipped over."""
    import numpy

    column = numpy.asarray(values, dtype=numpy.float64)
    finite = numpy.isfinite(column)
    total = _decayed_sum(numpy.where(finite, column, 0.0), weight)
    share = _decayed_sum(finite.astype(numpy.float64), weight)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        return total / share


def _decayed_sum(column: Column, weight: float, block: int = 64) -> Column:
    """Return s[i] = weight x s[i-1] + column[i], in blocks whose carries are summed alike."""
    import numpy

    if column.size <= block:
        distance = numpy.arange(column.size)[:, None] - numpy.arange(column.size)[None, :]
        within: Column = numpy.where(distance >= 0, weight ** numpy.maximum(distance, 0), 0.0) @ column
        return within
    rows = -(-column.size // block)
    padded = numpy.zeros(rows * block)
    padded[: column.size] = column
    distance = numpy.arange(block)[None, :] - numpy.arange(block)[:, None]
    kernel = numpy.where(distance >= 0, weight ** numpy.maximum(distance, 0), 0.0)
    sums = padded.reshape(rows, block) @ kernel
    carries = _decayed_sum(sums[:, -1].copy(), weight**block, block)
    sums[1:] += carries[:-1, None] * weight ** numpy.arange(1, block + 1)
    whole: Column = sums.reshape(-1)[: column.size]
    return whole


def reduced(x: Column, y: Column, low: float, high: float, columns: int) -> tuple[Column, Column]:
    """Return what has to be drawn between two places: at most two points (least and greatest) a pixel column."""
    import numpy

    start = max(0, int(x.searchsorted(low)) - 1)
    stop = min(x.size, int(x.searchsorted(high, "right")) + 1)
    x, y = x[start:stop], y[start:stop]
    if x.size <= 4 * columns:
        return x, y
    size = x.size // columns
    count = x.size // size
    blocks = y[: count * size].reshape(count, size)
    pairs = numpy.empty(2 * count)
    pairs[0::2], pairs[1::2] = numpy.fmin.reduce(blocks, axis=1), numpy.fmax.reduce(blocks, axis=1)
    places = numpy.empty(2 * count)
    places[0::2], places[1::2] = x[: count * size : size], x[size // 2 : count * size : size]
    return numpy.append(places, x[count * size :]), numpy.append(pairs, y[count * size :])
