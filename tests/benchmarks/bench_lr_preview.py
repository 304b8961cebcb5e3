"""How long the learning-rate preview of a long run takes to redraw, against evaluating every update of it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import BatchSpec, JobSpec
from remote_agent.contract.schedule import lr_at
from studio.state.draft import Draft
from studio.ui import theme
from studio.ui.recipe.rate_curve import RateCurve

STEPS = 100_000
GOAL_MS = 16.0
RESOURCES = Path(__file__).parents[2] / "resources"


@pytest.mark.benchmark
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_that_the_preview_of_a_long_run_redraws_within_a_frame(qtbot: QtBot, qapp: QApplication) -> None:
    theme.start(qapp, RESOURCES, Qt.ColorScheme.Light)
    draft = Draft(JobSpec(batch=BatchSpec(max_steps=STEPS)))
    curve = RateCurve(draft)
    qtbot.addWidget(curve)
    curve.resize(620, 400)
    curve.show()
    qtbot.waitUntil(lambda: curve.is_drawn)
    plot = curve.plot_widget
    assert plot is not None
    times = []
    for change in range(120):
        began = time.perf_counter()
        draft.set_value("optimizer.learning_rate", 1e-5 + change * 1e-7)
        plot.repaint()
        times.append((time.perf_counter() - began) * 1e3)
    times = sorted(times[20:])
    median, worst = statistics.median(times), times[-2]
    began = time.perf_counter()
    rates = [lr_at(draft.spec, step, STEPS) for step in range(STEPS)]
    plain = (time.perf_counter() - began) * 1e3
    assert max(rates) == draft.spec.optimizer.learning_rate
    print(
        f"\nLR preview of {STEPS:,} steps: {median:.1f} ms a redraw "
        f"(99th percentile {worst:.1f} ms, goal {GOAL_MS:g} ms), "
        f"{median / plain:.2f} x of evaluating all steps ({plain:.1f} ms)"
    )
