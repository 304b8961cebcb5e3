"""How long the learning-rate plot of a run of a million steps takes to redraw while a slider moves, shape by shape."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import BatchSpec, JobSpec
from remote_agent.contract.recipe_spec import PointSpec
from remote_agent.contract.schedule import lr_at
from studio.state.draft import Draft
from studio.ui import theme
from studio.ui.knob_control import FIELDS
from studio.ui.recipe.rate_curve import RateCurve

STEPS = 1_000_000
GOAL_MS = 16.0
PLAIN_STEPS = 20_000
POINTS = tuple(PointSpec(10.0 * place, 1.0 - 0.09 * place) for place in range(11))
RESOURCES = Path(__file__).parents[2] / "resources"


@pytest.mark.benchmark
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_that_the_plot_of_a_million_steps_redraws_within_a_frame(qtbot: QtBot, qapp: QApplication) -> None:
    theme.start(qapp, RESOURCES, Qt.ColorScheme.Light)
    draft = Draft(JobSpec(batch=BatchSpec(max_steps=STEPS)))
    draft.edit({"schedule.points": POINTS, "evaluation.every_steps": 1000, "checkpointing.weights_every_steps": 10_000})
    curve = RateCurve(draft)
    qtbot.addWidget(curve)
    curve.resize(620, 400)
    curve.show()
    qtbot.waitUntil(lambda: curve.is_drawn)
    for _ in range(4):
        draft.set_value("optimizer.learning_rate", draft.spec.optimizer.learning_rate * 0.9)
        curve.pin()
    print(f"\nLearning-rate plot of {STEPS:,} steps with four pinned curves and marks (goal {GOAL_MS:g} ms a redraw):")
    for shape in FIELDS["schedule.shape"].knob.choices:
        draft.set_value("schedule.shape", shape)
        times = sorted(_redraw_times(draft, curve))
        began = time.perf_counter()
        rates = [lr_at(draft.spec, step, STEPS) for step in range(PLAIN_STEPS)]
        plain = (time.perf_counter() - began) * 1e3 * STEPS / PLAIN_STEPS
        assert max(rates) <= draft.spec.optimizer.learning_rate
        median = statistics.median(times)
        print(f"  {shape:16s} {median:5.1f} ms, worst {times[-1]:5.1f} ms; every step would take {plain:8.0f} ms")


def _redraw_times(draft: Draft, curve: RateCurve) -> list[float]:
    plot = curve.plot_widget
    assert plot is not None
    times = []
    for change in range(40):
        began = time.perf_counter()
        draft.set_value("optimizer.learning_rate", 1e-5 + change * 1e-7)
        plot.repaint()
        times.append((time.perf_counter() - began) * 1e3)
    return times[10:]
