"""Parallel coordinates: where each run crosses the axes, which axes there are, and which run is under the mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec, with_value
from studio.state.run import RunState
from studio.ui.compare.parallel import MOST_AXES, ParallelCard, parallel_axes
from tests.ui.page_session import fold_start, fold_steps, run_spec

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
TOTAL = 40


def sweep(*rates: float, **more: object) -> list[RunState]:
    """Return runs that differ in their learning rate; the first has not begun."""
    runs = []
    for number, rate in enumerate(rates):
        spec = with_value(run_spec(), "optimizer.learning_rate", rate)
        run = RunState(f"r-261124-0814{number:02d}-abcdef", f"run {number}", "gpu-box", spec)
        if number:
            fold_start(run, TOTAL)
            fold_steps(run, 1, TOTAL, TOTAL)
        runs.append(run)
    return runs


def test_that_settings_that_differ_and_losses_are_axes_and_wide_spans_are_logarithmic() -> None:
    runs = sweep(1e-6, 1e-5, 1e-4)
    runs[2].spec = with_value(runs[2].spec, "optimizer.kind", "lion")
    axes = {axis.name: axis for axis in parallel_axes(runs)}
    assert set(axes) == {"Peak learning rate", "Optimizer", "Training loss", "Best held-out loss"}
    assert axes["Peak learning rate"].places == pytest.approx((0.0, 0.5, 1.0))
    assert axes["Optimizer"].places == (0.0, 0.0, 1.0)
    assert axes["Best held-out loss"].places[0] is None and axes["Best held-out loss"].texts[0] == "–"
    assert axes["Training loss"].is_result and not axes["Optimizer"].is_result


def test_that_no_more_than_so_many_axes_are_drawn_and_the_results_are_among_them() -> None:
    runs = sweep(1e-5, 2e-5)
    fields = (
        ("seed", 5), ("batch.micro_batch", 3), ("batch.max_steps", 96), ("optimizer.weight_decay", 0.3),
        ("optimizer.beta1", 0.5), ("optimizer.beta2", 0.9), ("optimizer.epsilon", 1e-6), ("data.max_length", 77),
        ("regularization.clip_norm", 3.0), ("strategy.ranks", 5), ("evaluation.micro_batch", 7),
    )  # fmt: skip
    for path, value in fields:
        runs[1].spec = with_value(runs[1].spec, path, value)
    axes = parallel_axes(runs)
    assert len(axes) == MOST_AXES and [axis.is_result for axis in axes[-2:]] == [True, True]


def test_that_the_run_under_the_mouse_is_named_and_one_job_alone_shows_nothing(qtbot: QtBot) -> None:
    card = ParallelCard()
    qtbot.addWidget(card)
    card.resize(900, 340)
    card.show()
    runs = sweep(1e-6, 1e-5, 1e-4)
    card.show_lines([run.name for run in runs], parallel_axes(runs))
    begin, end = card.lines.point(2, 0), card.lines.point(2, 1)
    assert begin is not None and end is not None
    middle = QPointF(begin + end) / 2
    QTest.mouseMove(card.lines, QPoint(round(middle.x()), round(middle.y())))
    qtbot.waitUntil(lambda: card.lines.marked == 2)
    assert card.caption.text() == "run 2"
    assert card.lines.run_at(QPointF(middle.x(), middle.y() + 60)) != 2
    assert card.as_svg().startswith(b"<?xml")
    same = [RunState("r", "a", "node", JobSpec()), RunState("s", "b", "node", JobSpec())]
    card.show_lines(["a", "b"], parallel_axes(same))
    assert card.isHidden() and card.as_svg() == b""
