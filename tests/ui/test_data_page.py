"""The Data page: rows come when they are looked at, tokens say how they count, the length line moves the length."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
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

from remote_agent.contract.data_report import RowView, TokenSpan, TurnView
from studio.session.opening import open_session
from studio.ui.data.data_page import DataPage
from studio.ui.data.data_view import KNOBS
from studio.ui.data.length_histogram import nice_ticks, rows_beyond, span_of
from studio.ui.data.row_table import PAGE_ROWS, RowTable
from studio.ui.data.token_view import MASKED, SPECIAL, TRAINED, TRUNCATED, shown_text, token_kind
from tests.support.model_folder import write_model
from tests.support.tiny import tiny_rows
from tests.ui.page_session import PageSession, Work, counts_of, data_report, filled_session, row_view

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


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


def loads(session: PageSession) -> list[tuple[int, int]]:
    return [(call[1], call[2]) for call in session.calls if call[0] == "load_rows"]


def serve(session: PageSession, start: int, count: int) -> None:
    session.rows_loaded.emit(start, tuple(row_view(index) for index in range(start, start + count)))


def text_of(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return str(found.whole_text()) if hasattr(found, "whole_text") else found.text()


def test_that_the_empty_page_says_what_it_is_for_and_offers_to_choose(qtbot: QtBot) -> None:
    session = PageSession()
    page = DataPage(as_session(session))
    qtbot.addWidget(page)
    page.show()
    assert "Choose a JSON, JSONL, CSV or Parquet file" in text_of(page, "dataEmpty")
    choose = page.findChild(QPushButton, "chooseDataButton")
    assert isinstance(choose, QPushButton) and choose.isVisible()
    QTest.mouseClick(choose, Qt.MouseButton.LeftButton)
    popup = page.findChild(QWidget, "dataPicker")
    assert isinstance(popup, QWidget) and popup.isVisible()
    popup.close()


def test_that_the_strip_tells_path_rows_shape_and_its_reason(page: DataPage) -> None:
    assert text_of(page, "dataPath") == "/data/docstrings.jsonl"
    facts = text_of(page, "dataFacts")
    assert "4 128 rows" in facts.replace("\N{NARROW NO-BREAK SPACE}", " ") and "Messages" in facts
    assert "412 held out" in facts
    assert "lists of role and content" in text_of(page, "dataShapeReason")


def test_that_rows_are_asked_for_one_page_at_a_time_and_the_newest_first(qtbot: QtBot, session: PageSession) -> None:
    rows = RowTable(as_session(session))
    rows.set_count(4000)
    for number in (0, 60, 110, 160, 3999):
        assert rows.index(number, 1).data() == "…"
    qtbot.waitUntil(lambda: bool(loads(session)))
    assert loads(session) == [(3950, 50)]
    serve(session, 3950, 50)
    qtbot.waitUntil(lambda: len(loads(session)) == 2)
    assert loads(session)[1] == (150, 50)
    assert rows.row(3999) is not None and rows.index(3999, 3).data() == str(len(row_view(3999).tokens))


def test_that_an_answer_about_the_file_before_is_passed_over(qtbot: QtBot, session: PageSession) -> None:
    rows = RowTable(as_session(session))
    rows.set_count(100)
    rows.row(0)
    qtbot.waitUntil(lambda: bool(loads(session)))
    rows.set_count(80)
    serve(session, 0, 50)
    assert rows.row(0) is None


def test_that_rows_that_cannot_be_read_are_not_asked_for_in_a_loop(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    session.rows_failed.emit("The link to gpu-box is down.")
    assert page.view.rows.row(0) is None and page.view.rows.row(70) is None
    conversation = page.findChild(QTextEdit, "rowConversation")
    assert isinstance(conversation, QTextEdit) and conversation.toPlainText() == "The link to gpu-box is down."
    qtbot.waitUntil(lambda: not page.view.rows._ask_soon.isActive())
    assert len(loads(session)) == 1


def test_that_the_first_row_shows_as_soon_as_it_is_here(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    qtbot.waitUntil(lambda: loads(session) == [(0, PAGE_ROWS)])
    serve(session, 0, PAGE_ROWS)
    conversation = page.findChild(QTextEdit, "rowConversation")
    text = page.findChild(QPlainTextEdit, "rowText")
    assert isinstance(conversation, QTextEdit) and isinstance(text, QPlainTextEdit)
    assert conversation.toPlainText().startswith("System\nYou are a helpful assistant.\nUser\n")
    assert text.toPlainText() == row_view(0).text
    assert text_of(page, "rowFingerprint") == "fingerprint 0000000000000000"
    page.view.show_row(7)
    assert "7th time" in conversation.toPlainText()


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
        assert page.view.rows.rowCount() == 40
        qtbot.waitUntil(lambda: page.view.rows.row(0) is not None, timeout=60_000)
        row = page.view.rows.row(0)
        assert row is not None
        conversation = page.findChild(QTextEdit, "rowConversation")
        assert isinstance(conversation, QTextEdit) and row.turns[-1].content in conversation.toPlainText()
        assert "40 rows" in text_of(page, "dataFacts")
        assert any(token.trained for token in row.tokens)
    finally:
        session.close()


def test_that_markup_in_a_row_stays_text(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    row = RowView(0, (TurnView("user", "<b>bold</b>"), TurnView("<i>role</i>", "x")), "<b>t</b>", (), "0" * 64)
    session.rows_loaded.emit(0, (row,))
    page.view.row_pane.show_row(row)
    conversation = page.findChild(QTextEdit, "rowConversation")
    assert isinstance(conversation, QTextEdit)
    assert conversation.toPlainText() == "User\n<b>bold</b>\n<i>role</i>\nx"


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (TokenSpan(1, "a", True), TRAINED),
        (TokenSpan(1, "a", False), MASKED),
        (TokenSpan(1, "<s>", False, special=True), SPECIAL),
        (TokenSpan(1, "</s>", True, special=True), TRAINED),
        (TokenSpan(1, "a", True, truncated=True), TRUNCATED),
    ],
)
def test_that_a_token_counts_as_what_it_is(token: TokenSpan, kind: str) -> None:
    assert token_kind(token) == kind


def test_that_white_space_of_a_token_can_be_seen() -> None:
    assert shown_text(TokenSpan(1, "a\n", True)) == "a↵\n"
    assert shown_text(TokenSpan(1, "", True)) == "∅"


def test_that_the_token_under_the_cursor_is_told_with_id_and_kind(qtbot: QtBot, page: DataPage) -> None:
    row = row_view(3)
    page.view.row_pane.show_row(row)
    page.view.row_pane.show_view(2)
    view = page.view.row_pane._tokens
    place = 0
    for number, token in enumerate(row.tokens):
        assert view.token_at(place) == number
        place += len(shown_text(token))
    assert view.token_at(place + 1) == -1
    cursor = view.textCursor()
    cursor.setPosition(len("<|im_start|>") + 1)
    view.setTextCursor(cursor)
    assert text_of(page, "tokenUnderCursor") == "token 1  id 520  “system”  masked"
    legend = page.findChild(QWidget, "tokenLegend")
    assert isinstance(legend, QWidget) and "2 cut" in legend.accessibleName()


def test_that_the_mouse_over_a_token_finds_it(qtbot: QtBot, page: DataPage) -> None:
    page.view.row_pane.show_row(row_view(3))
    page.view.row_pane.show_view(2)
    view = page.view.row_pane._tokens
    qtbot.waitUntil(view.isVisible)
    cursor = view.textCursor()
    cursor.setPosition(2)
    centre = view.cursorRect(cursor).center()
    assert view.token_under(QPoint(centre.x() + 1, centre.y())) == 0


def test_that_dragging_the_line_sets_the_sequence_length(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    histogram = page.view.histogram
    qtbot.waitUntil(histogram.isVisible)
    start = QPoint(round(histogram.line_x()), 40)
    end = QPoint(start.x() - 120, 40)
    QTest.mousePress(histogram, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(histogram, end)
    shown = histogram.shown_length
    assert shown < 1024 and session.draft.spec.data.max_length == 1024
    QTest.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=end)
    assert session.draft.spec.data.max_length == shown
    session.draft.undo()
    assert histogram.shown_length == 1024


def test_that_arrow_keys_move_the_line_and_the_models_limit_holds_it(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    page.view.histogram.setFocus()
    QTest.keyClick(page.view.histogram, Qt.Key.Key_Left)
    assert session.draft.spec.data.max_length == 1016
    session.draft.set_value("data.max_length", 8190)
    QTest.keyClick(page.view.histogram, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert session.draft.spec.data.max_length == 8192


def test_that_the_share_of_longer_rows_comes_from_the_bins() -> None:
    counts = counts_of([10] * 90 + [100] * 10, bins=10)
    assert rows_beyond(counts, 100) == 0
    assert rows_beyond(counts, 50) == 10
    assert rows_beyond(counts, 0) == 100
    assert span_of(counts, 100_000) == pytest.approx(105.0)
    assert list(nice_ticks(100, 4)) == [50.0, 100.0]


def test_that_findings_stand_errors_first_and_lead_to_their_row(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    first = page.findChild(QWidget, "finding0")
    assert isinstance(first, QWidget)
    assert first.accessibleName() == "Error, 3: 3 rows have an empty answer and train nothing."
    link = page.findChild(QPushButton, "findingRow0")
    assert isinstance(link, QPushButton)
    QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    table = page.findChild(QTableView, "rowTable")
    assert isinstance(table, QTableView) and table.currentIndex().row() == 77


def test_that_a_fresh_report_starts_the_rows_anew(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    serve(session, 0, PAGE_ROWS)
    session.draft.set_known(data=data_report(rows=20))
    assert page.view.rows.rowCount() == 20
    qtbot.waitUntil(lambda: loads(session)[-1] == (0, 20))


def test_that_reading_shows_progress_and_can_be_cancelled(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    session.inspection = Work("data", 1520.0, 4128.0, "rows")
    session.inputs_changed.emit()
    said = text_of(page, "inspectionProgressWords").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert said == "Reading the data  ·  1 520 of 4 128 rows"
    cancel = page.findChild(QPushButton, "cancelInspectionButton")
    assert isinstance(cancel, QPushButton) and cancel.isVisible()
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("cancel_inspection",)
    session.inspection, session.inspection_problem = None, "Line 12 is no JSON."
    session.inputs_changed.emit()
    assert not cancel.isVisible()
    assert text_of(page, "inspectionProblem") == "Line 12 is no JSON."


def test_that_figures_of_before_an_edit_are_told_to_be_old(page: DataPage, session: PageSession) -> None:
    assert "before the last change" not in text_of(page, "dataFacts")
    session.draft.set_value("data.max_length", 512)
    assert "figures of before the last change" in text_of(page, "dataFacts")


def test_that_every_data_knob_is_named_by_its_path(page: DataPage, session: PageSession) -> None:
    for path in KNOBS:
        assert page.findChild(QWidget, path) is not None, path
    length = page.findChild(QLineEdit, "data.max_length")
    shape = page.findChild(QComboBox, "data.shape")
    assert isinstance(length, QLineEdit) and isinstance(shape, QComboBox)


def test_that_selected_rows_are_copied_as_tab_separated_values(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    serve(session, 0, PAGE_ROWS)
    page.view.show_row(2)
    page.view._copy_rows()
    cells = QGuiApplication.clipboard().text().split("\t")
    assert cells[0] == "2" and cells[1].startswith("What does str.partition") and len(cells) == 4


def test_that_every_control_has_a_name_for_people_and_for_tests(page: DataPage) -> None:
    for kind in (QPushButton, QLineEdit, QComboBox, QPlainTextEdit, QTextEdit, QTableView):
        for widget in page.findChildren(kind):
            assert widget.objectName() and widget.accessibleName(), widget
