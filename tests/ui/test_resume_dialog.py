"""A run goes on in another shape from the window: only what its state allows is offered, as it was by default."""

from __future__ import annotations

from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import AttemptStarted, CheckpointCommitted, Stamped, StateChanged
from remote_agent.contract.job_spec import with_value
from studio.remote.transport import NodeAddress
from studio.state.run import RunState
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.monitor.resume_dialog import ResumeDialog
from tests.support.reports import cpu_report, gpu_report
from tests.ui.page_session import PageSession, fold_start, fold_steps, run_spec

TOTAL = 200
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def click(page: QWidget, name: str) -> None:
    found = page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def offered(dialog: ResumeDialog, name: str) -> list[int]:
    box = dialog.findChild(QComboBox, name)
    assert isinstance(box, QComboBox)
    return [box.itemData(row) for row in range(box.count())]


def choose(dialog: ResumeDialog, name: str, value: int) -> None:
    box = dialog.findChild(QComboBox, name)
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(box.findData(value))


def said(dialog: ResumeDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def paused_run(**more: object) -> RunState:
    """Return a run on 8 ranks at stage 2 with a micro batch of 2, accumulated 3 times, paused at step 5."""
    spec = run_spec()
    settings = {"batch.micro_batch": 2, "batch.accumulation": 3, "strategy.zero_stage": 2, "strategy.precision": "bf16"}
    for path, value in {**settings, **{path.replace("__", "."): value for path, value in more.items()}}.items():
        spec = with_value(spec, path, value)
    run = RunState("r-261124-081400-abcdef", "docstrings", "gpu-box", spec)
    fold_start(run, TOTAL)
    fold_steps(run, 1, 5, TOTAL)
    run.fold(
        [Stamped(5.0, CheckpointCommitted(1, 5, "step-5", True, 10, 0.1)), Stamped(6.0, StateChanged("paused", 1))]
    )
    return run


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    made = PageSession()
    made.hosts.put(NodeAddress("gpu-box", "ssh", "10.0.3.7"))
    return made


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> MonitorPage:
    made = MonitorPage(cast(Any, session), monotonic=lambda: 112.0)
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def opened(page: MonitorPage, run: RunState) -> ResumeDialog:
    page.show_run(run)
    click(page, "resumeOtherwiseButton")
    dialog = page.findChild(ResumeDialog)
    assert isinstance(dialog, ResumeDialog)
    return dialog


def test_that_a_run_goes_on_with_the_ranks_and_the_stage_chosen(page: MonitorPage, session: PageSession) -> None:
    session.hosts.update("gpu-box", report=gpu_report(16))
    dialog = opened(page, run := paused_run())
    assert offered(dialog, "resumeRanks") == [1, 2, 3, 4, 6, 8, 12, 16], "those that divide 48 on 16 GPUs"
    assert offered(dialog, "resumeStage") == [1, 2, 3]
    assert dialog.asked == (0, None), "it opens at the shape that the run had"
    assert said(dialog, "resumeBatch").startswith("2 × 3 × 8 = 48 ")
    choose(dialog, "resumeRanks", 16)
    choose(dialog, "resumeStage", 3)
    assert said(dialog, "resumeBatch").startswith("1 × 3 × 16 = 48 ")
    click(dialog, "resumeInShapeButton")
    assert session.calls == [("resume_run", run.run_id, 16, 3)]


def test_that_resuming_in_the_shape_it_had_asks_for_nothing_and_cancel_does_nothing(
    page: MonitorPage, session: PageSession
) -> None:
    run = paused_run()
    click(opened(page, run), "resumeCancelButton")
    assert session.calls == []
    dialog = opened(page, run)
    assert "not probed" in said(dialog, "resumeNote")
    assert offered(dialog, "resumeRanks")[-1] == 8, "a node that was not probed is taken to have what the run used"
    click(dialog, "resumeInShapeButton")
    assert session.calls == [("resume_run", run.run_id)]


def test_that_the_shape_of_the_newest_attempt_is_where_it_opens(page: MonitorPage, session: PageSession) -> None:
    session.hosts.update("gpu-box", report=cpu_report())
    run = paused_run()
    later = (AttemptStarted(2, 4, 5, "step-5", 3), CheckpointCommitted(2, 9, "step-9", True, 10, 0.1))
    run.fold([Stamped(7.0, event) for event in (StateChanged("starting", 2), *later, StateChanged("failed", 2))])
    dialog = opened(page, run)
    assert dialog.asked == (0, None)
    assert said(dialog, "resumeBatch").startswith("2 × 6 × 4 = 48 ")
    choose(dialog, "resumeRanks", 8)
    choose(dialog, "resumeStage", 2)
    assert list(dialog.asked) == [8, 2], "the job's own shape is another one by now"


@pytest.mark.parametrize(
    "more", [{"strategy__zero_stage": 0}, {"optimizer__kind": "lion"}, {"regularization__averaging": "ema"}]
)
def test_that_a_state_which_cannot_be_divided_anew_offers_its_own_shape_alone_and_says_why(
    page: MonitorPage, session: PageSession, more: dict[str, object]
) -> None:
    session.hosts.update("gpu-box", report=gpu_report())
    dialog = opened(page, paused_run(**more))
    assert (offered(dialog, "resumeRanks"), len(offered(dialog, "resumeStage"))) == ([8], 1)
    assert "in this shape only" in said(dialog, "resumeNote")


def test_that_parameters_that_are_offloaded_leave_stage_3_alone(page: MonitorPage, session: PageSession) -> None:
    session.hosts.update("gpu-box", report=gpu_report())
    run = paused_run(strategy__zero_stage=3, strategy__offload_parameters=True)
    dialog = opened(page, run)
    assert offered(dialog, "resumeRanks") == [1, 2, 3, 4, 6, 8]
    assert offered(dialog, "resumeStage") == [3]
