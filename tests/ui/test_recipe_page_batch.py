"""The batch panel: the global batch is edited itself, accumulation follows, and what followed is said."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.ui.recipe.recipe_page import RecipePage
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session() -> PageSession:
    session = filled_session()
    session.draft.edit({"batch.micro_batch": 4, "batch.accumulation": 16, "strategy.ranks": 8})
    return session


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> RecipePage:
    page = RecipePage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1048, 900)
    page.show()
    return page


def batch(session: PageSession) -> tuple[int, int, int]:
    spec = session.draft.spec
    return spec.batch.micro_batch, spec.batch.accumulation, spec.strategy.ranks


def type_global(qtbot: QtBot, page: RecipePage, text: str) -> QLineEdit:
    line = page.findChild(QLineEdit, "globalBatch")
    assert line is not None
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    return line


def note(page: RecipePage) -> str:
    label = page.findChild(QLabel, "batchNote")
    assert label is not None
    return label.text() if label.isVisible() else ""


def test_that_accumulation_follows_the_global_batch(qtbot: QtBot, page: RecipePage, session: PageSession) -> None:
    assert type_global(qtbot, page, "1024").text() == "1024"
    assert batch(session) == (4, 32, 8)
    assert note(page) == "accumulation 16 → 32; the global batch is 1\N{NARROW NO-BREAK SPACE}024 instead of 512."
    session.draft.undo()
    assert batch(session) == (4, 16, 8)
    line = page.findChild(QLineEdit, "globalBatch")
    assert line is not None and line.text() == "512"


def test_that_the_micro_batch_follows_where_accumulation_alone_does_not_come_out(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    type_global(qtbot, page, "24")
    assert batch(session) == (3, 1, 8)
    assert note(page).startswith("micro batch 4 → 3, accumulation 16 → 1;")


def test_that_a_batch_the_ranks_do_not_divide_is_refused_with_the_nearest(
    qtbot: QtBot, page: RecipePage, session: PageSession
) -> None:
    type_global(qtbot, page, "500")
    assert batch(session) == (4, 16, 8)
    assert note(page) == "500 does not divide among 8 ranks; 496 is the nearest that does."
    use = page.findChild(QPushButton, "keepGlobalBatch")
    assert use is not None and use.text() == "Use 496"
    use.click()
    assert batch(session) == (2, 31, 8)


def test_that_what_is_no_number_stays_and_is_told(qtbot: QtBot, page: RecipePage, session: PageSession) -> None:
    line = type_global(qtbot, page, "many")
    assert batch(session) == (4, 16, 8) and line.property("wrong") == "true"
    assert note(page).startswith("many is no number")
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "512"


def test_that_a_change_of_another_number_says_what_followed_and_can_keep_the_batch(
    page: RecipePage, session: PageSession
) -> None:
    session.draft.set_value("batch.micro_batch", 8)
    assert note(page).startswith("micro batch 4 → 8; the global batch is 1")
    keep = page.findChild(QPushButton, "keepGlobalBatch")
    assert keep is not None and keep.isVisible() and keep.text() == "Keep 512"
    keep.click()
    assert batch(session) == (8, 8, 8)
    session.draft.set_value("optimizer.beta1", 0.8)
    assert note(page) == ""


def test_that_a_node_with_other_gpus_keeps_the_global_batch_and_says_so(page: RecipePage, session: PageSession) -> None:
    session.draft.edit({"strategy.ranks": 4, "batch.accumulation": 32})
    assert note(page) == "accumulation 16 → 32, ranks 8 → 4; the global batch stays 512."


def test_that_the_panel_always_tells_the_whole_arithmetic(page: RecipePage, session: PageSession) -> None:
    card = page.findChild(QWidget, "meaningCard")
    assert card is not None
    words = " ".join(label.text() for label in card.findChildren(QLabel))
    plan, data = session.draft.plan, session.draft.known.data
    assert data is not None
    for said in (
        "4 sequences × 16 accumulation × 8 GPUs = 512.", "optimizer steps", "warmup steps", "tokens seen",
        f"epochs of {plan.steps_per_epoch} step", "sequences an update",
    ):  # fmt: skip
        assert said in words
    session.draft.set_known(data=None)
    words = " ".join(label.text() for label in card.findChildren(QLabel))
    assert "The number of steps follows from the data, which is not read yet." in words
