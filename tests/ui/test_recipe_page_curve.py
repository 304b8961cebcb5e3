"""The learning-rate plot: axes, marks, pinned alternatives, copies, and the points and handles taken by the hand."""

from __future__ import annotations

import csv
import io
import math
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.recipe_spec import PointSpec
from remote_agent.contract.schedule import Horizon, cooldown_steps, lr_at, span_steps, warmup_steps, weight_decay_at
from studio.ui.controls import ChoiceBox
from studio.ui.knob_field import FIELDS
from studio.ui.recipe.curve_axis import amount_for, axes_for
from studio.ui.recipe.rate_curve import COOLDOWN, MINIMUM, MOST_PINNED, PEAK, POINT, RateCurve
from studio.ui.recipe.recipe_page import RecipePage
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
SHAPES = FIELDS["schedule.shape"].knob.choices
POINTS: tuple[PointSpec, ...] = (PointSpec(20.0, 1.0), PointSpec(60.0, 0.4), PointSpec(100.0, 0.1))


@pytest.fixture
def session() -> PageSession:
    return filled_session()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> RecipePage:
    page = RecipePage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1048, 640)
    page.show()
    qtbot.waitUntil(lambda: page.curve.is_drawn)
    return page


@pytest.fixture
def curve(page: RecipePage) -> RateCurve:
    return page.curve


def place_of(curve: RateCurve, handle: str) -> QPoint:
    target, place = curve.plot_widget, curve.handle_position(handle)
    assert target is not None and place is not None
    return target.mapFrom(curve, place)


def drag(qtbot: QtBot, curve: RateCurve, handle: str, by: QPoint) -> None:
    target, start = curve.plot_widget, place_of(curve, handle)
    assert target is not None
    qtbot.mouseMove(target, start)
    qtbot.mousePress(target, Qt.MouseButton.LeftButton, pos=start)
    for part in range(1, 6):
        qtbot.mouseMove(target, start + by * part / 5)
        qtbot.wait(15)
    with qtbot.waitSignal(curve.handle_released):
        qtbot.mouseRelease(target, Qt.MouseButton.LeftButton, pos=start + by)


@pytest.mark.parametrize("shape", SHAPES)
def test_that_every_shape_is_drawn_as_the_trainer_runs_it(page: RecipePage, session: PageSession, shape: str) -> None:
    session.draft.edit({"schedule.shape": shape, "schedule.points": POINTS})
    horizon = session.draft.horizon
    steps, rates = page.curve.line(page.curve.curve_name)
    assert steps.tolist() == list(range(1, horizon.total_steps + 1))
    assert rates.tolist() == [lr_at(session.draft.spec, step, horizon) for step in range(horizon.total_steps)]


def test_that_the_legend_says_what_the_dotted_rules_are(page: RecipePage, session: PageSession) -> None:
    assert page.curve.horizon.steps_per_epoch
    session.draft.edit({"batch.max_steps": 0, "batch.epochs": 3.0})
    assert "end of an epoch" in page.curve.legend.accessibleName()
    session.draft.edit({"batch.epochs": 1.0})
    assert "end of an epoch" not in page.curve.legend.accessibleName()


def test_that_the_axis_counts_steps_epochs_or_tokens(page: RecipePage, session: PageSession) -> None:
    curve, horizon = page.curve, session.draft.horizon
    box = page.findChild(ChoiceBox, "curveAxis")
    assert box is not None
    assert [box.itemData(place) for place in range(box.count())] == ["steps", "epochs", "tokens"]
    box.setCurrentIndex(1)
    box.activated.emit(1)
    epochs, _ = curve.line(curve.curve_name)
    assert epochs[-1] == pytest.approx(horizon.total_steps / horizon.steps_per_epoch)
    curve.set_axis("tokens")
    tokens, _ = curve.line(curve.curve_name)
    total = horizon.tokens_per_step * horizon.total_steps
    assert tokens[-1] * {"k": 1e3, "M": 1e6, "B": 1e9}[curve.axis.label[0]] == pytest.approx(total)
    curve.set_cursor(float(tokens[-1]))
    assert f"(step {horizon.total_steps})" in curve.legend.accessibleName()


def test_that_without_data_only_steps_can_be_counted(page: RecipePage, session: PageSession) -> None:
    page.curve.set_axis("tokens")
    session.draft.set_known(data=None)
    box = page.findChild(ChoiceBox, "curveAxis")
    assert box is not None and box.count() == 1
    assert page.curve.axis.unit == "steps"
    assert page.curve.line(page.curve.curve_name)[0].size


