"""Rows made in other words on the Data page, how a search goes on, and what choosing other data takes along."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import RowPair, StepReport, TablePage, TableQuery
from remote_agent.contract.data_steps import AugmentStep, DropStep, NormaliseStep
from remote_agent.dataset.readers.opening import ENDINGS
from studio.ui.data.data_page import DataPage
from studio.ui.data.data_view import STEPS
from studio.ui.data.pair_view import PairView
from studio.ui.data.row_pane import RowPane
from studio.ui.data.row_table import RowTable
from studio.ui.dropped import DATA, kind_of
from studio.ui.pickers.data_picker import DataPicker
from tests.ui.data_samples import data_report, row_view, table_rows
from tests.ui.page_session import PageSession, Work, filled_session

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


def button_of(page: QWidget, name: str) -> QAbstractButton:
    found = page.findChild(QAbstractButton, name)
    assert isinstance(found, QAbstractButton), name
    return found


def text_of(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel), name
    return str(getattr(found, "whole_text", found.text)()).replace("\N{NARROW NO-BREAK SPACE}", " ")


def loads(session: PageSession) -> list[TableQuery]:
    return [call[1] for call in session.calls if call[0] == "load_table"]


def with_steps(session: PageSession, *steps: Any, reports: tuple[StepReport, ...] = ()) -> None:
    session.draft.edit({"data.steps": steps})
    session.draft.set_known(data=dataclasses.replace(data_report(), steps=reports))


def test_that_an_augment_step_says_how_many_rows_it_will_say_in_other_words(
    page: DataPage, session: PageSession
) -> None:
    page.view.show_side(STEPS)
    said = "Add rows in other words: 1,716 rows added of 3,716."
    with_steps(session, AugmentStep(model="m", share=0.25), reports=(StepReport(said, added=1716),))
    assert text_of(page, "stepWillDo0") == "Says about 500 rows in other words."
    assert text_of(page, "stepEffect0") == said


def test_that_an_endpoint_says_what_leaves_where_to_and_at_what_price(page: DataPage, session: PageSession) -> None:
    page.view.show_side(STEPS)
    step = AugmentStep(method="endpoint", url="https://example.org/say", share=0.5, price_per_row=0.002)
    with_steps(session, step)
    assert text_of(page, "stepWillDo0") == (
        "Says about 1 858 rows in other words. Rows leave this machine for example.org: about 1 858. "
        "Price: 0.002 a row, about 3.716 in all."
    )
    make = button_of(page, "makeRowsButton")
    assert not make.isEnabled() and "Rows may leave" in make.toolTip()
    session.draft.edit({"data.steps": (dataclasses.replace(step, consent=True, price_per_row=0.0),)})
    assert text_of(page, "stepWillDo0").endswith("The step names no price a row.")
    assert button_of(page, "makeRowsButton").isEnabled()


def test_that_rows_are_made_with_progress_that_can_be_cancelled(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    page.view.show_side(STEPS)
    with_steps(session, AugmentStep(model="m"), AugmentStep(model="n"))
    made = page.findChildren(QAbstractButton, "makeRowsButton")
    shown = [one for one in made if not one.isHidden()]
    assert len(made) == 2 and len(shown) == 1  # the session makes the rows of both at once
    qtbot.waitUntil(shown[0].isVisible)
    QTest.mouseClick(shown[0], Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("make_rows",)
    session.making_progress = Work("augment", 400.0, 4000.0, "texts", 20.0)
    session.making_changed.emit()
    under = page.findChild(QWidget, "making1")
    assert isinstance(under, QWidget) and not shown[0].isVisible()
    said = "Making rows  ·  400 of 4 000 texts  ·  20 texts/s  ·  about 3 min left"
    assert text_of(under, "makingProgressWords") == said
    cancel = button_of(under, "makingCancelButton")
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("cancel_making",)
    session.making_progress = None
    session.making_changed.emit()
    assert shown[0].isVisible() and not cancel.isVisible()


def test_that_other_steps_keep_their_counts_and_give_their_sentence_as_a_tip(
    page: DataPage, session: PageSession
) -> None:
    page.view.show_side(STEPS)
    with_steps(session, NormaliseStep(), reports=(StepReport("Mend text: 214 rows change of 4,128.", changed=214),))
    label = page.findChild(QLabel, "stepEffect0")
    assert isinstance(label, QLabel) and label.text() == "changes 214 rows"
    assert "Mend text: 214 rows change of 4,128." in label.toolTip()
    assert page.findChild(QWidget, "makeRowsButton") is None


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("", "Row 4 129"),
        ("Paraphrase of row 1212", "Row 4 129  ·  Paraphrase of row 1 212"),
        ("Back-translation of row 3", "Row 4 129  ·  Back-translation of row 3"),
        ("Sent by a friend", "Row 4 129  ·  Sent by a friend"),
    ],
)
def test_that_the_head_of_a_row_says_how_it_came_to_be(qtbot: QtBot, origin: str, said: str) -> None:
    pane = RowPane()
    qtbot.addWidget(pane)
    pane.show_row(dataclasses.replace(row_view(4128), origin=origin))
    assert text_of(pane, "rowTitle") == said


def test_that_pairs_that_were_not_compared_name_no_share(qtbot: QtBot) -> None:
    view = PairView()
    qtbot.addWidget(view)
    view.show_pairs((RowPair(3, 8, 0.0), RowPair(4, 9, 0.93)))
    assert text_of(view, "pairWords") == "Pair 1 of 2  ·  not compared"
    view.step(1)
    assert text_of(view, "pairWords") == "Pair 2 of 2  ·  93 % alike"


def test_that_the_order_by_surprise_explains_itself(page: DataPage, session: PageSession) -> None:
    assert "by surprise" in button_of(page, "hardestButton").toolTip()
    order = page.findChild(QComboBox, "rowOrder")
    assert isinstance(order, QComboBox) and not order.toolTip()
    session.has_losses = True
    session.losses_changed.emit()
    tip = order.itemData(order.findData("loss"), Qt.ItemDataRole.ToolTipRole)
    assert "from another row's" in tip and "mean loss of the response" in tip and order.toolTip() == tip


def test_that_rows_ordered_by_loss_are_read_again_once_the_losses_were_taken_in(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    session.has_losses = True
    session.losses_changed.emit()
    page.view.table.hardest.order_wanted.emit()
    query = TableQuery(order="loss")
    qtbot.waitUntil(lambda: loads(session)[-1] == query)
    asked = len(loads(session))
    session.losses_changed.emit()  # while the answer to the first question, from before, is on its way
    session.table_loaded.emit(query, TablePage(0, table_rows(query, 0, 12), 12, True))
    qtbot.waitUntil(lambda: len(loads(session)) == asked + 1)
    hardest = tuple(reversed(table_rows(query, 0, 12)))
    session.table_loaded.emit(query, TablePage(0, hardest, 12, True))
    first = page.view.table.rows.row(0)
    assert first is not None and first.index == 11 and session.calls[-1] == ("load_row", 11)


def test_that_progress_of_the_losses_reads_no_rows_again(qtbot: QtBot, page: DataPage, session: PageSession) -> None:
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    whole = TablePage(0, table_rows(TableQuery(), 0, 100), 4128, True)
    session.table_loaded.emit(TableQuery(), whole)
    session.has_losses, session.losses_progress = True, Work("losses", 1.0, 4128.0, "rows")
    session.losses_changed.emit()
    rows = page.view.table.rows
    assert not rows._stale and not rows._ask_soon.isActive()


def test_that_a_search_is_asked_again_until_it_is_complete_without_flicker(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    def chosen() -> int:
        return session.calls.count(("load_row", 0))

    search = page.findChild(QLineEdit, "rowSearch")
    assert isinstance(search, QLineEdit)
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    session.row_loaded.emit(row_view(0))
    search.setText("join")
    query = TableQuery(search="join")
    qtbot.waitUntil(lambda: loads(session)[-1] == query)
    first = TablePage(0, table_rows(query, 0, 12), 12, False)
    session.table_loaded.emit(query, first)
    assert chosen() == 2
    session.row_loaded.emit(row_view(0))
    asked, changes = len(loads(session)), cast(list[object], [])
    rows = page.view.table.rows
    rows.dataChanged.connect(lambda *_: changes.append(1))
    rows.modelReset.connect(lambda: changes.append(1))
    qtbot.waitUntil(lambda: len(loads(session)) == asked + 1)
    session.table_loaded.emit(query, first)
    assert not changes and chosen() == 2  # nothing new: neither cells nor row are done again
    qtbot.waitUntil(lambda: len(loads(session)) == asked + 2)
    session.table_loaded.emit(query, TablePage(0, table_rows(query, 0, 14), 14, True))
    assert changes and rows.rowCount() == 14 and not rows._ask_again.isActive()


def test_that_another_query_ends_the_asking(qtbot: QtBot, session: PageSession) -> None:
    rows = RowTable(cast(Any, session))
    rows.show(TableQuery(search="join"))
    qtbot.waitUntil(lambda: len(loads(session)) == 1)
    session.table_loaded.emit(rows.query, TablePage(0, (), 0, False))
    assert rows._ask_again.isActive()
    rows.show(TableQuery())
    assert not rows._ask_again.isActive()


def test_that_a_data_set_of_the_hub_is_one_step_of_the_undo_and_leaving_it_clears_its_part(
    qtbot: QtBot, page: DataPage, session: PageSession, tmp_path: Path
) -> None:
    session.draft.edit({"data.steps": (DropStep(rows=(3,)), NormaliseStep())})
    before = session.draft.spec
    picker = DataPicker(cast(Any, session), page)
    picker.popup_at(page)
    picker.tabs.show_page(2)
    texts = [label.text() for label in picker.findChildren(QLabel)]
    assert any("chosen node (or this computer) and kept there" in one and "to its commit" in one for one in texts)
    for name, value in (("path", "nyu-mll/glue"), ("revision", "refs/pr/2"), ("subset", "sst2"), ("split", "test")):
        line = picker.findChild(QLineEdit, f"hub.{name}")
        assert isinstance(line, QLineEdit)
        line.clear()
        QTest.keyClicks(line, value)
    with qtbot.waitSignal(session.notice):
        button_of(picker, "hubUse").click()
    data = session.draft.spec.data
    assert (data.source, data.path, data.revision) == ("hub", "nyu-mll/glue", "refs/pr/2")
    assert (data.subset, data.split, data.steps) == ("sst2", "test", (NormaliseStep(),))
    session.draft.undo()
    assert session.draft.spec == before
    session.draft.redo()
    chosen = session.draft.spec
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    picker = DataPicker(cast(Any, session), page)
    picker.popup_at(page)
    picker.tabs.show_page(0)
    path = picker.findChild(QLineEdit, "dataPath")
    assert isinstance(path, QLineEdit)
    path.setText(str(rows))
    button_of(picker, "dataPathUse").click()
    data = session.draft.spec.data
    assert (data.source, data.path, data.revision) == ("desktop", str(rows), "")
    assert (data.subset, data.split) == ("", "train") and session.calls[-1] == ("choose_data", "desktop", str(rows), "")
    session.draft.undo()
    assert session.draft.spec == chosen


def test_that_the_commit_of_one_data_set_is_not_taken_for_another(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    session.draft.edit({"data.source": "hub", "data.path": "nyu-mll/glue", "data.revision": "ab" * 20})
    picker = DataPicker(cast(Any, session), page)
    picker.popup_at(page)
    path = picker.findChild(QLineEdit, "hub.path")
    assert isinstance(path, QLineEdit)
    path.clear()
    QTest.keyClicks(path, "stanfordnlp/sst2")
    button_of(picker, "hubUse").click()
    data = session.draft.spec.data
    assert (data.path, data.revision) == ("stanfordnlp/sst2", "")


def test_that_every_file_that_the_readers_know_is_offered_and_taken_when_dropped(
    qtbot: QtBot, page: DataPage, session: PageSession
) -> None:
    filters = DataPicker(cast(Any, session), page).file_filters()
    for ending in (one + packed for one in ENDINGS for packed in ("", ".gz", ".zst")):
        assert f"*{ending} " in filters.replace(")", " ") and kind_of(Path(f"/x/rows{ending.upper()}")) == DATA
    assert kind_of(Path("/x/model.tar.gz")) == ""
