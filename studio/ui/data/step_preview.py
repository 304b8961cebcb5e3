"""What a step would do, asked for before it is applied: the counts, and texts before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QTextEdit, QVBoxLayout, QWidget

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_steps import Step
from studio.ui import theme, words
from studio.ui.data.pair_view import differing
from studio.ui.data.step_words import effect
from studio.ui.pieces import plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

SETTLE_MS = 300
_EXAMPLES, _EXAMPLE_CHARACTERS = 3, 400


class StepPreview(QWidget):
    """Asks the session what a step would do and shows the answer; ``known`` says whether it is here."""

    known = Signal(bool)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._step: Step | None = None
        self._waits = False
        self._said = plain_label("", "strong", "stepEffect", wraps=True)
        self._examples = QTextEdit()
        self._examples.setObjectName("stepExamples")
        self._examples.setAccessibleName(self.tr("Examples before and after"))
        self._examples.setReadOnly(True)
        self._examples.setTabChangesFocus(True)
        self._examples.setFixedHeight(132)
        self._examples.hide()
        self._soon = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._soon.timeout.connect(self._ask)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._said)
        layout.addWidget(self._examples)
        session.step_previewed.connect(self._on_previewed)
        session.step_failed.connect(self._on_failed)

    def ask(self, step: Step, at_once: bool = False) -> None:
        """Ask what a step would do, a moment after the last call."""
        self._step, self._waits = step, True
        self._said.setText(self.tr("Counting the rows that it changes…"))
        self._examples.hide()
        self.known.emit(False)
        if at_once:
            self._soon.stop()
            self._ask()
        else:
            self._soon.start()

    def show_sentence(self, sentence: str) -> None:
        """Show a sentence in place of an answer."""
        self._soon.stop()
        self._step, self._waits = None, False
        self._examples.hide()
        self._said.setText(sentence)

    def _ask(self) -> None:
        if self._step is not None:
            self._session.preview_step(self._step)

    def _on_previewed(self, step: Step, report: StepReport) -> None:
        if step != self._step or not self._waits:
            return
        self._waits = False
        counts = effect(report)
        self._said.setText(self.tr("It {effect}.").format(effect=counts))
        self._show_examples(report)
        self.known.emit(True)

    def _on_failed(self, sentence: str) -> None:
        if self._waits:
            self._waits = False
            self._said.setText(told(sentence))
            self.known.emit(False)

    def _show_examples(self, report: StepReport) -> None:
        self._examples.setVisible(bool(report.examples))
        self._examples.clear()
        cursor = self._examples.textCursor()
        plain, muted = cursor.charFormat(), cursor.charFormat()
        muted.setForeground(QColor(theme.tokens().muted))
        marked = cursor.charFormat()
        tint = theme.series_colour(1)
        tint.setAlphaF(0.35)
        marked.setBackground(tint)
        for number, (before, after) in enumerate(report.examples[:_EXAMPLES]):
            row = report.rows[number] if number < len(report.rows) else -1
            title = self.tr("Row {}").format(words.whole(row + 1)) if row >= 0 else self.tr("Example")
            sides = differing(before[:_EXAMPLE_CHARACTERS], after[:_EXAMPLE_CHARACTERS])
            cursor.insertText(f"{title}\n" if not number else f"\n{title}\n", muted)
            for mark, parts in zip(("− ", "\n+ "), sides, strict=True):
                cursor.insertText(mark, muted)
                for part, differs in parts:
                    cursor.insertText(part, marked if differs else plain)
        self._examples.moveCursor(cursor.MoveOperation.Start)
