"""The runs of the library as a table model: only the cells that are looked at are ever put into words."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from studio.state.library import RunEntry
from studio.state.run_index import JOB, Found, RunIndex
from studio.ui import icons, words
from studio.ui.pieces import as_plain_tip
from studio.ui.sidebar_rows import RUN_ICONS
from studio.ui.translation import told

Index = QModelIndex | QPersistentModelIndex
TAGS, GROUP, NOTE = "tags", "group", "note"
LABELS = (TAGS, GROUP, NOTE)
"""The columns that a person writes in."""

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_TOLD = frozenset((
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.TextAlignmentRole,
    Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.ToolTipRole,
))  # fmt: skip
_ICON_PX = 15
_NOWHERE = QModelIndex()


class Column(NamedTuple):
    """A column: the field of `RunIndex` it shows, its heading, its width in pixels, and whether it holds numbers."""

    field: str
    heading: str
    width_px: int
    is_number: bool = False


class RunTable(QAbstractTableModel):
    """The runs that a search found, in the order of a column.

    ``label_written`` carries a field of `LABELS`, the id of the run it was written at, and the text.
    """

    label_written = Signal(str, str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = (
            Column("name", self.tr("Name"), 118),
            Column("state", self.tr("State"), 96),
            Column(JOB, self.tr("Job"), 92),
            Column("node", self.tr("Node"), 104),
            Column("loss", self.tr("Loss"), 56, True),
            Column("best_held_out", self.tr("Best held-out"), 90, True),
            Column("tokens_per_s", self.tr("Tokens/s"), 68, True),
            Column("tflops", self.tr("TFLOP/s"), 62, True),
            Column("mfu", self.tr("MFU"), 58, True),
            Column("started", self.tr("Started"), 146),
            Column(TAGS, self.tr("Tags"), 90),
            Column(GROUP, self.tr("Group"), 72),
            Column(NOTE, self.tr("Note"), 48),
        )
        self.index_of_runs = RunIndex((), {})
        self._query, self._archived = "", False
        self._sorted_by, self._descending = "started", True
        self._rows: list[int] = []

    # what is shown

    def show_index(self, index: RunIndex) -> Found:
        """Show other runs, or the same as they are now, under the same search and order."""
        same = len(index.runs) == len(self.index_of_runs.runs) and index.runs != ()
        before = [self.index_of_runs.runs[row].run_id for row in self._rows] if same else []
        self.index_of_runs = index
        found = index.find(self._query, self._archived)
        rows = index.ordered(found.rows, self._sorted_by, self._descending)
        if same and before == [index.runs[row].run_id for row in rows]:
            self._rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.columns) - 1))
        else:
            self._replace(rows)
        return found

    def search(self, query: str, archived: bool) -> Found:
        """Show the runs that a search finds."""
        self._query, self._archived = query, archived
        found = self.index_of_runs.find(query, archived)
        self._replace(self.index_of_runs.ordered(found.rows, self._sorted_by, self._descending))
        return found

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column; what has nothing there comes last."""
        if not 0 <= column < len(self.columns):
            return
        self._sorted_by = self.columns[column].field
        self._descending = order == Qt.SortOrder.DescendingOrder
        self.layoutAboutToBeChanged.emit()
        before, chosen = self._rows, self.persistentIndexList()
        self._rows = self.index_of_runs.ordered(sorted(before), self._sorted_by, self._descending)
        place = {row: place for place, row in enumerate(self._rows)} if chosen else {}
        moved = [self.index(place[before[each.row()]], each.column()) for each in chosen]
        self.changePersistentIndexList(chosen, moved)
        self.layoutChanged.emit()

    def _replace(self, rows: list[int]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    # what it is asked for

    def run_at(self, row: int) -> RunEntry:
        """Return the run in a row of the table."""
        return self.index_of_runs.runs[self._rows[row]]

    def rows_of(self, run_ids: Iterable[str]) -> list[int]:
        """Return the rows of those runs that are shown."""
        wanted = set(run_ids)
        runs = self.index_of_runs.runs
        return [place for place, row in enumerate(self._rows) if runs[row].run_id in wanted] if wanted else []

    def column_of(self, field: str) -> int:
        """Return the number of a column. Raises ValueError for a field that has none."""
        return [column.field for column in self.columns].index(field)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many runs are shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's heading."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if self.columns[section].is_number else _LEFT
        return self.columns[section].heading if role == Qt.ItemDataRole.DisplayRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let a person write in the labels' columns."""
        flags = super().flags(index)
        if index.isValid() and self.columns[index.column()].field in LABELS:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's words, its icon, its side, or what the pointer over it tells."""
        if role not in _TOLD or not index.isValid():
            return None
        column, run = self.columns[index.column()], self.run_at(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.EditRole:
            return str(self._value(index.row(), column))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.is_number else _LEFT
        if role == Qt.ItemDataRole.DecorationRole and column.field == "state":
            return icons.pixmap(*RUN_ICONS.get(run.state, ("hourglass-medium", "muted")), _ICON_PX, 2.0)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(index.row(), column)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Hand over what a person wrote; the library's change brings it back."""
        if role != Qt.ItemDataRole.EditRole or str(value) == self.data(index, role):
            return False
        self.label_written.emit(self.columns[index.column()].field, self.run_at(index.row()).run_id, str(value))
        return True

    def text(self, row: int, column: int) -> str:
        """Return a cell as people say it, empty where nothing is known; one line."""
        field, value = self.columns[column].field, self._value(row, self.columns[column])
        if isinstance(value, float):
            if not math.isfinite(value):
                return ""
            match field:
                case "started":
                    return _moment(value)
                case "tokens_per_s":
                    return words.count(value)
                case "tflops":
                    return words.short_number(float(f"{value:.3g}"))
                case "mfu":
                    return f"⚠ {words.percent(value)}" if value > 1.0 else words.percent(value)
            return f"{value:.4g}"
        if field == "state":
            return words.run_state(str(value))
        return told(str(value)) if field == "node" else " ".join(str(value).split())

    def as_tsv(self, rows: Iterable[int]) -> str:
        """Return rows as tab-separated text with the headings."""
        lines = ["\t".join(column.heading for column in self.columns)]
        lines += ["\t".join(self.text(row, column) for column in range(len(self.columns))) for row in rows]
        return "\n".join(lines) + "\n"

    def _value(self, row: int, column: Column) -> str | float | int | bool | None:
        return self.index_of_runs.value(self._rows[row], column.field)

    def _tip(self, row: int, column: Column) -> str | None:
        value, run = self._value(row, column), self.run_at(row)
        if column.field == "name":
            return as_plain_tip(f"{run.name or run.run_id}\n{run.run_id}")
        if column.field == "state" and run.note:
            return as_plain_tip(told(run.note))
        if column.is_number:
            number = float(value or 0.0)
            if column.field == "mfu" and number > 1.0:
                return self.tr("Above the GPU's peak. Tokens, time or the kind of GPU must be wrong.")
            return as_plain_tip(words.exact_float(number)) if math.isfinite(number) else None
        return as_plain_tip(str(value)) if value and isinstance(value, str) else None


def _moment(seconds: float) -> str:
    """Return a time as date and minute of the day here, empty for none."""
    if not seconds:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
