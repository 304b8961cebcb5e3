"""The form of a node, the test of the way to it, and the questions that are asked on the way."""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.remote.asking import CODE, PASSPHRASE, PASSWORD, Asker, Prompt, SecretAnswer, SecretQuestion
from studio.remote.errors import HostKeyChanged, HostKeyUnknown, LinkError
from studio.session.addresses import NodeAddress
from studio.session.asking import Asking, PendingQuestion
from studio.session.session import Session
from studio.ui.pickers.host_key_dialog import HostKeyDialog, ask_about_host_key
from studio.ui.pickers.node_form import COMMAND, SYSTEM
from studio.ui.pickers.node_picker import NodePicker
from studio.ui.pickers.secret_dialog import SecretDialog
from studio.ui.pickers.ssh_line import SshLine, parse_ssh_line
from tests.ui.page_session import PageSession

P = TypeVar("P", bound=QWidget)


@pytest.fixture
def session() -> PageSession:
    return PageSession()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    window.resize(900, 700)
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def picker(session: PageSession, window: QWidget) -> NodePicker:
    picker = NodePicker(cast("Session", session), window)
    picker.popup_at(window)
    picker.show_form()
    return picker


def part(widget: QWidget, kind: type[P], name: str) -> P:
    found = widget.findChild(kind, name)
    assert found is not None, name
    return found


def click(widget: QWidget, name: str) -> None:
    QTest.mouseClick(part(widget, QPushButton, name), Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh -J me@gate:2222 root@10.0.0.3", SshLine("10.0.0.3", 0, "root", "", "me@gate:2222")),
        ("ssh -o ProxyJump=gate root@10.0.0.3", SshLine("10.0.0.3", 0, "root", "", "gate")),
        ("docker exec -it box bash", SshLine("", command="docker exec -i box")),
        ("kubectl exec -it pod -c main -- /bin/bash -l", SshLine("", command="kubectl exec -i pod -c main --")),
        ("kubectl exec -it pod", SshLine("", command="kubectl exec -i pod --")),
    ],
)
def test_that_more_than_plain_ssh_lines_can_be_pasted(text: str, expected: SshLine) -> None:
    assert parse_ssh_line(text) == expected


def test_that_a_pasted_chain_and_the_systems_ssh_reach_the_address(picker: NodePicker, session: PageSession) -> None:
    part(picker, QLineEdit, "nodePasted").setText("ssh -J me@gate root@10.0.0.3 -p 22022")
    part(picker, QComboBox, "nodeWay").setCurrentIndex(SYSTEM)
    click(picker, "nodeFormAdd")
    expected = NodeAddress("10.0.0.3", "ssh", "10.0.0.3", 22022, "root", jump="me@gate", program="ssh")
    assert session.calls[0] == ("add_node", expected)


def test_that_a_pasted_container_becomes_a_command(picker: NodePicker, session: PageSession) -> None:
    part(picker, QLineEdit, "nodePasted").setText("docker exec -it box bash")
    assert part(picker, QComboBox, "nodeWay").currentIndex() == COMMAND
    assert not part(picker, QLineEdit, "nodeHost").isVisible()
    click(picker, "nodeFormAdd")
    assert session.calls[0] == ("add_node", NodeAddress("box", "command", command="docker exec -i box"))


def test_that_a_name_of_the_ssh_config_is_chosen(session: PageSession, window: QWidget) -> None:
    session.node_setup.names = ("gpu", "gate")
    picker = NodePicker(cast("Session", session), window)
    picker.popup_at(window)
    picker.show_form()
    names = part(picker, QComboBox, "nodeAlias")
    names.setCurrentIndex(1)
    names.activated.emit(1)
    assert part(picker, QLineEdit, "nodeHost").text() == "gpu" == part(picker, QLineEdit, "nodeName").text()
    picker.close()


def test_that_a_new_key_is_filled_in_and_its_public_half_is_shown(picker: NodePicker, session: PageSession) -> None:
    part(picker, QLineEdit, "nodeHost").setText("box")
    part(picker, QLineEdit, "nodeName").setText("box")
    click(picker, "nodeNewKeyButton")
    assert part(picker, QLineEdit, "nodeIdentityFile").text() == "/keys/box_ed25519"
    shown = part(picker, QPlainTextEdit, "publicKey")
    assert shown.isVisible() and shown.toPlainText().startswith("ssh-ed25519 ")
    click(picker, "copyPublicKey")
    assert QGuiApplication.clipboard().text() == shown.toPlainText()
    picker.close()


def test_that_each_step_of_a_test_is_a_line_and_an_unknown_key_is_asked_about(
    picker: NodePicker, session: PageSession, window: QWidget
) -> None:
    part(picker, QLineEdit, "nodeHost").setText("box")
    click(picker, "nodeFormTest")
    assert session.calls == [("test", NodeAddress("box", "ssh", "box"))]
    assert not part(picker, QPushButton, "nodeFormTest").isEnabled()
    session.node_setup.on_step("box (port 22) accepts connections.", None)
    session.node_setup.on_step("<b>no</b> way", LinkError("<b>no</b> way"))
    steps = [label.text() for label in picker.findChildren(QLabel, "wayStep")]
    assert steps == ["box (port 22) accepts connections.", "<b>no</b> way"]
    assert part(picker, QLabel, "wayStep").textFormat() == Qt.TextFormat.PlainText
    assert part(picker, QPushButton, "nodeFormTest").isEnabled()
    question = HostKeyUnknown("box", 22, "ssh-ed25519", "SHA256:abc", "AAAA", art="+--[ED25519 256]--+")
    session.node_setup.on_step(question.sentence, question)
    dialog = window.findChild(HostKeyDialog)
    assert dialog is not None and dialog.isVisible() and not picker.isVisible()
    assert part(dialog, QLabel, "hostKeyArt").text().startswith("+--[ED25519")
    dialog.reject()
    assert picker.isVisible()
    picker.close()


