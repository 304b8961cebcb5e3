"""What the numbers of the recipe come to: steps, epochs, tokens, and the arithmetic in a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule import warmup_steps
from studio.state.draft import Draft
from studio.ui import words

_PLACES, _NARROW_PLACES = 5, 3
_NARROW_PX = 560
_UNKNOWN = "–"


class MeaningCard(QFrame):
    """Five large numbers and two sentences about a draft."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.setProperty("role", "card")
        self.setObjectName("meaningCard")
        heading = QLabel(self.tr("What this means"))
        heading.setProperty("role", "heading")
        self.setAccessibleName(heading.text())
        self._grid = grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(0)
        self._numbers: list[QLabel] = []
        self._captions: list[QLabel] = []
        for _ in range(_PLACES):
            number, caption = QLabel(), QLabel()
            number.setProperty("role", "number")
            caption.setProperty("role", "caption")
            caption.setWordWrap(True)
            caption.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._numbers.append(number)
            self._captions.append(caption)
        self._columns = 0
        self._place(_PLACES)
        self._numbers[0].setObjectName("totalSteps")
        self._sentence = QLabel()
        self._sentence.setObjectName("batchSentence")
        self._sentence.setProperty("role", "muted")
        self._sentence.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        layout.addWidget(heading)
        layout.addLayout(grid)
        layout.addWidget(self._sentence)
        draft.changed.connect(self.refresh)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stand the numbers in two rows where the card is narrow."""
        super().resizeEvent(event)
        self._place(_NARROW_PLACES if self.width() < _NARROW_PX else _PLACES)

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for index, (number, caption) in enumerate(zip(self._numbers, self._captions, strict=True)):
            self._grid.addWidget(number, 2 * (index // columns), index % columns)
            self._grid.addWidget(caption, 2 * (index // columns) + 1, index % columns)
        for column in range(_PLACES):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def refresh(self) -> None:
        """Say what the draft comes to now."""
        spec, plan = self._draft.spec, self._draft.plan
        epochs = plan.total_steps / plan.steps_per_epoch if plan.steps_per_epoch else spec.batch.epochs
        steps = words.whole(plan.total_steps) if plan.total_steps else _UNKNOWN
        self._put(0, steps, self.tr("optimizer steps"))
        if plan.steps_per_epoch:
            per_epoch = words.counted(plan.steps_per_epoch, self.tr("epochs of {} step"), self.tr("epochs of {} steps"))
        else:
            per_epoch = self.tr("epochs")
        self._put(1, words.short_number(round(epochs, 2)), per_epoch)
        warmup = warmup_steps(spec.schedule, self._draft.horizon) if plan.total_steps else 0
        self._put(2, words.whole(warmup) if plan.total_steps else _UNKNOWN, self.tr("warmup steps"))
        self._put(3, *self._tokens(epochs))
        tokens = self.tr("sequences an update, {} tokens at most").format(words.count(plan.global_batch_tokens))
        self._put(4, words.whole(plan.global_batch), tokens)
        self._sentence.setText(f"{self._arithmetic(spec, plan.global_batch)} {self._what_is_kept(spec)}")

    def _tokens(self, epochs: float) -> tuple[str, str]:
        """Return the tokens that the run sees, and how many of them it learns from."""
        data = self._draft.known.data
        if data is None or not self._draft.plan.steps_per_epoch:
            return _UNKNOWN, self.tr("tokens seen")
        supervised = words.count(data.train_supervised_tokens * epochs)
        return words.count(data.train_tokens * epochs), self.tr("tokens seen, {} supervised").format(supervised)

    def _put(self, place: int, number: str, caption: str) -> None:
        self._numbers[place].setText(number)
        self._captions[place].setText(caption)

    def _arithmetic(self, spec: JobSpec, global_batch: int) -> str:
        sequences = words.counted(spec.batch.micro_batch, self.tr("{} sequence"), self.tr("{} sequences"))
        accumulation = self.tr("{} accumulation").format(spec.batch.accumulation)
        node = self._draft.known.node
        if node is not None and node.gpus:
            ranks = words.counted(spec.strategy.ranks, self.tr("{} GPU"), self.tr("{} GPUs"))
        else:
            ranks = words.counted(spec.strategy.ranks, self.tr("{} process"), self.tr("{} processes"))
        product = self.tr("{sequences} × {accumulation} × {ranks} = {product}.").format(
            sequences=sequences, accumulation=accumulation, ranks=ranks, product=words.whole(global_batch)
        )
        if self._draft.plan.total_steps:
            return product
        return product + " " + self.tr("The number of steps follows from the data, which is not read yet.")

    def _what_is_kept(self, spec: JobSpec) -> str:
        every = spec.evaluation.every_steps
        if every:
            evaluated = words.counted(every, self.tr("Evaluation every step"), self.tr("Evaluation every {} steps"))
        elif spec.evaluation.at_start:
            evaluated = self.tr("Evaluation before the first step and after the last")
        else:
            evaluated = self.tr("Evaluation after the last step")
        saved = [spec.checkpointing.weights_every_steps, spec.checkpointing.state_every_steps]
        often = [steps for steps in saved if steps]
        if often:
            return self.tr("{evaluated}; a checkpoint every {steps}.").format(
                evaluated=evaluated, steps=words.whole(min(often))
            )
        return self.tr("{}; weights are saved at the end.").format(evaluated)
