"""A table of job fields and their values side by side, copied as tab-separated text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem

from studio.ui.pieces import PLAIN_CORNER, as_plain_tip

_BESIDE_PX, _ABOVE_AND_BELOW_PX = 18, 13


class FieldRow(NamedTuple):
    """A row: its cells, and the field path that is told on hover."""

    cells: tuple[str, ...]
    tip: str = ""


class FieldTable(QTableWidget):
    """Read-only rows under headings; columns that do not ``stretch`` over what is left are as wide as they need.

    Texts wrap where their column is too narrow for them.
    Without a choice all but the first stretch; where none does, the table scrolls to the side.
    """

    def __init__(self, headings: Sequence[str], name: str, spoken: str, stretch: Sequence[int] | None = None) -> None:
        super().__init__(0, len(headings))
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setHorizontalHeaderLabels(list(headings))
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QTableView::item { padding: 0 4px; }" + PLAIN_CORNER)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setWordWrap(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        # a sentence takes as many lines as its column's width, which is known once the table is laid out, asks for
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._fit_rows)
        header.sectionResized.connect(lambda *_: self._soon.start())
        fitting, stretching = QHeaderView.ResizeMode.ResizeToContents, QHeaderView.ResizeMode.Stretch
        wide = range(1, len(headings)) if stretch is None else stretch
        for column in range(len(headings)):
            header.setSectionResizeMode(column, stretching if column in wide else fitting)
        copy = QAction(self.tr("Copy"), self)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_rows)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def show_rows(self, rows: Sequence[FieldRow]) -> None:
        """Replace the rows."""
        self.setRowCount(len(rows))
        for place, row in enumerate(rows):
            for column, text in enumerate(row.cells):
                item = QTableWidgetItem(text.replace("\n", "; "))
                item.setToolTip(as_plain_tip("\n".join(part for part in (text, row.tip) if part)))
                self.setItem(place, column, item)
        self._soon.start()

    def _fit_rows(self) -> None:
        """Make every row as high as its texts need at the columns' widths; Qt's own measure leaves the padding out."""
        metrics = self.fontMetrics()
        for row in range(self.rowCount()):
            heights = [
                metrics.boundingRect(
                    QRect(0, 0, max(1, self.columnWidth(column) - _BESIDE_PX), 1 << 16),
                    Qt.TextFlag.TextWordWrap,
                    self._text(row, column),
                ).height()
                for column in range(self.columnCount())
            ]
            self.setRowHeight(row, max(heights, default=0) + _ABOVE_AND_BELOW_PX)

    def as_rows(self) -> list[list[str]]:
        """Return the headings and then every row, as texts."""
        return [self._headings(), *(self._cells(row) for row in range(self.rowCount()))]

    def as_tsv(self) -> str:
        """Return the selected rows, or all where none is selected, as tab-separated text with the headings."""
        chosen = sorted({index.row() for index in self.selectedIndexes()}) or range(self.rowCount())
        lines = [self._headings(), *(self._cells(row) for row in chosen)]
        return "\n".join("\t".join(cell.replace("\t", " ") for cell in line) for line in lines) + "\n"

    def _headings(self) -> list[str]:
        found = (self.horizontalHeaderItem(column) for column in range(self.columnCount()))
        return [item.text() if item is not None else "" for item in found]

    def _cells(self, row: int) -> list[str]:
        return [self._text(row, column) for column in range(self.columnCount())]

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return item.text() if item is not None else ""

    def copy_rows(self) -> None:
        """Copy the rows to the clipboard."""
        QGuiApplication.clipboard().setText(self.as_tsv())