def test_that_a_changed_key_shows_both_pictures(session: PageSession, window: QWidget) -> None:
    change = HostKeyChanged(
        "box", 22, "ssh-ed25519", "SHA256:new", "ssh-rsa", "SHA256:old", "known_hosts:3", offered_art="N", known_art="O"
    )
    dialog = ask_about_host_key(cast("Session", session), change, "box", window)
    assert dialog is not None
    assert [part(dialog, QLabel, name).text() for name in ("knownArt", "offeredArt")] == ["O", "N"]
    dialog.reject()


def _question(kind: str, **more: Any) -> SecretQuestion:
    texts = {PASSPHRASE: "Passphrase of /key", PASSWORD: "Password of me@box"}
    return SecretQuestion(kind, "box", "me@box (port 22)", (Prompt(texts.get(kind, "Code: "), kind != CODE),), **more)


def _ask(asker: Asker, question: SecretQuestion, answers: list[SecretAnswer | None]) -> threading.Thread:
    assert asker.ask is not None
    ask = asker.ask
    thread = threading.Thread(target=lambda: answers.append(ask(question)))
    thread.start()
    return thread


@pytest.mark.parametrize(("kind", "typed"), [(PASSPHRASE, "a phrase"), (PASSWORD, "a word"), (CODE, "123456")])
def test_that_a_question_of_a_connecting_thread_is_answered_in_a_dialog(
    qtbot: QtBot, window: QWidget, kind: str, typed: str
) -> None:
    asker = Asker()
    asking = Asking(asker, window)
    asked: list[SecretDialog] = []

    def show(pending: PendingQuestion) -> None:
        asked.append(SecretDialog(asking, pending, window))
        asked[0].open()

    asking.asked.connect(show)
    assert not asker.has_person
    asking.attend()
    answers: list[SecretAnswer | None] = []
    thread = _ask(asker, _question(kind, account="" if kind == CODE else "a", again=kind == PASSWORD), answers)
    qtbot.waitUntil(lambda: bool(asked))
    dialog = asked[0]
    line = part(dialog, QLineEdit, "secretLine0")
    assert (line.echoMode() == QLineEdit.EchoMode.Password) is (kind != CODE)
    assert bool(dialog.findChild(QLabel, "secretAgain")) is (kind == PASSWORD)
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert dialog.isVisible() and not answers  # an empty line answers nothing
    QTest.keyClicks(line, typed)
    QTest.keyClick(line, Qt.Key.Key_Return)
    thread.join(5.0)
    assert answers == [SecretAnswer((typed,), False)]


def test_that_a_question_is_declined_by_escape_and_at_the_end_of_the_session(qtbot: QtBot, window: QWidget) -> None:
    asker = Asker()
    asking = Asking(asker, window)
    dialogs: list[QDialog] = []

    def show(pending: PendingQuestion) -> None:
        dialogs.append(SecretDialog(asking, pending, window))
        dialogs[-1].open()

    asking.asked.connect(show)
    asking.attend()
    answers: list[SecretAnswer | None] = []
    thread = _ask(asker, _question(PASSWORD), answers)
    qtbot.waitUntil(lambda: bool(dialogs))
    QTest.keyClick(dialogs[0], Qt.Key.Key_Escape)
    thread.join(5.0)
    assert answers == [None]
    thread = _ask(asker, _question(PASSWORD), answers)
    qtbot.waitUntil(lambda: len(dialogs) == 2)
    asking.close()
    thread.join(5.0)
    assert answers == [None, None] and not asker.has_person
    dialogs[1].reject()


def test_that_the_nodes_own_way_out_is_asked_for_where_somebody_wants_it_and_shown_where_it_is_set(
    picker: NodePicker, session: PageSession
) -> None:
    assert not part(picker, QLineEdit, "nodeProxy").isVisible()
    click(picker, "nodeFormNetwork")
    assert not part(picker, QPushButton, "nodeFormNetwork").isVisible()
    wanted = {
        "proxy": "http://proxy.example:3128",
        "index": "https://mirror.example/simple",
        "hub": "https://hub.example",
    }
    for name, text in {"host": "10.0.3.9", **wanted}.items():
        part(picker, QLineEdit, f"node{name.capitalize()}").setText(text)
    click(picker, "nodeFormAdd")
    address = NodeAddress("10.0.3.9", "ssh", "10.0.3.9", **wanted)  # type: ignore[arg-type]
    assert ("add_node", address) in session.calls
    session.calls.clear()
    picker.show_form("10.0.3.9")
    assert not part(picker, QPushButton, "nodeFormNetwork").isVisible()
    assert part(picker, QLineEdit, "nodeProxy").text() == "http://proxy.example:3128"
    click(picker, "nodeFormAdd")
    assert ("add_node", address) in session.calls, "another save keeps it"
