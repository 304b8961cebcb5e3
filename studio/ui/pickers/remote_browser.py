"""The folders and files of a node, one folder at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QToolButton, QVBoxLayout, QWidget

from studio.ui import icons, words
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session

_NAME, _IS_FOLDER = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class RemoteBrowser(QWidget):
    """Asks the node for one folder after the other; ``chosen`` carries the absolute path of what was picked.

    With ``folders_only`` files are listed, so that one knows where one is, but cannot be picked.
    """

    chosen = Signal(str)

    def __init__(self, session: Session, node: str, name: str, folders_only: bool) -> None:
        super().__init__()
        self.setObjectName(name)
        self._session, self._node, self._folders_only = session, node, folders_only
        self._questions = 0
        self._open: set[int] = set()
        self._here = ""
        self._parent_path = ""
        self._path = QLineEdit()
        self._path.setObjectName(name + "Path")
        self._path.setAccessibleName(self.tr("Path on the node"))
        self._path.setPlaceholderText("~")
        self._up = QToolButton()
        self._up.setObjectName(name + "Up")
        self._up.setAccessibleName(self.tr("To the folder above"))
        self._up.setToolTip(self.tr("To the folder above"))
        icons.set_icon(self._up, "arrow-up", "text")
        self._list = QListWidget()
        self._list.setObjectName(name + "List")
        self._list.setAccessibleName(self.tr("Folders and files"))
        self._list.setMinimumHeight(200)
        self._list.setStyleSheet("QListView::item { padding: 4px 8px; }")
        self._said = plain_label("", "caption", name + "Words", wraps=True)
        text = self.tr("Use this folder") if folders_only else self.tr("Use what is selected")
        self._use = button(text, name + "Use", role="primary")
        self._build()
        self._path.returnPressed.connect(lambda: self.go(self._path.text()))
        self._up.clicked.connect(lambda: self.go(self._parent_path))
        self._list.itemActivated.connect(self._on_activated)
        self._list.currentItemChanged.connect(self._on_current)
        self._use.clicked.connect(self._on_use)
        self._on_current()
        # an answer may come when the popup is long closed
        still_open = self._open
        self.destroyed.connect(lambda: still_open.clear())

    def go(self, path: str) -> None:
        """Ask for a folder; the answer of an older question is passed over."""
        self._questions += 1
        question, still_open = self._questions, self._open
        still_open.clear()
        still_open.add(question)
        self._said.setText(self.tr("Asking {node}…").format(node=self._node))
        self._session.browse(
            self._node,
            path or "~",
            lambda listing: self._on_listing(listing) if question in still_open else None,
            lambda sentence: self._said.setText(sentence) if question in still_open else None,
        )

    @property
    def here(self) -> str:
        """The folder that is shown, empty before the first answer."""
        return self._here

    def _on_listing(self, listing: dict[str, Any]) -> None:
        self._here, self._parent_path = str(listing["path"]), str(listing.get("parent") or "")
        self._path.setText(self._here)
        self._up.setEnabled(bool(self._parent_path) and self._parent_path != self._here)
        self._list.clear()
        for entry in listing["entries"]:
            is_folder = bool(entry["is_dir"])
            size = "" if is_folder else f"    {words.size(entry['size_bytes'])}"
            item = QListWidgetItem(f"{entry['name']}/" if is_folder else f"{entry['name']}{size}")
            item.setData(_NAME, str(entry["name"]))
            item.setData(_IS_FOLDER, is_folder)
            if self._folders_only and not is_folder:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsSelectable)
            self._list.addItem(item)
        self._said.setText("" if listing["entries"] else self.tr("This folder is empty."))
        self._on_current()

    def _on_activated(self, item: QListWidgetItem) -> None:
        path = self._below(item)
        if item.data(_IS_FOLDER):
            self.go(path)
        elif not self._folders_only:
            self.chosen.emit(path)

    def _on_current(self) -> None:
        self._use.setEnabled(bool(self._here))

    def _on_use(self) -> None:
        item = self._list.currentItem()
        if item is not None and (item.data(_IS_FOLDER) or not self._folders_only):
            self.chosen.emit(self._below(item))
        elif self._here:
            self.chosen.emit(self._here)

    def _below(self, item: QListWidgetItem) -> str:
        return self._here.rstrip("/") + "/" + str(item.data(_NAME))

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._path, 1)
        top.addWidget(self._up)
        bottom = QHBoxLayout()
        bottom.addWidget(self._said, 1)
        bottom.addWidget(self._use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._list, 1)
        layout.addLayout(bottom)
