"""How long to wait before the next try to reach a node: doubling, spread, and seldom enough for any server."""

from __future__ import annotations

_MOST_SPREAD_S = 4.0


def back_off_s(failures: int, chance: float, first_s: float, longest_s: float) -> float:
    """Return the seconds to wait after so many tries that failed before this one.

    ``chance`` in [0, 1) spreads the tries of many desktops: it takes off at most half, and at most 4 s, so that a
    server that is away for an hour is not asked more than seventy times.
    """
    wait_s = min(longest_s, first_s * 2.0 ** min(failures, 10))
    return wait_s - min(wait_s / 2, _MOST_SPREAD_S) * (1.0 - chance)
