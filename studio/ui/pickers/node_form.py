"""The form of a node; a pasted command line fills it in, and a test tells whether the way there is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from studio.session.addresses import NodeAddress
from studio.state.node import Labels, tags_of
from studio.ui.pickers.host_key_dialog import ask_about_host_key
from studio.ui.pickers.key_panel import KeyPanel
from studio.ui.pickers.popup import ask_for_path
from studio.ui.pickers.ssh_line import parse_ssh_line
from studio.ui.pickers.way_panel import WayPanel
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.node import Address, NodeState

DEFAULT_HOME = "~/.luthier"
BUILT_IN, SYSTEM, COMMAND = range(3)
_SSH_ONLY = ("host", "port", "user", "identity_file", "jump")
_LABELS = ("group", "tags")
_NETWORK = ("proxy", "index", "hub")


class NodeForm(QWidget):
    """``done`` carries the name of the node that was added or changed, ``cancelled`` that nothing was.

    ``folders_wanted`` asks, with its name, for the folders of the node that is shown.
    """

    done = Signal(str)
    cancelled = Signal()
    folders_wanted = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("nodeForm")
        self._session = session
        self._lines: dict[str, QLineEdit] = {}
        self._rows: dict[str, list[QWidget]] = {}
        self._named_by_hand, self._has_aliases = False, False
        self._local = ""  # the name of this computer while its form is shown
        self._pasted = self._line("pasted", self.tr("SSH command"), "ssh root@1.2.3.4 -p 22022 -i ~/.ssh/id_ed25519")
        self._aliases, self._way = QComboBox(), QComboBox()
        self._key, self._steps = KeyPanel(), WayPanel()
        self._said = plain_label("", "problem", "nodeFormWords", wraps=True)
        self._add = button(self.tr("Add node"), "nodeFormAdd", role="primary")
        self._test = button(self.tr("Test"), "nodeFormTest", self.tr("Test the way to the node"))
        self._network = button(
            self.tr("Proxy and mirrors…"), "nodeFormNetwork", self.tr("How the node gets to the outside")
        )
        self._folders = button(self.tr("Folders…"), "nodeFormFolders", self.tr("Where the node's folders lie"))
        self._build()
        self._connect()
        self._show_rows()  # a row that is not shown asks for no room

    def _connect(self) -> None:
        self._pasted.textChanged.connect(self._on_pasted)
        self._lines["name"].textEdited.connect(self._on_name_edited)
        self._lines["host"].textEdited.connect(self._on_host_edited)
        self._aliases.activated.connect(self._on_alias)
        self._way.currentIndexChanged.connect(self._show_rows)
        self._test.clicked.connect(self._on_test)
        self._network.clicked.connect(self._on_network)
        self._folders.clicked.connect(lambda: self.folders_wanted.emit(self._lines["name"].text()))
        self._add.clicked.connect(self._on_add)

    def start(self, node: NodeState | None) -> None:
        """Empty the form for a new node, or fill it with one that is known."""
        address = node.address if node is not None else None
        self._named_by_hand = address is not None
        self._local = node.name if node is not None and node.is_local else ""
        self._pasted.clear()
        for name, line in self._lines.items():
            if name != "pasted":
                line.setText(self._first(name, address))
        if node is not None:
            self._lines["group"].setText(node.labels.group)
            self._lines["tags"].setText(", ".join(node.labels.tags))
        self._lines["name"].setEnabled(address is None)
        self._test.setVisible(not self._local)
        self._folders.setVisible(node is not None and node.report is not None and bool(node.report.folders))
        self._add.setText(self.tr("Add node") if address is None else self.tr("Save"))
        self._fill_aliases()
        way = BUILT_IN
        if address is not None:
            way = COMMAND if address.kind == "command" else SYSTEM if address.program else BUILT_IN
        self._way.setCurrentIndex(way)
        self._network.setVisible(not self._local and not any(self._lines[name].text() for name in _NETWORK))
        self._show_rows()
        self._say("")
        self._key.show_key("")
        self._steps.clear()
        first = "group" if self._local else "host"
        (self._pasted if address is None else self._lines[first]).setFocus()

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
        value = getattr(address, name, "")
        return str(value) if value else ""

    def _fill_aliases(self) -> None:
        names = self._session.node_setup.aliases()
        self._aliases.clear()
        self._aliases.addItems([self.tr("Choose a name…"), *names])
        self._has_aliases = bool(names)

    def _show_rows(self) -> None:
        hidden = {"command"} if self._way.currentIndex() != COMMAND else set(_SSH_ONLY)
        if not self._has_aliases:
            hidden.add("alias")
        if not self._network.isHidden():
            hidden.update(_NETWORK)
        for name, widgets in self._rows.items():
            is_shown = name in _LABELS if self._local else name not in hidden
            for widget in widgets:
                widget.setVisible(is_shown)

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

    def _on_network(self) -> None:
        self._network.hide()
        self._show_rows()
        self._lines["proxy"].setFocus()

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
        name = self._local
        if not name:
            address = self._address()
            if address is None:
                return
            try:
                self._session.add_node(address)
            except ValueError as error:
                self._say(str(error))
                return
            name = address.name
        labels = Labels(" ".join(self._lines["group"].text().split()), tags_of(self._lines["tags"].text()))
        node = self._session.hosts.get(name)
        if node is not None and node.labels != labels:
            self._session.label_node(name, labels)
        self.done.emit(name)

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
            proxy, index, hub = (texts[each] for each in _NETWORK)
            return NodeAddress(
                name, "command", home=home, python=python, command=command, proxy=proxy, index=index, hub=hub
            )
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
            proxy=texts["proxy"],
            index=texts["index"],
            hub=texts["hub"],
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
        first: tuple[tuple[str, QLabel, QWidget], ...] = (
            ("pasted", pasted, self._pasted), ("alias", alias, self._aliases), ("way", way, self._way),
        )  # fmt: skip
        for number, (name, label, widget) in enumerate(first):
            grid.addWidget(label, number, 0)
            grid.addWidget(widget, number, 1, 1, 2)
            self._rows[name] = [label, widget]
        self._add_lines(grid)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(grid)
        layout.addWidget(self._network, 0, Qt.AlignmentFlag.AlignLeft)
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
            ("group", self.tr("Group"), self.tr("none")),
            ("tags", self.tr("Tags"), self.tr("with commas between them")),
            ("proxy", self.tr("Proxy there"), self.tr("as the node's own settings say")),
            ("index", self.tr("Index there"), self.tr("as the node's own settings say")),
            ("hub", self.tr("Hub there"), self.tr("as the node's own settings say")),
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
        bottom.addWidget(self._folders)
        bottom.addStretch(1)
        bottom.addWidget(cancel)
        bottom.addWidget(self._add)
        return bottom

    def _on_pick_key(self) -> None:
        ask_for_path(self, self.tr("Key file"), False, "", self._lines["identity_file"].setText)
