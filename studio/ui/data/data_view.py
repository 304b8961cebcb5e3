"""What the Data page shows once data is chosen: the source, its rows as they will be trained, lengths, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QComboBox,
    QFrame,
    QHeaderView,
    QScrollArea,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.data_report import DataReport
from studio.ui import words
from studio.ui.data.findings import Findings
from studio.ui.data.length_histogram import LengthHistogram, rows_beyond
from studio.ui.data.row_pane import RowPane
from studio.ui.data.row_table import NUMBER, PROMPT, RESPONSE, TOKENS, RowTable
from studio.ui.data.source_strip import SourceStrip
from studio.ui.knob_field import KnobField
from studio.ui.pieces import Card, ElidedLabel

if TYPE_CHECKING:
    from studio.session.session import Session

KNOBS = ("data.shape", "data.max_length", "data.over_length", "data.packing", "data.held_out_fraction")
_SIDE_WIDTH = 388
_NARROW_VIEW, _STACKED_HEIGHT = 880, 420
_NARROW_TABLE = 380
_WIDE_CHOICE = 168


class DataView(QWidget):
    """Shows the data of the draft and edits how it is read; ``choose`` asks for other data."""

    choose = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataView")
        self._session = session
        self._report: DataReport | None = None
        self._rows_of: object = None
        self._wanted_row = -1
        self.strip = SourceStrip(session)
        self.rows = RowTable(session, self)
        self.table = QTableView()
        self.row_pane = RowPane()
        self.histogram = LengthHistogram()
        self.findings = Findings()
        self._lengths = ElidedLabel("", "caption")
        self._lengths.setObjectName("lengthSummary")
        self._packing = ElidedLabel("", "caption")
        self._packing.setObjectName("packingSummary")
        self._lay_out()
        self._wire()
        self.refresh()

    def refresh(self) -> None:
        """Show the draft and what is known of its data."""
        draft = self._session.draft
        report = draft.known.data
        self.strip.show_state(draft.spec, report, "tokens" in draft.stale)
        if report is not self._report:
            self._report = report
            self.findings.show_findings(report.findings if report is not None else None)
            self._show_rows(report)
        self._show_lengths()

    def show_row(self, number: int) -> None:
        """Select a row of the table and show it."""
        index = self.rows.index(number, NUMBER)
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _show_rows(self, report: DataReport | None) -> None:
        self.row_pane.show_row(None)
        self.rows.set_count(report.rows if report is not None else 0)
        if report is not None and report.rows:
            self.show_row(0)

    def _show_lengths(self) -> None:
        draft, report = self._session.draft, self._report
        limit = draft.known.model.config.get("max_position_embeddings", 0) if draft.known.model is not None else 0
        length = draft.spec.data.max_length
        self.histogram.show_counts(
            report.total if report is not None else None, length, limit if isinstance(limit, int) else 0
        )
        self._lengths.set_text(self._length_words(report) if report is not None else "")
        self._packing.set_text(self._packing_words(report, length) if report is not None else "")

    def _length_words(self, report: DataReport) -> str:
        total = report.total
        parts = [
            self.tr("median {count}").format(count=words.whole(round(total.median))),
            self.tr("mean {count}").format(count=words.whole(round(total.mean))),
            self.tr("longest {count}").format(count=words.whole(total.maximum)),
        ]
        return "  ·  ".join(parts)

    def _packing_words(self, report: DataReport, length: int) -> str:
        total = report.total
        beyond = rows_beyond(total, length)
        over = self.tr("about {count} rows are longer ({share})")
        parts = [
            over.format(count=words.whole(beyond), share=words.percent(beyond / total.count))
            if beyond
            else self.tr("no row is longer than {count} tokens").format(count=words.whole(length))
        ]
        if report.packing.length == length and self._session.draft.spec.data.packing and report.packing.sequences:
            packed = self.tr("packed into {count} sequences, {share} full")
            share = words.percent(report.packing.efficiency)
            parts.append(packed.format(count=words.whole(report.packing.sequences), share=share))
        return "  ·  ".join(parts)

    def _on_current_row(self, current: QModelIndex) -> None:
        self._wanted_row = current.row()
        row = self.rows.row(current.row()) if current.isValid() else None
        if row is None and current.isValid():
            self.row_pane.show_waiting(current.row())
        else:
            self.row_pane.show_row(row)

    def _on_rows_loaded(self, start: int, rows: object) -> None:
        row = self.rows.row(self._wanted_row)
        if isinstance(rows, tuple) and start <= self._wanted_row < start + len(rows) and row is not None:
            self.row_pane.show_row(row)

    def _on_length_chosen(self, length: int) -> None:
        self._session.draft.set_value("data.max_length", length)

    def _copy_rows(self) -> None:
        """Copy the selected rows as tab-separated values."""
        lines = []
        for index in sorted(self.table.selectionModel().selectedRows(), key=lambda one: one.row()):
            cells = [self.rows.index(index.row(), column).data() for column in range(self.rows.columnCount())]
            lines.append("\t".join(str(cell).replace("\t", " ") for cell in cells))
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _wire(self) -> None:
        session = self._session
        session.draft.changed.connect(self.refresh)
        session.inputs_changed.connect(self.refresh)
        session.rows_loaded.connect(self._on_rows_loaded)
        session.rows_failed.connect(self.row_pane.show_problem)
        self.table.selectionModel().currentRowChanged.connect(self._on_current_row)
        self.histogram.length_chosen.connect(self._on_length_chosen)
        self.findings.row_wanted.connect(self.show_row)
        self.strip.choose.connect(self.choose)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self.table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self._copy_rows)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave out the answers while the table is too narrow for both sides."""
        if watched is self.table and event.type() == QEvent.Type.Resize:
            self.table.setColumnHidden(RESPONSE, self.table.width() < _NARROW_TABLE)
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        rows = QSplitter(Qt.Orientation.Horizontal)
        rows.setObjectName("rowSplitter")
        rows.setHandleWidth(12)
        rows.setChildrenCollapsible(False)
        rows.addWidget(self._dressed_table())
        rows.addWidget(self.row_pane)
        rows.setSizes([300, 340])
        left = QSplitter(Qt.Orientation.Vertical)
        left.setObjectName("dataSplitter")
        left.setHandleWidth(12)
        left.setChildrenCollapsible(False)
        left.addWidget(rows)
        left.addWidget(self._length_card())
        left.setStretchFactor(0, 1)
        left.setSizes([400, 170])
        side = QWidget()
        side.setFixedWidth(_SIDE_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._knob_card())
        column.addWidget(self.findings, 1)
        content = QWidget()
        content.setObjectName("scrolled")
        self._left, self._side = left, side
        self._below = below = QBoxLayout(QBoxLayout.Direction.LeftToRight, content)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(12)
        below.addWidget(left, 1)
        below.addWidget(side)
        scroll = QScrollArea()
        scroll.setObjectName("dataScroll")
        scroll.setAccessibleName(self.tr("Rows, lengths, findings"))
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.strip)
        layout.addWidget(scroll, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put settings and findings below the rows where the window is narrow; the page scrolls then."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_VIEW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if direction != self._below.direction():
            self._below.setDirection(direction)
            self._left.setMinimumHeight(_STACKED_HEIGHT if narrow else 0)
            self._side.setMinimumWidth(0 if narrow else _SIDE_WIDTH)
            self._side.setMaximumWidth(16_777_215 if narrow else _SIDE_WIDTH)

    def _dressed_table(self) -> QTableView:
        table = self.table
        table.setObjectName("rowTable")
        table.setAccessibleName(self.tr("Rows of the data"))
        table.setModel(self.rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setWordWrap(False)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(PROMPT, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(RESPONSE, QHeaderView.ResizeMode.Stretch)
        table.setStyleSheet("QTableView::item { padding: 0 4px; }")
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setColumnWidth(NUMBER, 52)
        table.setColumnWidth(TOKENS, 60)
        table.installEventFilter(self)
        table.setMinimumWidth(220)
        return table

    def _length_card(self) -> Card:
        card = Card(self.tr("Tokens a row"), "lengthCard")
        card.top.addWidget(self._lengths, 100)
        card.body.setSpacing(4)
        card.body.addWidget(self._packing)
        card.body.addWidget(self.histogram, 1)
        return card

    def _knob_card(self) -> Card:
        card = Card(self.tr("How rows are read"), "dataKnobs")
        for path in KNOBS:
            field = KnobField(self._session.draft, path)
            choices = field.findChild(QComboBox)
            if choices is not None:
                choices.setFixedWidth(_WIDE_CHOICE)
                choices.view().setMinimumWidth(_WIDE_CHOICE)
            card.body.addWidget(field)
        return card
