"""The pickers: each choice calls its verb once, and no key is accepted by accident."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QLineEdit, QListWidget, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import CheckpointCommitted, Stamped
from studio.remote.errors import HostKeyChanged, HostKeyUnknown
from studio.state.library import RunEntry
from studio.ui.pickers.data_picker import DataPicker
from studio.ui.pickers.host_key_dialog import HostKeyChangedDialog, HostKeyDialog, ask_about_host_key
from studio.ui.pickers.model_picker import ModelPicker
from studio.ui.pickers.node_picker import NodePicker
from studio.ui.pickers.remote_browser import RemoteBrowser
from tests.ui.page_session import PageSession, filled_session, new_run
from tests.ui.picker_parts import as_session, click, part

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

HOME = {
    "path": "/home/dana",
    "parent": "/home",
    "entries": [
        {"name": "models", "is_dir": True, "size_bytes": 0},
        {"name": "rows.jsonl", "is_dir": False, "size_bytes": 2048},
    ],
}
MODELS: dict[str, Any] = {"path": "/home/dana/models", "parent": "/home/dana", "entries": []}


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    made = filled_session()
    made.listings = {"~": HOME, "/home/dana": HOME, "/home/dana/models": MODELS}
    return made


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    return made


def test_that_a_folder_here_is_taken_by_its_path(
    qtbot: QtBot, session: PageSession, window: QWidget, tmp_path: Path
) -> None:
    picker = ModelPicker(as_session(session), window)
    picker.popup_at(window)
    line = part(picker, QLineEdit, "modelPath")
    line.setText(str(tmp_path / "nothing"))
    click(qtbot, picker, "modelPathUse")
    assert "There is nothing at" in part(picker, QLabel, "modelPathWords").text() and not session.calls
    line.setText(str(tmp_path))
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert session.calls == [("choose_model", "desktop", str(tmp_path))]


def test_that_a_model_is_a_folder_and_not_a_file(
    qtbot: QtBot, session: PageSession, window: QWidget, tmp_path: Path
) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"")
    picker = ModelPicker(as_session(session), window)
    picker.popup_at(window)
    part(picker, QLineEdit, "modelPath").setText(str(weights))
    click(qtbot, picker, "modelPathUse")
    assert "the folder that holds it is needed" in part(picker, QLabel, "modelPathWords").text()
    picker.close()


def test_that_a_folder_on_the_node_is_browsed_to(qtbot: QtBot, session: PageSession, window: QWidget) -> None:
    picker = ModelPicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "modelFromNode")
    entries = part(picker, QListWidget, "modelBrowserList")
    assert [entries.item(row).text() for row in range(entries.count())] == ["models/", "rows.jsonl    2 KiB"]
    entries.setCurrentRow(0)
    QTest.keyClick(entries, Qt.Key.Key_Return)
    assert part(picker, QLineEdit, "modelBrowserPath").text() == "/home/dana/models"
    click(qtbot, picker, "modelBrowserUse")
    assert session.calls[-1] == ("choose_model", "node", "/home/dana/models")


def test_that_the_result_of_a_run_is_its_newest_checkpoint(qtbot: QtBot, session: PageSession, window: QWidget) -> None:
    run = new_run()
    run.fold([Stamped(1.0, CheckpointCommitted(1, step, f"step-{step}", False, 9, 1.0)) for step in (50, 100)])
    session.runs[run.run_id] = run
    session.library.fill((), (RunEntry(run.run_id, "docstrings", "gpu-box", "finished", 100, 100),
                              RunEntry("r-261124-081500-abcdef", "other", "lab-2", "finished", 9, 9)))  # fmt: skip
    picker = ModelPicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "modelFromRun")
    assert part(picker, QListWidget, "modelRuns").count() == 1
    click(qtbot, picker, "modelRunUse")
    assert session.calls == [("choose_model", "run", f"{run.run_id}/step-100")]


def test_that_a_hub_id_is_checked_before_it_is_taken(qtbot: QtBot, session: PageSession, window: QWidget) -> None:
    picker = ModelPicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "modelFromHub")
    line = part(picker, QLineEdit, "modelHubId")
    line.setText("not an id")
    click(qtbot, picker, "modelHubUse")
    assert part(picker, QLabel, "modelHubWords").isVisible() and not session.calls
    line.setText("HuggingFaceTB/SmolLM2-135M-Instruct")
    click(qtbot, picker, "modelHubUse")
    assert session.calls == [("choose_model", "hub", "HuggingFaceTB/SmolLM2-135M-Instruct")]


def test_that_data_here_and_on_the_node_are_chosen(
    qtbot: QtBot, session: PageSession, window: QWidget, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}", encoding="utf-8")
    picker = DataPicker(as_session(session), window)
    picker.popup_at(window)
    part(picker, QLineEdit, "dataPath").setText(str(rows))
    click(qtbot, picker, "dataPathUse")
    assert session.calls == [("choose_data", "desktop", str(rows), "")]
    picker = DataPicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "dataFromNode")
    entries = part(picker, QListWidget, "dataBrowserList")
    entries.setCurrentRow(1)
    QTest.keyClick(entries, Qt.Key.Key_Return)
    assert session.calls[-1] == ("choose_data", "node", "/home/dana/rows.jsonl", "")


def test_that_a_held_out_file_is_kept_and_can_be_taken_away(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    session.draft.set_value("data.held_out_path", "/data/held_out.jsonl")
    picker = DataPicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "heldOutNoneButton")
    assert session.calls == [("choose_data", "desktop", "/data/docstrings.jsonl", "")]
    assert not part(picker, QPushButton, "heldOutNoneButton").isVisible()
    picker.close()


def test_that_the_popup_steps_aside_for_the_file_dialog_and_its_answer_is_taken(
    qtbot: QtBot, session: PageSession, window: QWidget, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}", encoding="utf-8")
    picker = DataPicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "dataPathFile")
    dialog = part(window, QFileDialog, "fileDialog")
    assert dialog.parentWidget() is window and not picker.isVisible()
    dialog.reject()
    assert picker.isVisible() and not session.calls
    qtbot.waitUntil(lambda: window.findChild(QFileDialog, "fileDialog") is None)
    click(qtbot, picker, "dataPathFile")
    dialog = part(window, QFileDialog, "fileDialog")
    dialog.selectFile(str(rows))
    dialog.accept()
    qtbot.waitUntil(lambda: window.findChild(QWidget, "dataPicker") is None)
    assert session.calls == [("choose_data", "desktop", str(rows), "")]


def test_that_a_key_file_comes_back_to_the_form(
    qtbot: QtBot, session: PageSession, window: QWidget, tmp_path: Path
) -> None:
    key = tmp_path / "id_ed25519"
    key.write_text("", encoding="utf-8")
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    picker.show_form()
    part(picker, QLineEdit, "nodeHost").setText("box")
    click(qtbot, picker, "nodeIdentityFileButton")
    dialog = part(window, QFileDialog, "fileDialog")
    dialog.selectFile(str(key))
    dialog.accept()
    assert picker.isVisible()
    assert part(picker, QLineEdit, "nodeIdentityFile").text() == str(key)
    assert part(picker, QLineEdit, "nodeHost").text() == "box"
    picker.close()


def test_that_an_older_answer_of_the_browser_is_passed_over(qtbot: QtBot, session: PageSession) -> None:
    answers: list[Any] = []
    session.browse = lambda node, path, on_result, on_error: answers.append(on_result)  # type: ignore[method-assign]
    browser = RemoteBrowser(as_session(session), "gpu-box", "browser", folders_only=True)
    qtbot.addWidget(browser)
    browser.go("~")
    browser.go("/home/dana/models")
    answers[1](MODELS)
    answers[0](HOME)
    assert browser.here == "/home/dana/models"


def test_that_an_answer_after_the_popup_was_closed_is_passed_over(qtbot: QtBot, session: PageSession) -> None:
    answers: list[Any] = []
    session.browse = lambda node, path, on_result, on_error: answers.extend((on_result, on_error))  # type: ignore[method-assign]
    browser = RemoteBrowser(as_session(session), "gpu-box", "browser", folders_only=True)
    browser.go("~")
    gone: list[bool] = []
    browser.destroyed.connect(lambda: gone.append(True))
    browser.deleteLater()
    qtbot.waitUntil(lambda: bool(gone))
    answers[0](HOME)
    answers[1]("too late")


def test_that_a_folder_that_is_not_there_is_told_in_the_nodes_words(qtbot: QtBot, session: PageSession) -> None:
    browser = RemoteBrowser(as_session(session), "gpu-box", "browser", folders_only=True)
    qtbot.addWidget(browser)
    browser.go("/nowhere")
    assert part(browser, QLabel, "browserWords").text() == "There is no folder /nowhere on gpu-box."


def test_that_a_host_key_is_accepted_by_a_click_and_never_by_enter(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    question = HostKeyUnknown("10.0.3.7", 22022, "ssh-ed25519", "SHA256:abc", "AAAA")
    dialog = HostKeyDialog(as_session(session), question, "gpu-box", window)
    dialog.open()
    assert part(dialog, QLabel, "hostKeyFingerprint").text() == "SHA256:abc"
    assert part(dialog, QLabel, "hostKeyNode").text() == "gpu-box"
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert not session.calls
    dialog = HostKeyDialog(as_session(session), question, "gpu-box", window)
    dialog.open()
    click(qtbot, dialog, "acceptHostKeyButton")
    assert session.calls == [("accept_host_key", question)]


def test_that_a_changed_key_shows_both_fingerprints_and_no_way_on(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    change = HostKeyChanged("10.0.3.7", 22, "ssh-ed25519", "SHA256:new", "ssh-rsa", "SHA256:old", "known_hosts:3")
    dialog = ask_about_host_key(as_session(session), change, "gpu-box", window)
    assert isinstance(dialog, HostKeyChangedDialog)
    assert part(dialog, QLabel, "knownFingerprint").text() == "SHA256:old"
    assert part(dialog, QLabel, "offeredFingerprint").text() == "SHA256:new"
    assert [one.objectName() for one in dialog.findChildren(QPushButton)] == ["closeHostKeyButton"]
    dialog.reject()
    assert ask_about_host_key(as_session(session), ValueError("no key"), "gpu-box", window) is None


def test_that_every_control_has_a_name_for_people_and_for_tests(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    pickers = (
        ModelPicker(as_session(session), window),
        DataPicker(as_session(session), window),
        NodePicker(as_session(session), window),
    )
    for picker in pickers:
        for kind in (QPushButton, QLineEdit, QListWidget):
            for widget in picker.findChildren(kind):
                assert widget.objectName() and widget.accessibleName(), widget
        picker.close()
    assert not window.findChildren(QDialog)


def test_that_a_picker_opens_where_one_types_and_grows_with_what_it_says(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    picker = ModelPicker(as_session(session), window)
    session.draft.edit({"model.source": "desktop"})
    window.activateWindow()
    picker.tabs.show_page(0)
    picker.popup_at(window)
    line, use = part(picker, QLineEdit, "modelPath"), part(picker, QPushButton, "modelPathUse")
    assert picker.focusWidget() is line
    line.setText("/nothing/" + "here/" * 40)
    click(qtbot, picker, "modelPathUse")

    def is_whole() -> bool:
        said = part(picker, QLabel, "modelPathWords")
        inside = use.mapTo(picker, use.rect().bottomRight())
        return said.isVisible() and use.visibleRegion().boundingRect() == use.rect() and picker.rect().contains(inside)

    qtbot.waitUntil(is_whole)
    picker.close()


@pytest.mark.parametrize("kind", [ModelPicker, DataPicker])
def test_that_no_two_tabs_of_a_picker_have_the_same_words(
    session: PageSession, window: QWidget, kind: type[ModelPicker] | type[DataPicker]
) -> None:
    for node in ("", "This computer", "gpu-box"):
        session.node_name = node
        picker = kind(as_session(session), window)
        tabs = [tab.text() for tab in picker.tabs.findChildren(QPushButton) if tab.isCheckable()]
        assert len(set(tabs)) == len(tabs), tabs
        picker.close()
