"""The cards of the recipe: which fields stand together, which wait behind "More"."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.state.draft import Draft
from studio.ui.knob_field import FIELDS, KnobField


class Row(NamedTuple):
    """One row: a field, perhaps a second one beside it, and other words than the field's own."""

    path: str
    companion: str = ""
    label: str = ""


class CardPlan(NamedTuple):
    """A card: its title and its rows; rows of advanced fields wait behind "More"."""

    name: str
    title: str
    rows: tuple[Row, ...]


def card_plans() -> tuple[CardPlan, ...]:
    """Return the cards in reading order."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("recipe", text)

    return (
        CardPlan("optimizer", translated("Optimizer"), (
            Row("optimizer.kind"), Row("optimizer.beta1", "optimizer.beta2", translated("Betas")),
            Row("optimizer.weight_decay"), Row("optimizer.epsilon"), Row("optimizer.momentum"),
            Row("optimizer.decay_embeddings"),
        )),
        CardPlan("schedule", translated("Schedule"), (
            Row("schedule.shape"), Row("optimizer.learning_rate"),
            Row("schedule.warmup.amount", "schedule.warmup.unit"), Row("schedule.minimum_factor"),
            Row("schedule.warmup.start_fraction"),
        )),
        CardPlan("regularization", translated("Regularization"), (
            Row("regularization.clip_norm"), Row("regularization.label_smoothing"),
        )),
        CardPlan("batch", translated("Batch"), (
            Row("batch.micro_batch"), Row("batch.accumulation"), Row("strategy.ranks"), Row("batch.epochs"),
            Row("batch.max_steps"),
        )),
        CardPlan("strategy", translated("Precision and memory"), (
            Row("strategy.precision"), Row("strategy.zero_stage"), Row("strategy.activation_checkpointing"),
            Row("strategy.offload_optimizer"), Row("strategy.offload_parameters"), Row("strategy.attention"),
            Row("strategy.threads_per_rank"),
        )),
        CardPlan("keeping", translated("Checkpoints and evaluation"), (
            Row("evaluation.every_steps"), Row("evaluation.at_start"), Row("checkpointing.weights_every_steps"),
            Row("checkpointing.state_every_steps"), Row("checkpointing.keep_last"), Row("checkpointing.save_at_end"),
            Row("evaluation.sample_prompts"), Row("evaluation.sample_tokens"), Row("evaluation.micro_batch"),
        )),
        CardPlan("repeating", translated("Seed and loading"), (
            Row("seed"), Row("determinism.enabled"), Row("loading.workers"), Row("loading.prefetch"),
            Row("loading.pin_memory"),
        )),
    )  # fmt: skip


class RecipeCard(QFrame):
    """A titled column of fields with the advanced ones folded away; ``fields`` has them by path."""

    def __init__(self, draft: Draft, plan: CardPlan) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setObjectName(f"{plan.name}Card")
        self.setAccessibleName(plan.title)
        self.fields: dict[str, KnobField] = {}
        self._more = QPushButton(self.tr("More"))
        self._hidden = QWidget()
        heading = QLabel(plan.title)
        heading.setProperty("role", "heading")
        top = QHBoxLayout()
        top.setContentsMargins(12, 0, 0, 0)
        top.addWidget(heading)
        top.addStretch(1)
        top.addWidget(self._more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 10, 12, 12)
        layout.setSpacing(6)
        layout.addLayout(top)
        folded = QVBoxLayout(self._hidden)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(6)
        for row in plan.rows:
            field = KnobField(draft, row.path, row.companion, row.label)
            self.fields.update(dict.fromkeys(field.paths, field))
            (folded if FIELDS[row.path].knob.advanced else layout).addWidget(field)
        layout.addWidget(self._hidden)
        self._hidden.hide()
        self._more.setProperty("role", "link")
        self._more.setCheckable(True)
        self._more.setVisible(folded.count() > 0)
        self._more.setAccessibleName(self.tr("More of {}").format(plan.title))
        self._more.setCursor(Qt.CursorShape.PointingHandCursor)
        self._more.toggled.connect(self._on_more)

    def _on_more(self, open_: bool) -> None:
        self._hidden.setVisible(open_)
        self._more.setText(self.tr("Less") if open_ else self.tr("More"))

    @property
    def is_open(self) -> bool:
        """Whether the advanced fields are shown."""
        return self._more.isChecked()

    def set_open(self, open_: bool) -> None:
        """Show or fold the advanced fields."""
        self._more.setChecked(open_)

    def reveal(self, path: str) -> KnobField:
        """Make a field visible and return it. Raises KeyError for a path that is not on this card."""
        field = self.fields[path]
        if field.parentWidget() is self._hidden:
            self.set_open(True)
        return field
