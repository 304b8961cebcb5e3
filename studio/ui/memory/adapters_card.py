"""Full fine-tuning beside LoRA and QLoRA for the draft's model, with the arithmetic, for orientation."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout

from remote_agent.contract.memory import setup_of_job
from remote_agent.contract.memory.adapters import RANK, beside
from remote_agent.contract.memory.examples import NF4_BITS
from remote_agent.contract.model_facts import UnknownModelError
from studio.state.memory_outlook import MemoryOutlook
from studio.ui import words
from studio.ui.pieces import plain_label


class AdaptersCard(QFrame):
    """Three rows: what each way holds in all before activations, and how that comes about."""

    def __init__(self, outlook: MemoryOutlook) -> None:
        super().__init__()
        self._outlook = outlook
        self.setProperty("role", "card")
        self.setObjectName("adaptersCard")
        heading = plain_label(self.tr("Beside LoRA and QLoRA"), "heading")
        self.setAccessibleName(heading.text())
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        self.rows: list[tuple[QLabel, QLabel]] = []
        for number, name in enumerate((self.tr("Full fine-tuning"), self.tr("LoRA"), self.tr("QLoRA"))):
            size, arithmetic = plain_label("", "strong"), plain_label("", "caption")
            for column, label in enumerate((plain_label(name), size, arithmetic)):
                grid.addWidget(label, number, column)
            self.rows.append((size, arithmetic))
        grid.setColumnStretch(2, 1)
        note = plain_label(
            self.tr("Over all GPUs, before activations, which all three need alike. Luthier trains all parameters."),
            "caption",
            wraps=True,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(heading)
        layout.addLayout(grid)
        layout.addWidget(note)
        outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's figures."""
        spec, model = self._outlook.draft.spec, self._outlook.draft.known.model
        self.setHidden(model is None or self._outlook.figures is None)
        if model is None or self._outlook.figures is None:
            return
        try:
            shape = setup_of_job(spec, model.config, model.parameters).setup.shape
        except UnknownModelError:
            return
        found = beside(spec, shape)
        count, adapter = words.count(found.parameters), words.count(found.adapter)
        each, frozen = words.short_number(found.full_each), words.short_number(found.frozen_each)
        trained = self.tr("{} parameters × {} bytes").format(count, each)
        added = self.tr("{} of rank {} × {} bytes").format(adapter, RANK, each) if found.adapter else ""
        kept = self.tr("{} × {} bytes").format(count, frozen)
        small = self.tr("{} × {} bits").format(count, NF4_BITS)
        texts = (trained, " + ".join(filter(None, (kept, added))), " + ".join(filter(None, (small, added))))
        for (size, arithmetic), value, text in zip(
            self.rows, (found.full, found.lora, found.qlora), texts, strict=True
        ):
            size.setText(words.size(value))
            arithmetic.setText(text)
