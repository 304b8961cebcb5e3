"""The strip over the data: what was read, how it is read and why, and the progress of reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.job_spec import JobSpec
from studio.ui import icons, words
from studio.ui.pieces import Card, ElidedLabel, button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class SourceStrip(Card):
    """Two lines about the source and one button; ``choose`` asks for the data picker."""

    choose = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(name="sourceStrip", parent=parent)
        self.setAccessibleName(self.tr("Source of the data"))
        self._session = session
        self._path = ElidedLabel("", "heading", Qt.TextElideMode.ElideMiddle)
        self._path.setObjectName("dataPath")
        self._facts = ElidedLabel("", "muted")
        self._facts.setObjectName("dataFacts")
        self._shape = ElidedLabel("", "caption")
        self._shape.setObjectName("dataShapeReason")
        self._problem_icon = icons.pixmap_label("warning-fill", "warning")
        self._problem = plain_label("", "warning", "inspectionProblem", wraps=True)
        self._change = button(self.tr("Change…"), "changeDataButton", self.tr("Choose other data"))
        self._again = button(self.tr("Read again"), "inspectButton", self.tr("Read model and data again"))
        icons.set_icon(self._again, "arrows-clockwise", "text")
        self._cancel = button(self.tr("Cancel"), "cancelInspectionButton", self.tr("Cancel reading"))
        self._progress = QProgressBar()
        self._progress.setObjectName("inspectionProgressBar")
        self._progress.setTextVisible(False)
        self._progress_words = ElidedLabel("", "caption")
        self._progress_words.setObjectName("inspectionProgressWords")
        self._change.clicked.connect(self.choose)
        self._again.clicked.connect(session.inspect)
        self._cancel.clicked.connect(session.cancel_inspection)
        self._build()

    @property
    def change_button(self) -> QWidget:
        """The button that the picker opens below."""
        return self._change

    def show_state(self, spec: JobSpec, report: DataReport | None, is_stale: bool) -> None:
        """Show the source of a spec, what is known of it, and what is being done about it."""
        self._path.set_text(spec.data.path)
        self._facts.set_text(self._facts_of(spec, report, is_stale))
        self._shape.set_text(report.shape_reason if report is not None else "")
        progress = self._session.inspection
        problem = self._session.inspection_problem if progress is None else ""
        self._problem.setText(told(problem))
        self._problem_row.setVisible(bool(problem))
        self._progress_row.setVisible(progress is not None)
        self._again.setVisible(progress is None)
        if progress is not None:
            self._show_progress(progress.phase, progress.done, progress.total, progress.unit)

    def _facts_of(self, spec: JobSpec, report: DataReport | None, is_stale: bool) -> str:
        parts = [self.tr("on this computer") if spec.data.source == "desktop" else self.tr("on the node")]
        if report is not None:
            parts.append(self.tr("{count} rows").format(count=words.whole(report.rows)))
            parts.append(self.tr("read as {shape}").format(shape=words.choice(report.shape)))
            held = self.tr("{train} to train on, {held_out} held out")
            parts.append(held.format(train=words.whole(report.train_rows), held_out=words.whole(report.held_out_rows)))
            tokens = self.tr("{tokens} tokens, {trained} trained")
            parts.append(
                tokens.format(
                    tokens=words.count(report.train_tokens), trained=words.count(report.train_supervised_tokens)
                )
            )
        if is_stale and report is not None and self._session.inspection is None:
            parts.append(self.tr("figures of before the last change"))
        return "  ·  ".join(parts)

    def _show_progress(self, phase: str, done: float, total: float, unit: str) -> None:
        names = {
            "model": self.tr("Looking at the model"),
            "data": self.tr("Reading the data"),
            "tokenize": self.tr("Counting tokens"),
            "tokens": self.tr("Counting tokens"),
        }
        said = names.get(phase) or (phase[:1].upper() + phase[1:]) or self.tr("Reading")
        if total:
            amounts = (words.size(done), words.size(total)) if unit == "bytes" else (
                words.whole(round(done)), words.whole(round(total)))  # fmt: skip
            said += "  ·  " + self.tr("{done} of {total}").format(done=amounts[0], total=amounts[1])
            said += f" {unit}" if unit and unit != "bytes" else ""
            self._progress.setRange(0, 1000)
            self._progress.setValue(round(1000 * min(1.0, done / total)))
        else:
            self._progress.setRange(0, 0)
        self._progress_words.set_text(said)
        self._progress.setAccessibleName(said)

    def _build(self) -> None:
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._path)
        texts.addWidget(self._facts)
        texts.addWidget(self._shape)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(icons.pixmap_label("database", "accent", 20), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        row.addWidget(self._again)
        row.addWidget(self._change)
        self._problem_row = QWidget()
        problem = QHBoxLayout(self._problem_row)
        problem.setContentsMargins(0, 0, 0, 0)
        problem.addWidget(self._problem_icon, 0, Qt.AlignmentFlag.AlignTop)
        problem.addWidget(self._problem, 1)
        self._progress_row = QWidget()
        progress = QHBoxLayout(self._progress_row)
        progress.setContentsMargins(0, 0, 0, 0)
        progress.setSpacing(12)
        progress.addWidget(self._progress, 1)
        progress.addWidget(self._progress_words, 1)
        progress.addWidget(self._cancel)
        self.body.addLayout(row)
        self.body.addWidget(self._problem_row)
        self.body.addWidget(self._progress_row)
        self._problem_row.hide()
        self._progress_row.hide()
