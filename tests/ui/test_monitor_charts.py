"""The charts of the Monitor: what they draw over which axis, how they are chosen, and what stays as it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QSlider
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import AttemptStarted, CheckpointCommitted, Event, Stamped, StepCompleted
from remote_agent.contract.schedule import lr_at
from studio.state.memory_figures import estimate
from studio.state.run import RunState
from studio.ui.charts.columns import smoothed
from studio.ui.charts.line_chart import LineChart
from studio.ui.charts.run_axis import EPOCHS, STEPS, TIME, TOKENS, RunAxis
from studio.ui.controls import ChoiceBox
from studio.ui.last_layout import LastLayout
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.monitor.view_choices import CHARTS, DEFAULT_CHARTS, ViewChoices, choices_of
from tests.ui.page_session import PageSession, filled_session, fold_start, fold_steps, new_run

TOTAL = 200
RAW, MEAN, HELD_OUT = "train, every step", "train, debiased EMA {}", "held-out"


pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return PageSession()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> MonitorPage:
    return made_page(qtbot, session)


def made_page(qtbot: QtBot, session: PageSession, layout: LastLayout | None = None) -> MonitorPage:
    made = MonitorPage(cast(Any, session), monotonic=lambda: 112.0, layout=layout)
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def going(page: MonitorPage, last: int = 120) -> RunState:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, last, TOTAL)
    page.show_run(run)
    return run


def uneven_step(step: int, attempt: int = 1, time_s: float = 0.0) -> Stamped:
    """Return an update with tokens and times of its own."""
    event = StepCompleted(attempt, step, 2.0 / step, 1e-5, 1.0, 1000 + step, 900, 4e4, 0.5, 2**33, step / 66)
    return Stamped(time_s or 5000.0 + step + (100.0 if step > 5 else 0.0), event)


def choose_axis(page: MonitorPage, kind: str) -> None:
    box = page.findChild(ChoiceBox, "chartAxis")
    assert box is not None
    box.setCurrentIndex(box.findData(kind))
    page.refresh()


def choose_weight(page: MonitorPage, place: int) -> None:
    slider = page.findChild(QSlider, "chartSmoothing")
    assert slider is not None
    slider.setValue(place)
    page.refresh()


def switch(page: MonitorPage, name: str) -> None:
    found = page.findChild(QCheckBox, name)
    assert found is not None
    found.click()
    page.refresh()


def double_click(chart: LineChart, place: QPoint) -> None:
    """Double-click and let go: QTest keeps the button held, for the moves of later tests too."""
    QTest.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=place)


def toggle_chart(page: MonitorPage, key: str) -> QAction:
    action = page.findChild(QAction, f"showChart_{key}")
    assert action is not None
    action.toggle()
    page.refresh()
    return action


def shown(page: MonitorPage) -> list[str]:
    return [key for key in CHARTS if page.charts.chart(key).isVisible()]


def test_that_every_point_of_the_run_is_on_its_chart_and_the_plan_is_the_contracts(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 60, TOTAL)
    page.show_run(run)
    for chart, line, metric in (
        (page.charts.loss, "train, every step", "loss"),
        (page.charts.learning_rate, "fact", "learning_rate"),
        (page.charts.gradient_norm, "before clipping", "gradient_norm"),
        (page.charts.loss, "held-out", "held_out_loss"),
    ):
        x, y = chart.line(line)
        steps, values = run.series(metric)
        assert x.tolist() == steps.tolist() and y.tolist() == values.tolist()
    updates, rates = page.charts.learning_rate.line("plan")
    assert len(updates) == TOTAL
    assert rates.tolist() == [lr_at(run.spec, step, TOTAL) for step in range(TOTAL)]
    # update k of the plan is the one that the k+1st completed step used
    steps, fact = page.charts.learning_rate.line("fact")
    assert fact.tolist() == rates[: len(steps)].tolist()


def test_that_the_smoothed_loss_of_a_growing_run_equals_that_of_the_whole(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, 3000)
    page.show_run(run)
    for first, last in ((1, 5), (6, 900), (901, 901), (902, 2000)):
        fold_steps(run, first, last, 3000)
        page.refresh()
        drawn = page.charts.loss.line("train, debiased EMA 0.9")[1]
        whole = smoothed(run.series("loss")[1], 0.9)
        assert len(drawn) == len(whole) == last
        assert abs(drawn - whole).max() < 1e-12


def test_that_a_further_attempt_is_smoothed_anew(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 100, TOTAL)
    page.show_run(run)
    again = [
        Stamped(5000.0 + step, StepCompleted(2, step, 9.0, 1e-5, 1.0, 8192, 5400, 43e3, 0.19, 2**36, 0.1))
        for step in range(51, 121)
    ]
    run.fold([Stamped(5000.0, AttemptStarted(2, 8, 50, "step-50")), *again])
    page.refresh()
    drawn = page.charts.loss.line("train, debiased EMA 0.9")[1]
    assert abs(drawn - smoothed(run.series("loss")[1], 0.9)).max() < 1e-12
    assert drawn[-1] > 8.9


@pytest.mark.parametrize(("place", "weight"), [(1, 0.5), (6, 0.98), (10, 0.999)])
def test_that_the_slider_smooths_with_its_weight_and_the_legend_says_how(
    page: MonitorPage, qtbot: QtBot, place: int, weight: float
) -> None:
    run = going(page)
    choose_weight(page, place)
    fold_steps(run, 121, 150, TOTAL)
    page.refresh()
    drawn = page.charts.loss.line(MEAN.format(weight))[1]
    losses = run.series("loss")[1].tolist()
    weights = [weight ** (len(losses) - 1 - row) for row in range(len(losses))]
    last = sum(share * loss for share, loss in zip(weights, losses, strict=True)) / sum(weights)
    assert drawn[-1] == pytest.approx(last, rel=1e-9) and drawn[0] == losses[0]
    qtbot.waitUntil(lambda: MEAN.format(weight) in page.charts.loss.legend.accessibleName())
    means = [name for name in page.charts.loss.line_names if name.startswith("train, debiased")]
    assert means == [MEAN.format(weight)]


def test_that_without_smoothing_only_the_line_of_every_step_is_left(page: MonitorPage, qtbot: QtBot) -> None:
    run = going(page)
    choose_weight(page, 0)
    names = [name for name in page.charts.loss.line_names if name.startswith("train")]
    assert names == [RAW]
    qtbot.waitUntil(lambda: RAW in page.charts.loss.legend.accessibleName())
    assert page.charts.loss.line(RAW)[1].tolist() == run.series("loss")[1].tolist()


def test_that_every_axis_puts_the_same_updates_at_its_own_places(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, 100)
    for first, last in ((1, 4), (5, 30)):
        run.fold([uneven_step(step) for step in range(first, last + 1)])
        page.show_run(run)
        for kind in (TOKENS, TIME, EPOCHS, STEPS):
            choose_axis(page, kind)
    tokens = np.cumsum([1000.0 + step for step in range(1, 31)])
    times = np.array([step - 0.5 + (100.0 if step > 5 else 0.0) for step in range(1, 31)])
    expected = {TOKENS: tokens, TIME: times, EPOCHS: np.arange(1, 31) / 66, STEPS: np.arange(1.0, 31.0)}
    for kind, places in expected.items():
        choose_axis(page, kind)
        for chart, name in ((page.charts.loss, RAW), (page.charts.learning_rate, "fact")):
            assert chart.line(name)[0] == pytest.approx(places), kind


def test_that_places_of_steps_lie_between_and_beyond_the_updates() -> None:
    run, axis = new_run(), RunAxis()
    fold_start(run, 100)
    axis.follow(run, EPOCHS, "key")
    early = axis.of_steps(np.array([33.0]))
    assert early is not None and early.tolist() == [1.0]
    axis.follow(run, TOKENS, "key")
    assert axis.of_steps(np.array([33.0])) is None
    even = [StepCompleted(1, step, 1.0, 1e-5, 1.0, 500, 400, 4e4, 2.0, 1, step / 33) for step in range(1, 11)]
    run.fold([Stamped(100.0 + 2 * event.step, event) for event in even])
    for kind, rate in ((TOKENS, 500.0), (TIME, 2.0), (EPOCHS, 1 / 33)):
        axis.follow(run, kind, "key")
        places = axis.of_steps(np.array([0.0, 2.5, 10.0, 40.0]))
        assert places is not None and places == pytest.approx(rate * np.array([0.0, 2.5, 10.0, 40.0]))


def test_that_a_clock_that_was_set_back_stands_still_and_a_resume_keeps_the_sum_of_tokens(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, 100)
    run.fold([uneven_step(step, time_s=100.0 + step) for step in range(1, 11)])
    page.show_run(run)
    choose_axis(page, TOKENS)
    again: list[Event] = [AttemptStarted(2, 8, 5, "step-5")]
    run.fold([Stamped(50.0, again[0]), *(uneven_step(step, 2, time_s=50.0 + step) for step in range(6, 9))])
    page.refresh()
    assert page.charts.loss.line(RAW)[0] == pytest.approx(np.cumsum([1000.0 + step for step in range(1, 9)]))
    ghost = page.charts.loss.line("attempt 1")[0]
    assert ghost == pytest.approx(np.cumsum([1000.0 + step for step in range(1, 11)])[5:])
    choose_axis(page, TIME)
    assert page.charts.loss.line(RAW)[0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 4.5, 4.5, 4.5]


def test_that_long_axes_are_told_in_larger_units(qtbot: QtBot, page: MonitorPage) -> None:
    run = going(page)
    choose_axis(page, TOKENS)
    qtbot.waitUntil(lambda: page.charts.loss.legend.accessibleName().endswith("k tokens"))
    page.charts.loss.set_cursor(81_920.0)
    assert page.charts.loss.legend.accessibleName().endswith("k tokens 81.92")
    choose_axis(page, TIME)
    qtbot.waitUntil(lambda: page.charts.loss.legend.accessibleName().rpartition(", ")[2].startswith("minutes"))
    choose_axis(page, STEPS)
    assert run.step == 120 and page.charts.loss.place_words(81.6) == "82"


def test_that_the_log_switch_is_for_losses_and_the_clip_switch_says_what_it_left_out(
    qtbot: QtBot, page: MonitorPage
) -> None:
    run = going(page, 199)
    spike = StepCompleted(1, 200, 500.0, 1e-5, 1.0, 8192, 5400, 43e3, 0.2, 2**36, 3.0)
    run.fold([Stamped(2300.0, spike)])
    page.refresh()
    chart = page.charts.loss
    qtbot.waitUntil(lambda: chart.is_drawn and top_of(chart) > 400)
    switch(page, "chartClipOutliers")
    qtbot.waitUntil(lambda: top_of(chart) < 10)
    assert "outliers clipped" in chart.unit_label.text()
    switch(page, "chartClipOutliers")
    qtbot.waitUntil(lambda: top_of(chart) > 400)
    assert "clipped" not in chart.unit_label.text()
    switch(page, "chartLogLoss")
    qtbot.waitUntil(lambda: 2.5 < top_of(chart) < 3.0)
    assert page.charts._charts["learning_rate"]._is_log is False


def top_of(chart: LineChart) -> float:
    plot = chart._plot
    assert plot is not None
    return float(plot._box.viewRange()[1][1])


def test_that_the_menu_chooses_charts_and_never_the_last_one_away(page: MonitorPage) -> None:
    going(page)
    assert shown(page) == list(DEFAULT_CHARTS)
    toggle_chart(page, "perplexity")
    assert shown(page) == [*DEFAULT_CHARTS, "perplexity"]
    for key in ("perplexity", "learning_rate", "gradient_norm", "throughput"):
        toggle_chart(page, key)
    assert shown(page) == ["loss"]
    assert toggle_chart(page, "loss").isChecked() and shown(page) == ["loss"]


def test_that_a_chart_that_is_not_shown_is_not_drawn_until_it_is(page: MonitorPage) -> None:
    run = going(page)
    assert not page.charts.perplexity.line_names and not page.charts.memory.line_names
    toggle_chart(page, "perplexity")
    toggle_chart(page, "held_out")
    page.charts.maximise("perplexity")
    page.refresh()
    name = MEAN.format(0.9)
    for last in (121, 140):
        fold_steps(run, run.step + 1, last, TOTAL)
        page.refresh()
        means = smoothed(run.series("loss")[1], 0.9)
        assert page.charts.perplexity.line(name)[1] == pytest.approx(np.exp(means), rel=1e-12)
    steps, losses = run.series("held_out_loss")
    assert page.charts.perplexity.line(HELD_OUT)[1].tolist() == [math.exp(loss) for loss in losses.tolist()]
    assert len(page.charts.loss.line(RAW)[0]) == 120
    page.charts.maximise("held_out")
    page.refresh()
    assert page.charts.held_out.line(HELD_OUT)[0].tolist() == steps.tolist()


def test_that_step_time_and_memory_are_drawn_as_they_were_measured(page: MonitorPage) -> None:
    run = going(page)
    for key, metric in (("step_time", "step_time_s"), ("memory", "peak_memory_bytes")):
        toggle_chart(page, key)
        page.charts.maximise(key)
        page.refresh()
        assert page.charts.chart(key).line("measured")[1].tolist() == run.series(metric)[1].tolist()
        page.charts.maximise(key)


def test_that_the_predicted_memory_is_that_of_the_same_job_on_the_same_node(qtbot: QtBot) -> None:
    session = filled_session()
    page = made_page(qtbot, session)
    run = RunState("r-261124-081400-abcdef", "docstrings", "gpu-box", session.draft.spec)
    fold_start(run, TOTAL)
    fold_steps(run, 1, 20, TOTAL)
    page.show_run(run)
    toggle_chart(page, "memory")
    page.charts.maximise("memory")
    page.refresh()
    figures = estimate(session.draft.spec, session.draft.known)
    assert figures is not None
    assert page.charts.memory.line("predicted, estimated")[1].tolist() == 2 * [figures.memory.allocated.likely]
    session.draft.edit({"optimizer.learning_rate": 1e-4})
    page.refresh()
    assert "predicted, estimated" not in page.charts.memory.line_names


def test_that_a_double_click_on_a_title_lets_a_chart_take_all_the_place_and_back(
    qtbot: QtBot, page: MonitorPage
) -> None:
    run = going(page)
    for expected in (["gradient_norm"], list(DEFAULT_CHARTS)):
        place = page.charts.gradient_norm.heading.geometry().center()
        double_click(page.charts.gradient_norm, place)
        assert shown(page) == expected
    inside = QPoint(page.charts.loss.width() // 2, page.charts.loss.body.geometry().center().y())
    double_click(page.charts.loss, inside)
    assert shown(page) == list(DEFAULT_CHARTS)
    page.charts.maximise("loss")
    toggle_chart(page, "memory")
    assert shown(page) == [*DEFAULT_CHARTS, "memory"] and run.step == 120


def test_that_checkpoints_evaluations_resumes_and_epochs_are_marked_and_explained(page: MonitorPage) -> None:
    run = going(page)
    run.fold([Stamped(2200.0, CheckpointCommitted(1, 100, "step-100", True, 10, 1.0))])
    run.fold([Stamped(2300.0, AttemptStarted(2, 8, 100, "step-100")), uneven_step(101, 2, 2400.0)])
    page.refresh()
    chart = page.charts.loss
    assert chart.line("checkpoint")[0].tolist() == [100.0]
    assert chart.line("evaluation")[0].tolist() == [0.0, 25.0, 50.0, 75.0, 100.0]
    assert chart.line("resume")[0].tolist() == [100.0]
    assert chart._marks == {"epoch 1": ("x", 66.0)}
    told = page.charts.lines._marks
    assert told.isVisible()
    assert told.accessibleName() == "checkpoint, evaluation, resume, end of an epoch"
    assert "checkpoint" not in chart.legend.accessibleName()
    page.show_run(new_run())
    page.refresh()
    assert not told.isVisible() and not chart._marks


def test_that_the_choices_are_remembered_by_the_window(qtbot: QtBot, session: PageSession, tmp_path: Path) -> None:
    file = tmp_path / "window.ini"
    page = made_page(qtbot, session, LastLayout(file))
    going(page)
    choose_axis(page, TIME)
    choose_weight(page, 6)
    switch(page, "chartLogLoss")
    toggle_chart(page, "memory")
    again = made_page(qtbot, session, LastLayout(file))
    assert again.controls.choices == ViewChoices(TIME, True, 0.98, False, (*DEFAULT_CHARTS, "memory"))
    assert shown(again) == [*DEFAULT_CHARTS, "memory"]
    box = again.findChild(ChoiceBox, "chartAxis")
    assert box is not None and box.value() == TIME


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "7", '{"axis": "moon", "weight": 2, "shown": ["none"]}', '{"shown": "loss"}']
)
def test_that_choices_that_nobody_can_read_are_as_at_first(text: str) -> None:
    assert choices_of(text) == ViewChoices()


def test_that_choices_read_back_as_they_were_kept() -> None:
    chosen = ViewChoices(TOKENS, True, 0.995, True, ("loss", "memory"))
    assert choices_of(chosen.as_text()) == chosen
