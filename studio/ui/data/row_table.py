"""The rows of the file as a table model that asks for a row only when it is about to be seen."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer

from remote_agent.contract.data_report import RowView

if TYPE_CHECKING:
    from studio.session.session import Session

PAGE_ROWS = 50
KEPT_ROWS = 4000
_PAGES_KEPT_WAITING = 3
_CELL_CHARACTERS = 160
NUMBER, PROMPT, RESPONSE, TOKENS = range(4)

Index = QModelIndex | QPersistentModelIndex


class RowTable(QAbstractTableModel):
    """Rows 0 … n - 1 of the source file. A row that is not here yet reads "…" and is asked for, a page at a time."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._count = 0
        self._rows: OrderedDict[int, RowView] = OrderedDict()
        self._wanted: list[int] = []
        self._asked = -1
        self._failed = False
        self._ask_soon = QTimer(self)
        self._ask_soon.setSingleShot(True)
        self._ask_soon.setInterval(0)
        self._ask_soon.timeout.connect(self._ask)
        session.rows_loaded.connect(self._on_rows_loaded)
        session.rows_failed.connect(self._on_rows_failed)

    def set_count(self, count: int) -> None:
        """Start over with a file of so many rows; what was loaded is forgotten."""
        self.beginResetModel()
        self._count = count
        self._rows.clear()
        self._wanted.clear()
        self._asked = -1
        self._failed = False
        self.endResetModel()

    def row(self, number: int) -> RowView | None:
        """Return a row, or None where it is not here yet (it is asked for then)."""
        found = self._rows.get(number)
        if found is None and 0 <= number < self._count:
            self._want(number)
        return found

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows of the file."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the words over the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            across = Qt.AlignmentFlag.AlignRight if section in (NUMBER, TOKENS) else Qt.AlignmentFlag.AlignLeft
            return across | Qt.AlignmentFlag.AlignVCenter
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Row"), self.tr("Prompt"), self.tr("Response"), self.tr("Tokens"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell; reading one that is not loaded asks for its page."""
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in (NUMBER, TOKENS):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        if index.column() == NUMBER:
            return None if role == Qt.ItemDataRole.ToolTipRole else str(index.row())
        row = self.row(index.row())
        if row is None:
            return "…"
        if role == Qt.ItemDataRole.ToolTipRole:
            return None
        return self._cell(row, index.column())

    def _cell(self, row: RowView, column: int) -> str:
        if column == TOKENS:
            return str(len(row.tokens))
        if row.problem and column == PROMPT:
            return row.problem
        answers = [turn.content for turn in row.turns if turn.role == "assistant"]
        asked = [turn.content for turn in row.turns if turn.role not in ("assistant", "system")]
        texts = answers if column == RESPONSE else (asked or [row.text])
        return one_line(texts[0]) if texts else ""

    def _want(self, number: int) -> None:
        """Note the page of a row; the page wanted last is asked for first, and pages scrolled past are let go."""
        page = number // PAGE_ROWS
        if self._failed or page == self._asked:
            return
        if page in self._wanted:
            self._wanted.remove(page)
        self._wanted = [*self._wanted[-(_PAGES_KEPT_WAITING - 1) :], page]
        if self._asked < 0:
            self._ask_soon.start()

    def _ask(self) -> None:
        """Ask for one page: the session gives up an older question for a newer one."""
        if self._wanted and self._asked < 0:
            self._asked = self._wanted.pop()
            start = self._asked * PAGE_ROWS
            self._session.load_rows(start, min(PAGE_ROWS, self._count - start))

    def _on_rows_loaded(self, start: int, rows: tuple[RowView, ...]) -> None:
        if start != self._asked * PAGE_ROWS:
            return  # an answer about a file that was shown before
        self._asked = -1
        for offset, row in enumerate(rows[: self._count - start]):
            self._rows[start + offset] = row
            self._rows.move_to_end(start + offset)
        while len(self._rows) > KEPT_ROWS:
            self._rows.popitem(last=False)
        if rows:
            last = min(self._count, start + len(rows)) - 1
            self.dataChanged.emit(self.index(start, 0), self.index(last, self.columnCount() - 1))
        self._ask_soon.start()

    def _on_rows_failed(self, sentence: str) -> None:
        """Stop asking: the same question would fail again with every repaint. A fresh report starts over."""
        self._asked, self._failed = -1, True
        self._wanted.clear()


def one_line(text: str) -> str:
    """Return the start of a text with its white space folded, short enough for a cell."""
    folded = " ".join(text[: 2 * _CELL_CHARACTERS].split())
    return folded if len(folded) <= _CELL_CHARACTERS else folded[: _CELL_CHARACTERS - 1] + "…"