def test_that_checkpoints_and_evaluations_are_marked_where_they_happen(page: RecipePage, session: PageSession) -> None:
    total = session.draft.horizon.total_steps
    session.draft.edit({"evaluation.every_steps": 25, "checkpointing.weights_every_steps": 91})
    assert page.curve.line("evaluation")[0].tolist() == list(range(25, total + 1, 25))
    assert page.curve.line("checkpoint")[0].tolist() == list(range(91, total + 1, 91))
    session.draft.edit({"evaluation.every_steps": 0, "checkpointing.weights_every_steps": 0})
    assert not {"evaluation", "checkpoint"} & set(page.curve.line_names)


def test_that_a_changing_weight_decay_has_its_own_line_and_tells_its_own_values(
    page: RecipePage, session: PageSession
) -> None:
    assert not [name for name in page.curve.line_names if "decay" in name]
    session.draft.set_value("schedule.weight_decay_end_factor", 0.1)
    (name,) = [name for name in page.curve.line_names if name.startswith("weight decay")]
    spec, horizon = session.draft.spec, session.draft.horizon
    rows = [row for row in csv.reader(io.StringIO(page.curve.as_csv())) if row[0] == name]
    assert [float(row[2]) for row in rows] == pytest.approx(
        [weight_decay_at(spec, step, horizon) for step in range(horizon.total_steps)], rel=1e-12
    )


