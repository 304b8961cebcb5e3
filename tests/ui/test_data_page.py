"""The Data page: rows come when they are looked at, findings narrow them, tokens say how they count."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import RowView, TablePage, TableQuery, TurnView
from remote_agent.contract.data_steps import NormaliseStep
from studio.session.opening import open_session
from studio.ui.data.data_page import DataPage
from studio.ui.data.row_table import PAGE_ROWS, PART, RESPONSE, TRAINED, RowTable
from tests.support.model_folder import write_model
from tests.support.tiny import tiny_rows
from tests.ui.data_samples import data_report, partial_report, rich_report, rich_row, row_view, table_rows
from tests.ui.page_session import PageSession, Work, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

ALL = TableQuery()


def as_session(session: PageSession) -> Any:
    return cast(Any, session)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rows(tmp_path_factory.mktemp("rows"))


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return filled_session()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> DataPage:
    made = DataPage(as_session(session))
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def loads(session: PageSession) -> list[tuple[TableQuery, int]]:
    return [(call[1], call[2]) for call in session.calls if call[0] == "load_table"]


def serve(session: PageSession, query: TableQuery, start: int, count: int, whole: int, complete: bool = True) -> None:
    session.table_loaded.emit(query, TablePage(start, table_rows(query, start, count), whole, complete))


def serve_first(qtbot: QtBot, session: PageSession) -> None:
    qtbot.waitUntil(lambda: (ALL, 0) in loads(session))
    serve(session, ALL, 0, PAGE_ROWS, 4128)


def text_of(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel), name
    said = str(found.whole_text()) if hasattr(found, "whole_text") else found.text()
    return said.replace("\N{NARROW NO-BREAK SPACE}", " ")


def click(page: QWidget, name: str) -> None:
    found = page.findChild(QAbstractButton, name)
    assert isinstance(found, QAbstractButton), name
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def test_that_the_empty_page_says_what_it_is_for_and_offers_to_choose(qtbot: QtBot) -> None:
    session = PageSession()
    page = DataPage(as_session(session))
    qtbot.addWidget(page)
    page.show()
    assert "Choose a JSON, JSONL, CSV, Parquet or text file" in text_of(page, "dataEmpty")
    click(page, "chooseDataButton")
    popup = page.findChild(QWidget, "dataPicker")
    assert isinstance(popup, QWidget) and popup.isVisible()
    popup.close()


def test_that_the_strip_tells_path_rows_shape_and_its_reason(page: DataPage) -> None:
    assert text_of(page, "dataPath") == "/data/docstrings.jsonl"
    assert text_of(page, "sourceFacts").startswith("4 128 rows")
    assert "412 held out" in text_of(page, "dataFacts")
    shape = page.findChild(QPushButton, "sourceShape0")
    assert shape is not None and shape.text() == "Messages" and "lists of role and content" in shape.toolTip()


def test_that_pages_are_asked_for_one_at_a_time_and_the_newest_first(qtbot: QtBot, session: PageSession) -> None:
    rows = RowTable(as_session(session))
    rows.show(ALL, 1_000_000)
    for place in (0, 160, 310, 460, 999_999):
        assert rows.index(place, 1).data() == "…"
    qtbot.waitUntil(lambda: bool(loads(session)))
    assert loads(session) == [(ALL, 999_900)]
    serve(session, ALL, 999_900, 100, 1_000_000)
    qtbot.waitUntil(lambda: len(loads(session)) == 2)
    assert loads(session)[1] == (ALL, 400)
    last = rows.row(999_999)
    assert last is not None and last.index == 999_999


def test_that_rows_are_numbered_from_one(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    assert page.view.table.rows.index(0, 0).data() == "1"
    session.row_loaded.emit(row_view(0))
    assert text_of(page, "rowTitle") == "Row 1"


def test_that_an_answer_about_the_view_before_is_passed_over(qtbot: QtBot, session: PageSession) -> None:
    rows = RowTable(as_session(session))
    rows.show(ALL, 100)
    qtbot.waitUntil(lambda: bool(loads(session)))
    rows.show(TableQuery(search="join"))
    serve(session, ALL, 0, 100, 100)
    assert rows.row(0) is None and rows.rowCount() == 0


def test_that_only_some_pages_are_kept(qtbot: QtBot, session: PageSession) -> None:
    rows = RowTable(as_session(session))
    rows.show(ALL, 100_000)
    for number in range(80):
        rows.row(number * PAGE_ROWS)
        qtbot.waitUntil(lambda number=number: loads(session)[-1:] == [(ALL, number * PAGE_ROWS)])  # type: ignore[misc]
        serve(session, ALL, number * PAGE_ROWS, PAGE_ROWS, 100_000)
    assert rows.row(79 * PAGE_ROWS) is not None and rows.row(0) is None


def test_that_rows_that_cannot_be_read_are_not_asked_for_in_a_loop(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    session.table_failed.emit("The link to gpu-box is down.")
    table = page.view.table
    assert table.rows.row(0) is None and table.rows.row(170) is None
    assert "The link to gpu-box is down." in [label.accessibleName() for label in table.findChildren(QLabel)]
    qtbot.waitUntil(lambda: not table.rows._ask_soon.isActive())
    assert len(loads(session)) == 1
    click(page, "tableAgainButton")
    qtbot.waitUntil(lambda: len(loads(session)) == 2)


def test_that_the_first_row_is_chosen_and_shown(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    assert ("load_row", 0) in session.calls
    session.row_loaded.emit(row_view(0))
    conversation = page.findChild(QTextEdit, "rowConversation")
    text = page.findChild(QPlainTextEdit, "rowText")
    assert isinstance(conversation, QTextEdit) and isinstance(text, QPlainTextEdit)
    assert conversation.toPlainText().startswith("System\nYou are a helpful assistant.\nUser\n")
    assert text.toPlainText() == row_view(0).text
    page.view.show_row(7)
    assert session.calls[-1] == ("load_row", 7)
    session.row_loaded.emit(row_view(6))  # of an older question
    assert "6th time" not in conversation.toPlainText()
    session.row_loaded.emit(row_view(7))
    assert "7th time" in conversation.toPlainText()


def test_that_a_row_that_cannot_be_loaded_says_why(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    session.row_failed.emit(0, "The link to gpu-box is down.")
    conversation = page.findChild(QTextEdit, "rowConversation")
    assert isinstance(conversation, QTextEdit) and conversation.toPlainText() == "The link to gpu-box is down."


def test_that_a_search_shows_what_holds_it(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    QTest.keyClick(page.view.table.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    search = page.findChild(QLineEdit, "rowSearch")
    assert isinstance(search, QLineEdit)
    search.setText("join")
    query = TableQuery(search="join")
    qtbot.waitUntil(lambda: loads(session)[-1] == (query, 0))
    serve(session, query, 0, 12, 12, complete=False)
    assert "12 so far" in [label.accessibleName() for label in page.view.table.findChildren(QLabel)]
    serve_again = page.view.table.rows
    serve_again.renew()
    qtbot.waitUntil(lambda: len(loads(session)) == 3)
    serve(session, query, 0, 14, 14)
    assert serve_again.rowCount() == 14


def test_that_rows_are_ordered_by_tokens(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    order = page.findChild(QComboBox, "rowOrder")
    assert isinstance(order, QComboBox) and order.findData("loss") < 0
    order.setCurrentIndex(order.findData("tokens"))
    order.activated.emit(order.currentIndex())
    qtbot.waitUntil(lambda: loads(session)[-1] == (TableQuery(order="tokens"), 0))


def test_that_columns_show_where_there_is_something_and_room(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    table = page.findChild(QTableView, "rowTable")
    assert isinstance(table, QTableView)
    page.resize(900, 640)
    assert table.isColumnHidden(TRAINED)
    page.resize(1600, 900)
    qtbot.waitUntil(lambda: not table.isColumnHidden(PART))
    assert not table.isColumnHidden(RESPONSE) and not table.isColumnHidden(TRAINED)
    session.draft.set_known(data=dataclasses.replace(data_report(), held_out_rows=0))
    assert table.isColumnHidden(PART)


def test_that_selected_rows_are_copied_as_tab_separated_values(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    page.resize(1600, 900)
    serve_first(qtbot, session)
    page.view.show_row(2)
    page.view.table.copy_rows()
    cells = QGuiApplication.clipboard().text().split("\t")
    assert cells[0] == "3" and cells[1].startswith("Explain the difference") and cells[3] == "75"


def test_that_a_later_report_of_the_same_data_keeps_the_rows(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    serve_first(qtbot, session)
    page.view.show_row(5)
    session.draft.set_known(data=partial_report())
    assert page.view.table.rows.rowCount() == 7_000_000
    assert page.view.table.table.currentIndex().row() == 5
    qtbot.waitUntil(lambda: len(loads(session)) == 2)


def test_that_other_data_starts_the_rows_anew(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    session.draft.edit({"data.path": "/data/other.jsonl"})
    assert page.view.table.rows.rowCount() == 0
    session.draft.set_known(data=dataclasses.replace(data_report(20), path="/data/other.jsonl"))
    assert page.view.table.rows.rowCount() == 20


def test_that_the_first_rows_are_asked_for_before_anything_is_counted(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    session.draft.edit({"data.path": "/data/other.jsonl"})
    qtbot.waitUntil(lambda: len(loads(session)) == 2)
    session.table_failed.emit("The rows show as soon as a model is chosen and has been looked at.")
    session.inspection = Work("data", 0.0, 0.0)
    session.inputs_changed.emit()
    session.inputs_changed.emit()
    qtbot.waitUntil(lambda: len(loads(session)) == 3)
    serve(session, ALL, 0, 100, 5000, complete=False)
    assert page.view.table.rows.rowCount() == 5000
    assert ("load_row", 0) in session.calls


def test_that_reading_shows_progress_and_can_be_cancelled(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    session.inspection = Work("tokenize", 1.2e6, 7e6, "rows", 41_000.0)
    session.draft.set_known(data=partial_report())
    said = text_of(page, "inspectionProgressWords")
    assert said == "Counting tokens  ·  1.2 M of about 7 M rows read  ·  41 k rows/s  ·  about 2 min 21 s left"
    cancel = page.findChild(QPushButton, "inspectionCancelButton")
    assert isinstance(cancel, QPushButton) and cancel.isVisible()
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("cancel_inspection",)
    session.inspection, session.inspection_problem = None, "Line 12 is no JSON."
    session.inputs_changed.emit()
    assert not cancel.isVisible()
    assert text_of(page, "inspectionProblem") == "Line 12 is no JSON."
    click(page, "inspectAgainButton")
    assert session.calls[-1] == ("inspect",)


def test_that_figures_of_before_an_edit_are_told_to_be_old(page: DataPage, session: PageSession) -> None:
    assert "before the last change" not in text_of(page, "dataFacts")
    session.draft.set_value("data.max_length", 512)
    assert "figures of before the last change" in text_of(page, "dataFacts")


def test_that_the_hardest_rows_are_found_and_come_first(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    serve_first(qtbot, session)
    button = page.findChild(QPushButton, "hardestButton")
    assert isinstance(button, QPushButton) and "nothing is trained" in button.toolTip()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("take_losses",)
    session.losses_progress = Work("losses", 400.0, 4128.0, "rows", 20.0)
    session.losses_changed.emit()
    assert text_of(page, "lossesProgressWords").startswith("Taking losses  ·  400 of 4 128 rows")
    click(page, "lossesCancelButton")
    assert session.calls[-1] == ("cancel_losses",)
    session.losses_progress, session.has_losses = None, True
    session.losses_changed.emit()
    qtbot.waitUntil(lambda: loads(session)[-1] == (TableQuery(order="loss"), 0))
    assert not button.isVisible()


def test_that_real_rows_of_this_computer_are_read_and_shown(
    qtbot: QtBot, model_folder: Path, rows_file: Path, luthier_home: Path
) -> None:
    session = open_session()
    page = DataPage(session)
    qtbot.addWidget(page)
    page.resize(1048, 640)
    page.show()
    try:
        session.choose_model("desktop", str(model_folder))
        session.choose_data("desktop", str(rows_file))
        qtbot.waitUntil(lambda: session.draft.known.data is not None, timeout=60_000)
        table = page.view.table
        qtbot.waitUntil(lambda: table.rows.rowCount() == 40 and table.rows.row(0) is not None, timeout=60_000)
        conversation = page.findChild(QTextEdit, "rowConversation")
        row = table.rows.row(0)
        assert row is not None and isinstance(conversation, QTextEdit)
        qtbot.waitUntil(lambda: row.response[:20] in conversation.toPlainText(), timeout=60_000)
        assert text_of(page, "sourceFacts").startswith("40 rows")
    finally:
        session.close()


def test_that_markup_in_a_row_stays_text(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    row = RowView(0, (TurnView("user", "<b>bold</b>"), TurnView("<i>role</i>", "x")), "<b>t</b>", (), "0" * 64)
    page.view.row_pane.show_row(row)
    conversation = page.findChild(QTextEdit, "rowConversation")
    assert isinstance(conversation, QTextEdit)
    assert conversation.toPlainText() == "User\n<b>bold</b>\n<i>role</i>\nx"


def test_that_a_conversation_tells_what_is_not_learnt(page: DataPage) -> None:
    page.view.row_pane.show_row(rich_row(4))
    conversation = page.findChild(QTextEdit, "rowConversation")
    assert isinstance(conversation, QTextEdit)
    said = conversation.toPlainText()
    assert "Assistant  ·  not trained" in said and "Tool\nS.partition(sep)" in said
    assert said.endswith("Functions that may be called: look_up, run_python")
    facts = text_of(page, "rowFacts")
    assert "docstrings.jsonl, line 5" in facts and "sequence 42" in facts and "loss 2.31" in facts


@pytest.mark.parametrize("width", [700, 1048, 1500])
def test_that_every_control_has_a_name_for_people_and_for_tests(
    page: DataPage, session: PageSession, width: int
) -> None:
    page.resize(width, 640)
    session.draft.set_known(data=rich_report())
    for kind in (QAbstractButton, QLineEdit, QComboBox, QPlainTextEdit, QTextEdit, QTableView):
        for widget in page.findChildren(kind):
            if not widget.objectName().startswith("qt_") and type(widget).__name__ != "QTableCornerButton":
                named = widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text())
                assert named or isinstance(widget.parent(), QLineEdit), widget


def test_that_no_part_of_the_page_flashes_up_as_a_window_of_its_own(qtbot: QtBot, session: PageSession) -> None:
    shown: list[QWidget] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(watched, QWidget) and event.type() == QEvent.Type.Show and watched.isWindow():
                shown.append(watched)
            return False

    watch = Watch()
    QApplication.instance().installEventFilter(watch)  # type: ignore[union-attr]
    page = DataPage(as_session(session))
    qtbot.addWidget(page)
    session.draft.set_known(data=rich_report())
    session.draft.edit({"data.steps": (NormaliseStep(),)})
    page.show()
    page.view.findings.choose("near_duplicate")
    page.view.steps.open_form(NormaliseStep())
    page.view.steps.close_form()
    assert shown == [page]
    QApplication.instance().removeEventFilter(watch)  # type: ignore[union-attr]
