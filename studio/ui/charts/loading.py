"""Brings the chart library in on another thread, and lets charts be built and drawn one a turn of the event loop."""

from __future__ import annotations

import time

BETWEEN_CHARTS_S = 0.004
"""The pause between two charts, in seconds, in which the one is painted and input is answered."""

_is_loading = False
_drawn_s = 0.0


def load() -> None:
    """Import what the first plot needs; call it on a thread that may wait."""
    global _is_loading
    _is_loading = True
    try:
        import pyqtgraph  # noqa: F401  (the import is the work)
    finally:
        _is_loading = False


def is_turn() -> bool:
    """Say whether a chart may be built or drawn in this turn; else ask again a moment later.

    A chart that nothing was loaded for imports the library itself.
    """
    return not _is_loading and time.perf_counter() - _drawn_s >= BETWEEN_CHARTS_S


def take_turn() -> None:
    """Tell that a chart was built or drawn just now."""
    global _drawn_s
    _drawn_s = time.perf_counter()
