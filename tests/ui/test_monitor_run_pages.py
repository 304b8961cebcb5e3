"""The pages beside the Monitor: log, samples and config of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import Sampled, Stamped
from remote_agent.contract.spec_json import spec_from_json
from studio.ui.monitor.config_page import ConfigPage
from studio.ui.monitor.log_page import LogPage
from studio.ui.monitor.samples_page import SamplesPage
from studio.ui.monitor.word_diff import MarkedLabel, word_diff
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
              Stamped(3.0, Sampled(1, 80, "Q?", "after 80", 2.5))])  # fmt: skip
    assert answer(page, "sample0before").plain_text == "before <b>x</b>"
    assert answer(page, "sample0after").plain_text == "after 80"
    steps = page.findChild(QComboBox, "sampleStep")
    assert isinstance(steps, QComboBox)
    steps.setCurrentIndex(steps.findData(40))
    assert answer(page, "sample0after").plain_text == "after 40"


def test_that_the_words_that_differ_between_two_evaluations_are_marked_and_no_markup_is_obeyed(
    qtbot: QtBot, session: PageSession
) -> None:
    page = SamplesPage(as_session(session))
    qtbot.addWidget(page)
    page.show()
    run = new_run()
    page.show_run(run)
    told = ((0, "Paris is big", 1.0), (40, "Paris is <i>old</i>", 4.0), (80, "Paris is <i>old</i>", 6.0))
    run.fold([Stamped(1.0 + step, Sampled(1, step, "Q?", text, took)) for step, text, took in told])
    assert answer(page, "sample0before").marked == ("big",)
    assert "".join(answer(page, "sample0after").marked) == "<i>old</i>"
    assert "&lt;i&gt;" in answer(page, "sample0after").text() and "<i>" not in answer(page, "sample0after").text()
    first = page.findChild(QComboBox, "sampleFirstStep")
    assert isinstance(first, QComboBox)
    first.setCurrentIndex(first.findData(40))
    assert answer(page, "sample0before").marked == answer(page, "sample0after").marked == ()
    assert "1 answer at step 80: 6.0 s" in label_text(page, "sampleSeconds")


def answer(page: SamplesPage, name: str) -> MarkedLabel:
    """Return the label of an answer as it was drawn last."""
    return page.findChildren(MarkedLabel, name)[-1]


@given(st.text(max_size=60), st.text(max_size=60))
def test_that_the_pieces_of_two_texts_give_them_back(first: str, second: str) -> None:
    left, right = word_diff(first, second)
    assert "".join(piece.text for piece in left) == first
    assert "".join(piece.text for piece in right) == second
    assert [piece.text for piece in left if not piece.differs] == [p.text for p in right if not p.differs]


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
