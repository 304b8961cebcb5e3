"""A row on the Data page: its tokens one by one, its packed sequence, its losses, and beside the row it is like."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import RowPair, TokenSpan
from studio.ui.data.pair_view import differing
from studio.ui.data.row_pane import CONVERSATION, PAIR, TOKENS, RowPane
from studio.ui.data.sequence_strip import SequenceStrip
from studio.ui.data.token_view import MASKED, SPECIAL, TRAINED, TRUNCATED, loss_tint, shown_text, token_kind
from tests.ui.data_samples import rich_row, row_view

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def pane(qtbot: QtBot) -> RowPane:
    made = RowPane()
    qtbot.addWidget(made)
    made.resize(480, 500)
    made.show()
    return made


def text_of(pane: QWidget, name: str) -> str:
    found = pane.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    said = str(found.whole_text()) if hasattr(found, "whole_text") else found.text()
    return said.replace("\N{NARROW NO-BREAK SPACE}", " ")


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


def test_that_the_token_under_the_cursor_is_told_with_id_label_and_position(pane: RowPane) -> None:
    row = row_view(3)
    pane.show_row(row)
    pane.show_view(TOKENS)
    view = pane.tokens.view
    place = 0
    for number, token in enumerate(row.tokens):
        assert view.token_at(place) == number
        place += len(shown_text(token))
    assert view.token_at(place + 1) == -1
    cursor = view.textCursor()
    cursor.setPosition(len("<|im_start|>") + 1)
    view.setTextCursor(cursor)
    assert text_of(pane, "tokenUnderCursor") == "“system”  id 520  masked  label −100  position 1"
    legend = pane.findChild(QWidget, "tokenLegend")
    assert isinstance(legend, QWidget) and "2 cut" in legend.accessibleName()


def test_that_a_trained_token_tells_its_place_in_the_sequence_and_its_loss(pane: RowPane) -> None:
    row = rich_row(3)
    pane.show_row(row, 1024)
    pane.show_view(TOKENS)
    number = next(place for place, token in enumerate(row.tokens) if token.trained)
    pane.tokens.view.pointed.emit(number)
    token = row.tokens[number]
    said = text_of(pane, "tokenUnderCursor")
    assert f"label {token.id}" in said and f"position {number}" in said
    assert f"{402 + number} in the sequence" in said and f"loss {token.loss:.2f}" in said


def test_that_the_mouse_over_a_token_finds_it(qtbot: QtBot, pane: RowPane) -> None:
    pane.show_row(row_view(3))
    pane.show_view(TOKENS)
    view = pane.tokens.view
    qtbot.waitUntil(view.isVisible)
    cursor = view.textCursor()
    cursor.setPosition(2)
    centre = view.cursorRect(cursor).center()
    assert view.token_under(QPoint(centre.x() + 1, centre.y())) == 0


def test_that_tokens_are_shaded_by_loss_where_there_are_losses(pane: RowPane) -> None:
    pane.show_row(row_view(3))
    pane.show_view(TOKENS)
    assert not pane.tokens.shade.isVisible()
    row = rich_row(3)
    pane.show_row(row)
    assert pane.tokens.shade.isVisible()
    pane.tokens.shade.click()
    number = next(place for place, token in enumerate(row.tokens) if token.trained)
    cursor = pane.tokens.view.textCursor()
    cursor.setPosition(pane.tokens.view._ends[number])
    loss = row.tokens[number].loss
    assert loss is not None and cursor.charFormat().background().color() == loss_tint(loss)
    assert loss_tint(6.0).alphaF() > loss_tint(2.0).alphaF() > loss_tint(0.0).alphaF() == 0.0


def test_that_the_whole_hash_is_copied(pane: RowPane) -> None:
    pane.show_row(rich_row(3))
    pane.tokens.copy_fingerprint()
    assert QGuiApplication.clipboard().text() == rich_row(3).fingerprint


def test_that_a_click_on_the_sequence_goes_to_the_row_there(qtbot: QtBot, pane: RowPane) -> None:
    pane.show_row(rich_row(3), 1024)
    pane.show_view(TOKENS)
    strip = pane.findChild(SequenceStrip)
    assert isinstance(strip, SequenceStrip) and strip.isVisible()
    assert strip.accessibleName().startswith("Sequence 42: 4 rows")
    with qtbot.waitSignal(pane.row_wanted) as wanted:
        QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(5, 8))
    assert wanted.args == [12]
    with qtbot.waitSignal(pane.row_wanted) as wanted:
        QTest.keyClick(strip, Qt.Key.Key_Right)
    assert wanted.args == [7]


def test_that_a_row_that_is_in_no_sequence_shows_none(pane: RowPane) -> None:
    pane.show_row(row_view(3), 1024)
    assert pane.tokens.strip.isHidden()


def test_that_pairs_are_asked_for_and_shown_with_what_differs(qtbot: QtBot, pane: RowPane) -> None:
    asked: list[int] = []
    pane.row_needed.connect(asked.append)
    pane.show_pairs((RowPair(4, 9, 0.9), RowPair(1, 2, 0.8)))
    assert asked == [4, 9] and text_of(pane, "pairWords") == "Pair 1 of 2  ·  90 % alike"
    pane.pairs.take_row(row_view(4))
    pane.pairs.take_row(row_view(9))
    first, second = (text.toPlainText() for text in pane.pairs.texts)
    assert "4th time" in first and "9th time" in second
    pane.pairs.step(1)
    assert asked == [4, 9, 1, 2]
    pane.show_pairs(())
    assert pane._stack.currentIndex() == CONVERSATION and not pane._views.button(PAIR).isVisible()


def test_that_only_differing_words_are_marked() -> None:
    first, second = differing("the cat sat", "the dog sat down")
    assert first == [("the ", False), ("cat", True), (" sat", False)]
    assert second == [("the ", False), ("dog", True), (" sat", False), (" down", True)]
    assert "".join(part for part, _ in second) == "the dog sat down"
