"""How long the learning-rate preview of a run of a million updates takes, shape by shape, beside a plain evaluation."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import BatchSpec, JobSpec
from remote_agent.contract.knob import described_fields
from remote_agent.contract.recipe_spec import PointSpec, ScheduleSpec
from remote_agent.contract.schedule import lr_curve, lr_factors
from studio.state.draft import Draft
from studio.ui import theme
from studio.ui.recipe.rate_curve import RateCurve

STEPS = 1_000_000
PLAIN_STEPS = 100_000
GOAL_MS = 16.0
SHAPES = next(field.knob.choices for field in described_fields(ScheduleSpec) if field.path == "shape")
POINTS = tuple(PointSpec(float(percent), 1.0 - percent / 100.0) for percent in range(0, 101, 10))
RESOURCES = Path(__file__).parents[2] / "resources"


def _schedule(shape: str) -> ScheduleSpec:
    return ScheduleSpec(
        shape, points=POINTS, cycles=20, cycle_length_factor=1.5, step_percent=5.0, weight_decay_end_factor=2.0,
        momentum_low=0.5,
    )  # fmt: skip


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
    print(f"\nLR preview of {STEPS:,} updates, goal {GOAL_MS:g} ms a redraw, draft and problems included:")
    for shape in SHAPES:
        draft.edit({f"schedule.{name}": getattr(_schedule(shape), name) for name in ("shape", "points", "cycles")})
        times, own = [], []
        for change in range(60):
            began, busy = time.perf_counter(), time.thread_time()
            draft.set_value("optimizer.learning_rate", 1e-5 + change * 1e-7)
            plot.repaint()
            times.append((time.perf_counter() - began) * 1e3)
            own.append((time.thread_time() - busy) * 1e3)
        times = sorted(times[10:])
        print(
            f"  {shape:<16} {statistics.median(times):5.1f} ms (98th percentile {times[-2]:5.1f} ms), "
            f"{statistics.median(own):5.1f} ms of them on the processor"
        )


@pytest.mark.benchmark
def test_that_a_curve_costs_a_small_part_of_evaluating_every_update() -> None:
    print(f"\nCurve of {STEPS:,} updates without drawing, beside each of {PLAIN_STEPS:,} updates evaluated:")
    for shape in SHAPES:
        spec = JobSpec(schedule=_schedule(shape))
        times, points = [], 0
        for _ in range(15):
            began = time.perf_counter()
            updates, _rates = lr_curve(spec, STEPS)
            times.append((time.perf_counter() - began) * 1e3)
            points = len(updates)
        factors = lr_factors(spec.schedule, STEPS)
        began = time.perf_counter()
        for step in range(PLAIN_STEPS):
            factors(step)
        plain = (time.perf_counter() - began) * 1e3
        print(f"  {shape:<16} {statistics.median(times):5.2f} ms for {points:,} points; plain {plain:6.1f} ms")
