"""What the ranks print: rank by rank, followed to the end, searched; appended in batches of plain text."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QTextCursor, QTextDocument
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.pieces import PLAIN_CORNER, button, labelled_switch, plain_label

if TYPE_CHECKING:
    from studio.state.run import RunState

KEPT_LINES = 20_000
ALL_RANKS = -1


class LogView(QWidget):
    """The log of one run. It costs nothing while it is hidden: what came in meanwhile is appended on being shown."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._run: RunState | None = None
        self._taken = 0
        self._text = QPlainTextEdit()
        self._text.setObjectName(name + "Text")
        self._text.setAccessibleName(self.tr("Log lines"))
        self._text.setReadOnly(True)
        self._text.setUndoRedoEnabled(False)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setMaximumBlockCount(KEPT_LINES)
        self._text.setFont(theme.mono_font(12))
        self._text.setProperty("role", "mono")
        self._text.setStyleSheet(PLAIN_CORNER)
        self._text.setTabChangesFocus(True)
        self._search = QLineEdit()
        self._search.setObjectName(name + "Search")
        self._search.setPlaceholderText(self.tr("Find in the log"))
        self._search.setAccessibleName(self.tr("Find in the log"))
        self._search.setClearButtonEnabled(True)
        self._search.setMaximumWidth(220)
        self._found = plain_label("", "caption")
        self._rank = QComboBox()
        self._rank.setObjectName(name + "Rank")
        self._rank.setAccessibleName(self.tr("Which process's lines are shown"))
        self._follow, self._follow_row = labelled_switch(self.tr("Follow"), name + "Follow")
        self._follow.setChecked(True)
        self._build()
        self._wire()

    def show_run(self, run: RunState | None) -> None:
        """Show another run's log from its start."""
        self._run = run
        self._rank.blockSignals(True)
        self._rank.clear()
        self._rank.addItem(self.tr("All processes"), ALL_RANKS)
        self._rank.blockSignals(False)
        self._start_over()

    def refresh(self) -> None:
        """Append what the run has logged since; nothing is done while the view is hidden."""
        if self._run is None or not self.isVisible():
            return
        came = self._run.log_count - self._taken
        if came <= 0:
            return
        log = self._run.log
        self._taken = self._run.log_count
        fresh = list(islice(log, max(0, len(log) - came), None))
        self._list_ranks({rank for rank, _ in fresh})
        only = self._rank.currentData()
        several = self._rank.count() > 2
        lines = [f"{rank} | {line}" if several and only == ALL_RANKS else line
                 for rank, line in fresh[-KEPT_LINES:] if only in (ALL_RANKS, rank)]  # fmt: skip
        if lines:
            self._append("\n".join(lines))

    def _append(self, text: str) -> None:
        bar = self._text.verticalScrollBar()
        place = bar.value()
        self._text.appendPlainText(text)
        bar.setValue(bar.maximum() if self._follow.isChecked() else place)

    def _start_over(self) -> None:
        self._text.clear()
        self._taken = 0
        self.refresh()

    def _list_ranks(self, ranks: set[int]) -> None:
        for rank in sorted(ranks):
            if self._rank.findData(rank) < 0:
                self._rank.addItem(self.tr("Process {rank}").format(rank=rank), rank)
        self._rank.setVisible(self._rank.count() > 2)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._next = button(self.tr("Next"), self.objectName() + "Next", self.tr("Find the next place"))
        row.addWidget(self._search)
        row.addWidget(self._next)
        row.addWidget(self._found)
        row.addStretch(1)
        row.addWidget(self._rank)
        row.addWidget(self._follow_row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self._text, 1)
        self._rank.hide()

    def _wire(self) -> None:
        self._rank.currentIndexChanged.connect(self._start_over)
        self._follow.toggled.connect(self._on_follow)
        self._search.textChanged.connect(self._on_search_changed)
        self._search.returnPressed.connect(self._find_next)
        self._next.clicked.connect(self._find_next)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self._search.setFocus)

    def _on_follow(self, on: bool) -> None:
        if on:
            bar = self._text.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _on_search_changed(self) -> None:
        cursor = self._text.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._text.setTextCursor(cursor)
        self._find_next()

    def _find_next(self) -> None:
        """Go to the next place upwards, and round again from the end."""
        wanted = self._search.text()
        self._found.setText("")
        if not wanted:
            return
        self._follow.setChecked(False)
        upwards = QTextDocument.FindFlag.FindBackward
        if self._text.find(wanted, upwards):
            return
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        if not self._text.find(wanted, upwards):
            self._found.setText(self.tr("not found"))
