"""Asks with how many ranks and at which ZeRO stage an ended run is to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.reshaping import Shape, reshaped
from studio.ui import words
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from remote_agent.contract.job_spec import JobSpec
    from remote_agent.contract.node_report import NodeReport
    from studio.session.resuming import ResumeShapes


class ResumeDialog(QDialog):
    """Offers the shapes in which the saved state can be read; it opens at the one the run had last."""

    def __init__(
        self, spec: JobSpec, shapes: ResumeShapes, report: NodeReport | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("resumeDialog")
        self.setWindowTitle(self.tr("Resume in another shape"))
        self.setAccessibleName(self.windowTitle())
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._spec, self._shapes = spec, shapes
        self._ranks = self._choice("resumeRanks", self.tr("Ranks"))
        self._stage = self._choice("resumeStage", self.tr("ZeRO stage"))
        self._batch = plain_label("", "", "resumeBatch", wraps=True)
        form = QFormLayout()
        for box in (self._ranks, self._stage):
            form.addRow(box.accessibleName(), box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        heading = self.tr("Go on from step {step}").format(step=words.whole(shapes.step))
        layout.addWidget(plain_label(heading, "heading"))
        note = plain_label(self._said(report), "muted", "resumeNote", wraps=True)
        note.setMinimumWidth(420)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addWidget(self._batch)
        layout.addLayout(self._buttons())
        for ranks in sorted({shape.ranks for shape in shapes.all}):
            self._ranks.addItem(words.whole(ranks), ranks)
        self._ranks.currentIndexChanged.connect(self._show_stages)
        self._stage.currentIndexChanged.connect(self._show_batch)
        self._ranks.setCurrentIndex(max(0, self._ranks.findData(shapes.now.ranks)))
        self._show_stages()

    @property
    def asked(self) -> tuple[int, int | None]:
        """Return ranks and stage to ask the node for: 0 and None where the run goes on as it was."""
        shape = self._shape()
        return (0, None) if shape == self._shapes.now else (shape.ranks, shape.zero_stage)

    def _choice(self, name: str, label: str) -> QComboBox:
        box = QComboBox()
        box.setObjectName(name)
        box.setAccessibleName(label)
        return box

    def _buttons(self) -> QHBoxLayout:
        cancel = button(self.tr("Cancel"), "resumeCancelButton")
        go_on = button(self.tr("Resume"), "resumeInShapeButton", role="primary")
        cancel.clicked.connect(self.reject)
        go_on.clicked.connect(self.accept)
        go_on.setDefault(True)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(go_on)
        return row

    def _said(self, report: NodeReport | None) -> str:
        if len(self._shapes.all) == 1:
            return self.tr(
                "The saved state can be read in this shape only. What can be divided anew is the state of AdamW at the "
                "ZeRO stages 1 to 3, without averaged weights and without fp16."
            )
        if report is None:
            there = self.tr("The node was not probed yet, so what it has is not known.")
        elif report.gpus:
            there = self.tr("GPUs of the node: {count}.").format(count=len(report.gpus))
        else:
            there = self.tr("The node has no GPU; cores that its ranks share: {count}.").format(count=report.cores)
        kept = self.tr(
            "The global batch, the rows of every update and the learning rate stay as they are. The node divides the "
            "saved state anew first."
        )
        return f"{there} {kept}"

    def _shape(self) -> Shape:
        return Shape(int(self._ranks.currentData()), int(self._stage.currentData()))

    def _show_stages(self) -> None:
        """Offer the stages that go with the number of ranks, and stay at the present one where it is among them."""
        ranks, before = self._ranks.currentData(), self._stage.currentData()
        wanted = self._shapes.now.zero_stage if before is None else before
        self._stage.blockSignals(True)
        self._stage.clear()
        for shape in self._shapes.all:
            if shape.ranks == ranks:
                self._stage.addItem(str(shape.zero_stage), shape.zero_stage)
        self._stage.setCurrentIndex(max(0, self._stage.findData(wanted)))
        self._stage.blockSignals(False)
        self._show_batch()

    def _show_batch(self) -> None:
        shape = self._shape()
        batch = reshaped(self._spec, shape).batch
        said = self.tr(
            "{micro} × {accumulation} × {ranks} = {whole} sequences an update (micro batch, accumulation, ranks)"
        )
        self._batch.setText(
            said.format(
                micro=words.whole(batch.micro_batch),
                accumulation=words.whole(batch.accumulation),
                ranks=words.whole(shape.ranks),
                whole=words.whole(batch.micro_batch * batch.accumulation * shape.ranks),
            )
        )
