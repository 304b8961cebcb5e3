"""Brings the chart library in before the first chart asks, and lets charts be drawn one a turn of the event loop."""

from __future__ import annotations

import time

BETWEEN_CHARTS_S = 0.004
"""The pause between two charts, in seconds, in which the one is painted and input is answered."""

_drawn_s = 0.0


def load_numbers() -> None:
    """Import what the chart library needs and has no Qt in it, on a thread that may wait."""
    import numpy  # noqa: F401  (the import is the work)


def load() -> None:
    """Import the chart library; on the GUI thread only, as it uses Qt."""
    import pyqtgraph  # noqa: F401  (the import is the work)


def is_turn() -> bool:
    """Say whether a chart may be built or drawn in this turn; else ask again a moment later.

    A chart that nothing was loaded for imports the library itself.
    """
    return time.perf_counter() - _drawn_s >= BETWEEN_CHARTS_S


def take_turn() -> None:
    """Tell that a chart was built or drawn just now."""
    global _drawn_s
    _drawn_s = time.perf_counter()
