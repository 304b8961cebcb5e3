"""The smoothed loss of a run that grows: each refresh computes only what is new."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import TYPE_CHECKING

from studio.ui.charts.columns import smoothed

if TYPE_CHECKING:
    from studio.state.series import Column

WEIGHT = 0.9
_REACH = 512
"""How far back a point is felt: 0.9 ** 512 is 4e-24, below the last bit of a double."""


class GrowingMean:
    """Keeps the exponential mean of a column; what it keeps is dropped where the column is no longer the same one."""

    def __init__(self) -> None:
        self._values = array("d")
        self._ends: tuple[float, ...] = ()
        self._key: Hashable = None

    def follow(self, steps: Column, values: Column, key: Hashable) -> array[float]:
        """Return the mean at every step, in a copy.

        Args:
            steps: the steps, ascending.
            values: as many values.
            key: another key says that earlier values may have changed (another run or attempt, a sample made whole).
        """
        seen = len(self._values)
        if key != self._key or seen > len(steps) or (seen and self._ends != _ends(steps, values, seen)):
            self._values, seen = array("d"), 0
        if seen < len(steps):
            start = max(0, seen - _REACH)
            self._values.extend(smoothed(values[start:], WEIGHT)[seen - start :].tolist())
        self._key = key
        self._ends = _ends(steps, values, len(steps)) if len(steps) else ()
        return self._values[:]


def _ends(steps: Column, values: Column, count: int) -> tuple[float, ...]:
    last = float(values[count - 1])
    return (float(steps[0]), float(steps[count - 1]), last if last == last else 0.0)
