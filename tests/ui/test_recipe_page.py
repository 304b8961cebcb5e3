"""The recipe: every field has a place, the curve follows the draft, and a hand on the curve edits the job."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.schedule import lr_at, warmup_steps
from studio.ui.knob_field import FIELDS
from studio.ui.recipe.rate_curve import MINIMUM, PEAK, warmup_amount
from studio.ui.recipe.recipe_page import RecipePage
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
ELSEWHERE = ("schema_version", "name", "model.", "data.")
"""What has its place in the header, its pickers, and on the Data page."""


@pytest.fixture
def session() -> PageSession:
    session = filled_session()
    session.draft.edit({"batch.max_steps": 200, "schedule.shape": "cosine"})
    return session


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> RecipePage:
    page = RecipePage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1048, 640)
    page.show()
    qtbot.waitUntil(lambda: page.curve.is_drawn)
    return page


def drag(qtbot: QtBot, page: RecipePage, handle: str, by: QPoint) -> None:
    target, place = page.curve.plot_widget, page.curve.handle_position(handle)
    assert target is not None and place is not None
    start = target.mapFrom(page.curve, place)
    qtbot.mouseMove(target, start)
    qtbot.mousePress(target, Qt.MouseButton.LeftButton, pos=start)
    for part in range(1, 6):
        qtbot.mouseMove(target, start + by * part / 5)
        qtbot.wait(15)
    with qtbot.waitSignal(page.curve.handle_released):
        qtbot.mouseRelease(target, Qt.MouseButton.LeftButton, pos=start + by)


def test_that_every_field_of_the_job_has_one_place(page: RecipePage) -> None:
    expected = [path for path in FIELDS if not path.startswith(ELSEWHERE)]
    assert sorted(page.paths) == sorted(expected)
    assert len(set(page.paths)) == len(page.paths)


def test_that_the_curve_is_the_trainers_own_rate_at_every_step(page: RecipePage, session: PageSession) -> None:
    steps, rates = page.curve.line(page.curve.curve_name)
    assert steps.tolist() == list(range(1, 201))
    assert rates.tolist() == [lr_at(session.draft.spec, step, 200) for step in range(200)]


def test_that_editing_the_peak_moves_the_maximum_of_the_curve(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    line = page.findChild(QLineEdit, "optimizer.learning_rate")
    assert line is not None
    line.selectAll()
    qtbot.keyClicks(line, "7e-5")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert session.draft.spec.optimizer.learning_rate == 7e-5
    assert max(page.curve.line(page.curve.curve_name)[1]) == 7e-5


def test_that_dragging_the_peak_down_lowers_the_rate_and_leaves_the_warmup(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    before = session.draft.spec
    drag(qtbot, page, PEAK, QPoint(1, 60))
    after = session.draft.spec
    assert after.optimizer.learning_rate < before.optimizer.learning_rate
    assert after.schedule == before.schedule
    assert max(page.curve.line(page.curve.curve_name)[1]) == after.optimizer.learning_rate
    session.draft.undo()
    assert session.draft.spec == before


def test_that_dragging_the_peak_to_the_right_lengthens_the_warmup(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    before = session.draft.spec
    drag(qtbot, page, PEAK, QPoint(80, 0))
    after = session.draft.spec
    assert warmup_steps(after.schedule, 200) > warmup_steps(before.schedule, 200)
    assert after.optimizer.learning_rate == before.optimizer.learning_rate


def test_that_dragging_the_minimum_changes_where_the_fall_ends(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    before = session.draft.spec.schedule.minimum_factor
    drag(qtbot, page, MINIMUM, QPoint(-30, -60))
    assert session.draft.spec.schedule.minimum_factor > before


def test_that_a_constant_schedule_has_no_minimum_to_drag(page: RecipePage, session: PageSession) -> None:
    session.draft.set_value("schedule.shape", "constant")
    assert [handle.name for handle in page.curve.handles] == [PEAK]


@pytest.mark.parametrize("total", [7, 91, 273, 100_000])
@pytest.mark.parametrize("unit", ["percent", "steps"])
def test_that_a_dragged_warmup_comes_to_the_step_under_the_hand(total: int, unit: str) -> None:
    schedule = with_value(JobSpec(), "schedule.warmup.unit", unit).schedule
    for steps in {0, 1, total // 3, total // 2, total - 1}:
        amount = warmup_amount(schedule, steps, total)
        assert warmup_steps(with_value(schedule, "warmup.amount", amount), total) == steps


def test_that_an_impossible_job_is_still_drawn(page: RecipePage, session: PageSession) -> None:
    for changes in (
        {"batch.max_steps": 1},
        {"schedule.warmup.amount": 500.0, "schedule.warmup.unit": "steps"},
        {"batch.micro_batch": 0, "batch.max_steps": 0},
        {"optimizer.learning_rate": 0.0},
        {"schedule.minimum_factor": 3.0},
    ):
        session.draft.edit(changes)
        assert page.curve.line(page.curve.curve_name)[0].size


def test_that_a_folded_field_is_unfolded_to_be_shown(page: RecipePage) -> None:
    field = page.reveal("strategy.attention")
    assert field is not None and field.isVisible()
    assert page.reveal("data.max_length") is None


def test_that_the_arithmetic_is_told_in_a_sentence(page: RecipePage, session: PageSession) -> None:
    session.draft.edit({"batch.micro_batch": 4, "batch.accumulation": 16, "strategy.ranks": 8})
    sentence = page.findChild(QLabel, "batchSentence")
    steps = page.findChild(QLabel, "totalSteps")
    assert sentence is not None and steps is not None
    assert sentence.text().startswith("4 sequences × 16 accumulation × 8 GPUs = 512.")
    assert steps.text() == "200"
