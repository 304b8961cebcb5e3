"""What fits: proposals that keep the global batch, fastest first, each applied by one click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from remote_agent.contract.memory import setup_of_job
from remote_agent.contract.memory.largest import largest_model
from remote_agent.contract.memory.search import Proposal, largest_fitting, proposals
from remote_agent.contract.model_facts import longest_sequence
from studio.state.memory_figures import Estimate
from studio.state.memory_outlook import MemoryOutlook
from studio.ui import words
from studio.ui.pieces import ElidedLabel, button

MOST = 4
MOST_SEQUENCES, MOST_TOKENS = 1024, 131_072
"""How far a search for the largest micro batch and sequence length goes; a model's own limit goes before."""


class FitCard(QFrame):
    """A button that searches for what fits the node's GPUs, and its answers."""

    def __init__(self, outlook: MemoryOutlook) -> None:
        super().__init__()
        self._outlook, self._draft = outlook, outlook.draft
        self.found: tuple[Proposal, ...] = ()
        self.setProperty("role", "card")
        self.setObjectName("fitCard")
        heading = QLabel(self.tr("Make it fit"))
        heading.setProperty("role", "heading")
        self.setAccessibleName(heading.text())
        self._search = button(self.tr("Find what fits"), "findFits")
        self._search.clicked.connect(self.search)
        self._note = QLabel()
        self._note.setProperty("role", "caption")
        self._note.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self._search)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self._note)
        self._rows: list[tuple[QFrame, ElidedLabel, QPushButton]] = []
        for number in range(MOST):
            row = self._row(number)
            layout.addWidget(row)
        outlook.changed.connect(self.refresh)
        self.refresh()

    def _row(self, number: int) -> QFrame:
        row, text, apply = QFrame(), ElidedLabel(), button(self.tr("Apply"), f"applyFit{number}")
        apply.clicked.connect(lambda: self.apply(number))
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(text, 1)
        layout.addWidget(apply)
        row.hide()
        self._rows.append((row, text, apply))
        return row

    def refresh(self) -> None:
        """Forget proposals of an earlier draft, and hide where there is no GPU to fit."""
        figures = self._outlook.figures
        self.setHidden(figures is None or figures.on_host or not figures.capacity_bytes)
        self.found = ()
        self._show(
            self.tr("Stage, offload, micro batch, checkpointing, loss and attention are tried; the global batch stays.")
        )

    def search(self) -> None:
        """Search, and show the fastest proposals."""
        figures = self._outlook.figures
        model = self._draft.known.model
        if figures is None or model is None or not figures.capacity_bytes:
            return
        # what a measured run says of the estimate, the search takes off the capacity
        capacity = int(figures.capacity_bytes / figures.correction.factor)
        self.found = proposals(
            self._draft.spec, model.config, model.parameters, capacity, figures.host_capacity_bytes, MOST, figures.nodes
        )
        if self.found:
            said = self.tr("The fastest first, estimated; a click applies it.")
        else:
            said = self.tr("Nothing fits these GPUs with this sequence length. More GPUs or a shorter one would.")
        most = self._most_words(model.config, model.parameters, capacity, figures)
        self._show(f"{said} {most}".strip())

    def _most_words(self, config: Mapping[str, Any], parameters: int, capacity_bytes: int, figures: Estimate) -> str:
        """Return how far micro batch, sequence length and model could go, each with all else as it is."""
        setup, missing = setup_of_job(self._draft.spec, config, parameters)
        if missing:
            return ""
        setup = setup._replace(nodes=figures.nodes)
        longest = longest_sequence(config) or MOST_TOKENS
        sequences = largest_fitting(setup, capacity_bytes, "micro_batch", MOST_SEQUENCES)
        tokens = largest_fitting(setup, capacity_bytes, "seq_len", longest)
        model = largest_model(setup, capacity_bytes, figures.host_capacity_bytes)
        found = [
            self.tr("a micro batch of {}").format(words.whole(sequences)) if sequences else "",
            self.tr("a sequence length of {}").format(words.whole(tokens)) if tokens else "",
            self.tr("a model of these proportions with {} parameters").format(words.count(model)) if model else "",
        ]
        most = self.tr(", or ").join(each for each in found if each)
        return self.tr("All else as it is, at most {} fits.").format(most) if most else ""

    def apply(self, number: int) -> None:
        """Make the changes of a proposal."""
        if number < len(self.found) and self.found[number].changes:
            self._draft.edit(dict(self.found[number].changes))

    def _show(self, note: str) -> None:
        self._note.setText(note)
        for number, (row, text, apply) in enumerate(self._rows):
            row.setVisible(number < len(self.found))
            if number < len(self.found):
                proposal = self.found[number]
                text.set_text(self._words_of(proposal))
                apply.setEnabled(bool(proposal.changes))
                apply.setAccessibleName(f"{self.tr('Apply')}: {text.text()}")

    def _words_of(self, proposal: Proposal) -> str:
        spec = self._draft.spec
        values = {
            "strategy.zero_stage": spec.strategy.zero_stage,
            "strategy.offload_optimizer": spec.strategy.offload_optimizer,
            "strategy.offload_parameters": spec.strategy.offload_parameters,
            "strategy.activation_checkpointing": spec.strategy.activation_checkpointing,
            "batch.micro_batch": spec.batch.micro_batch,
            "batch.accumulation": spec.batch.accumulation,
            **dict(proposal.changes),
        }
        parts = [self.tr("ZeRO {}").format(values["strategy.zero_stage"])]
        if values["strategy.offload_parameters"]:
            parts.append(self.tr("all offloaded"))
        elif values["strategy.offload_optimizer"]:
            parts.append(self.tr("optimizer offloaded"))
        parts.append(
            self.tr("checkpointing") if values["strategy.activation_checkpointing"] else self.tr("no checkpointing")
        )
        if "strategy.loss_kernel" in dict(proposal.changes):
            parts.append(self.tr("logits a chunk at a time"))
        if "strategy.attention" in dict(proposal.changes):
            parts.append(self.tr("attention by SDPA"))
        parts.append(self.tr("{} × {}").format(values["batch.micro_batch"], values["batch.accumulation"]))
        parts.append(self.tr("{} free").format(words.percent(max(0.0, proposal.headroom))))
        parts.append(self.tr("time × {}").format(f"{proposal.relative_time:.2f}"))
        if not proposal.changes:
            parts.append(self.tr("as it is"))
        return "   ·   ".join(parts)
