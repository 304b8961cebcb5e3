"""The pages beside the Monitor: log, samples and config of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import Sampled, Stamped
from remote_agent.contract.spec_json import spec_from_json
from studio.ui.monitor.config_page import ConfigPage
from studio.ui.monitor.log_page import LogPage
from studio.ui.monitor.samples_page import SamplesPage
from tests.ui.page_session import PageSession, new_run

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return PageSession()


def as_session(session: PageSession) -> Any:
    return cast(Any, session)


def label_text(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def test_that_the_log_can_be_read_rank_by_rank_and_searched(qtbot: QtBot, session: PageSession) -> None:
    page = LogPage(as_session(session))
    qtbot.addWidget(page)
    page.show()
    run = new_run()
    run.fold_log(0, ["loss 1.31", "saved step-100"])
    run.fold_log(1, ["NCCL up"])
    page.show_run(run)
    text = page.findChild(QPlainTextEdit, "pageLogText")
    ranks = page.findChild(QComboBox, "pageLogRank")
    search = page.findChild(QLineEdit, "pageLogSearch")
    assert isinstance(text, QPlainTextEdit) and isinstance(ranks, QComboBox) and isinstance(search, QLineEdit)
    qtbot.waitUntil(lambda: text.toPlainText() == "0 | loss 1.31\n0 | saved step-100\n1 | NCCL up")
    ranks.setCurrentIndex(ranks.findData(1))
    assert text.toPlainText() == "NCCL up"
    ranks.setCurrentIndex(0)
    search.setText("saved")
    assert text.textCursor().selectedText() == "saved"
    search.setText("nowhere")
    assert not text.textCursor().hasSelection()


def test_that_following_the_log_stops_where_a_person_searches(qtbot: QtBot, session: PageSession) -> None:
    page = LogPage(as_session(session))
    qtbot.addWidget(page)
    page.resize(600, 300)
    page.show()
    run = new_run()
    run.fold_log(0, [f"line {number}" for number in range(2000)])
    page.show_run(run)
    text = page.findChild(QPlainTextEdit, "pageLogText")
    search = page.findChild(QLineEdit, "pageLogSearch")
    assert isinstance(text, QPlainTextEdit) and isinstance(search, QLineEdit)
    bar = text.verticalScrollBar()
    assert bar.value() == bar.maximum()
    search.setText("line 100")
    place = bar.value()
    run.fold_log(0, ["newest"])
    page.log.refresh()
    assert bar.value() == place and text.toPlainText().endswith("newest")


def test_that_samples_stand_side_by_side_in_plain_text(qtbot: QtBot, session: PageSession) -> None:
    page = SamplesPage(as_session(session))
    qtbot.addWidget(page)
    page.show()
    run = new_run()
    page.show_run(run)
    assert label_text(page, "samplesEmpty") and page._empty.isVisible()
    run.fold([Stamped(1.0, Sampled(1, 0, "Q?", "before <b>x</b>")), Stamped(2.0, Sampled(1, 40, "Q?", "after 40")),
              Stamped(3.0, Sampled(1, 80, "Q?", "after 80"))])  # fmt: skip
    assert label_text(page, "sample0before") == "before <b>x</b>"
    assert label_text(page, "sample0after") == "after 80"
    steps = page.findChild(QComboBox, "sampleStep")
    assert isinstance(steps, QComboBox)
    steps.setCurrentIndex(steps.findData(40))
    assert [label.text() for label in page.findChildren(QLabel, "sample0after")][-1] == "after 40"


def test_that_the_config_shows_the_whole_job_and_what_differs_from_the_defaults(
    qtbot: QtBot, session: PageSession, tmp_path: Path
) -> None:
    page = ConfigPage(as_session(session))
    qtbot.addWidget(page)
    run = new_run()
    page.show_run(run)
    text = page.findChild(QPlainTextEdit, "jobText")
    table = page.findChild(QTableWidget, "differences")
    assert isinstance(text, QPlainTextEdit) and isinstance(table, QTableWidget)
    assert spec_from_json(text.toPlainText()) == run.spec
    model = table.model()
    rows = [[str(model.index(row, column).data()) for column in range(3)] for row in range(table.rowCount())]
    assert ["Peak learning rate", "5e-5", "2e-5"] in rows and ["Processes", "8", "1"] in rows
    assert len(rows) == 5
    page.export_to(str(tmp_path))
    assert session.calls == [("export_run", run.run_id, tmp_path, False)]
