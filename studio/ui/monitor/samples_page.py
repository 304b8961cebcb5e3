"""The fixed prompts and what the model answered, before and after, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from remote_agent.contract.events import Sampled
from studio.ui import words
from studio.ui.monitor.followed_run import FollowedRun
from studio.ui.pieces import Card, clear_layout, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.run import RunState


class SamplesPage(QWidget):
    """A card a prompt; left the first answer, right the newest or the step that is chosen."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samplesPage")
        self.setAccessibleName(self.tr("Samples"))
        self._run: RunState | None = None
        self._followed = FollowedRun(self.refresh)
        self._drawn: object = None
        self._step = QComboBox()
        self._step.setObjectName("sampleStep")
        self._step.setAccessibleName(self.tr("The step whose answers are compared with the first"))
        self._step.currentIndexChanged.connect(self._draw)
        self._empty = plain_label(
            self.tr(
                "Here the answers before and after stand side by side. Name a few sample prompts in the recipe, and "
                "the run answers them before the first step and after the last."
            ),
            "muted",
            "samplesEmpty",
            wraps=True,
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setFixedWidth(520)
        self._build()

    def show_run(self, run: RunState) -> None:
        """Show another run."""
        self._run = run
        self._drawn = None
        self._followed.follow(run)
        self.refresh()

    def refresh(self) -> None:
        """Take samples that came since; nothing is done while the page is hidden."""
        run = self._run
        if run is None or not self.isVisible():
            return
        key = (run.run_id, len(run.samples), run.samples[-1] if run.samples else None)
        if key == self._drawn:
            return
        self._drawn = key
        steps = sorted({sample.step for sample in run.samples})
        self._step.blockSignals(True)
        self._step.clear()
        for step in reversed(steps[1:]):
            self._step.addItem(self.tr("step {step}").format(step=words.whole(step)), step)
        self._step.blockSignals(False)
        self._top.setVisible(len(steps) > 1)
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the page was hidden."""
        super().showEvent(event)
        self.refresh()

    def _draw(self) -> None:
        run = self._run
        clear_layout(self._cards)
        samples = run.samples if run is not None else ()
        self._empty.setVisible(not samples)
        self._scroll.setVisible(bool(samples))
        if not samples:
            return
        first = min(sample.step for sample in samples)
        last = self._step.currentData()
        prompts = list(dict.fromkeys(sample.prompt for sample in samples))
        for number, prompt in enumerate(prompts):
            before = _answer(samples, prompt, first)
            after = _answer(samples, prompt, last) if last is not None else None
            self._cards.addWidget(self._card(number, prompt, before, after))
        self._cards.addStretch(1)

    def _card(self, number: int, prompt: str, before: Sampled | None, after: Sampled | None) -> Card:
        card = Card(name=f"sample{number}")
        card.setAccessibleName(self.tr("Answers to {prompt}").format(prompt=prompt))
        asked = plain_label(prompt, "heading", wraps=True)
        asked.setTextInteractionFlags(_SELECTABLE)
        card.body.addWidget(asked)
        sides = QHBoxLayout()
        sides.setSpacing(24)
        for title, sample, name in (
            (self.tr("Before, step {step}"), before, "before"),
            (self.tr("After, step {step}"), after, "after"),
        ):
            sides.addWidget(self._side(title, sample, f"sample{number}{name}"), 1)
        card.body.addLayout(sides)
        return card

    def _side(self, title: str, sample: Sampled | None, name: str) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        if sample is None:
            column.addWidget(plain_label(self.tr("No answer yet."), "muted", name))
        else:
            column.addWidget(plain_label(title.format(step=words.whole(sample.step)), "caption"))
            text = plain_label(sample.text or self.tr("(an empty answer)"), "", name, wraps=True)
            text.setTextInteractionFlags(_SELECTABLE)
            column.addWidget(text)
        column.addStretch(1)
        return side

    def _build(self) -> None:
        self._top = QWidget()
        top = QHBoxLayout(self._top)
        top.setContentsMargins(0, 0, 0, 0)
        top.addWidget(plain_label(self.tr("Answers of the base model beside those of"), "muted"))
        top.addWidget(self._step)
        top.addStretch(1)
        self._top.hide()
        held = QWidget()
        held.setObjectName("scrolled")
        self._cards = QVBoxLayout(held)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(12)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("samplesScroll")
        self._scroll.setAccessibleName(self.tr("Prompts and answers"))
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(held)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._top)
        layout.addWidget(self._scroll, 1)
        middle = QHBoxLayout()  # not aligned by the layout, which would give the label the height of another width
        middle.addStretch(1)
        middle.addWidget(self._empty)
        middle.addStretch(1)
        layout.addLayout(middle, 1)


_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard


def _answer(samples: Sequence[Sampled], prompt: str, step: int) -> Sampled | None:
    """Return the newest answer to a prompt at a step; a later attempt may have answered again."""
    return next((sample for sample in reversed(samples) if (sample.prompt, sample.step) == (prompt, step)), None)
