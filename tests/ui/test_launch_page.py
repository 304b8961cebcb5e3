"""The Launch page: what it tells before and while a run is started, and when its button may be pressed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.node_report import CollectiveReport, GpuProcess, Survey
from studio.session.launching import LaunchStep
from studio.state.node import READY
from studio.ui.launch.checklist import Checklist
from studio.ui.launch.launch_page import LaunchPage
from studio.ui.pieces import ElidedLabel
from tests.support.reports import cpu_report, gpu_report
from tests.ui.page_session import PageSession, data_report, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def as_session(session: PageSession) -> Any:
    return cast(Any, session)


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    made = filled_session()
    made.draft.set_known(data=dataclasses.replace(data_report(), findings=()))
    return made


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> LaunchPage:
    made = LaunchPage(as_session(session))
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def step(page: QWidget, key: str) -> str:
    line = page.findChild(QWidget, f"step_{key}")
    assert isinstance(line, QWidget), key
    return line.accessibleName()


def text_of(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return str(found.whole_text()) if hasattr(found, "whole_text") else found.text()


def test_that_the_large_button_launches_where_nothing_stands_against_it(
    qtbot: QtBot, page: LaunchPage, session: PageSession
) -> None:
    button = page.findChild(QPushButton, "launchPageButton")
    assert isinstance(button, QPushButton) and button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.calls == [("launch",)]


def test_that_what_travels_ahead_is_told_cancelled_and_turned_off(
    qtbot: QtBot, page: LaunchPage, session: PageSession
) -> None:
    cancel = page.findChild(QPushButton, "cancelAheadButton")
    assert isinstance(cancel, QPushButton) and not cancel.isVisible()
    assert "stood chosen for some seconds" in text_of(page, "aheadWords")
    session.ahead.steps = (LaunchStep("ahead_model", "Send the model", "doing", "", 1 << 30, 4 << 30, "bytes"),)
    session.ahead.is_under_way = True
    session.ahead.changed.emit()
    assert step(page, "ahead_model").startswith("Send the model")
    assert not page.ahead_row.findChild(QLabel, "aheadWords").isVisible()  # type: ignore[union-attr]
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    QTest.mouseClick(page.ahead_row.switch, Qt.MouseButton.LeftButton)
    assert session.calls == [("cancel_ahead",), ("prepare_ahead", False)]
    session.choose_node("This computer")
    assert not page.ahead_row.isVisible()


def test_that_the_checklist_tells_what_holds_before_the_launch(page: LaunchPage, session: PageSession) -> None:
    assert step(page, "model") == "The model has been looked at: done"
    assert step(page, "node") == "The node answers: done"
    assert step(page, "trainer") == "The trainer's packages are there: done"
    assert step(page, "job") == "The job can start: done"
    session.draft.set_value("batch.micro_batch", 0)
    assert step(page, "job") == "The job can start: failed"


def test_that_an_empty_job_waits_for_its_inputs(qtbot: QtBot) -> None:
    session = PageSession()
    page = LaunchPage(as_session(session))
    qtbot.addWidget(page)
    assert step(page, "model") == "The model has been looked at: waiting"
    assert not page.launch_button.isEnabled()
    assert text_of(page, "launchNodeName") == "No node is chosen"


def test_that_a_problem_blocks_and_its_fix_mends_it(qtbot: QtBot, page: LaunchPage, session: PageSession) -> None:
    session.draft.set_value("batch.micro_batch", 0)
    assert not page.launch_button.isEnabled() and page.problems.isVisible()
    fix = page.findChild(QPushButton, "launchFix0")
    assert isinstance(fix, QPushButton)
    QTest.mouseClick(fix, Qt.MouseButton.LeftButton)
    assert session.draft.spec.batch.micro_batch == 1
    assert page.launch_button.isEnabled()


def test_that_missing_packages_of_the_node_are_named(qtbot: QtBot, page: LaunchPage, session: PageSession) -> None:
    session.hosts.update("This computer", report=cpu_report(("deepspeed",)), link=READY)
    session.choose_node("This computer")
    assert step(page, "trainer").endswith("failed")
    line = page.findChild(QWidget, "step_trainer")
    assert isinstance(line, QWidget) and line.accessibleDescription() == "missing there: deepspeed"


def test_that_gpus_and_the_python_that_trains_are_shown(page: LaunchPage, session: PageSession) -> None:
    tiles = [page.findChild(QWidget, f"hardwareTile{number}") for number in range(8)]
    assert all(isinstance(tile, QWidget) and tile.isVisible() for tile in tiles)
    assert "H100" in text_of(page, "launchNodeFacts")
    assert "/home/dana/envs/train/bin/python" in text_of(page, "launchNodePython")


def test_that_a_machine_without_gpus_shows_its_cores_and_memory(page: LaunchPage, session: PageSession) -> None:
    session.hosts.update("This computer", report=cpu_report(), link=READY)
    session.choose_node("This computer")
    shown = [
        tile.accessibleName()
        for tile in page.findChildren(QWidget)
        if tile.objectName().startswith("hardwareTile") and tile.objectName()[12:].isdigit() and tile.isVisible()
    ]
    assert [name.split(":")[0] for name in shown] == ["CPU", "Memory", "Disk"]
    assert "2 cores" in shown[0]


def test_that_what_is_sent_is_told_with_its_size(page: LaunchPage, session: PageSession, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("x" * 2048, encoding="utf-8")
    session.draft.set_value("data.path", str(data))
    assert text_of(page, "sentHow_model") == "sent once, 515 MiB"
    assert text_of(page, "sentHow_data") == "sent once, 2 KiB"
    session.choose_node("This computer")
    assert text_of(page, "sentHow_data") == "stays where it is, 2 KiB"


def test_that_the_steps_of_a_launch_fill_in_and_can_be_cancelled(
    qtbot: QtBot, page: LaunchPage, session: PageSession
) -> None:
    session.is_launching = True
    session.launch_progress = (
        LaunchStep("connect", "Reach gpu-box", "done", "8 × H100"),
        LaunchStep("model", "Send the model", "doing", "", 130e6, 520e6, "bytes"),
        LaunchStep("start", "Start the run"),
    )
    session.launch_changed.emit()
    assert step(page, "connect") == "Reach gpu-box: done"
    bar = page.findChild(QProgressBar, "stepBar_model")
    assert isinstance(bar, QProgressBar) and bar.value() == 250
    qtbot.waitUntil(bar.isVisible)
    assert not page.launch_button.isEnabled()
    cancel = page.findChild(QPushButton, "cancelLaunchButton")
    assert isinstance(cancel, QPushButton)
    QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert session.calls == [("cancel_launch",)]


def test_that_a_failed_step_keeps_its_sentence_until_the_job_is_edited(
    qtbot: QtBot, page: LaunchPage, session: PageSession
) -> None:
    session.launch_progress = (LaunchStep("connect", "Reach gpu-box", "failed", "gpu-box refused the connection."),)
    session.launch_changed.emit()
    assert step(page, "connect") == "Reach gpu-box: failed"

    def shown() -> list[str]:
        return [label.text() for label in page.checklist.findChildren(QLabel) if label.isVisible()]

    qtbot.waitUntil(lambda: "gpu-box refused the connection." in shown())
    session.draft.set_value("optimizer.learning_rate", 1e-5)
    assert step(page, "model") == "The model has been looked at: done"


def test_that_rate_and_time_left_come_from_the_progress_itself(qtbot: QtBot) -> None:
    now = [100.0]
    checklist = Checklist(clock=lambda: now[0])
    qtbot.addWidget(checklist)
    checklist.show_steps([LaunchStep("data", "Send the data", "doing", "", 0.0, 40 * 1024**2, "bytes")])
    now[0] = 102.0
    checklist.show_steps([LaunchStep("data", "Send the data", "doing", "", 20.0 * 1024**2, 40 * 1024**2, "bytes")])
    line = checklist.findChild(QWidget, "step_data")
    assert isinstance(line, QWidget)
    assert line.accessibleDescription() == "20 MiB of 40 MiB  ·  10 MiB/s, about 2.0 s left"


def test_that_the_node_picker_opens_from_the_page(qtbot: QtBot, page: LaunchPage) -> None:
    choose = page.findChild(QPushButton, "chooseNodeButton")
    assert isinstance(choose, QPushButton)
    QTest.mouseClick(choose, Qt.MouseButton.LeftButton)
    popup = page.findChild(QWidget, "nodePicker")
    assert isinstance(popup, QWidget) and popup.isVisible()
    popup.close()


def test_that_data_that_cannot_be_read_is_told_and_holds_the_launch(page: LaunchPage, session: PageSession) -> None:
    session.inspection_problem = "rows.json: the file is empty; choose one with rows."
    session.inspection_failed = True
    session.draft.set_known(data=None)
    assert step(page, "data") == "The data has been read: failed"
    line = page.findChild(QWidget, "step_data")
    assert line is not None and line.accessibleDescription() == session.inspection_problem
    assert step(page, "job") == "The job can start: waiting"
    assert not page.launch_button.isEnabled()


def test_that_a_node_out_of_reach_is_told_where_the_node_is_checked(page: LaunchPage, session: PageSession) -> None:
    session.choose_node("lab-2")
    assert step(page, "node") == "The node answers: failed"
    line = page.findChild(QWidget, "step_node")
    assert line is not None and "is it switched on?" in line.accessibleDescription()


def test_that_a_step_without_figures_says_how_long_it_has_been_at_it(qtbot: QtBot) -> None:
    now = [100.0]
    checklist = Checklist(clock=lambda: now[0])
    qtbot.addWidget(checklist)
    checklist.show_steps([LaunchStep("environment", "Prepare the environment", "doing")])
    words = [label.text() for label in checklist.findChildren(QLabel)]
    assert not any("now" in word for word in words)
    now[0] = 142.0
    checklist.tell_time()
    words = [label.whole_text() for label in checklist.findChildren(ElidedLabel)]
    assert any(word.startswith("for 42 s now") and "compiles an operator" in word for word in words)


def test_that_the_keyboard_stays_with_the_launch_while_its_buttons_change(
    qtbot: QtBot, page: LaunchPage, session: PageSession
) -> None:
    page.activateWindow()
    page.launch_button.setFocus()
    session.is_launching = True
    session.launch_changed.emit()
    assert page.focusWidget() is page.cancel_button
    session.is_launching = False
    session.launch_changed.emit()
    assert page.focusWidget() is page.launch_button


def test_that_gpus_are_picked_by_a_click_and_who_holds_the_others_is_said(
    page: LaunchPage, session: PageSession
) -> None:
    busy = GpuProcess("GPU-0", 71, "python", "erin", 40 << 30)
    report = dataclasses.replace(gpu_report(4), survey=Survey(gpu_processes=(busy,)))
    gpus = tuple(dataclasses.replace(gpu, memory_used_bytes=0 if gpu.index else 40 << 30) for gpu in report.gpus)
    report = dataclasses.replace(report, gpus=gpus)
    session.draft.set_value("strategy.ranks", 2)
    session.draft.set_known(node=report)
    session.hosts.update("gpu-box", report=report, link=READY)

    def tile(index: int) -> QPushButton:
        found = page.node_card.gpus.findChild(QPushButton, f"gpuTile{index}")
        assert isinstance(found, QPushButton)
        return found

    assert [tile(index).isChecked() for index in range(4)] == [False, True, True, False]  # free ones by themselves
    assert tile(0).accessibleName() == "GPU 0: python of erin" and tile(3).text().endswith("free")
    assert not page.node_card.gpus.automatic.isVisible()
    QTest.mouseClick(tile(3), Qt.MouseButton.LeftButton)
    assert session.calls == [("choose_gpus", ("GPU-1", "GPU-2", "GPU-3"))]
    session.choose_gpus(("GPU-2", "GPU-3"))
    assert [tile(index).isChecked() for index in range(4)] == [False, False, True, True]
    assert "takes 2 of 4" in text_of(page, "gpuPickerWords")
    QTest.mouseClick(page.node_card.gpus.automatic, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("choose_gpus", ())


def test_that_the_processes_are_tried_at_a_click_and_the_bandwidth_is_told(
    page: LaunchPage, session: PageSession
) -> None:
    session.draft.set_value("strategy.ranks", 8)
    row, tests = page.node_card.collective, session.collective_tests
    assert row.isVisible()
    QTest.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert session.calls == [("test_collective", "gpu-box")] and row.button.text() == "Cancel"
    QTest.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert session.calls[-1] == ("cancel_collective",)
    tests.is_running, tests.report = False, CollectiveReport(8, "nccl", 64 << 20, 900, 4.9, 6.31, 380 * 2.0**30)
    tests.changed.emit()
    assert text_of(page, "collectiveWords") == "8 processes found each other in 6.3 s and sum at 380 GiB/s over nccl."
    tests.report, tests.problem = None, "The processes cannot work together."
    tests.changed.emit()
    assert text_of(page, "collectiveWords") == "The processes cannot work together."
    session.draft.set_value("strategy.ranks", 1)
    assert not row.isVisible()


class _Browser(QObject):
    """Takes the pages that would be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        self.opened.append(url.toString())


def test_that_a_gated_models_page_opens_at_a_click_and_no_other_site_does(
    page: LaunchPage, session: PageSession
) -> None:
    def failed(detail: str) -> QPushButton:
        session.launch_progress = (LaunchStep("model", "Fetch the model from the Hub", "failed", detail),)
        session.launch_changed.emit()
        found = page.checklist.findChild(QPushButton, "stepPage_model")
        assert isinstance(found, QPushButton)
        return found

    browser = _Browser()
    QDesktopServices.setUrlHandler("https", browser, "take")  # type: ignore[arg-type]
    try:
        said = "org/name is gated: accept its licence at https://huggingface.co/org/name, then give Luthier a token."
        QTest.mouseClick(failed(said), Qt.MouseButton.LeftButton)
    finally:
        QDesktopServices.unsetUrlHandler("https")
    assert browser.opened == ["https://huggingface.co/org/name"]
    for elsewhere in (
        "see https://huggingface.co.evil.org/x",
        "see file:///etc/passwd",
        "https://evil.org/huggingface.co/",
    ):
        assert not failed(elsewhere).isVisible()
