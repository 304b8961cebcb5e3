"""Chooses the machine a run goes to, and adds machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from studio.state.node import NodeState
from studio.ui import icons
from studio.ui.pickers.node_form import NodeForm
from studio.ui.pickers.node_words import LINK_ICONS, address_words, hardware_words, link_word
from studio.ui.pickers.popup import Popup
from studio.ui.pieces import ElidedLabel, button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_NAME = Qt.ItemDataRole.UserRole
_ROW_HEIGHT = 52


class NodePicker(Popup):
    """The list of nodes with their state; Enter or a click chooses, and a form adds or edits one."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(self.tr("Node"), "nodePicker", parent)
        self._session = session
        self._list = QListWidget()
        self._list.setObjectName("nodeList")
        self._list.setAccessibleName(self.tr("Nodes"))
        self._list.setMinimumHeight(4 * _ROW_HEIGHT)
        self._said = plain_label("", "muted", "nodeProblem", wraps=True)
        self._said.setMinimumHeight(32)
        self._form = NodeForm(session)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._list_page())
        self._stack.addWidget(self._form)
        self.body.addWidget(self._stack, 1)
        self._list.itemActivated.connect(self._on_activated)
        self._list.itemClicked.connect(self._on_activated)
        self._list.currentItemChanged.connect(self._show_said)
        self._form.done.connect(self._on_form_done)
        self._form.cancelled.connect(lambda: self._stack.setCurrentIndex(0))
        session.hosts.changed.connect(self._fill)
        self._fill()

    def show_form(self, name: str = "") -> None:
        """Show the form for a new node, or for one that is known."""
        node = self._session.hosts.get(name) if name else None
        self._form.start(node.address if node is not None else None)
        self._stack.setCurrentIndex(1)

    def _list_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
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

    def _fill(self) -> None:
        chosen = self._current_name() or self._session.node_name
        self._list.blockSignals(True)
        self._list.clear()
        for node in self._session.hosts:
            item = QListWidgetItem()
            item.setData(_NAME, node.name)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, _spoken(node))
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            self._list.addItem(item)
            self._list.setItemWidget(item, _NodeRow(node, node.name == self._session.node_name))
            if node.name == chosen:
                self._list.setCurrentItem(item)
        self._list.blockSignals(False)
        self._show_said()

    def _show_said(self) -> None:
        node = self._session.hosts.get(self._current_name())
        problems = [node.problem, *(node.report.problems if node.report is not None else ())] if node else []
        self._said.setText(" ".join(problem for problem in problems if problem))
        for one in (self._probe, self._edit):
            one.setEnabled(node is not None)
        self._edit.setEnabled(node is not None and not node.is_local)
        self._remove.setEnabled(node is not None and not node.is_local)

    def _current_name(self) -> str:
        item = self._list.currentItem()
        return str(item.data(_NAME)) if item is not None else ""

    def _with_current(self, verb: object) -> None:
        name = self._current_name()
        if name and callable(verb):
            verb(name)

    def _on_activated(self, item: QListWidgetItem) -> None:
        name, session = str(item.data(_NAME)), self._session
        self.close()
        session.choose_node(name)

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
        facts = [hardware_words(node.report), address_words(node) if not node.is_local else ""]
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
    return ", ".join(part for part in (told(node.name), link_word(node.link), hardware_words(node.report)) if part)
