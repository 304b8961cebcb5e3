"""The form of an SSH node; a pasted command line fills it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.session.addresses import NodeAddress
from studio.ui.pickers.popup import ask_for_path
from studio.ui.pickers.ssh_line import parse_ssh_line
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.node import Address

DEFAULT_HOME = "~/.luthier"


class NodeForm(QWidget):
    """``done`` carries the name of the node that was added or changed, ``cancelled`` that nothing was."""

    done = Signal(str)
    cancelled = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("nodeForm")
        self._session = session
        self._lines: dict[str, QLineEdit] = {}
        self._named_by_hand = False
        self._pasted = self._line("pasted", self.tr("SSH command"), "ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id_ed25519")
        self._said = plain_label("", "problem", "nodeFormWords", wraps=True)
        self._add = button(self.tr("Add node"), "nodeFormAdd", role="primary")
        self._build()
        self._pasted.textChanged.connect(self._on_pasted)
        self._lines["name"].textEdited.connect(self._on_name_edited)
        self._lines["host"].textEdited.connect(self._on_host_edited)
        self._add.clicked.connect(self._on_add)

    def start(self, address: Address | None) -> None:
        """Empty the form for a new node, or fill it with one that is known."""
        self._named_by_hand = address is not None
        self._pasted.clear()
        for name, line in self._lines.items():
            if name != "pasted":
                line.setText(self._first(name, address))
        self._lines["name"].setEnabled(address is None)
        self._add.setText(self.tr("Add node") if address is None else self.tr("Save"))
        self._say("")
        (self._pasted if address is None else self._lines["host"]).setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the form with Enter, leave it with Esc."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_add()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _first(self, name: str, address: Address | None) -> str:
        if address is None:
            return DEFAULT_HOME if name == "home" else ""
        value = getattr(address, name)
        return str(value) if value else ""

    def _on_pasted(self, text: str) -> None:
        found = parse_ssh_line(text)
        if found is None:
            self._say(self.tr("This names no host.") if text.strip().startswith("ssh ") else "")
            return
        self._say("")
        self._lines["host"].setText(found.host)
        self._lines["port"].setText(str(found.port) if found.port else "")
        self._lines["user"].setText(found.user)
        self._lines["identity_file"].setText(found.identity_file)
        self._name_after(found.host)

    def _on_name_edited(self, text: str) -> None:
        self._named_by_hand = bool(text)

    def _on_host_edited(self, text: str) -> None:
        self._name_after(text)

    def _name_after(self, host: str) -> None:
        if not self._named_by_hand:
            self._lines["name"].setText(host)

    def _on_add(self) -> None:
        texts = {name: line.text().strip() for name, line in self._lines.items()}
        problem, wrong = self._problem(texts)
        if problem:
            self._say(problem)
            self._lines[wrong].setFocus()
            return
        address = NodeAddress(
            name=texts["name"] or texts["host"],
            kind="ssh",
            host=texts["host"],
            port=int(texts["port"] or 0),
            user=texts["user"],
            identity_file=texts["identity_file"],
            home=texts["home"] or DEFAULT_HOME,
            python=texts["python"],
        )
        try:
            self._session.add_node(address)
        except ValueError as error:
            self._say(str(error))
            return
        self.done.emit(address.name)

    def _problem(self, texts: dict[str, str]) -> tuple[str, str]:
        name = texts["name"] or texts["host"]
        if not texts["host"]:
            return self.tr("A host name, an address or a name of your ssh config is needed."), "host"
        if texts["port"] and not (texts["port"].isdigit() and 0 < int(texts["port"]) < 65536):
            return self.tr("The port is a number from 1 to 65535."), "port"
        if self._lines["name"].isEnabled() and name in self._session.hosts:
            return self.tr("There is a node named {name} already.").format(name=name), "name"
        return "", ""

    def _say(self, text: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))

    def _line(self, name: str, label: str, hint: str) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName("node" + "".join(part.capitalize() for part in name.split("_")))
        line.setAccessibleName(label)
        line.setPlaceholderText(hint)
        self._lines[name] = line
        return line

    def _build(self) -> None:
        rows = (
            ("host", self.tr("Host"), self.tr("address or ssh config name")),
            ("port", self.tr("Port"), "22"),
            ("user", self.tr("User"), self.tr("as ssh would")),
            ("identity_file", self.tr("Key file"), self.tr("as ssh would")),
            ("name", self.tr("Name"), self.tr("shown in the list")),
            ("home", self.tr("Folder there"), DEFAULT_HOME),
            ("python", self.tr("Python there"), self.tr("found by itself")),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        pasted = plain_label(self.tr("SSH command"), "muted")
        pasted.setBuddy(self._pasted)
        grid.addWidget(pasted, 0, 0)
        grid.addWidget(self._pasted, 0, 1, 1, 2)
        for number, (name, text, hint) in enumerate(rows, start=1):
            label = plain_label(text, "muted")
            line = self._line(name, text, hint)
            label.setBuddy(line)
            grid.addWidget(label, number, 0)
            grid.addWidget(line, number, 1, 1, 1 if name == "identity_file" else 2)
            if name == "identity_file":
                pick = button(self.tr("File…"), "nodeIdentityFileButton", self.tr("Choose the key file"))
                pick.clicked.connect(self._on_pick_key)
                grid.addWidget(pick, number, 2)
        grid.setColumnStretch(1, 1)
        cancel = button(self.tr("Back"), "nodeFormCancel", self.tr("Back to the list"))
        cancel.clicked.connect(self.cancelled)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addStretch(1)
        bottom.addWidget(cancel)
        bottom.addWidget(self._add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(grid)
        layout.addWidget(self._said)
        layout.addStretch(1)
        layout.addLayout(bottom)

    def _on_pick_key(self) -> None:
        ask_for_path(self, self.tr("Key file"), False, "", self._lines["identity_file"].setText)
