"""Every action, job and run by a few letters of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.ui.detail_painter import DETAIL, DetailPainter

_MOST = 200


class Command(NamedTuple):
    """Something that can be done: its words, its shortcut or kind, and what does it."""

    text: str
    detail: str
    do: Callable[[], object]


def match_rank(wanted: str, text: str) -> int | None:
    """Return how well the letters fit (smaller is better), None where they are not all there in their order."""
    text, wanted = text.casefold(), wanted.casefold().strip()
    at = text.find(wanted)
    if at >= 0:
        return at
    place, first = -1, -1
    for letter in wanted.replace(" ", ""):
        place = text.find(letter, place + 1)
        if place < 0:
            return None
        first = place if first < 0 else first
    return 1000 + place - first


class CommandPalette(QFrame):
    """A search field over the window with a list below; Return does the marked command, Escape closes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("commandPalette")
        self._commands: Sequence[Command] = ()
        self._shown: list[Command] = []
        self._before: QWidget | None = None
        self.search = QLineEdit()
        self.search.setObjectName("commandSearch")
        self.search.setPlaceholderText(self.tr("What do you want to do?"))
        self.search.setAccessibleName(self.tr("Search commands, jobs and runs"))
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setObjectName("commandList")
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setProperty("role", "plain")
        self.list.setItemDelegate(DetailPainter(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.hide()

    def open_with(self, commands: Sequence[Command]) -> None:
        """Open over the middle of the window with these commands."""
        window = self.window()
        self._commands = commands
        self._before = window.focusWidget()
        width, height = min(560, window.width() - 80), min(420, window.height() - 120)
        self.setGeometry((window.width() - width) // 2, 64, width, height)
        self.search.clear()
        self._fill("")
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        """Close and give the keyboard back."""
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self._before = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list, choose and close from the search field; close when the keyboard goes elsewhere."""
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self._before = None
            self.hide()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            key = Qt.Key(event.key())
            if key in step:
                row = self.list.currentRow() + step[key]
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._on_chosen()
                return True
            if key == Qt.Key.Key_Escape:
                self.close_palette()
                return True
        return False

    def _fill(self, wanted: str) -> None:
        ranked = [(rank, place) for place, command in enumerate(self._commands)
                  if (rank := match_rank(wanted, command.text)) is not None]  # fmt: skip
        self._shown = [self._commands[place] for _, place in sorted(ranked)[:_MOST]]
        self.list.clear()
        for command in self._shown:
            item = QListWidgetItem(command.text)
            item.setData(DETAIL, command.detail)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _on_chosen(self, *_: object) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._shown):
            command = self._shown[row]
            self.close_palette()
            command.do()
