"""Lengths on the Data page: the line moves the sequence length, and what it costs is said while it moves."""

from __future__ import annotations

import random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import BatchingReport, LengthCurve
from studio.ui.data.batching_bars import fullness
from studio.ui.data.length_histogram import nice_ticks, span_of
from studio.ui.data.length_losses import losses_at
from studio.ui.data.lengths_card import CLASSES, PROMPT, TOTAL, LengthsCard
from tests.ui.data_samples import counts_of, curve_of, rich_report, three_ways
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return filled_session()


@pytest.fixture
def card(qtbot: QtBot, session: PageSession) -> LengthsCard:
    made = LengthsCard(cast(Any, session))
    qtbot.addWidget(made)
    session.draft.changed.connect(made.refresh)
    made.resize(720, 190)
    made.refresh()
    made.show()
    return made


def text_of(card: QWidget, name: str) -> str:
    found = card.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return str(getattr(found, "whole_text", found.text)()).replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_that_dragging_the_line_sets_the_sequence_length(qtbot: QtBot, card: LengthsCard, session: PageSession) -> None:
    histogram = card.histogram
    qtbot.waitUntil(histogram.isVisible)
    before = text_of(card, "lengthCost")
    start = QPoint(round(histogram.line_x()), 40)
    end = QPoint(start.x() - 120, 40)
    QTest.mousePress(histogram, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(histogram, end)
    shown = histogram.shown_length
    assert shown < 1024 and session.draft.spec.data.max_length == 1024
    assert text_of(card, "lengthCost") != before
    QTest.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=end)
    assert session.draft.spec.data.max_length == shown
    session.draft.undo()
    assert histogram.shown_length == 1024 and text_of(card, "lengthCost") == before


def test_that_arrow_keys_move_the_line_and_the_models_limit_holds_it(card: LengthsCard, session: PageSession) -> None:
    card.histogram.setFocus()
    QTest.keyClick(card.histogram, Qt.Key.Key_Left)
    assert session.draft.spec.data.max_length == 1016
    session.draft.set_value("data.max_length", 8190)
    QTest.keyClick(card.histogram, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert session.draft.spec.data.max_length == 8192


def test_that_the_cost_is_said_for_what_happens_to_longer_rows(card: LengthsCard, session: PageSession) -> None:
    session.draft.set_value("data.max_length", 256)
    assert "trained tokens are cut" in text_of(card, "lengthCost")
    session.draft.set_value("data.over_length", "drop")
    assert text_of(card, "lengthCost").endswith("they are dropped.")
    session.draft.set_value("data.over_length", "split")
    assert "split into" in text_of(card, "lengthCost")
    session.draft.edit({"data.max_length": 8192})
    assert text_of(card, "lengthCost") == "No row is longer than 8 192 tokens."


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(1, 25))
def test_that_the_curve_gives_back_what_counting_gives(lengths: list[int], steps: int) -> None:
    length = 16 * steps
    found = losses_at(curve_of(lengths), length)
    assert found is not None
    assert found.rows_over == sum(one > length for one in lengths)
    assert found.extra_pieces == sum(-(-one // length) - 1 for one in lengths)


def test_that_between_two_known_lengths_the_curve_is_straight() -> None:
    curve = LengthCurve((0, 100, 200), (10, 6, 0), (900, 300, 0), (500, 200, 0), (3, 1, 0))
    found = losses_at(curve, 150)
    assert found is not None and (found.rows_over, found.supervised_over) == (3, 100)
    assert (found.rows, found.supervised) == (10, 500), "of all there is, not of what the job's length leaves"
    assert losses_at(LengthCurve(), 150) is None


def test_that_batches_at_another_length_are_asked_for_once_it_rests(
    qtbot: QtBot, card: LengthsCard, session: PageSession
) -> None:
    for length in (1000, 900, 800):
        session.draft.set_value("data.max_length", length)
    qtbot.waitUntil(lambda: ("load_batching", 800) in session.calls)
    assert [call for call in session.calls if call[0] == "load_batching"] == [("load_batching", 800)]
    bars = card.findChild(QWidget, "batchingBars")
    assert isinstance(bars, QWidget)
    session.batching_loaded.emit(tuple(BatchingReport(kind, 800, 1, 50, 100) for kind in ("packed", "padded")))
    assert bars.accessibleName() == "Packed: 50 % padding; Padded: 50 % padding"


def test_that_the_ways_of_batching_stand_side_by_side_with_their_waste(card: LengthsCard) -> None:
    bars = card.findChild(QWidget, "batchingBars")
    assert isinstance(bars, QWidget)
    assert bars.accessibleName() == "Packed: 0.9 % padding; Padding-free: 0 % padding; Padded: 13 % padding"
    assert fullness(three_ways(1000)[1]) == 1.0 and fullness(BatchingReport("packed", 8, 0, 0, 0)) == 1.0


def test_that_the_card_tells_batch_steps_and_tokens(card: LengthsCard) -> None:
    assert text_of(card, "batchSummary") == "8 sequences an update  ·  91 steps an epoch"
    assert text_of(card, "epochSummary") == "730 k tokens an epoch, 487 k trained"


def test_that_prompts_responses_and_classes_are_shown_in_their_turn(card: LengthsCard, session: PageSession) -> None:
    whole = text_of(card, "lengthSummary")
    card.show_view(PROMPT)
    assert text_of(card, "lengthSummary") != whole
    classes = card.findChild(QAbstractButton, "lengthsClasses")
    assert isinstance(classes, QAbstractButton) and not classes.isVisible()
    session.draft.set_known(data=rich_report())
    assert classes.isVisible()
    card.show_view(CLASSES)
    bars = card.findChild(QWidget, "classBars")
    assert isinstance(bars, QWidget) and bars.isVisible()
    assert bars.accessibleName().replace("\N{NARROW NO-BREAK SPACE}", " ").startswith("positive: 1 402 + 156 held out")
    session.draft.edit({"data.path": "/data/other.jsonl"})
    assert card._views.checkedId() == TOTAL


def test_that_the_axis_reaches_all_rows_and_has_round_ticks() -> None:
    chance = random.Random(1)
    counts = counts_of([chance.randint(1, 100) for _ in range(50)] + [100], bins=10)
    assert span_of(counts, 100_000) == pytest.approx(105.0)
    assert list(nice_ticks(100, 4)) == [50.0, 100.0]
