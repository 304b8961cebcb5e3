"""The form of a node; a pasted command line fills it in, and a test tells whether the way there is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from studio.session.addresses import NodeAddress
from studio.ui.pickers.host_key_dialog import ask_about_host_key
from studio.ui.pickers.key_panel import KeyPanel
from studio.ui.pickers.popup import ask_for_path
from studio.ui.pickers.ssh_line import parse_ssh_line
from studio.ui.pickers.way_panel import WayPanel
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.node import Address

DEFAULT_HOME = "~/.luthier"
BUILT_IN, SYSTEM, COMMAND = range(3)
_SSH_ONLY = ("host", "port", "user", "identity_file", "jump")


class NodeForm(QWidget):
    """``done`` carries the name of the node that was added or changed, ``cancelled`` that nothing was."""

    done = Signal(str)
    cancelled = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("nodeForm")
        self._session = session
        self._lines: dict[str, QLineEdit] = {}
        self._rows: dict[str, list[QWidget]] = {}
        self._named_by_hand = False
        self._pasted = self._line("pasted", self.tr("SSH command"), "ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id_ed25519")
        self._aliases, self._way = QComboBox(), QComboBox()
        self._key, self._steps = KeyPanel(), WayPanel()
        self._said = plain_label("", "problem", "nodeFormWords", wraps=True)
        self._add = button(self.tr("Add node"), "nodeFormAdd", role="primary")
        self._test = button(self.tr("Test"), "nodeFormTest", self.tr("Test the way to the node"))
        self._build()
        self._connect()

    def _connect(self) -> None:
        self._pasted.textChanged.connect(self._on_pasted)
        self._lines["name"].textEdited.connect(self._on_name_edited)
        self._lines["host"].textEdited.connect(self._on_host_edited)
        self._aliases.activated.connect(self._on_alias)
        self._way.currentIndexChanged.connect(self._show_rows)
        self._test.clicked.connect(self._on_test)
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
        self._fill_aliases()
        way = BUILT_IN
        if address is not None:
            way = COMMAND if address.kind == "command" else SYSTEM if address.program else BUILT_IN
        self._way.setCurrentIndex(way)
        self._show_rows()
        self._say("")
        self._key.show_key("")
        self._steps.clear()
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

    def _fill_aliases(self) -> None:
        names = self._session.node_setup.aliases()
        self._aliases.clear()
        self._aliases.addItems([self.tr("Choose a name…"), *names])
        for widget in self._rows["alias"]:
            widget.setVisible(bool(names))

    def _show_rows(self) -> None:
        by_command = self._way.currentIndex() == COMMAND
        for name, widgets in self._rows.items():
            if name in (*_SSH_ONLY, "command"):
                for widget in widgets:
                    widget.setVisible((name == "command") == by_command)

    def _on_pasted(self, text: str) -> None:
        found = parse_ssh_line(text)
        if found is None:
            self._say(self.tr("This names no host.") if text.strip().startswith("ssh ") else "")
            return
        self._say("")
        if found.command:
            self._way.setCurrentIndex(COMMAND)
            self._lines["command"].setText(found.command)
            self._name_after(next((word for word in reversed(found.command.split()) if word != "--"), ""))
            return
        if self._way.currentIndex() == COMMAND:
            self._way.setCurrentIndex(BUILT_IN)
        self._lines["host"].setText(found.host)
        self._lines["port"].setText(str(found.port) if found.port else "")
        self._lines["user"].setText(found.user)
        self._lines["identity_file"].setText(found.identity_file)
        self._lines["jump"].setText(found.jump)
        self._name_after(found.host)

    def _on_alias(self, index: int) -> None:
        if index > 0:
            self._lines["host"].setText(self._aliases.itemText(index))
            self._name_after(self._aliases.itemText(index))

    def _on_name_edited(self, text: str) -> None:
        self._named_by_hand = bool(text)

    def _on_host_edited(self, text: str) -> None:
        self._name_after(text)

    def _name_after(self, host: str) -> None:
        if not self._named_by_hand:
            self._lines["name"].setText(host)

    def _on_new_key(self) -> None:
        name = self._lines["name"].text().strip() or self._lines["host"].text().strip()
        try:
            file, public = self._session.node_setup.make_key(name)
        except ValueError as error:
            self._say(str(error))
            return
        self._lines["identity_file"].setText(file)
        self._key.show_key(public)

    def _on_test(self) -> None:
        address = self._address()
        if address is None:
            return
        self._steps.clear()
        self._test.setEnabled(False)
        self._session.node_setup.test(address, self._on_step, self._on_tested, self)

    def _on_step(self, sentence: str, error: Exception | None) -> None:
        self._steps.add(sentence, error is None)
        if error is not None:
            self._test.setEnabled(True)
            above = self.window().parentWidget()
            node = self._lines["name"].text() or self._lines["host"].text()
            ask_about_host_key(self._session, error, node, above.window() if above is not None else self)

    def _on_tested(self, went: bool) -> None:
        self._test.setEnabled(True)

    def _on_add(self) -> None:
        address = self._address()
        if address is None:
            return
        try:
            self._session.add_node(address)
        except ValueError as error:
            self._say(str(error))
            return
        self.done.emit(address.name)

    def _address(self) -> NodeAddress | None:
        """Return what the form says, None where it is wrong, which it then tells."""
        texts = {name: line.text().strip() for name, line in self._lines.items()}
        problem, wrong = self._problem(texts)
        if problem:
            self._say(problem)
            self._lines[wrong].setFocus()
            return None
        self._say("")
        way = self._way.currentIndex()
        home, python = texts["home"] or DEFAULT_HOME, texts["python"]
        if way == COMMAND:
            name, command = texts["name"] or texts["command"], texts["command"]
            return NodeAddress(name, "command", home=home, python=python, command=command)
        return NodeAddress(
            name=texts["name"] or texts["host"],
            kind="ssh",
            host=texts["host"],
            port=int(texts["port"] or 0),
            user=texts["user"],
            identity_file=texts["identity_file"],
            home=home,
            python=python,
            jump=texts["jump"],
            program="ssh" if way == SYSTEM else "",
        )

    def _problem(self, texts: dict[str, str]) -> tuple[str, str]:
        by_command = self._way.currentIndex() == COMMAND
        name = texts["name"] or texts["command" if by_command else "host"]
        if by_command and not texts["command"]:
            return self.tr("A command is needed that reaches the node, such as docker exec -i box."), "command"
        if not by_command and not texts["host"]:
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

    def _choice(self, box: QComboBox, name: str, label: str) -> QLabel:
        box.setObjectName(name)
        box.setAccessibleName(label)
        made = plain_label(label, "muted")
        made.setBuddy(box)
        return made

    def _build(self) -> None:
        self._way.addItems([self.tr("SSH, built in"), self.tr("SSH, the system's"), self.tr("A command")])
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        pasted = plain_label(self.tr("SSH command"), "muted")
        pasted.setBuddy(self._pasted)
        alias = self._choice(self._aliases, "nodeAlias", self.tr("Your ssh config"))
        way = self._choice(self._way, "nodeWay", self.tr("Reached by"))
        for number, (label, widget) in enumerate(((pasted, self._pasted), (alias, self._aliases), (way, self._way))):
            grid.addWidget(label, number, 0)
            grid.addWidget(widget, number, 1, 1, 2)
        self._rows["alias"] = [alias, self._aliases]
        self._add_lines(grid)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(grid)
        for widget in (self._key, self._said, self._steps):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addLayout(self._bottom())

    def _add_lines(self, grid: QGridLayout) -> None:
        rows = (
            ("command", self.tr("Command"), "docker exec -i box"),
            ("host", self.tr("Host"), self.tr("address or ssh config name")),
            ("port", self.tr("Port"), "22"),
            ("user", self.tr("User"), self.tr("as ssh would")),
            ("identity_file", self.tr("Key file"), self.tr("as ssh would")),
            ("jump", self.tr("Through"), self.tr("as ssh would, or user@gate:port")),
            ("name", self.tr("Name"), self.tr("shown in the list")),
            ("home", self.tr("Folder there"), DEFAULT_HOME),
            ("python", self.tr("Python there"), self.tr("found by itself")),
        )
        for number, (name, text, hint) in enumerate(rows, start=3):
            label = plain_label(text, "muted")
            line = self._line(name, text, hint)
            label.setBuddy(line)
            grid.addWidget(label, number, 0)
            grid.addWidget(line, number, 1, 1, 1 if name == "identity_file" else 2)
            self._rows[name] = [label, line]
            if name == "identity_file":
                pick = button(self.tr("File…"), "nodeIdentityFileButton", self.tr("Choose the key file"))
                pick.clicked.connect(self._on_pick_key)
                make = button(self.tr("New…"), "nodeNewKeyButton", self.tr("Make a new key"))
                make.clicked.connect(self._on_new_key)
                holder = QWidget()
                both = QHBoxLayout(holder)
                both.setContentsMargins(0, 0, 0, 0)
                both.setSpacing(8)
                both.addWidget(pick)
                both.addWidget(make)
                grid.addWidget(holder, number, 2)
                self._rows[name].append(holder)

    def _bottom(self) -> QHBoxLayout:
        cancel = button(self.tr("Back"), "nodeFormCancel", self.tr("Back to the list"))
        cancel.clicked.connect(self.cancelled)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self._test)
        bottom.addStretch(1)
        bottom.addWidget(cancel)
        bottom.addWidget(self._add)
        return bottom

    def _on_pick_key(self) -> None:
        ask_for_path(self, self.tr("Key file"), False, "", self._lines["identity_file"].setText)
