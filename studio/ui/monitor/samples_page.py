"""The fixed prompts and what the model answered at two steps, side by side, with the words marked that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from remote_agent.contract.events import Sampled
from studio.ui import words
from studio.ui.monitor.followed_run import FollowedRun
from studio.ui.monitor.word_diff import MarkedLabel, Piece, word_diff
from studio.ui.pieces import Card, clear_layout, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.run import RunState


class SamplesPage(QWidget):
    """A card a prompt; left the first answer, right the newest, or those of the steps that are chosen."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samplesPage")
        self.setAccessibleName(self.tr("Samples"))
        self._run: RunState | None = None
        self._followed = FollowedRun(self.refresh)
        self._drawn: object = None
        self._first = self._step_box("sampleFirstStep", self.tr("The step whose answers stand on the left"))
        self._step = self._step_box("sampleStep", self.tr("The step whose answers stand on the right"))
        self._seconds = plain_label("", "caption", "sampleSeconds", wraps=True)
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
        self._fill(self._first, steps[:-1], self._first.currentData(), newest_first=False)
        self._fill(self._step, steps[1:], None, newest_first=True)
        self._show_seconds(run)
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
        chosen = self._first.currentData()
        first = min(sample.step for sample in samples) if chosen is None else chosen
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
        empty = self.tr("(an empty answer)")
        texts = [sample.text or empty if sample is not None else "" for sample in (before, after)]
        unmarked = [[Piece(text, False)] for text in texts]
        pieces = word_diff(*texts) if before is not None and after is not None else unmarked
        for title, sample, said, name in (
            (self.tr("Step {step}"), before, pieces[0], "before"),
            (self.tr("Step {step}"), after, pieces[1], "after"),
        ):
            sides.addWidget(self._side(title, sample, said, f"sample{number}{name}"), 1)
        card.body.addLayout(sides)
        return card

    def _side(self, title: str, sample: Sampled | None, said: list[Piece], name: str) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        if sample is None:
            column.addWidget(plain_label(self.tr("No answer yet."), "muted", name))
        else:
            column.addWidget(plain_label(title.format(step=words.whole(sample.step)), "caption"))
            column.addWidget(MarkedLabel(said, name))
        column.addStretch(1)
        return side

    def _step_box(self, name: str, spoken: str) -> QComboBox:
        box = QComboBox()
        box.setObjectName(name)
        box.setAccessibleName(spoken)
        box.currentIndexChanged.connect(self._draw)
        return box

    def _fill(self, box: QComboBox, steps: Sequence[int], kept: int | None, newest_first: bool) -> None:
        """Offer steps; the one that was chosen stays chosen where it is offered still."""
        box.blockSignals(True)
        box.clear()
        for step in reversed(steps) if newest_first else steps:
            box.addItem(self.tr("step {step}").format(step=words.whole(step)), step)
        box.setCurrentIndex(max(0, box.findData(kept)) if steps else -1)
        box.blockSignals(False)

    def _show_seconds(self, run: RunState) -> None:
        """Say what the last round of answers took, which is about what the next takes, and what the job allows."""
        last = run.samples[-1] if run.samples else None
        of_round = [one for one in run.samples if last and (one.attempt, one.step) == (last.attempt, last.step)]
        seconds = sum(one.seconds for one in of_round)
        said = ""
        if last is not None and seconds > 0:
            counted = words.counted(len(of_round), self.tr("{} answer"), self.tr("{} answers"))
            said = self.tr("{answers} at step {step}: {time}; the next will take about as long (estimated).")
            said = said.format(answers=counted, time=words.duration(seconds), step=words.whole(last.step))
            most = run.spec.evaluation.sample_seconds
            if most > 0:
                cap = self.tr("After {time} the job begins no further prompt.").format(time=words.duration(most))
                said = f"{said} {cap}"
        self._seconds.setText(said)
        self._seconds.setVisible(bool(said))

    def _build(self) -> None:
        self._top = QWidget()
        top = QHBoxLayout(self._top)
        top.setContentsMargins(0, 0, 0, 0)
        top.addWidget(plain_label(self.tr("Answers at"), "muted"))
        top.addWidget(self._first)
        top.addWidget(plain_label(self.tr("beside those at"), "muted"))
        top.addWidget(self._step)
        top.addWidget(plain_label(self.tr("Underlined: differs from the other answer."), "caption"))
        top.addStretch(1)
        self._top.hide()
        self._seconds.hide()
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
        layout.addWidget(self._seconds)
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
