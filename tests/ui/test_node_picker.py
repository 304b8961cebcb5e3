"""The picker of nodes: pasted commands, the form, groups and tags, folders."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.session.addresses import NodeAddress
from studio.state.node import Labels
from studio.ui.pickers.node_picker import NodePicker
from studio.ui.pickers.ssh_line import SshLine, parse_ssh_line
from tests.support.reports import gpu_report, with_folders
from tests.ui.page_session import PageSession, filled_session
from tests.ui.picker_parts import as_session, click, part

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return filled_session()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh root@1.2.3.4 -p 22022 -i key", SshLine("1.2.3.4", 22022, "root", "key")),
        ("ssh -p22022 -l root 1.2.3.4 nvidia-smi", SshLine("1.2.3.4", 22022, "root")),
        (
            'ssh -i "/my keys/id" -o Port=2200 -L 8080:localhost:8080 dana@box',
            SshLine("box", 2200, "dana", "/my keys/id"),
        ),
        ("dana@box:2222", SshLine("box", 2222, "dana")),
        ("ssh://root@[2001:db8::1]:22022", SshLine("2001:db8::1", 22022, "root")),
        ("box", SshLine("box")),
        ("ssh -v -A box", SshLine("box")),
        ("ssh box -p 99999", None),
        ("ssh", None),
        ("two words", None),
        ('ssh "unclosed', None),
        ("", None),
    ],
)
def test_that_a_pasted_command_line_is_read(text: str, expected: SshLine | None) -> None:
    assert parse_ssh_line(text) == expected


def test_that_a_node_is_chosen_from_the_list(qtbot: QtBot, session: PageSession, window: QWidget) -> None:
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    nodes = part(picker, QListWidget, "nodeList")
    assert nodes.count() == 3 and nodes.currentRow() == 1
    nodes.setCurrentRow(2)
    assert "switched on" in part(picker, QLabel, "nodeProblem").text()
    nodes.setCurrentRow(0)
    assert not part(picker, QPushButton, "removeNodeButton").isEnabled()
    QTest.keyClick(nodes, Qt.Key.Key_Return)
    assert session.calls == [("choose_node", "This computer")]


def test_that_a_pasted_command_becomes_a_node(qtbot: QtBot, session: PageSession, window: QWidget) -> None:
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    click(qtbot, picker, "addNodeButton")
    part(picker, QLineEdit, "nodePasted").setText("ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id_ed25519")
    assert part(picker, QLineEdit, "nodeName").text() == "1.2.3.4"
    part(picker, QLineEdit, "nodeName").setText("rented")
    click(qtbot, picker, "nodeFormAdd")
    expected = NodeAddress("rented", "ssh", "1.2.3.4", 22022, "root", "~/.ssh/id_ed25519")
    assert session.calls == [("add_node", expected), ("choose_node", "rented")]


@pytest.mark.parametrize(
    ("host", "port", "name", "words"),
    [
        ("", "", "x", "A host name"),
        ("box", "99999", "x", "The port"),
        ("box", "", "gpu-box", "named gpu-box already"),
    ],
)
def test_that_a_form_that_is_wrong_says_so_and_adds_nothing(
    qtbot: QtBot, session: PageSession, window: QWidget, host: str, port: str, name: str, words: str
) -> None:
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    picker.show_form()
    for field, text in (("nodeHost", host), ("nodePort", port), ("nodeName", name)):
        part(picker, QLineEdit, field).setText(text)
    click(qtbot, picker, "nodeFormAdd")
    assert words in part(picker, QLabel, "nodeFormWords").text() and not session.calls
    picker.close()


def test_that_editing_a_node_keeps_its_name(qtbot: QtBot, session: PageSession, window: QWidget) -> None:
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    picker.show_form("gpu-box")
    assert not part(picker, QLineEdit, "nodeName").isEnabled()
    part(picker, QLineEdit, "nodePython").setText("/opt/py/bin/python")
    click(qtbot, picker, "nodeFormAdd")
    expected = NodeAddress("gpu-box", "ssh", "10.0.3.7", 22022, "dana", python="/opt/py/bin/python")
    assert session.calls == [("add_node", expected), ("choose_node", "gpu-box")]


def test_that_nodes_stand_in_their_groups_and_are_found_by_a_tag(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    session.label_node("gpu-box", Labels("lab", ("h100", "paid by us")))
    session.calls.clear()
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    nodes = part(picker, QListWidget, "nodeList")
    spoken = [nodes.item(row).data(Qt.ItemDataRole.AccessibleTextRole).split(",")[0] for row in range(nodes.count())]
    assert spoken[-2:] == ["lab", "gpu-box"] and nodes.count() == 4
    line = part(picker, QLineEdit, "nodeFilter")
    line.setText("paid BY")
    assert nodes.count() == 2 and nodes.currentRow() == 1
    line.setText("no such node")
    assert nodes.count() == 0
    line.setText("LAB")
    QTest.keyClick(line, Qt.Key.Key_Down)
    assert nodes.hasFocus()
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert session.calls == [("choose_node", "gpu-box")]


def test_that_the_form_edits_group_and_tags_also_of_this_computer(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    for name in ("gpu-box", "This computer"):
        picker = NodePicker(as_session(session), window)
        picker.popup_at(window)
        picker.show_form(name)
        assert part(picker, QLineEdit, "nodeHost").isVisible() == (name == "gpu-box")
        part(picker, QLineEdit, "nodeGroup").setText("  our   lab ")
        part(picker, QLineEdit, "nodeTags").setText("h100, , h100,fast")
        click(qtbot, picker, "nodeFormAdd")
        assert session.hosts[name].labels == Labels("our lab", ("h100", "fast"))
    assert [call[0] for call in session.calls] == ["add_node", "label_node", "choose_node", "label_node", "choose_node"]


def test_that_folders_of_a_node_are_told_proposed_and_placed(
    qtbot: QtBot, session: PageSession, window: QWidget
) -> None:
    session.hosts.update("gpu-box", report=with_folders(gpu_report(2)))
    picker = NodePicker(as_session(session), window)
    picker.popup_at(window)
    part(picker, QListWidget, "nodeList").setCurrentRow(1)
    assert "(Edit, Folders)" in part(picker, QLabel, "nodeProblem").text()
    picker.show_form("gpu-box")
    click(qtbot, picker, "nodeFormFolders")
    said = part(picker, QLabel, "nodeFolderFacts_checkpoints").text()
    assert said.startswith("41 GiB free") and "gone when the box stops" in said
    line = part(picker, QLineEdit, "nodeFolder_models")
    assert (line.text(), line.placeholderText()) == ("", "/home/dana/.luthier/models")
    click(qtbot, picker, "proposeFolders")
    assert line.text() == "/workspace/luthier/models"
    said = part(picker, QLabel, "nodeFolderFacts_models").text()
    assert "1310 GiB free" in said and "ext4 at /workspace" in said and said.endswith("outlives a stop")
    part(picker, QLineEdit, "nodeFolder_data").clear()
    click(qtbot, picker, "placeFolders")
    assert session.calls == [
        (
            "place_folders",
            "gpu-box",
            {
                "environments": "/workspace/luthier/envs",
                "models": "/workspace/luthier/models",
                "data": "",
                "checkpoints": "/workspace/luthier/checkpoints",
            },
        )
    ]
    assert session.placing is not None and not part(picker, QPushButton, "placeFolders").isEnabled()
    session.placing[1]("r-1 goes on on this node; folders are placed while no run does.")
    assert part(picker, QLabel, "nodeFoldersWords").text().startswith("r-1 goes on")
    QTest.keyClick(line, Qt.Key.Key_Return)
    session.placing[0]()
    assert not line.isVisible() and part(picker, QListWidget, "nodeList").isVisible()
    picker.show_form("This computer")
    assert not part(picker, QPushButton, "nodeFormFolders").isVisible()
