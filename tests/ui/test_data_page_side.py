"""The side of the Data page: findings with their fixes, steps with their previews, and how sources are read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.chat_templates import BUILT_IN
from remote_agent.contract.data_report import StepReport, TableQuery
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import (
    STEP_CLASSES,
    DeduplicateStep,
    DropStep,
    NormaliseStep,
    ReplaceStep,
    TruncateStep,
)
from studio.ui.controls import ChoiceBox
from studio.ui.data.data_page import DataPage
from studio.ui.data.data_view import READING, STEPS
from studio.ui.data.described_form import DescribedForm
from studio.ui.pickers.data_picker import DataPicker
from tests.ui.data_samples import data_report, many_findings, rich_report
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return filled_session()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> DataPage:
    made = DataPage(cast(Any, session))
    qtbot.addWidget(made)
    made.resize(1048, 900)
    made.show()
    return made


def click(page: QWidget, name: str) -> None:
    found = page.findChild(QAbstractButton, name)
    assert isinstance(found, QAbstractButton), name
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def text_of(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel), name
    return str(getattr(found, "whole_text", found.text)()).replace("\N{NARROW NO-BREAK SPACE}", " ")


def last_call(session: PageSession) -> Any:
    return session.calls[-1]


def steps_of(session: PageSession) -> Any:
    return session.draft.spec.data.steps


def last_query(session: PageSession) -> TableQuery:
    queries: list[TableQuery] = [call[1] for call in session.calls if call[0] == "load_table"]
    return queries[-1]


def test_that_findings_stand_errors_first_with_their_severity_in_words(page: DataPage) -> None:
    first = page.findChild(QWidget, "finding0")
    assert isinstance(first, QWidget)
    assert first.accessibleName() == "Error, Empty response, 3: 3 rows have an empty answer and train nothing."
    sections = [
        label.text() for label in page.view.findings.findChildren(QLabel) if label.property("role") == "section"
    ]
    assert sections == ["1 error", "2 warnings", "1 note"]


def test_that_a_click_on_a_finding_shows_its_rows_and_the_chip_all_again(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    click(page, "findingLine0")
    qtbot.waitUntil(lambda: last_query(session) == TableQuery(finding="empty_response"))
    chip = page.findChild(QAbstractButton, "findingChip")
    assert isinstance(chip, QAbstractButton) and chip.isVisible() and chip.text() == "Empty response"
    said = [label.text() for label in page.view.findings.findChildren(QLabel) if label.isVisible()]
    assert "Such a row teaches the model to say nothing." in said
    click(page, "findingLine1")
    qtbot.waitUntil(lambda: last_query(session) == TableQuery(finding="over_length"))
    assert "Bound: 1024" in [label.text() for label in page.view.findings.findChildren(QLabel) if label.isVisible()]
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: last_query(session) == TableQuery())
    assert page.view.findings.chosen_finding is None and not chip.isVisible()


def test_that_a_finding_with_pairs_shows_them_beside_each_other(page: DataPage, session: PageSession) -> None:
    page.view.findings.choose("near_duplicate")
    assert ("load_row", 204) in session.calls and ("load_row", 205) in session.calls
    assert page.view.row_pane.pairs.isVisible()


def test_that_a_fix_says_what_it_changes_before_it_is_applied(page: DataPage, session: PageSession) -> None:
    click(page, "findingLine0")
    click(page, "findingFix0-0")
    step = DropStep("empty_response")
    assert last_call(session) == ("preview_step", step)
    apply = page.findChild(QAbstractButton, "findingApply0")
    assert isinstance(apply, QAbstractButton) and not apply.isEnabled()
    session.step_previewed.emit(step, StepReport("", dropped=3))
    assert text_of(page, "stepEffect") == "It leaves out 3 rows." and apply.isEnabled()
    QTest.mouseClick(apply, Qt.MouseButton.LeftButton)
    assert last_call(session) == ("apply_data_fix", data_report().findings[2].fixes[0])


def test_that_a_fix_of_fields_says_their_new_values(page: DataPage, session: PageSession) -> None:
    click(page, "findingLine1")
    click(page, "findingFix1-0")
    assert text_of(page, "stepEffect") == "Sequence length becomes 1536."
    click(page, "findingApply1")
    assert session.calls[-1][0] == "apply_data_fix"


def test_that_an_unfolded_finding_stays_so_when_counts_grow(page: DataPage, session: PageSession) -> None:
    click(page, "findingLine0")
    click(page, "findingFix0-0")
    item = page.findChild(QWidget, "finding0")
    report = data_report()
    grown = tuple(dataclasses.replace(one, count=one.count + 5) for one in report.findings)
    session.draft.set_known(data=dataclasses.replace(report, findings=grown))
    assert page.findChild(QWidget, "finding0") is item
    chosen = page.view.findings.chosen_finding
    assert chosen is not None and chosen.count == 8


def test_that_many_findings_are_all_there(page: DataPage, session: PageSession) -> None:
    session.draft.set_known(data=rich_report())
    assert page.findChild(QWidget, f"finding{len(many_findings()) - 1}") is not None
    tab = page.findChild(QAbstractButton, "sideFindings")
    assert isinstance(tab, QAbstractButton) and tab.text() == "Findings  25"


def test_that_a_step_is_added_with_a_preview_and_taken_back(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    page.view.show_side(STEPS)
    page.view.steps.open_form(ReplaceStep())
    find = page.findChild(QLineEdit, "step.find")
    assert isinstance(find, QLineEdit)
    QTest.keyClicks(find, "foo")
    step = ReplaceStep(find="foo")
    qtbot.waitUntil(lambda: ("preview_step", step) in session.calls)
    session.step_previewed.emit(step, StepReport("", changed=214, rows=(3,), examples=(("a foo", "a "),)))
    assert text_of(page, "stepEffect") == "It changes 214 rows."
    examples = page.findChild(QWidget, "stepExamples")
    assert isinstance(examples, QWidget) and "Row 4\n− a foo\n+ a " in cast(Any, examples).toPlainText()
    click(page, "stepApplyButton")
    assert last_call(session) == ("add_step", step) and steps_of(session) == (step,)
    assert page.findChild(QWidget, "step0") is not None
    session.draft.undo()
    assert steps_of(session) == () and page.findChild(QWidget, "step0") is None


def test_that_a_preview_that_fails_says_why(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    page.view.show_side(STEPS)
    page.view.steps.open_form(TruncateStep())
    qtbot.waitUntil(lambda: last_call(session) == ("preview_step", TruncateStep()))
    session.step_failed.emit("The link to gpu-box is down.")
    assert text_of(page, "stepEffect") == "The link to gpu-box is down."


def test_that_steps_are_moved_changed_and_taken_out(page: DataPage, session: PageSession) -> None:
    page.view.show_side(STEPS)
    session.draft.edit({"data.steps": (DropStep("empty_response"), NormaliseStep())})
    session.draft.set_known(data=rich_report())
    assert text_of(page, "stepEffect0") == "leaves out 3 rows" and text_of(page, "stepEffect1") == "changes 214 rows"
    click(page, "stepDown0")
    assert last_call(session) == ("move_step", 0, 1)
    assert steps_of(session) == (NormaliseStep(), DropStep("empty_response"))
    assert "counted at the next look" in text_of(page, "stepEffect0")
    click(page, "stepRemove1")
    assert last_call(session) == ("remove_step", 1)
    click(page, "stepChange0")
    click(page, "step.encoding")
    click(page, "stepApplyButton")
    assert steps_of(session) == (NormaliseStep(encoding=True),)


@pytest.mark.parametrize("kind", list(STEP_CLASSES))
def test_that_every_kind_of_step_has_a_form_that_gives_its_defaults_back(
    page: DataPage, session: PageSession, kind: str
) -> None:
    page.view.steps.open_form(STEP_CLASSES[kind]())
    click(page, "stepApplyButton")
    assert steps_of(session) == (STEP_CLASSES[kind](),)


def test_that_a_form_refuses_what_is_out_of_range_and_counts_rows_from_one(qtbot: QtBot) -> None:
    form = DescribedForm("step", DeduplicateStep)
    qtbot.addWidget(form)
    line = form.control("threshold")
    assert isinstance(line, QLineEdit)
    line.clear()
    QTest.keyClicks(line, "0.2")
    assert form.problem == "The least is 0.5." and form.values["threshold"] == 1.0
    rows = DescribedForm("step", DropStep)
    qtbot.addWidget(rows)
    text = rows.control("rows")
    assert isinstance(text, QPlainTextEdit)
    text.setPlainText("1, 5\n8")
    assert rows.values["rows"] == (0, 4, 7)


def test_that_the_shape_and_columns_of_a_source_are_corrected(page: DataPage, session: PageSession) -> None:
    click(page, "sourceShape0")
    assert page.view.tabs.stack.currentIndex() == READING
    shape = page.findChild(ChoiceBox, "data.shape")
    assert isinstance(shape, ChoiceBox)
    shape.set_value("classification")
    shape.activated.emit(shape.currentIndex())
    assert session.draft.spec.data.shape == "classification"
    label = page.findChild(ChoiceBox, "data.columns.label")
    assert isinstance(label, ChoiceBox) and label.isVisible()
    assert [label.itemData(number) for number in range(label.count())] == ["", "messages", "source", "id"]
    label.set_value("source")
    label.activated.emit(label.currentIndex())
    assert session.draft.spec.data.columns.label == "source"
    prompt = page.findChild(QWidget, "data.classification_prompt")
    assert isinstance(prompt, QWidget) and prompt.isVisible()
    assert "lists of role and content" in text_of(page, "dataShapeReason")


def test_that_a_source_is_added_weighed_and_taken_out(page: DataPage, session: PageSession) -> None:
    session.add_source(SourceSpec("node", "/data/sets/reviews.csv"))
    assert text_of(page, "dataPath1") == "/data/sets/reviews.csv"
    page.view.reading.show_source(1)
    weight = page.findChild(QLineEdit, "data.weight")
    assert isinstance(weight, QLineEdit)
    weight.clear()
    QTest.keyClicks(weight, "2")
    assert session.draft.spec.data.more[0].weight == 2.0 and session.draft.spec.data.weight == 0.0
    assert "weight 2" in text_of(page, "sourceFacts1")
    click(page, "sourceRemove1")
    assert last_call(session) == ("remove_source", 0) and session.draft.spec.data.more == ()


def test_that_a_source_is_marked_as_replay_with_a_share(page: DataPage, session: PageSession) -> None:
    page.view.show_side(READING)
    mark = page.findChild(QAbstractButton, "data.replay")
    share = page.findChild(QLineEdit, "data.replay_share")
    assert isinstance(mark, QAbstractButton) and isinstance(share, QLineEdit)
    assert not mark.isVisible() and not share.isVisible(), "one source alone has nothing to replay"
    session.add_source(SourceSpec("node", "/data/sets/general.jsonl", max_epochs=2.0))
    page.view.reading.show_source(1)
    assert mark.isVisible() and share.isVisible()
    mark.click()
    share.clear()
    QTest.keyClicks(share, "0.05")
    QTest.keyClick(share, Qt.Key.Key_Return)
    assert session.draft.spec.data.more[0].replay and session.draft.spec.data.replay_share == 0.05
    facts = text_of(page, "sourceFacts1")
    assert "replayed" in facts and "at most" not in facts, "a replayed row comes as often as the share needs"
    page.view.reading.show_source(0)
    assert not mark.isVisible(), "the first source is what the job is about"


def test_that_a_problem_leads_to_its_field(page: DataPage) -> None:
    for path in ("data.max_length", "data.held_out_fraction", "data.shape", "data.chat_template", "data.max_rows"):
        assert page.reveal(path) is not None, path
        assert page.view.tabs.stack.currentIndex() == READING
    assert page.reveal("data.steps") is not None and page.view.tabs.stack.currentIndex() == STEPS
    assert page.reveal("data.path") is None


def test_that_what_says_nothing_here_is_left_out(page: DataPage, session: PageSession) -> None:
    page.view.show_side(READING)
    column = page.findChild(QWidget, "data.held_out_column")
    grouped = page.findChild(QWidget, "data.group_by_length")
    assert isinstance(column, QWidget) and isinstance(grouped, QWidget)
    assert not column.isVisible() and not grouped.isVisible()
    session.draft.edit({"data.held_out_by": "group", "data.packing": False})
    assert column.isVisible() and grouped.isVisible()
    session.draft.edit({"data.held_out_path": "/data/held.jsonl"})
    assert not column.isVisible()


def test_that_a_chat_template_is_chosen_edited_and_put_back(page: DataPage, session: PageSession) -> None:
    box = page.findChild(ChoiceBox, "data.chat_template")
    assert isinstance(box, ChoiceBox)
    name = "builtin:" + next(iter(BUILT_IN))
    box.set_value(name)
    box.activated.emit(box.currentIndex())
    assert session.draft.spec.data.chat_template == name
    page.view.show_side(READING)
    click(page, "templateButton")
    text = page.findChild(QPlainTextEdit, "templateText")
    assert isinstance(text, QPlainTextEdit) and text.toPlainText() == BUILT_IN[next(iter(BUILT_IN))]
    text.setPlainText("{{ messages }}")
    click(page, "templateDoneButton")
    assert session.draft.spec.data.chat_template == "{{ messages }}" and box.value() == "edited"
    session.draft.undo()
    assert session.draft.spec.data.chat_template != "{{ messages }}" and box.value() != "edited"


def test_that_the_report_is_saved_where_a_person_says(
    page: DataPage, session: PageSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/tmp/of/no/use.html", ""))
    page.view.strip.save.emit()
    assert last_call(session) == ("save_data_report", Path("/tmp/of/no/use.html"))


def test_that_a_data_set_of_the_hub_is_chosen_with_its_split(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    picker = DataPicker(cast(Any, session), page)
    picker.popup_at(page)
    picker.tabs.show_page(2)
    name, split = picker.findChild(QLineEdit, "hub.path"), picker.findChild(QLineEdit, "hub.split")
    assert isinstance(name, QLineEdit) and isinstance(split, QLineEdit)
    QTest.keyClicks(name, "no such name")
    click(picker, "hubUse")
    assert text_of(picker, "hubWords") == "Write the name as the Hub shows it, such as owner/name."
    name.clear()
    QTest.keyClicks(name, "stanfordnlp/sst2")
    split.clear()
    QTest.keyClicks(split, "validation")
    click(picker, "hubUse")
    data = session.draft.spec.data
    assert (data.source, data.path, data.split) == ("hub", "stanfordnlp/sst2", "validation")


def test_that_the_picker_adds_a_source_where_it_was_asked_to(
    qtbot: QtBot, page: DataPage, session: PageSession, tmp_path: Path
) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"text": "a"}\n')
    page.add_source()
    picker = page.findChild(DataPicker)
    assert isinstance(picker, DataPicker)
    picker.tabs.show_page(0)
    line = picker.findChild(QLineEdit, "dataPath")
    assert isinstance(line, QLineEdit)
    line.setText(str(more))
    click(picker, "dataPathUse")
    assert last_call(session) == ("add_source", SourceSpec("desktop", str(more)))
    assert session.draft.spec.data.path == "/data/docstrings.jsonl"


def test_that_a_source_of_the_reading_panel_is_chosen_by_its_name(page: DataPage, session: PageSession) -> None:
    session.add_source(SourceSpec("desktop", "/data/second.jsonl", max_rows=12))
    page.view.show_side(READING)
    which = page.findChild(QComboBox, "readingSource")
    assert isinstance(which, QComboBox) and which.isVisible()
    assert [which.itemText(number) for number in range(which.count())] == ["docstrings.jsonl", "second.jsonl"]
    which.setCurrentIndex(1)
    which.activated.emit(1)
    rows = page.findChild(QLineEdit, "data.max_rows")
    assert isinstance(rows, QLineEdit) and rows.text() == "12"
