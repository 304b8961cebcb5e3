"""What a run was started with: what differs from the defaults, the whole job, and the way out of the studio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from remote_agent.contract.spec_json import spec_to_json
from studio.ui import icons, theme, words
from studio.ui.knob_field import field_label, value_text
from studio.ui.monitor.followed_run import FollowedRun
from studio.ui.pickers.popup import ask_for_path
from studio.ui.pieces import PLAIN_CORNER, Card, ElidedLabel, button, labelled_switch, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.run import RunState


class ConfigPage(QWidget):
    """Left the fields that differ from their defaults, right the job as the node has it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("configPage")
        self.setAccessibleName(self.tr("Config"))
        self._session = session
        self._run: RunState | None = None
        self._followed = FollowedRun(self._show_facts)
        self._facts = ElidedLabel("", "muted")
        self._facts.setObjectName("runFacts")
        self._differences = QTableWidget(0, 3)
        self._job = QPlainTextEdit()
        self._export = button(self.tr("Export…"), "configExportButton", self.tr("Export the run to a folder"))
        self._pack, self._pack_row = labelled_switch(self.tr("Pack model and data"), "packInputs")
        self._pack.setToolTip(self.tr("Copies the inputs into the bundle, so that it reruns where they do not lie."))
        self._export.clicked.connect(self._on_export)
        self._build()

    def show_run(self, run: RunState) -> None:
        """Show another run; what it was started with never changes."""
        self._run = run
        self._followed.follow(run)
        self._show_facts()
        self._job.setPlainText(spec_to_json(run.spec))
        self._show_differences(run.spec)

    def export_to(self, folder: str) -> None:
        """Write the bundle into a folder."""
        if self._run is not None:
            self._session.export_run(self._run.run_id, Path(folder), pack_inputs=self._pack.isChecked())

    def _show_facts(self) -> None:
        run = self._run
        if run is None:
            return
        parts = [run.run_id, self.tr("on {node}").format(node=told(run.node))]
        if run.training is not None:
            said = self.tr("{parameters} parameters, {processes} processes, {sequences} sequences")
            parts.append(
                said.format(
                    parameters=words.count(run.training.parameters),
                    processes=run.training.world_size,
                    sequences=words.whole(run.training.train_sequences),
                )
            )
        self._facts.set_text("  ·  ".join(parts))

    def _show_differences(self, spec: JobSpec) -> None:
        differing = [field for field in described_fields(JobSpec) if value_at(spec, field.path) != field.default]
        self._differences.setRowCount(len(differing))
        for row, field in enumerate(differing):
            texts = (
                field_label(field.path),
                value_text(field.path, value_at(spec, field.path)),
                value_text(field.path, field.default),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(field.path if column == 0 else "")
                self._differences.setItem(row, column, item)

    def _on_export(self) -> None:
        ask_for_path(self, self.tr("Folder for the bundle"), True, "", self.export_to)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._facts, 1)
        top.addWidget(self._pack_row)
        top.addWidget(self._export)
        icons.set_icon(self._export, "export", "text")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        strip = Card(name="configStrip")
        strip.body.addLayout(top)
        layout.addWidget(strip)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self._difference_card(), 1)
        below.addWidget(self._job_card(), 1)
        layout.addLayout(below, 1)

    def _difference_card(self) -> Card:
        card = Card(self.tr("Differs from the defaults"), "differencesCard")
        table = self._differences
        table.setObjectName("differences")
        table.setAccessibleName(self.tr("Fields that differ from their defaults"))
        table.setHorizontalHeaderLabels([self.tr("Field"), self.tr("This run"), self.tr("Default")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setFrameShape(QTableWidget.Shape.NoFrame)
        table.setStyleSheet("QTableView::item { padding: 0 4px; }")
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        card.body.addWidget(table, 1)
        return card

    def _job_card(self) -> Card:
        card = Card(self.tr("The job as the node has it"), "jobCard")
        card.top.addWidget(plain_label("job.json", "caption"))
        self._job.setObjectName("jobText")
        self._job.setAccessibleName(self.tr("The job file"))
        self._job.setReadOnly(True)
        self._job.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._job.setProperty("role", "mono")
        self._job.setFont(theme.mono_font(12))
        self._job.setStyleSheet(PLAIN_CORNER)
        self._job.setTabChangesFocus(True)
        card.body.addWidget(self._job, 1)
        return card
