"""Eight lines of a million points each: the frames of panning and zooming, the memory, and what drawing all would cost.

A frame is what the window is busy with: the new part chosen, the lines reduced, the plot painted. The reference is
pyqtgraph itself on the same arrays and the same view, once with its own peak downsampling and clipping.
"""

from __future__ import annotations

import functools
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyqtgraph
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui.charts.line_chart import LineChart

pytestmark = pytest.mark.benchmark

LINES, POINTS, FRAMES = 8, 1_000_000, 120
GOAL_MS, GOAL_BYTES = 16.0, 40.0


class Frames(NamedTuple):
    """Sorted milliseconds of frames: by the clock, and what the window's thread itself computed in each."""

    taken: list[float]
    own: list[float]


def test_that_eight_lines_of_a_million_points_pan_and_zoom(qtbot: QtBot) -> None:
    generator = np.random.default_rng(1)
    x = np.arange(1.0, POINTS + 1)
    lines = [np.exp(-x / 3e5) + generator.normal(0, 0.05, POINTS) for _ in range(LINES)]
    chart = LineChart("Loss", "nats a token")
    chart.let_zoom()
    qtbot.addWidget(chart)
    chart.resize(1040, 420)
    chart.show()
    qtbot.waitUntil(lambda: chart.is_drawn)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    began = time.perf_counter()
    with chart.drawing_once():
        for number, y in enumerate(lines):
            chart.set_line(f"run {number}", x, y, color_index=number, settled=POINTS)
    repaint(chart)
    first_ms = 1e3 * (time.perf_counter() - began)
    own = (tracemalloc.get_traced_memory()[0] - before) / (LINES * POINTS)
    tracemalloc.stop()
    zoomed, panned = (
        frames(functools.partial(show, chart), zooming()),
        frames(functools.partial(show, chart), panning()),
    )
    plain = plain_frames(qtbot, x, lines)
    print(
        f"\n{LINES} lines of {POINTS:,} points, first drawing {first_ms:.0f} ms; ms a frame, p50 / p95 / longest "
        f"(goal p95 {GOAL_MS:g}): zoom {told(zoomed)}, pan {told(panned)}; pyqtgraph's own downsampling {told(plain)}; "
        f"load {os.getloadavg()[0]:.1f}; "
        f"memory {16.0 + own:.1f} B a point with x and y, of it the pyramid {own:.2f} (goal {GOAL_BYTES:g})"
    )


def zooming() -> Iterator[tuple[float, float]]:
    """Yield ever smaller parts about a place, and back."""
    widths = np.geomspace(POINTS, 500, FRAMES // 2)
    for width in (*widths, *widths[::-1]):
        low = min(max(0.37 * POINTS - width / 2, 1.0), POINTS - width)
        yield float(low), float(low + width)


def panning() -> Iterator[tuple[float, float]]:
    """Yield parts of a fifth, from the left end to the right."""
    for low in np.linspace(1, 0.8 * POINTS, FRAMES):
        yield float(low), float(low + 0.2 * POINTS)


def frames(show: Callable[[tuple[float, float]], object], views: Iterator[tuple[float, float]]) -> Frames:
    """Return the milliseconds of each frame, sorted, by the clock and of the window's own thread alone."""
    taken, own = [], []
    for view in views:
        began, own_began = time.perf_counter(), time.thread_time()
        show(view)
        taken.append(1e3 * (time.perf_counter() - began))
        own.append(1e3 * (time.thread_time() - own_began))
        QApplication.processEvents()
    return Frames(sorted(taken), sorted(own))


def show(chart: LineChart, view: tuple[float, float]) -> None:
    """Look at a part, and paint it."""
    chart.set_view(view)
    repaint(chart)


def repaint(chart: LineChart) -> None:
    """Paint what has to be painted, now."""
    plot = chart.plot_widget
    assert plot is not None
    plot.repaint()


def plain_frames(qtbot: QtBot, x: np.ndarray, lines: list[np.ndarray]) -> Frames:
    """Return the frames of the same pan by pyqtgraph alone."""
    widget = pyqtgraph.PlotWidget()
    qtbot.addWidget(widget)
    widget.resize(1000, 380)
    widget.setClipToView(True)
    widget.setDownsampling(auto=True, mode="peak")
    for number, y in enumerate(lines):
        widget.plot(x, y, pen=pyqtgraph.mkPen(number, width=1))
    widget.show()
    qtbot.waitExposed(widget)

    def show(view: tuple[float, float]) -> None:
        widget.setXRange(*view, padding=0)
        widget.viewport().repaint()

    return frames(show, (view for number, view in enumerate(panning()) if number % 6 == 0))


def told(frames: Frames) -> str:
    """Return median, 95th percentile and longest of sorted times."""
    taken, own = frames
    at = int(len(taken) * 0.95)
    return f"{taken[len(taken) // 2]:.1f} / {taken[at]:.1f} / {taken[-1]:.1f} (its own thread p95 {own[at]:.1f})"
