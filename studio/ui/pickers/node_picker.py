"""Chooses the machine a run goes to, and adds machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.node_folders import proposed_folders
from studio.state.node import NO_LABELS, NodeState, in_groups
from studio.ui import icons
from studio.ui.pickers.folders_panel import FoldersPanel
from studio.ui.pickers.node_form import NodeForm
from studio.ui.pickers.node_words import LINK_ICONS, address_words, hardware_words, link_word
from studio.ui.pickers.popup import Popup
from studio.ui.pieces import ElidedLabel, button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_NAME = Qt.ItemDataRole.UserRole
_ROW_HEIGHT, _GROUP_HEIGHT = 52, 26
_FEW = 6
_FOLDERS = 2


class NodePicker(Popup):
    """The list of nodes with their state; Enter or a click chooses, and a form adds or edits one."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(self.tr("Node"), "nodePicker", parent)
        self._session = session
        self._list = QListWidget()
        self._list.setObjectName("nodeList")
        self._list.setAccessibleName(self.tr("Nodes"))
        self._list.setMinimumHeight(4 * _ROW_HEIGHT)
        self._filter = QLineEdit()
        self._filter.setObjectName("nodeFilter")
        self._filter.setPlaceholderText(self.tr("Name, group or tag"))
        self._filter.setAccessibleName(self.tr("Filter the nodes"))
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._fill)
        self._filter.returnPressed.connect(self._on_filter_taken)
        self._said = plain_label("", "muted", "nodeProblem", wraps=True)
        self._said.setMinimumHeight(32)
        self._form = NodeForm(session)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._list_page())
        self._stack.addWidget(self._form)
        self._folders = FoldersPanel(session)
        self._stack.addWidget(self._folders)
        self.body.addWidget(self._stack, 1)
        self._list.itemActivated.connect(self._on_activated)
        self._list.itemClicked.connect(self._on_activated)
        self._list.currentItemChanged.connect(self._show_said)
        self._form.done.connect(self._on_form_done)
        self._form.cancelled.connect(lambda: self._stack.setCurrentIndex(0))
        self._form.folders_wanted.connect(self.show_folders)
        self._folders.done.connect(lambda: self._stack.setCurrentIndex(0))
        self._folders.cancelled.connect(lambda: self._stack.setCurrentIndex(1))
        self._stack.currentChanged.connect(self._on_page)
        session.hosts.changed.connect(self._fill)
        self._fill()

    def show_form(self, name: str = "") -> None:
        """Show the form for a new node, or for one that is known."""
        node = self._session.hosts.get(name) if name else None
        self._form.start(node)
        self._stack.setCurrentIndex(1)

    def show_folders(self, name: str) -> None:
        """Show where the folders of a node's agent lie."""
        self._folders.start(name)
        self._stack.setCurrentIndex(_FOLDERS)

    def _list_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._filter)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._said)
        row = QHBoxLayout()
        row.setSpacing(8)
        add = button(self.tr("Add a node…"), "addNodeButton", self.tr("Add a node"))
        icons.set_icon(add, "plus", "text")
        add.clicked.connect(lambda: self.show_form())
        self._probe = button(self.tr("Ask again"), "probeNodeButton", self.tr("Ask the node what it has"))
        self._probe.clicked.connect(lambda: self._with_current(self._session.probe_node))
        self._edit = button(self.tr("Edit…"), "editNodeButton", self.tr("Edit the node"))
        self._edit.clicked.connect(lambda: self._with_current(self.show_form))
        self._remove = button(
            self.tr("Remove"), "removeNodeButton", self.tr("Forget the node; nothing on it is touched")
        )
        self._remove.clicked.connect(lambda: self._with_current(self._session.remove_node))
        row.addWidget(add)
        row.addStretch(1)
        for one in (self._probe, self._edit, self._remove):
            row.addWidget(one)
        layout.addLayout(row)
        return page

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from the filter into the list with the arrow."""
        if event.key() == Qt.Key.Key_Down and self._filter.hasFocus():
            self._list.setFocus()
        else:
            super().keyPressEvent(event)

    def _on_page(self, number: int) -> None:
        self.heading.setText(self.tr("Folders") if number == _FOLDERS else self.tr("Node"))

    def _fill(self) -> None:
        chosen = self._current_name() or self._session.node_name
        nodes = list(self._session.hosts)
        self._filter.setVisible(len(nodes) > _FEW or any(node.labels != NO_LABELS for node in nodes))
        wanted = self._filter.text().strip().casefold()
        self._list.blockSignals(True)
        self._list.clear()
        for group, members in in_groups(nodes):
            shown = [node for node in members if wanted in f"{told(node.name)} {node.labels.searched}".casefold()]
            if group and shown:
                self._add_group(group)
            for node in shown:
                self._add_node(node, node.name == chosen)
        if self._list.currentItem() is None and self._list.count():
            self._list.setCurrentRow(next(row for row in range(self._list.count()) if self._name_at(row)))
        self._list.blockSignals(False)
        self._show_said()

    def _add_group(self, group: str) -> None:
        item = QListWidgetItem()
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, group)
        item.setSizeHint(QSize(0, _GROUP_HEIGHT))
        self._list.addItem(item)
        title = plain_label(group, "caption")
        title.setContentsMargins(8, 6, 8, 0)
        self._list.setItemWidget(item, title)

    def _add_node(self, node: NodeState, is_current: bool) -> None:
        item = QListWidgetItem()
        item.setData(_NAME, node.name)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, _spoken(node))
        item.setSizeHint(QSize(0, _ROW_HEIGHT))
        self._list.addItem(item)
        self._list.setItemWidget(item, _NodeRow(node, node.name == self._session.node_name))
        if is_current:
            self._list.setCurrentItem(item)

    def _name_at(self, row: int) -> str:
        return str(self._list.item(row).data(_NAME) or "")

    def _show_said(self) -> None:
        node = self._session.hosts.get(self._current_name())
        problems = [node.problem, *(node.report.problems if node.report is not None else ())] if node else []
        if node is not None and node.report is not None and proposed_folders(node.report):
            problems.append(
                self.tr("Some of its folders would last longer or have more room elsewhere (Edit, Folders).")
            )
        self._said.setText(" ".join(problem for problem in problems if problem))
        for one in (self._probe, self._edit):
            one.setEnabled(node is not None)
        self._remove.setEnabled(node is not None and not node.is_local)

    def _current_name(self) -> str:
        item = self._list.currentItem()
        return str(item.data(_NAME) or "") if item is not None else ""

    def _with_current(self, verb: object) -> None:
        name = self._current_name()
        if name and callable(verb):
            verb(name)

    def _on_activated(self, item: QListWidgetItem) -> None:
        name, session = str(item.data(_NAME) or ""), self._session
        if name:
            self.close()
            session.choose_node(name)

    def _on_filter_taken(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            self._on_activated(item)

    def _on_form_done(self, name: str) -> None:
        session = self._session
        self.close()
        session.choose_node(name)


class _NodeRow(QWidget):
    """Icon, name and state over hardware and address."""

    def __init__(self, node: NodeState, is_chosen: bool) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        icon, token = LINK_ICONS.get(node.link, ("circle", "muted"))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(plain_label(told(node.name), "strong" if is_chosen else ""))
        head.addWidget(plain_label(link_word(node.link), "caption"))
        head.addStretch(1)
        if is_chosen:
            head.addWidget(plain_label(self.tr("chosen"), "caption"))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addLayout(head)
        tags = ", ".join(node.labels.tags)
        facts = [hardware_words(node.report), address_words(node) if not node.is_local else "", tags]
        said = "  ·  ".join(fact for fact in facts if fact)
        if said:
            texts.addWidget(ElidedLabel(said, "caption"))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        mark: QLabel = icons.pixmap_label(icon, token, 16)
        row.addWidget(mark)
        row.addLayout(texts, 1)


def _spoken(node: NodeState) -> str:
    parts = (told(node.name), link_word(node.link), hardware_words(node.report), *node.labels.tags)
    return ", ".join(part for part in parts if part)