def test_that_up_to_four_curves_stay_beside_what_the_job_becomes(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    pin, unpin = page.findChild(QPushButton, "curvePin"), page.findChild(QPushButton, "curveUnpin")
    assert pin is not None and unpin is not None and not unpin.isVisible()
    for shape in ("cosine", "linear", "constant", "rex", "polynomial"):
        session.draft.set_value("schedule.shape", shape)
        pin.click()
    assert [pinned.spec.schedule.shape for pinned in page.curve.pinned] == ["linear", "constant", "rex", "polynomial"]
    assert len(page.curve.pinned) == MOST_PINNED and unpin.isVisible()
    session.draft.set_value("optimizer.learning_rate", 1e-5)
    first = page.curve.pinned[0]
    assert page.curve.line(first.name)[1].max() == first.spec.optimizer.learning_rate == 2e-5
    page.curve.unpin(first.name)
    assert first.name not in page.curve.line_names and len(page.curve.pinned) == 3
    page.curve.unpin()
    assert not [name for name in page.curve.line_names if name.startswith("pinned")] and not unpin.isVisible()


def test_that_the_same_curve_is_pinned_once(page: RecipePage) -> None:
    page.curve.pin()
    page.curve.pin()
    assert len(page.curve.pinned) == 1


def test_that_the_peak_can_be_dragged_on_a_logarithmic_axis(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    log = page.findChild(QPushButton, "curveLog")
    assert log is not None
    log.click()
    before = session.draft.spec.optimizer.learning_rate
    drag(qtbot, page.curve, PEAK, QPoint(0, 40))
    after = session.draft.spec.optimizer.learning_rate
    assert 0 < after < before
    assert max(page.curve.line(page.curve.curve_name)[1]) == after


def test_that_a_warmup_from_zero_is_drawn_on_a_logarithmic_axis_too(curve: RateCurve, session: PageSession) -> None:
    curve.set_log(True)
    session.draft.set_value("optimizer.learning_rate", 3e-5)
    assert curve.line(curve.curve_name)[1][0] == 0.0


def test_that_points_are_added_by_a_double_click_dragged_and_deleted(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    curve, draft = page.curve, session.draft
    draft.edit({"schedule.shape": "piecewise", "schedule.points": POINTS, "schedule.warmup.amount": 0.0})
    drag(qtbot, curve, POINT + "1", QPoint(0, 40))
    assert draft.spec.schedule.points[1].factor < 0.4
    assert draft.spec.schedule.points[1].at_percent == 60.0
    text = page.findChild(QPlainTextEdit, "schedule.points")
    assert text is not None and text.isVisible() and len(text.toPlainText().split("\n")) == 3
    target = curve.plot_widget
    assert target is not None
    between = (place_of(curve, POINT + "1") + place_of(curve, POINT + "2")) / 2 + QPoint(0, -30)
    qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=between)
    assert len(draft.spec.schedule.points) == 4
    places = [point.at_percent for point in draft.spec.schedule.points]
    assert places == sorted(places) and 60.0 < places[2] < 100.0
    qtbot.mouseMove(target, place_of(curve, POINT + "2"))
    qtbot.waitUntil(lambda: curve.handle_under_mouse == POINT + "2")
    QTest.keyClick(target, Qt.Key.Key_Delete)
    assert [point.at_percent for point in draft.spec.schedule.points] == [20.0, 60.0, 100.0]
    for _ in range(3):
        draft.undo()
    assert draft.spec.schedule.points == POINTS


def test_that_a_point_cannot_be_dragged_past_its_neighbours(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    session.draft.edit({"schedule.shape": "multi_step", "schedule.points": POINTS, "schedule.warmup.amount": 0.0})
    drag(qtbot, page.curve, POINT + "1", QPoint(400, 0))
    assert session.draft.spec.schedule.points[1].at_percent == 100.0


@pytest.mark.parametrize("shape", ["piecewise", "multi_step"])
def test_that_a_drawn_schedule_without_points_is_drawn_too_and_takes_its_first(
    qtbot: QtBot, curve: RateCurve, session: PageSession, shape: str
) -> None:
    session.draft.set_value("schedule.shape", shape)
    assert curve.line(curve.curve_name)[0].size
    target = curve.plot_widget
    assert target is not None
    qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=target.rect().center())
    assert len(session.draft.spec.schedule.points) == 1


def test_that_another_schedule_takes_no_points(qtbot: QtBot, curve: RateCurve, session: PageSession) -> None:
    target = curve.plot_widget
    assert target is not None
    qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=target.rect().center())
    curve.remove_point()
    assert session.draft.spec.schedule.points == ()


def test_that_dragging_the_start_of_the_cooldown_changes_its_length(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    session.draft.set_value("schedule.shape", "wsd")
    before = session.draft.spec
    drag(qtbot, page.curve, COOLDOWN, QPoint(-60, 0))
    after, horizon = session.draft.spec, session.draft.horizon
    assert cooldown_steps(after.schedule, horizon) > cooldown_steps(before.schedule, horizon)
    assert after.optimizer == before.optimizer and after.schedule.warmup == before.schedule.warmup


def test_that_only_what_ends_at_a_minimum_has_it_to_drag(page: RecipePage, session: PageSession) -> None:
    session.draft.set_value("schedule.points", POINTS)
    shown = {}
    for shape in SHAPES:
        session.draft.set_value("schedule.shape", shape)
        shown[shape] = [handle.name for handle in page.curve.handles]
    assert all(PEAK in names for names in shown.values())
    assert {shape for shape, names in shown.items() if MINIMUM not in names} == {
        "constant", "inverse_sqrt", "step", "multi_step", "piecewise",
    }  # fmt: skip
    assert shown["wsd"] == [PEAK, COOLDOWN, MINIMUM]
    assert shown["piecewise"] == [PEAK, POINT + "0", POINT + "1", POINT + "2"]


def test_that_the_plot_is_copied_as_picture_drawing_and_values(qtbot: QtBot, curve: RateCurve) -> None:
    clipboard = QGuiApplication.clipboard()
    curve.copy_image()
    assert not clipboard.image().isNull()
    curve.copy_svg()
    root = ElementTree.fromstring(curve.as_svg())
    assert root.tag.endswith("svg")
    words = "".join(root.itertext())
    assert "Learning rate" in words and "cosine from 2e-5" in words
    assert any(element.tag.endswith(("polyline", "path")) for element in root.iter())
    curve.copy_values()
    rows = list(csv.reader(io.StringIO(clipboard.text())))
    assert rows[0] == ["line", "x", "y"] and len(rows) == curve.total_steps + 1


@pytest.mark.parametrize("horizon", [Horizon(7), Horizon(273, 91, 8022.1), Horizon(100_000, 33_333, 262_144.0)])
@pytest.mark.parametrize("unit", ["percent", "steps", "epochs", "tokens"])
def test_that_a_span_under_the_hand_comes_to_its_steps_in_every_unit(horizon: Horizon, unit: str) -> None:
    if unit in ("epochs", "tokens") and not horizon.steps_per_epoch:
        return
    total = horizon.total_steps
    for steps in {0, 1, total // 3, total // 2, total - 1}:
        amount = amount_for(unit, steps, horizon, lambda amount: span_steps(amount, unit, horizon))
        schedule = with_value(with_value(JobSpec(), "schedule.warmup.unit", unit), "schedule.warmup.amount", amount)
        assert warmup_steps(schedule.schedule, horizon) == steps


def test_that_the_axes_tell_an_update_from_the_next() -> None:
    for axis in axes_for(Horizon(100_000, 33_333, 262_144.0)):
        assert axis.words(axis.place(500)) != axis.words(axis.place(501))
        assert math.isclose(axis.updates(axis.place(77)), 77)
