"""What a sequence length costs, read off the curve that the look at the data brought: nothing waits while it moves."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import NamedTuple

from remote_agent.contract.data_report import LengthCurve


class LengthLoss(NamedTuple):
    """What is beyond one length: rows longer than it, supervised tokens past it, rows with nothing trained before it.

    ``extra_pieces``: how many sequences more there are where longer rows are split. ``rows`` and ``supervised``: of how
    many rows and trained tokens, before anything is cut.
    """

    rows_over: int
    supervised_over: int
    rows_untrained: int
    extra_pieces: int
    rows: int
    supervised: int


def losses_at(curve: LengthCurve, length: int) -> LengthLoss | None:
    """Return what a length in tokens costs, None where nothing is known of lengths.

    A row of n tokens is split into ceil(n / length) pieces, so that the pieces beyond the first are the rows longer
    than length, than 2 x length, and so on.
    """
    if not curve.lengths or length <= 0:
        return None
    extra, reached = 0.0, length
    while reached < curve.lengths[-1]:
        extra += at(curve.lengths, curve.rows_over, reached)
        reached += length
    return LengthLoss(
        round(at(curve.lengths, curve.rows_over, length)),
        round(at(curve.lengths, curve.supervised_over, length)),
        round(at(curve.lengths, curve.rows_untrained, length)),
        round(extra),
        curve.rows_over[0],  # the curve begins at one token, which every row has more than
        curve.supervised_over[0],
    )


def at(places: Sequence[int], values: Sequence[int], place: float) -> float:
    """Return the value at a place between two known ones; beyond the ends it stays as it is there."""
    after = bisect.bisect_left(places, place)
    if after == 0:
        return float(values[0])
    if after == len(places):
        return float(values[-1])
    before = after - 1
    share = (place - places[before]) / (places[after] - places[before])
    return values[before] + share * (values[after] - values[before])
