"""The rows of the data as a table model, perhaps of millions: a page comes when it is about to be seen."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QColor

from remote_agent.contract.data_report import TablePage, TableQuery, TableRow
from studio.ui import theme, words
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

PAGE_ROWS = 100
KEPT_PAGES = 60
NUMBER, PROMPT, RESPONSE, TOKENS, TRAINED, CLASS, PART, LOSS = range(8)
FIGURES = (NUMBER, TOKENS, TRAINED, LOSS)

ASK_AGAIN_MS = 300
_WAITING_PAGES = 3
_CELL_CHARACTERS = 160

Index = QModelIndex | QPersistentModelIndex


class RowTable(QAbstractTableModel):
    """Rows of the view that a query names. One that is not here yet reads "…" and is asked for, a page at a time.

    ``page_shown`` carries the first place and the number of rows that have come; ``failed`` a sentence.
    """

    page_shown = Signal(int, int)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.query = TableQuery()
        self.complete = False
        self._count = 0
        self._pages: OrderedDict[int, tuple[TableRow, ...]] = OrderedDict()
        self._stale: set[int] = set()
        self._wanted: list[int] = []
        self._asked = -1
        self._failed = False
        self._ask_soon = QTimer(self)
        self._ask_soon.setSingleShot(True)
        self._ask_soon.setInterval(0)
        self._ask_soon.timeout.connect(self._ask)
        self._is_outdated = False
        self._ask_again = QTimer(self, singleShot=True, interval=ASK_AGAIN_MS)
        self._ask_again.timeout.connect(self._on_ask_again)
        session.table_loaded.connect(self._on_loaded)
        session.table_failed.connect(self._on_failed)

    def show(self, query: TableQuery, count: int = 0) -> None:
        """Start over with a view of about so many rows (0 where that is unknown) and ask for its first page."""
        self.beginResetModel()
        self.query, self._count, self.complete = query, count, False
        self._pages.clear()
        self._stale.clear()
        self._wanted.clear()
        self._asked = -1
        self._failed = self._is_outdated = False
        self._ask_again.stop()
        self.endResetModel()
        self._want(0)

    def renew(self, least: int = 0) -> None:
        """Ask again for what is shown, as more is known of the rows by now; the old answers stay until then."""
        self._failed = False
        self._is_outdated = self._asked >= 0
        self._stale = set(self._pages)
        if least and least != self._count and not self.query.finding and not self.query.search:
            self._resize(least)
        self._want(next(reversed(self._pages), 0))
        if self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, LOSS))

    def row(self, place: int) -> TableRow | None:
        """Return the row at a place of the view, or None where it is not here yet (it is asked for then)."""
        if not 0 <= place < self._count:
            return None
        number, offset = divmod(place, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None or number in self._stale:
            self._want(number)
        if page is None or offset >= len(page):
            return None
        self._pages.move_to_end(number)
        return page[offset]

    def place_of(self, index: int) -> int:
        """Return the place of a row of the data in this view, -1 where it is not among the pages that are here."""
        if self.query == TableQuery():
            return index if index < self._count else -1
        for number, page in self._pages.items():
            for offset, row in enumerate(page):
                if row.index == index:
                    return number * PAGE_ROWS + offset
        return -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows of the view as far as it is known."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else LOSS + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the words over the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            across = Qt.AlignmentFlag.AlignRight if section in FIGURES else Qt.AlignmentFlag.AlignLeft
            return across | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                self.tr("Row"), self.tr("Prompt"), self.tr("Response"), self.tr("Tokens"), self.tr("Trained"),
                self.tr("Class"), self.tr("Part"), self.tr("Loss"),
            )[section]  # fmt: skip
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell; reading one that is not loaded asks for its page."""
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in FIGURES:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role not in (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ForegroundRole,
        ):  # fmt: skip
            return None
        row = self.row(index.row())
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, index.column())
        if row is None:
            return "…" if index.column() in (PROMPT, RESPONSE) else ""
        return self._cell(row, index.column())

    def _colour(self, row: TableRow | None, column: int) -> QColor | None:
        if row is not None and row.problem and column == PROMPT:
            return QColor(theme.tokens().bad)
        return QColor(theme.tokens().muted) if column in (NUMBER, PART) or row is None else None

    def _cell(self, row: TableRow, column: int) -> str:
        match column:
            case 0:
                return words.whole(row.index + 1)
            case 1:
                return one_line(told(row.problem) if row.problem else row.prompt)
            case 2:
                return one_line(row.response)
            case 3 | 4:
                count = row.tokens if column == TOKENS else row.supervised
                return words.whole(count) if count >= 0 else ""
            case 5:
                return one_line(row.label)
            case 6:
                return part_word(row.part)
            case _:
                return f"{row.loss:.2f}" if row.loss is not None else ""

    def _want(self, number: int) -> None:
        """Note a page; the one wanted last is asked for first, and pages scrolled past are let go."""
        if self._failed or number == self._asked:
            return
        if number in self._wanted:
            self._wanted.remove(number)
        self._wanted = [*self._wanted[-(_WAITING_PAGES - 1) :], number]
        if self._asked < 0 and not self._ask_soon.isActive():
            self._ask_soon.start()

    def _ask(self) -> None:
        if self._wanted and self._asked < 0:
            self._asked = self._wanted.pop()
            self._session.load_table(self.query, self._asked * PAGE_ROWS, PAGE_ROWS)

    def _on_loaded(self, query: TableQuery, page: TablePage) -> None:
        if query != self.query or page.start != self._asked * PAGE_ROWS:
            return  # an answer about a view that was shown before
        number, self._asked = self._asked, -1
        is_new = self._pages.get(number) != page.rows
        self._stale.discard(number)
        self._pages[number] = page.rows
        self._pages.move_to_end(number)
        while len(self._pages) > KEPT_PAGES:
            self._stale.discard(self._pages.popitem(last=False)[0])
        self.complete = page.complete
        self._resize(page.count)
        last = min(self._count, page.start + len(page.rows)) - 1
        if last >= page.start and is_new:
            self.dataChanged.emit(self.index(page.start, 0), self.index(last, LOSS))
        self.page_shown.emit(page.start, len(page.rows))
        if self._is_outdated:
            self._is_outdated = False
            self._stale.add(number)
            self._want(number)
        if self._wanted:
            self._ask_soon.start()
        if not page.complete and self.query != TableQuery():
            self._ask_again.start()

    def _on_ask_again(self) -> None:
        """Ask again for the page seen last, as more rows of the view may be found by now; the others when seen."""
        self._stale.update(self._pages)
        if not self._failed:
            self._want(next(reversed(self._pages), 0))

    def _resize(self, count: int) -> None:
        """Let the view have another number of rows, with selection and place of the scroll bar kept."""
        if count > self._count:
            self.beginInsertRows(QModelIndex(), self._count, count - 1)
            self._count = count
            self.endInsertRows()
        elif count < self._count:
            self.beginRemoveRows(QModelIndex(), count, self._count - 1)
            self._count = count
            self.endRemoveRows()

    def _on_failed(self, sentence: str) -> None:
        """Stop asking: the same question would fail again with every repaint. `renew` and `show` ask again."""
        if self._asked >= 0:
            self._asked, self._failed = -1, True
            self._wanted.clear()
            self.failed.emit(sentence)


def part_word(part: str) -> str:
    """Return the word for the part of the data that a row is in, empty where it is in none."""
    return {"train": words.translated("train"), "held_out": words.translated("held out")}.get(part, part)


def one_line(text: str) -> str:
    """Return the start of a text with its white space folded, short enough for a cell."""
    folded = " ".join(text[: 2 * _CELL_CHARACTERS].split())
    return folded if len(folded) <= _CELL_CHARACTERS else folded[: _CELL_CHARACTERS - 1] + "…"
