"""A field is drawn from its description, commits what a person means, and says what is wrong."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import value_at
from studio.state.draft import Draft
from studio.ui.controls import ChoiceBox, Switch, read_float, read_int
from studio.ui.knob_field import FIELDS, DefaultDot, HelpPopup, KnobField

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def draft() -> Draft:
    return Draft()


def control(field: KnobField, path: str) -> QWidget:
    found = field.findChild(QWidget, path)
    assert found is not None
    return found


def type_into(qtbot: QtBot, field: KnobField, path: str, text: str) -> QLineEdit:
    line = control(field, path)
    assert isinstance(line, QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    return line


@pytest.mark.parametrize("path", list(FIELDS))
def test_that_every_field_of_the_job_can_be_drawn_named_and_explained(qtbot: QtBot, draft: Draft, path: str) -> None:
    field = KnobField(draft, path)
    qtbot.addWidget(field)
    widget = control(field, path)
    assert widget.accessibleName() and widget.accessibleDescription()
    popup = HelpPopup(field.paths, field)
    qtbot.addWidget(popup)
    for button in field.findChildren(QToolButton):
        assert button.accessibleName()


@pytest.mark.parametrize(
    ("text", "value"), [("2e-5", 2e-5), (" 0.1 ", 0.1), ("1 000", 1000.0), ("1_000.5", 1000.5), ("-3", -3.0)]
)
def test_that_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    assert read_float(text) == value


@pytest.mark.parametrize("text", ["", "abc", "0,1", "nan", "inf", "1e", "2e-5x"])
def test_that_what_is_no_number_gets_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_float(text)


def test_that_a_whole_number_may_be_written_as_a_power_but_not_as_a_fraction() -> None:
    assert read_int("1e3") == 1000
    with pytest.raises(ValueError, match="no whole number"):
        read_int("1.5")


def test_that_a_typed_number_reaches_the_draft_on_return(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "optimizer.learning_rate")
    qtbot.addWidget(field)
    line = type_into(qtbot, field, "optimizer.learning_rate", "0.00003")
    assert draft.spec.optimizer.learning_rate == 3e-5
    assert line.text() == "3e-5"


def test_that_a_typed_mistake_stays_and_says_what_to_write(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "optimizer.learning_rate")
    qtbot.addWidget(field)
    line = type_into(qtbot, field, "optimizer.learning_rate", "2e-x")
    assert draft.spec.optimizer.learning_rate == 2e-5
    assert line.text() == "2e-x"
    assert line.property("wrong") == "true"
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "2e-5"
    assert line.property("wrong") == ""


def test_that_a_problem_of_the_field_stands_below_it(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "regularization.label_smoothing")
    qtbot.addWidget(field)
    line = type_into(qtbot, field, "regularization.label_smoothing", "0.7")
    assert line.property("wrong") == "true"
    assert "the most is 0.5" in field._problem.text()
    draft.undo()
    assert field._problem.isHidden()


def test_that_the_dot_shows_a_difference_and_leads_back(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "batch.micro_batch")
    qtbot.addWidget(field)
    field.show()
    dot = field.findChild(DefaultDot)
    assert dot is not None and not dot.isVisible()
    draft.set_value("batch.micro_batch", 4)
    assert dot.isVisible()
    qtbot.mouseClick(dot, Qt.MouseButton.LeftButton)
    assert draft.spec.batch.micro_batch == 1
    assert not dot.isVisible()


def test_that_choices_switches_and_small_ranges_have_their_own_controls(qtbot: QtBot, draft: Draft) -> None:
    stage = KnobField(draft, "strategy.zero_stage")
    switch = KnobField(draft, "strategy.activation_checkpointing")
    qtbot.addWidget(stage)
    qtbot.addWidget(switch)
    box, toggle = control(stage, "strategy.zero_stage"), control(switch, "strategy.activation_checkpointing")
    assert isinstance(box, ChoiceBox) and box.count() == 4
    box.setCurrentIndex(3)
    box.activated.emit(3)
    assert draft.spec.strategy.zero_stage == 3
    assert isinstance(toggle, Switch)
    qtbot.mouseClick(toggle, Qt.MouseButton.LeftButton)
    assert draft.spec.strategy.activation_checkpointing is False


def test_that_lines_of_prompts_become_a_tuple_when_the_focus_leaves(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "evaluation.sample_prompts")
    qtbot.addWidget(field)
    text = control(field, "evaluation.sample_prompts")
    assert isinstance(text, QPlainTextEdit)
    text.setPlainText("What is a lute?\n\nName a wood.")
    field._controls[0]._commit()
    assert draft.spec.evaluation.sample_prompts == ("What is a lute?", "Name a wood.")


def test_that_an_undo_is_seen_in_the_control(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "schedule.warmup.amount", "schedule.warmup.unit")
    qtbot.addWidget(field)
    line = type_into(qtbot, field, "schedule.warmup.amount", "25")
    draft.undo()
    assert line.text() == "10"
    assert value_at(draft.spec, "schedule.warmup.amount") == 10.0


def test_that_what_cannot_be_read_holds_the_launch_until_it_is_put_right(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "optimizer.learning_rate")
    qtbot.addWidget(field)
    line = type_into(qtbot, field, "optimizer.learning_rate", "abc")
    problem = draft.problems[0]
    assert (problem.severity, problem.field) == ("error", "optimizer.learning_rate")
    assert problem.sentence.startswith("abc is no number")
    assert problem.fix is not None and problem.fix.label == "Set to 2e-05"
    draft.apply(problem.fix)
    assert line.text() == "2e-5"
    assert "optimizer.learning_rate" not in {problem.field for problem in draft.problems}


def test_that_another_job_shows_nothing_of_what_was_typed_into_the_last_one(qtbot: QtBot, draft: Draft) -> None:
    field = KnobField(draft, "batch.epochs")
    qtbot.addWidget(field)
    line = type_into(qtbot, field, "batch.epochs", "many")
    draft.replace_spec(draft.spec)
    assert line.text() == "3"
    assert not draft.unread
