"""Runs beside each other: curves, what differs, what came out, and the report of it."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any, cast

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import AlertRaised, Sampled, Stamped, StateChanged
from remote_agent.contract.job_spec import with_value
from studio.state.run import RunState
from studio.store.live import STEP_COLUMNS, RunBatch, StepColumns
from studio.ui.compare.compare_page import ComparePage
from studio.ui.compare.figures import MOST_RUNS, differing_settings, results, run_labels
from tests.ui.page_session import PageSession, fold_start, fold_steps, run_spec

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
TOTAL = 120


def a_run(number: int, rate: float = 2e-5, steps: int = TOTAL) -> RunState:
    spec = with_value(run_spec(), "optimizer.learning_rate", rate)
    run = RunState(f"r-261124-08140{number}-abcde{number}", f"run {number}", "gpu-box", spec)
    fold_start(run, TOTAL)
    fold_steps(run, 1, steps, TOTAL)
    return run


@pytest.fixture
def page(qtbot: QtBot) -> ComparePage:
    made = ComparePage(cast(Any, PageSession()))
    qtbot.addWidget(made)
    made.resize(1048, 700)
    made.show()
    return made


def test_that_each_run_has_a_line_in_every_chart_under_its_name(page: ComparePage) -> None:
    page.show_runs([a_run(1), a_run(2)])
    for chart in page.charts:
        assert chart.line_names == ("run 1", "run 2")


def test_that_only_settings_that_differ_are_told_with_each_runs_value(page: ComparePage) -> None:
    page.show_runs([a_run(1), a_run(2, rate=1e-5)])
    assert page.settings is not None
    assert page.settings.as_rows() == [["", "run 1", "run 2"], ["Peak learning rate", "2e-5", "1e-5"]]


def test_that_runs_of_one_job_are_said_to_have_the_same_settings(page: ComparePage) -> None:
    page.show_runs([a_run(1), a_run(2)])
    assert page.settings is not None
    assert page.settings.as_rows()[1][0] == "The settings are the same."


def test_that_the_best_held_out_loss_of_all_is_marked(page: ComparePage) -> None:
    rows = {row.cells[0]: row.cells[1:] for row in results([a_run(1), a_run(2, steps=50)])}
    assert rows["Held-out loss, best"][0].startswith("★ 1.2")
    assert rows["Held-out loss, best"][0].endswith("at step 100")
    assert not rows["Held-out loss, best"][1].startswith("★")
    assert rows["Steps"] == ("120 / 120", "50 / 120")


def test_that_a_run_without_figures_has_dashes(page: ComparePage) -> None:
    empty = RunState("r-261124-081409-abcdef", "empty", "gpu-box", run_spec())
    page.show_runs([a_run(1), empty])
    rows = {row.cells[0]: row.cells[2] for row in results(page.runs)}
    assert rows["Held-out loss, best"] == rows["Tokens/s, median"] == rows["Time"] == "–"


def test_that_two_runs_of_one_name_are_told_apart_by_the_end_of_their_ids() -> None:
    runs = [a_run(1), a_run(2)]
    runs[1].name = "run 1"
    assert run_labels(runs) == ("run 1 · abcde1", "run 1 · abcde2")


def test_that_a_run_that_goes_on_is_drawn_again(page: ComparePage, qtbot: QtBot) -> None:
    run = a_run(1, steps=40)
    page.show_runs([run, a_run(2)])
    fold_steps(run, 41, 60, TOTAL)
    qtbot.waitUntil(lambda: len(page.gradient_norm.line("run 1")[0]) == 60)
    run.fold([Stamped(2000.0, StateChanged("failed", 1))])
    page.refresh()
    assert page.results is not None
    assert page.results.as_rows()[1] == ["State", "Failed", "Running"]


def test_that_the_smoothed_loss_of_a_long_run_is_drawn_to_its_end(page: ComparePage, qtbot: QtBot) -> None:
    long = RunState("r-261124-081407-abcdef", "long", "gpu-box", run_spec())
    columns = [array("d", values) for values in ([float(step + 1) for step in range(120_000)], [2.0] * 120_000)]
    steps = StepColumns()
    for place, name in enumerate(STEP_COLUMNS):
        known = {"step": columns[0], "loss": columns[1], "attempt": array("d", [1.0] * 120_000)}
        steps.columns[place].extend(known.get(name, columns[1]))
    long.fold_batch(RunBatch(steps=steps, caught_up=True))
    page.show_runs([long, a_run(2)])
    qtbot.waitUntil(lambda: len(page.loss.line("long")[0]) == 120_000)


def test_that_more_than_twenty_runs_are_cut_and_that_is_said(page: ComparePage) -> None:
    page.show_runs([a_run(1) for _ in range(MOST_RUNS + 1)])
    assert len(page.runs) == MOST_RUNS
    assert page.note.isVisible()
    assert page.note.text() == "The first 20 of 21 chosen runs."


def test_that_the_settings_of_more_than_two_jobs_are_compared_at_once() -> None:
    specs = [with_value(run_spec(), "seed", seed) for seed in (1, 1, 2)]
    assert [row.cells for row in differing_settings(specs)] == [("Seed", "1", "1", "2")]


def test_that_the_report_holds_charts_and_tables_and_asks_nobody_for_anything(
    page: ComparePage, qtbot: QtBot, tmp_path: Path
) -> None:
    alarmed = a_run(2, rate=1e-5)
    alarmed.fold([Stamped(9.0, AlertRaised("gpu_hot", "warning", "GPU 1 is at 91 °C.", 1, 12, 9.0, rank=1)),
                  Stamped(9.0, Sampled(1, 12, "2 < 3?", "<b>yes</b>"))])  # fmt: skip
    page.show_runs([a_run(1), alarmed])
    qtbot.waitUntil(lambda: all(chart.is_drawn for chart in page.charts))
    page.refresh()
    path = tmp_path / "comparison.html"
    page.save_report(path)
    text = path.read_text()
    assert text.count("data:image/svg+xml;base64,") == 5
    assert "<td>optimizer.learning_rate</td><td>2e-5</td><td>1e-5</td>" in text
    assert "<td>run 2</td><td>12</td><td>GPU too hot</td><td>GPU 1 is at 91 °C.</td>" in text
    assert "<td>2 &lt; 3?</td><td>&lt;b&gt;yes&lt;/b&gt;</td>" in text
    assert "<td>Peak learning rate</td><td>2e-5</td><td>1e-5</td>" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<script" not in text


def test_that_no_figure_of_many_runs_is_cut_off(page: ComparePage) -> None:
    page.show_runs([a_run(number) for number in range(9)])
    for table in (page.results, page.settings):
        assert table is not None
        for column in range(table.columnCount()):
            assert table.columnWidth(column) >= table.sizeHintForColumn(column)
    assert page.results is not None
    last = page.results.item(page.results.rowCount() - 1, 0)
    assert last is not None
    assert page.results.visualItemRect(last).bottom() <= page.results.viewport().height(), (
        "the bar at the bottom covers no row"
    )
