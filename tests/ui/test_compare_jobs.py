"""Two jobs side by side: only what differs, the open one as it is being edited."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec, with_value
from studio.state.library import JobEntry
from studio.ui.compare_jobs.compare_dialog import CompareDialog
from tests.ui.page_session import PageSession

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session() -> PageSession:
    session = PageSession()
    other = with_value(with_value(JobSpec(), "optimizer.kind", "lion"), "batch.epochs", 1.0)
    session.library.fill([JobEntry("a", "first", JobSpec(), 2.0), JobEntry("b", "second", other, 1.0)], [])
    session.job_id = "a"
    return session


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def dialog(window: QWidget, session: PageSession) -> CompareDialog:
    dialog = CompareDialog(session, window)  # type: ignore[arg-type]
    dialog.show()
    return dialog


def rows(dialog: CompareDialog) -> list[list[str]]:
    return [line.split("\t") for line in dialog.table.as_tsv().splitlines()]


def said(dialog: CompareDialog) -> str:
    label = dialog.findChild(QLabel, "compareSummary")
    assert label is not None
    return label.text()


def test_that_only_what_differs_is_listed(dialog: CompareDialog) -> None:
    assert rows(dialog) == [["Field", "first", "second"], ["Optimizer", "AdamW", "Lion"], ["Epochs", "3", "1"]]
    assert said(dialog) == "2 fields differ."


def test_that_an_edit_of_the_open_job_is_compared_at_once(dialog: CompareDialog, session: PageSession) -> None:
    session.draft.edit({"optimizer.kind": "lion", "batch.epochs": 1.0})
    assert len(rows(dialog)) == 1
    assert said(dialog) == "The two jobs are the same in every field."
    session.draft.set_value("seed", 3)
    assert rows(dialog)[1] == ["Seed", "3", "17"]
    assert said(dialog) == "1 field differs."


def test_that_any_two_jobs_can_be_chosen_and_the_same_one_twice_is_told(dialog: CompareDialog) -> None:
    dialog.left.setCurrentIndex(1)
    dialog.left.activated.emit(1)
    assert said(dialog) == "This is the same job twice; choose another one."


def test_that_the_differences_are_copied_as_a_table(dialog: CompareDialog) -> None:
    dialog.table.copy_rows()
    assert QGuiApplication.clipboard().text().startswith("Field\tfirst\tsecond\nOptimizer\tAdamW\tLion\n")


def test_that_a_deleted_job_is_taken_from_the_choices(dialog: CompareDialog, session: PageSession) -> None:
    session.library.remove_job("b")
    assert dialog.right.count() == 1
