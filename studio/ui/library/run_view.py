"""The view of the runs' table: rows are chosen whole, labels are written in place for all chosen runs."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QCompleter,
    QFrame,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from studio.ui.library.run_table import GROUP, NOTE, RunTable
from studio.ui.pieces import PLAIN_CORNER

_ROW_PX = 30


class RunView(QTableView):
    """The table; ``opened`` carries the id of a run that was double-clicked or met Return."""

    opened = Signal(str)
    delete_wanted = Signal()
    edited = Signal()

    def __init__(self, table: RunTable) -> None:
        super().__init__()
        self._table = table
        self.setObjectName("runTable")
        self.setAccessibleName(self.tr("Runs of the library"))
        self.setModel(table)
        self.setStyleSheet("QTableView::item { padding: 0 4px; }" + PLAIN_CORNER)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setStretchLastSection(True)
        header.setSortIndicator(table.column_of("started"), Qt.SortOrder.DescendingOrder)
        for number, column in enumerate(table.columns):
            self.setColumnWidth(number, column.width_px)
        self.setSortingEnabled(True)
        writer = _LabelWriter(self)
        writer.closeEditor.connect(self._on_editor_closed)
        self.setItemDelegate(writer)
        self.doubleClicked.connect(lambda index: self.opened.emit(table.run_at(index.row()).run_id))

    @property
    def is_editing(self) -> bool:
        """Whether a label is being written, which a refresh would take away."""
        return self.state() == QAbstractItemView.State.EditingState

    def chosen_ids(self) -> list[str]:
        """Return the ids of the chosen runs, from top to bottom."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._table.run_at(row).run_id for row in rows]

    def choose(self, run_ids: Iterable[str]) -> None:
        """Mark the runs that are shown of these, and no others."""
        rows = self._table.rows_of(run_ids)
        selection, last = QItemSelection(), len(self._table.columns) - 1
        for row in rows:
            selection.select(self._table.index(row, 0), self._table.index(row, last))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if rows:
            self.selectionModel().setCurrentIndex(
                self._table.index(rows[0], 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )

    def write_label(self, field: str) -> None:
        """Open the cell of a label of the chosen run that has the keyboard, to write in it."""
        rows = [index.row() for index in self.selectionModel().selectedRows()]
        if not rows:
            return
        row = self.currentIndex().row() if self.currentIndex().row() in rows else min(rows)
        cell = self._table.index(row, self._table.column_of(field))
        self.selectionModel().setCurrentIndex(cell, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.scrollTo(cell)
        self.edit(cell)

    def copy_rows(self) -> None:
        """Copy the chosen rows with the headings to the clipboard."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self._table.as_tsv(rows))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Return, delete with Delete, copy with the copy key; else as usual."""
        current = self.currentIndex()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_rows()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current.isValid() and not self.is_editing:
            self.opened.emit(self._table.run_at(current.row()).run_id)
        elif event.key() == Qt.Key.Key_Delete and self.selectionModel().hasSelection():
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _on_editor_closed(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        self.edited.emit()


class _LabelWriter(QStyledItemDelegate):
    """Gives a label's cell a field that knows what was written before."""

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        """Return the field; tags are apart by commas, groups are offered again."""
        table = index.model()
        assert isinstance(table, RunTable)
        column = table.columns[index.column()]
        field = QLineEdit(parent)
        field.setAccessibleName(column.heading)
        if column.field == GROUP:
            known = {str(value) for value in table.index_of_runs.column(GROUP) if value}
            field.setCompleter(QCompleter(sorted(known), field))
            field.setPlaceholderText(self.tr("a group's name"))
        elif column.field == NOTE:
            field.setPlaceholderText(self.tr("a note"))
        else:
            field.setPlaceholderText(self.tr("tag, another tag"))
        return field
