"""The range test's popup: bounds that are read, a curve as it comes, and a peak that one click takes over."""

from __future__ import annotations

import math

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import Stamped, StateChanged, StepCompleted
from remote_agent.contract.range_test import RangeTest, range_test_job, smoothed
from remote_agent.contract.schedule import lr_at
from studio.state.run import RunState
from studio.ui.recipe.range_test_popup import RangeTestPopup
from studio.ui.recipe.recipe_page import RecipePage
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
TEST = RangeTest(1e-7, 1e-1, 120)


@pytest.fixture
def session() -> PageSession:
    return filled_session()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> RecipePage:
    page = RecipePage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1048, 900)
    page.show()
    return page


def open_popup(page: RecipePage) -> RangeTestPopup:
    page.range_test.click()
    return page.findChildren(RangeTestPopup)[-1]


def says(popup: RangeTestPopup, name: str) -> str:
    label = popup.findChild(QLabel, name)
    assert label is not None
    return label.text()


def loss_at(rate: float) -> float:
    """Fall from 2.5 to 1.5 between 1e-6 and 1e-3, and rise steeply behind."""
    place = min(1.0, max(0.0, (math.log10(rate) + 6.0) / 3.0))
    return 2.5 - place + max(0.0, math.log10(rate) + 2.7) ** 2 * 8.0


def range_run(session: PageSession, steps: int = 0, ended: bool = False) -> RunState:
    """Return a range test of the draft after so many updates."""
    spec = range_test_job(session.draft.spec, TEST)
    run = RunState("r-260101-000000-aaaaaa", spec.name, "This computer", spec, session)
    rates = [lr_at(spec, update, TEST.updates) for update in range(steps)]
    run.fold(
        Stamped(100.0 + step, StepCompleted(1, step, loss_at(rate), rate, 1.0, 900, 300, 900.0, 1.0, 0, 0.1))
        for step, rate in enumerate(rates, 1)
    )
    for state, reason in (("running", ""), ("finished", "The loss diverged.")):
        if state == "running" or ended:
            run.fold([Stamped(500.0, StateChanged(state, 1, reason))])
    return run


def test_that_the_test_starts_with_the_bounds_that_were_typed(page: RecipePage, session: PageSession) -> None:
    popup = open_popup(page)
    assert says(popup, "rangeState") == "This job has had no range test yet."
    assert popup.chart.isHidden() and popup.apply.isHidden()
    popup.low.setText("1e-6")
    popup.updates.setText("60")
    popup.start.click()
    assert session.calls[-1] == ("range_test", RangeTest(1e-6, 1e-2, 60))
    popup.high.setText("fast")
    popup.start.click()
    assert session.calls[-1] == ("range_test", RangeTest(1e-6, 1e-2, 60))
    assert "fast" in says(popup, "rangeState")
    popup.high.setText("1e-2")
    session.range_tests.refusal = "No node is chosen; choose one on the Launch page."
    popup.start.click()
    assert says(popup, "rangeState") == session.range_tests.refusal


def test_that_the_curve_grows_with_the_run_and_is_the_loss_over_the_rates_of_its_job(
    page: RecipePage, session: PageSession
) -> None:
    popup = open_popup(page)
    session.range_tests.newest = range_run(session, 40)
    session.range_tests.changed.emit()
    assert not popup.start.isEnabled() and popup.apply.isHidden()
    places, losses = popup.chart.line("loss")
    spec = session.range_tests.newest.spec
    rates = [lr_at(spec, update, TEST.updates) for update in range(40)]
    assert places.tolist() == pytest.approx([math.log10(rate) for rate in rates], rel=1e-12)
    assert losses.tolist() == [loss_at(rate) for rate in rates]
    assert popup.chart.line("smoothed")[1].tolist() == smoothed(losses.tolist())
    assert popup.chart.place_words(-5.0) == "1e-5"
    session.range_tests.newest = range_run(session, 41)
    session.range_tests.changed.emit()
    assert popup.chart.line("loss")[0].size == 41


def test_that_a_loss_that_diverged_does_not_flatten_what_the_test_is_about(
    page: RecipePage, session: PageSession
) -> None:
    session.range_tests.newest = range_run(session, 120, ended=True)
    popup = open_popup(page)
    every = [loss_at(lr_at(session.range_tests.newest.spec, update, TEST.updates)) for update in range(120)]
    _, losses = popup.chart.line("loss")
    fall = every[0] - min(smoothed(every))
    assert max(every) > 10.0, "it diverges"
    assert 80 < losses.size < 120 and losses.max() <= every[0] + 1.5 * fall
    shown = popup.chart.line("smoothed")[1].tolist()
    assert shown == smoothed(every)[: len(shown)], "the curve itself is left alone"
    assert popup.found is not None and popup.start.property("role") != "primary"


def test_that_one_click_takes_the_suggested_peak_and_one_undo_gives_it_back(
    page: RecipePage, session: PageSession
) -> None:
    before = session.draft.spec
    session.range_tests.newest = range_run(session, 110, ended=True)
    popup = open_popup(page)
    assert popup.found is not None and popup.found.lowest == pytest.approx(10 * popup.found.peak)
    said = says(popup, "rangeSuggestion")
    assert "a tenth of" in said and "It falls fastest at" in said
    assert says(popup, "rangeState") == "The loss diverged."
    popup.apply.click()
    assert session.draft.spec.optimizer.learning_rate == float(f"{popup.found.peak:.2g}")
    assert session.draft.spec.schedule == before.schedule
    session.draft.undo()
    assert session.draft.spec == before


def test_that_a_loss_that_only_rises_suggests_nothing(page: RecipePage, session: PageSession) -> None:
    spec = range_test_job(session.draft.spec, TEST)
    run = RunState("r-260101-000000-bbbbbb", spec.name, "This computer", spec, session)
    run.fold(
        Stamped(9.0, StepCompleted(1, step, 2.0 + step, 1e-6, 1.0, 900, 300, 900.0, 1.0, 0, 0.1))
        for step in range(1, 40)
    )
    run.fold([Stamped(500.0, StateChanged("running", 1)), Stamped(501.0, StateChanged("finished", 1))])
    session.range_tests.newest = run
    popup = open_popup(page)
    assert popup.found is None and popup.apply.isHidden()
    assert "begin at a lower learning rate" in says(popup, "rangeSuggestion")
