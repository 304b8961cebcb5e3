"""A line of more points than the plot has pixels, as the pixels that it covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.ui.charts.columns import Column


class Covered(NamedTuple):
    """The pixels that upright bars cover: one byte a pixel, 1 where it is covered, of the rows from ``top`` on."""

    top: int
    pixels: NDArray[np.uint8]


def covered(places: Column, tops: Column, bottoms: Column, width: int, height: int) -> Covered | None:
    """Return what bars cover of so many pixels, None where it is nothing.

    A single column of pixels between two bars, which no place fell into, belongs to both of them.

    Args:
        places: where the bars stand, in pixels from the left, ascending.
        tops: where they begin, in pixels from the top; not above ``bottoms``.
        bottoms: where they end.
        width: columns of pixels.
        height: rows of pixels.
    """
    import numpy

    columns = numpy.floor(places).astype(numpy.int64)
    first, last = columns.searchsorted(0), columns.searchsorted(width)
    columns = columns[first:last]
    if not columns.size:
        return None
    starts = numpy.flatnonzero(numpy.diff(columns, prepend=-1))
    # a bar beyond the plot stays beyond it
    high = numpy.clip(numpy.minimum.reduceat(numpy.floor(tops[first:last]), starts), -1, height)
    low = numpy.clip(numpy.maximum.reduceat(numpy.floor(bottoms[first:last]), starts), -1, height)
    upper, lower = numpy.full(width, height + 1, numpy.int16), numpy.full(width, -2, numpy.int16)
    upper[columns[starts]], lower[columns[starts]] = high, low
    bare = numpy.flatnonzero((lower[1:-1] < -1) & (lower[:-2] >= -1) & (lower[2:] >= -1)) + 1
    upper[bare] = numpy.minimum(upper[bare - 1], upper[bare + 1])
    lower[bare] = numpy.maximum(lower[bare - 1], lower[bare + 1])
    top, end = max(0, int(upper.min())), min(height, int(lower.max()) + 1)
    if top >= end:
        return None
    rows = numpy.arange(top, end, dtype=numpy.int16)[:, None]
    return Covered(top, ((rows >= upper) & (rows <= lower)).view(numpy.uint8))
