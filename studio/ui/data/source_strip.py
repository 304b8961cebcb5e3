"""Where the rows come from, what they come to, how far a look at them is, and what can be done with all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_spec import all_sources
from remote_agent.contract.job_spec import JobSpec
from studio.ui import icons, words
from studio.ui.data.icon_button import icon_button
from studio.ui.data.progress_row import Amounts, ProgressRow
from studio.ui.data.scrolled import scrolled
from studio.ui.data.source_row import SourceRow
from studio.ui.pieces import Card, ElidedLabel, button, clear_layout, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_SHOWN_SOURCES, _ROW_PX = 3, 28


class SourceStrip(Card):
    """``choose``: other data is wanted; ``add``: one more source; ``correct``: how one is read; ``save``: a report."""

    choose = Signal()
    add = Signal()
    correct = Signal(int)
    save = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(name="sourceStrip", parent=parent)
        self.setAccessibleName(self.tr("Source of the data"))
        self._session = session
        self._shown: object = None
        self._facts = ElidedLabel("", "muted")
        self._facts.setObjectName("dataFacts")
        self._problem = plain_label("", "warning", "inspectionProblem", wraps=True)
        self._retry = button(self.tr("Try again"), "inspectAgainButton", self.tr("Read model and data again"))
        self.change_button = button(self.tr("Change…"), "changeDataButton", self.tr("Choose other data"))
        self.add_button = button(self.tr("Add…"), "addSourceButton", self.tr("Add another source"))
        self._more = icon_button("dots-three", "dataMenuButton", self.tr("More to do with the data"), "text")
        self._menu = QMenu(self)
        self._progress = ProgressRow("inspection", self.tr("Cancel reading"))
        self._sources = QVBoxLayout()
        self._build()
        self.change_button.clicked.connect(self.choose)
        self.add_button.clicked.connect(self.add)
        self._retry.clicked.connect(session.inspect)
        self._progress.cancelled.connect(session.cancel_inspection)
        self._more.clicked.connect(lambda: self._menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft())))

    def show_state(self, spec: JobSpec, report: DataReport | None, is_stale: bool) -> None:
        """Show the sources of a spec, what is known of them, and what is being done about it."""
        self._show_sources(spec, report)
        self._facts.set_text(self._facts_of(report, is_stale))
        self._facts.setVisible(bool(self._facts.whole_text()))
        progress = self._session.inspection
        problem = self._session.inspection_problem if progress is None else ""
        self._problem.setText(told(problem))
        self._problem_row.setVisible(bool(problem))
        self._progress.setVisible(progress is not None)
        self._save_action.setEnabled(report is not None)
        if progress is not None:
            amounts = Amounts(progress.done, progress.total, progress.unit, progress.rate)
            said = self._phase(progress.phase)
            if report is not None and not report.complete and report.rows:
                read = self.tr("{done} of about {total} rows read").format(
                    done=words.count(report.rows_read), total=words.count(report.rows)
                )
                self._progress.show_progress(said, amounts, read)
            else:
                self._progress.show_progress(said, amounts, estimated=progress.unit == "rows")

    def _show_sources(self, spec: JobSpec, report: DataReport | None) -> None:
        sources = all_sources(spec.data)
        known = report.sources if report is not None else ()
        shown = (sources, known)
        if shown == self._shown:
            return
        self._shown = shown
        clear_layout(self._sources)
        for number, source in enumerate(sources):
            said = known[number] if number < len(known) and len(known) >= len(sources) else None
            row = SourceRow(number, source, said, len(sources) > 1)
            row.correct.connect(lambda number=number: self.correct.emit(number))
            row.remove.connect(lambda number=number: self._session.remove_source(number - 1))
            self._sources.addWidget(row)
        self._area.setFixedHeight(_ROW_PX * min(_SHOWN_SOURCES, len(sources)))

    def _facts_of(self, report: DataReport | None, is_stale: bool) -> str:
        if report is None:
            return ""
        parts = []
        if not report.complete and self._session.inspection is None:
            read = self.tr("{done} of about {total} rows read")
            parts.append(read.format(done=words.count(report.rows_read), total=words.count(report.rows)))
        if len(report.sources) > 1:
            parts.append(words.counted(report.rows, self.tr("{} row in all"), self.tr("{} rows in all")))
        held = self.tr("{train} to train on, {held_out} held out")
        parts.append(held.format(train=words.whole(report.train_rows), held_out=words.whole(report.held_out_rows)))
        tokens = self.tr("{tokens} tokens, {trained} trained")
        parts.append(
            tokens.format(tokens=words.count(report.train_tokens), trained=words.count(report.train_supervised_tokens))
        )
        if is_stale and self._session.inspection is None:
            parts.append(self.tr("figures of before the last change"))
        return "  ·  ".join(parts)

    def _phase(self, phase: str) -> str:
        names = {
            "model": self.tr("Looking at the model"),
            "data": self.tr("Reading the data"),
            "tokenize": self.tr("Counting tokens"),
            "tokens": self.tr("Counting tokens"),
            "index": self.tr("Finding the rows"),
            "findings": self.tr("Comparing rows"),
            "pack": self.tr("Packing"),
        }
        return names.get(phase) or (phase[:1].upper() + phase[1:]) or self.tr("Reading")

    def _build(self) -> None:
        self._menu.addAction(self.tr("Read again"), self._session.inspect)
        self._save_action = self._menu.addAction(self.tr("Save report…"), self.save.emit)
        held = QWidget()
        self._sources = QVBoxLayout(held)
        self._sources.setContentsMargins(0, 0, 0, 0)
        self._sources.setSpacing(4)
        self._area = scrolled(held, "sourcesScroll", self.tr("Sources"))
        self._area.setFixedHeight(_ROW_PX)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._area, 1, Qt.AlignmentFlag.AlignVCenter)
        for widget in (self.change_button, self.add_button, self._more):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        self._problem_row = QWidget()
        problem = QHBoxLayout(self._problem_row)
        problem.setContentsMargins(0, 0, 0, 0)
        problem.setSpacing(8)
        problem.addWidget(icons.pixmap_label("warning-fill", "warning"))
        problem.addWidget(self._problem, 1)
        problem.addWidget(self._retry)
        self.body.setSpacing(4)
        self.body.addLayout(row)
        self.body.addWidget(self._facts)
        self.body.addWidget(self._problem_row)
        self.body.addWidget(self._progress)
        self._problem_row.hide()
        self._progress.hide()
