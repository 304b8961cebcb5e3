"""What a device will hold, in one card: figure, verdict, bar, interval, and which phase binds."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from remote_agent.contract.memory import DOES_NOT_FIT, TIGHT, UNKNOWN
from studio.state.memory_figures import Estimate
from studio.state.memory_outlook import MemoryOutlook
from studio.ui import theme, words
from studio.ui.memory.measured_words import correction_words
from studio.ui.memory.state_bar import StateBar
from studio.ui.pieces import ElidedLabel, button, plain_label


class MemoryCard(QFrame):
    """What a draft takes on each GPU, or in the host's memory of a node without one."""

    def __init__(
        self, outlook: MemoryOutlook, bar_height: int = 14, drop_correction: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._outlook, self._draft = outlook, outlook.draft
        self.setProperty("role", "card")
        self.setObjectName("memoryCard")
        self._heading, self._figure = QLabel(), QLabel()
        self._detail, self._verdict, self._note = ElidedLabel(), QLabel(), QLabel()
        self._bar = StateBar(bar_height)
        for label, role in (
            (self._heading, "heading"),
            (self._figure, "strong"),
            (self._detail, "caption"),
            (self._note, "caption"),
        ):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("role", role)
        self._note.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._figure)
        row.addWidget(self._detail, 1)
        row.addWidget(self._verdict)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(4)
        layout.addWidget(self._heading)
        layout.addLayout(row)
        layout.addWidget(self._bar)
        layout.addWidget(self._note)
        self.corrected = plain_label("", "hint", "memoryCorrected")
        self.uncorrect = button(self.tr("Take it back"), "dropCorrection", role="link")
        self.uncorrect.setAccessibleName(self.tr("Take the correction back"))
        if drop_correction is not None:
            self.uncorrect.clicked.connect(drop_correction)
        self._drops = drop_correction is not None
        under = QHBoxLayout()
        under.addWidget(self.corrected)
        under.addWidget(self.uncorrect)
        under.addStretch(1)
        layout.addLayout(under)
        outlook.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's figures."""
        figures = self._outlook.figures
        node, kind, by = self._draft.known.node, self._outlook.kind, self._outlook.corrected_by
        self.corrected.setText(correction_words(by) if by is not None else "")
        self.corrected.setVisible(by is not None and figures is not None)
        self.uncorrect.setVisible(self._drops and by is not None and figures is not None)
        if kind is not None:
            self._heading.setText(self.tr("Each {}").format(kind.name))
        elif node is None:
            self._heading.setText(self.tr("Each GPU"))
        elif node.gpus:
            self._heading.setText(self.tr("Each GPU of {}").format(node.hostname))
        else:
            self._heading.setText(self.tr("Host memory of {}").format(node.hostname))
        self._bar.show_estimate(figures)
        for widget in (self._bar, self._figure, self._detail, self._verdict):
            widget.setVisible(figures is not None)
        if figures is None:
            model = self._draft.known.model
            if model is None:
                note = self.tr("Once a model is chosen, what each GPU will hold stands here.")
            else:
                note = self.tr("The number of parameters of this model could not be read from its files.")
            self._note.setText(note)
            return
        self._say(figures)

    def _say(self, figures: Estimate) -> None:
        used, capacity = words.size(figures.used_bytes), words.size(figures.capacity_bytes)
        self._figure.setText(self.tr("{} of {}").format(used, capacity) if figures.capacity_bytes else used)
        ranks = self._draft.spec.strategy.ranks
        if figures.on_host:
            self._detail.set_text(
                words.counted(ranks, self.tr("{} process, estimated"), self.tr("{} processes together, estimated"))
            )
        else:
            devices = words.counted(ranks, self.tr("{} GPU"), self.tr("{} GPUs"))
            stage = self._draft.spec.strategy.zero_stage
            self._detail.set_text(self.tr("ZeRO {} over {}, estimated").format(stage, devices))
        verdict, role = verdict_of(figures)
        self._verdict.setText(verdict)
        theme.set_role(self._verdict, role)
        self._note.setText(" ".join(self._notes(figures)))

    def _notes(self, figures: Estimate) -> list[str]:
        memory = figures.memory
        notes = [self.tr("The peak is in phase: {}.").format(phase_name(memory.binding))]
        if not figures.on_host:
            notes.append(
                self.tr("Likely between {} and {} on the card; tensors alone {}.").format(
                    words.size(memory.card.low), words.size(memory.card.high), words.size(memory.allocated.likely)
                )
            )
            notes.append(self.tr("Host memory of a node about {}.").format(words.size(figures.host.used.likely)))
        if figures.missing:
            notes.append(
                self.tr("Activations and logits are not counted: the model's type has no formula. A trace counts them.")
            )
        return notes


def phase_name(phase: str) -> str:
    """Return the words for a phase of the memory model."""
    return {
        "load": QCoreApplication.translate("memory", "loading"),
        "forward": QCoreApplication.translate("memory", "forward"),
        "loss": QCoreApplication.translate("memory", "loss"),
        "backward_top": QCoreApplication.translate("memory", "backward, top layer"),
        "backward_bottom": QCoreApplication.translate("memory", "backward, lowest layer"),
        "step": QCoreApplication.translate("memory", "optimizer step"),
        "evaluate": QCoreApplication.translate("memory", "evaluation"),
        "sample": QCoreApplication.translate("memory", "samples"),
        "save": QCoreApplication.translate("memory", "saving"),
        "load_best": QCoreApplication.translate("memory", "loading the best back"),
    }[phase]


def verdict_of(figures: Estimate) -> tuple[str, str]:
    """Return whether it fits, in words, and the style's role for it."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("memory", text)

    if figures.verdict == UNKNOWN:
        return translated("no node to compare with"), "muted"
    left = figures.capacity_bytes - figures.used_bytes
    if not figures.host_fits:
        return translated("✕ the offloaded part does not fit the host"), "bad"
    if figures.verdict == DOES_NOT_FIT:
        over = (
            left
            if figures.on_host
            else figures.capacity_bytes - figures.memory.outside - (figures.memory.allocated.likely)
        )
        return translated("✕ does not fit, {} over").format(words.size(-over)), "bad"
    if figures.verdict == TIGHT and left < 0:
        return translated("⚠ tight, the allocator will have to give memory back"), "warning"
    share = left / figures.capacity_bytes
    if figures.missing:  # nobody may take this for "fits"
        return translated("⚠ {} left before activations and logits").format(words.percent(share)), "warning"
    if figures.verdict == TIGHT:
        return translated("⚠ tight, only {} is left").format(words.percent(share)), "warning"
    return translated("✓ fits, {} left").format(words.percent(share)), "good"
