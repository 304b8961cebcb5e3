"""The table of rows with what narrows and orders it: a search, the chip of a finding, an order, the hardest rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLineEdit, QTableView, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport, Finding, TableQuery
from studio.ui import icons, words
from studio.ui.controls import ChoiceBox
from studio.ui.data.hardest_rows import HardestRows, order_words
from studio.ui.data.row_table import CLASS, LOSS, NUMBER, PART, PROMPT, RESPONSE, TOKENS, TRAINED, RowTable
from studio.ui.pieces import ElidedLabel, button
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

SETTLE_MS = 250
_SCROLL_BAR = 12
_WIDTHS = {NUMBER: 56, TOKENS: 60, TRAINED: 64, CLASS: 80, PART: 68, LOSS: 52}
_LEAST_TEXT = 210
"""The least pixels that prompt and response keep together where further columns are shown."""


class TablePane(QWidget):
    """Shows rows; ``row_chosen`` carries the number of the row (from 0), -1 for none."""

    row_chosen = Signal(int)
    filter_cleared = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._report: DataReport | None = None
        self._finding: Finding | None = None
        self._wanted = -1
        self._told: int | None = None  # the row that `row_chosen` carried last in this view
        self.rows = RowTable(session, self)
        self.table = QTableView()
        self.search = QLineEdit()
        self.order = ChoiceBox([("", self.tr("In the files' order")), ("tokens", self.tr("Longest first"))])
        self.hardest = HardestRows(session)
        self.chip = button("", "findingChip", self.tr("Show all rows again"), role="chip")
        self._said = ElidedLabel("", "caption")
        self._said.setObjectName("tableWords")
        self._again = button(self.tr("Try again"), "tableAgainButton", self.tr("Read the rows again"), role="link")
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._lay_out()
        self._wire()
        self.hardest.refresh()

    def show_report(self, report: DataReport | None) -> None:
        """Show the rows of another look at the data; one that goes on from the last keeps the place."""
        former, self._report = self._report, report
        if report is None:
            self.rows.show(TableQuery())
        elif (former is None or former.path == report.path) and self.rows.rowCount():
            self.rows.renew(report.rows)
        else:
            self._choose_first()
        self.hardest.button.setEnabled(report is not None and report.complete)
        self._arrange()
        self._say()

    def show_finding(self, finding: Finding | None) -> None:
        """Show only the rows of a finding, or all again."""
        if finding == self._finding:
            return
        self._finding = finding
        self.chip.setVisible(finding is not None)
        if finding is not None:
            title = told(finding.title) or finding.kind
            self.chip.setText(title.replace("&", "&&"))
            self.chip.setAccessibleName(self.tr("Show all rows again, not only those of {}").format(title))
        self._ask()

    def show_row(self, index: int) -> None:
        """Select a row by its number from 0, in the whole table where the present view does not have it."""
        place = self.rows.place_of(index)
        if place < 0:
            self.search.clear()
            self.order.set_value("")
            if self._finding is not None:
                self._finding = None
                self.chip.hide()
                self.filter_cleared.emit()
            self._ask()
            place = index
        self._select(place)

    def losses_changed(self) -> None:
        """Offer the order by loss where losses are known."""
        has = self._session.has_losses
        if has != (self.order.findData("loss") >= 0):
            if has:
                self.order.addItem(self.tr("Hardest first"), "loss")
                self.order.setItemData(self.order.count() - 1, order_words(), Qt.ItemDataRole.ToolTipRole)
            else:
                self.order.removeItem(self.order.findData("loss"))
                self._ask()
        self.order.setToolTip(order_words() if has else "")
        self.hardest.refresh()
        self._arrange()
        if has and self._session.losses_progress is None:
            self.rows.renew()  # also the session with the data may have taken them only now

    def copy_rows(self) -> None:
        """Copy the selected rows as tab-separated values, the columns that are shown."""
        columns = [column for column in range(self.rows.columnCount()) if not self.table.isColumnHidden(column)]
        lines = []
        for index in sorted(self.table.selectionModel().selectedRows(), key=lambda one: one.row()):
            cells = [str(self.rows.index(index.row(), column).data()) for column in columns]
            lines.append("\t".join(cell.replace("\t", " ") for cell in cells))
        QGuiApplication.clipboard().setText("\n".join(lines))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave out columns while the table is too narrow for them."""
        if watched is self.table and event.type() == QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)

    def _arrange(self) -> None:
        """Show the columns that have something to say and fit, those that tell most first."""
        report = self._report
        has_classes = report is not None and bool(report.classes)
        has_parts = report is not None and report.held_out_rows > 0
        has_losses = self._session.has_losses
        text = self.table.width() - _SCROLL_BAR - _WIDTHS[NUMBER] - _WIDTHS[TOKENS] - has_losses * _WIDTHS[LOSS]
        self.table.setColumnHidden(LOSS, not has_losses)
        self.table.setColumnHidden(RESPONSE, text < _LEAST_TEXT)
        for column, has in ((CLASS, has_classes), (TRAINED, True), (PART, has_parts)):
            fits = has and text - _WIDTHS[column] >= _LEAST_TEXT
            self.table.setColumnHidden(column, not fits)
            text -= fits * _WIDTHS[column]

    def _ask(self) -> None:
        """Show the view that search, finding and order name."""
        self._settle.stop()
        finding, order = (self._finding.kind if self._finding is not None else ""), str(self.order.value() or "")
        query = TableQuery(finding, self.search.text().strip(), order)
        if query != self.rows.query:
            self._told = None
            whole = not query.finding and not query.search and self._report is not None
            self.rows.show(query, self._report.rows if whole and self._report is not None else 0)
            self._choose_place(0)
            self._say()

    def _choose_first(self) -> None:
        assert self._report is not None
        query = self.rows.query
        self._told = None
        self.rows.show(query, 0 if query.finding or query.search else self._report.rows)
        self._choose_place(0)

    def _choose_place(self, place: int) -> None:
        self._wanted = place
        self._select(place)

    def _select(self, place: int) -> None:
        index = self.rows.index(place, NUMBER)
        self._wanted = place
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def _on_current(self, current: QModelIndex) -> None:
        if not current.isValid():
            return
        self._wanted = current.row()
        row = self.rows.row(current.row())
        if row is not None:
            self._tell(row.index)
        elif self.rows.query == TableQuery():
            self._tell(current.row())

    def _tell(self, index: int) -> None:
        self._told = index
        self.row_chosen.emit(index)

    def _on_page(self, start: int, count: int) -> None:
        """Choose the row that was wanted, once its page is here."""
        self._again.hide()
        self._say()
        if not self.table.currentIndex().isValid() and self._wanted >= 0:
            self._select(self._wanted)
        elif start <= self._wanted < start + count and self.rows.query != TableQuery():
            row = self.rows.row(self._wanted)
            if row is not None and row.index != self._told:
                self._tell(row.index)
        if not self.rows.rowCount() and self._told != -1:
            self._tell(-1)

    def _on_failed(self, sentence: str) -> None:
        if self._report is not None:  # else the strip says why nothing can be read
            self._said.set_text(told(sentence))
            self._again.show()

    def _on_again(self) -> None:
        self._again.hide()
        self._say()
        self.rows.renew()

    def _say(self) -> None:
        """Say how many rows the view has."""
        count, query = self.rows.rowCount(), self.rows.query
        if self._report is None:
            self._said.set_text("")
        elif (query.finding or query.search) and not self.rows.complete:
            self._said.set_text(self.tr("{} so far").format(words.whole(count)))
        else:
            self._said.set_text(words.counted(count, self.tr("{} row"), self.tr("{} rows")))

    def _wire(self) -> None:
        self.search.textChanged.connect(lambda _: self._settle.start())
        self.search.returnPressed.connect(self._ask)
        self._settle.timeout.connect(self._ask)
        self.order.activated.connect(lambda _: self._ask())
        self.chip.clicked.connect(self._on_chip)
        self._again.clicked.connect(self._on_again)
        self.rows.page_shown.connect(self._on_page)
        self.rows.failed.connect(self._on_failed)
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.hardest.order_wanted.connect(self._on_hardest)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self.table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy_rows)
        self.table.installEventFilter(self)

    def _on_chip(self) -> None:
        self.show_finding(None)
        self.filter_cleared.emit()

    def _on_hardest(self) -> None:
        self.order.set_value("loss")
        self._ask()

    def _lay_out(self) -> None:
        self.search.setObjectName("rowSearch")
        self.search.setAccessibleName(self.tr("Search the rows"))
        self.search.setPlaceholderText(self.tr("Search  Ctrl+F"))
        self.search.setClearButtonEnabled(True)
        self.order.setObjectName("rowOrder")
        self.order.setAccessibleName(self.tr("Order of the rows"))
        icons.set_icon(self.chip, "x", "muted", 12)
        self.chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.chip.setStyleSheet("border-radius: 13px;")
        self.chip.hide()
        self._again.hide()
        self._dress(self.table)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.search, 1)
        top.addWidget(self.order)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.chip)
        below.addWidget(self._said, 1)
        below.addWidget(self._again)
        below.addWidget(self.hardest.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addLayout(below)
        layout.addWidget(self.hardest)
        layout.addWidget(self.table, 1)

    def _dress(self, table: QTableView) -> None:
        table.setObjectName("rowTable")
        table.setAccessibleName(self.tr("Rows of the data"))
        table.setModel(self.rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setWordWrap(False)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(28)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in (PROMPT, RESPONSE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            table.setColumnWidth(column, width)
        table.setStyleSheet("QTableView::item { padding: 0 4px; }")
        table.setMinimumSize(220, 120)
