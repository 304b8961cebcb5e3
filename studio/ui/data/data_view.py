"""What the Data page shows once data is chosen: sources, rows as they will be trained, lengths, findings, steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport, Finding, RowView
from studio.ui import words
from studio.ui.data.findings import Findings
from studio.ui.data.lengths_card import LengthsCard
from studio.ui.data.reading_panel import ReadingPanel
from studio.ui.data.row_pane import RowPane
from studio.ui.data.source_strip import SourceStrip
from studio.ui.data.steps import Steps
from studio.ui.data.table_pane import TablePane
from studio.ui.pickers.popup import Tabs
from studio.ui.pieces import Card

if TYPE_CHECKING:
    from studio.session.session import Session

FINDINGS, STEPS, READING = range(3)
_SIDE_WIDTH, _WIDEST_SIDE, _SIDE_SHARE = 324, 400, 0.28
_NARROW_VIEW, _STACKED_HEIGHT, _SIDE_HEIGHT = 860, 620, 420
_LEAST_HEIGHT = 440


class DataView(QWidget):
    """Shows the data of the draft and edits how it is read; ``choose`` and ``add`` ask for other data, or more."""

    choose = Signal()
    add = Signal()
    held_out_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataView")
        self._session = session
        self._report: DataReport | None = None
        self._row_asked = -1
        self._asked_of: tuple[str, str] | None = None
        self.strip = SourceStrip(session)
        self.table = TablePane(session)
        self.row_pane = RowPane()
        self.lengths = LengthsCard(session)
        self.findings = Findings(session)
        self.steps = Steps(session)
        self.reading = ReadingPanel(session)
        self.tabs = Tabs(
            (
                (self.tr("Findings"), "sideFindings", self.findings),
                (self.tr("Steps"), "sideSteps", self.steps),
                (self.tr("Reading"), "sideReading", self.reading),
            ),
            self.tr("Findings, steps, reading"),
        )
        self._lay_out()
        self._wire()
        self.tabs.show_page(FINDINGS)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft and what is known of its data."""
        draft = self._session.draft
        report = draft.known.data
        self.strip.show_state(draft.spec, report, "tokens" in draft.stale)
        if report is not self._report:
            self._report = report
            self.findings.show_report(report)
            self.table.show_report(report)
            if report is None:
                self._asked_of = None
                self.row_pane.show_row(None)
            elif self.row_pane.waits_for < 0 and self._row_asked >= 0:
                self._session.load_row(self._row_asked)  # its tokens may have changed with the job
        elif report is None:
            self._ask_first_rows()
        self._tab_words(report)
        self.steps.refresh()
        self.reading.refresh()
        self.lengths.refresh()

    def show_row(self, index: int) -> None:
        """Select a row by its number from 0."""
        self.table.show_row(index)

    def show_side(self, which: int) -> None:
        """Show findings (0), steps (1) or how rows are read (2)."""
        self.tabs.show_page(which)

    def reveal(self, path: str) -> QWidget | None:
        """Bring a field of the job's data into view; None where the page has no such field."""
        if path == "data.steps" or path.startswith("data.steps["):
            self.show_side(STEPS)
            return self.steps
        found = self.reading.findChild(QWidget, path)
        if found is None:
            return None
        self.show_side(READING)
        return self.reading.reveal(path)

    def _ask_first_rows(self) -> None:
        """Ask for the first rows as soon as the data is being read, once: they come before anything is counted."""
        data, progress = self._session.draft.spec.data, self._session.inspection
        place = (data.source, data.path)
        if progress is not None and progress.phase != "model" and place != self._asked_of:
            self._asked_of = place
            self.table.rows.renew()

    def _tab_words(self, report: DataReport | None) -> None:
        count = len(report.findings) if report is not None else 0
        steps = len(self._session.draft.spec.data.steps)
        for name, text, number in (
            ("sideFindings", self.tr("Findings"), count), ("sideSteps", self.tr("Steps"), steps),
        ):  # fmt: skip
            tab = next(one for one in self.tabs.findChildren(QWidget) if one.objectName() == name)
            tab.setProperty("text", f"{text}  {words.whole(number)}" if number else text)

    def _on_row_chosen(self, index: int) -> None:
        if index < 0:
            self._row_asked = -1
            self.row_pane.show_row(None)
        elif index != self._row_asked or self.row_pane.waits_for < 0:
            self._row_asked = index
            self.row_pane.show_waiting(index)
            self._session.load_row(index)

    def _on_row(self, row: RowView) -> None:
        self.row_pane.pairs.take_row(row)
        if row.index == self._row_asked:
            titles = {one.kind: one.title for one in self._report.findings} if self._report is not None else {}
            self.row_pane.show_row(row, self._session.draft.spec.data.max_length, titles)

    def _on_finding(self, finding: Finding | None) -> None:
        self.table.show_finding(finding)
        self.row_pane.show_pairs(finding.pairs if finding is not None else ())

    def _on_correct(self, number: int) -> None:
        self.show_side(READING)
        self.reading.show_source(number)

    def _on_save(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        name = self._session.draft.spec.name or "data"
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the report"), f"{name}-data.html", self.tr("Web pages (*.html)")
        )
        if chosen:
            self._session.save_data_report(Path(chosen))

    def _wire(self) -> None:
        session = self._session
        session.draft.changed.connect(self.refresh)
        session.inputs_changed.connect(self.refresh)
        session.losses_changed.connect(self.table.losses_changed)
        session.row_loaded.connect(self._on_row)
        session.row_failed.connect(self.row_pane.show_problem)
        self.table.row_chosen.connect(self._on_row_chosen)
        self.table.filter_cleared.connect(lambda: self.findings.choose(""))
        self.row_pane.row_wanted.connect(self.show_row)
        self.row_pane.row_needed.connect(session.load_row)
        self.findings.chosen.connect(self._on_finding)
        self.strip.choose.connect(self.choose)
        self.strip.add.connect(self.add)
        self.strip.correct.connect(self._on_correct)
        self.strip.save.connect(self._on_save)
        self.reading.held_out_wanted.connect(self.held_out_wanted)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self._on_find)

    def _on_find(self) -> None:
        self.table.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.table.search.selectAll()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the side below the rows where the window is narrow; the page scrolls then."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_VIEW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if direction != self._below.direction():
            self._below.setDirection(direction)
        self._left.setMinimumHeight(_STACKED_HEIGHT if narrow else _LEAST_HEIGHT)
        self._side.setMinimumHeight(_SIDE_HEIGHT if narrow else 0)
        wide = max(_SIDE_WIDTH, min(_WIDEST_SIDE, round(self.width() * _SIDE_SHARE)))
        self._side.setMinimumWidth(0 if narrow else wide)
        self._side.setMaximumWidth(16_777_215 if narrow else wide)

    def _lay_out(self) -> None:
        rows = QSplitter(Qt.Orientation.Horizontal)
        rows.setObjectName("rowSplitter")
        rows.addWidget(self.table)
        rows.addWidget(self.row_pane)
        rows.setSizes([350, 330])
        rows.setStretchFactor(0, 1)
        rows.setStretchFactor(1, 1)
        left = QSplitter(Qt.Orientation.Vertical)
        left.setObjectName("dataSplitter")
        left.addWidget(rows)
        left.addWidget(self.lengths)
        left.setStretchFactor(0, 1)
        left.setSizes([420, 176])
        for splitter in (rows, left):
            splitter.setHandleWidth(12)
            splitter.setChildrenCollapsible(False)
        side = Card("", "dataSide")
        side.setAccessibleName(self.tr("Findings, steps, reading"))
        side.body.addWidget(self.tabs)
        content = QWidget()
        content.setObjectName("scrolled")
        self._left, self._side = left, side
        self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight, content)
        self._below.setContentsMargins(0, 0, 0, 0)
        self._below.setSpacing(12)
        self._below.addWidget(left, 1)
        self._below.addWidget(side)
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
