"""On which GPUs the draft is looked at: the node's own, or any kind of the table, and how many."""

from __future__ import annotations

from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from remote_agent.contract.memory.gpu_kinds import GpuKind
from studio.session.memory_runs import MemoryRuns
from studio.ui import words
from studio.ui.controls import ChoiceBox
from studio.ui.pieces import ElidedLabel, plain_label

MOST_GPUS = 4096


class HardwareCard(QFrame):
    """A choice of the kind of GPU, and their number, which is the job's number of processes."""

    def __init__(self, memory: MemoryRuns) -> None:
        super().__init__()
        self._memory, self._outlook = memory, memory.outlook
        self.setProperty("role", "card")
        self.setObjectName("hardwareCard")
        heading = plain_label(self.tr("On which GPUs"), "heading")
        self.setAccessibleName(heading.text())
        kinds = sorted(memory.gpu_kinds, key=lambda kind: kind.name.lower())
        self._kinds = {kind.name: kind for kind in kinds}
        self.kind = ChoiceBox([("", ""), *((kind.name, kind.name) for kind in kinds)])
        self.kind.set_details({kind.name: words.size(kind.memory_bytes) for kind in kinds})
        self.kind.setObjectName("gpuKind")
        self.kind.setAccessibleName(self.tr("Kind of GPU"))
        self.count = QLineEdit()
        self.count.setValidator(QIntValidator(1, MOST_GPUS, self.count))
        self.count.setFixedWidth(56)
        self.count.setObjectName("gpuCount")
        self.count.setAccessibleName(self.tr("Number of GPUs"))
        self._note = ElidedLabel("", "caption")
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (self.count, plain_label("×"), self.kind):
            row.addWidget(widget)
        row.addWidget(self._note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(heading)
        layout.addLayout(row)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.count.editingFinished.connect(self._on_count)
        self._outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the choice as it is."""
        kind = self._outlook.kind
        self.kind.setItemText(0, self._own_words())
        self.kind.set_value(kind.name if kind is not None else "")
        self.count.setText(str(self._outlook.draft.spec.strategy.ranks))
        self._note.set_text(self._about(kind) if kind is not None else "")

    def _on_kind(self, _: int) -> None:
        self._outlook.choose(self._kinds.get(str(self.kind.value())))

    def _on_count(self) -> None:
        if self.count.hasAcceptableInput():
            self._outlook.draft.set_value("strategy.ranks", int(self.count.text()))

    def _own_words(self) -> str:
        node = self._outlook.draft.known.node
        if node is None:
            return self.tr("no node is chosen")
        if not node.gpus:
            return self.tr("{}, no GPU").format(node.hostname)
        return self.tr("{} of {}").format(node.gpus[0].name, node.hostname)

    def _about(self, kind: GpuKind) -> str:
        bf16 = words.short_number(kind.bf16_flops / 1e12)
        parts = [
            words.size(kind.memory_bytes),
            self.tr("{} GB/s").format(words.short_number(kind.bandwidth / 1e9)),
            self.tr("{} TFLOP/s in bf16").format(bf16) if kind.bf16_flops else self.tr("no bf16"),
            kind.interconnect,
            kind.source,
        ]
        return "   ·   ".join(part for part in parts if part)
