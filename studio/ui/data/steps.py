"""What a job does to its rows: the steps in their order, each with how many rows it changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_steps import STEP_CLASSES, AugmentStep, Step
from studio.ui import icons
from studio.ui.data.icon_button import icon_button
from studio.ui.data.making_row import MakingRow, rows_to_say
from studio.ui.data.scrolled import scrolled
from studio.ui.data.step_form import StepForm
from studio.ui.data.step_words import effect, step_name, step_title
from studio.ui.pieces import ElidedLabel, as_plain_tip, button, clear_layout, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


class Steps(QWidget):
    """Follows ``data.steps`` of the draft; a step is added, changed, moved or taken out as one step of the undo."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("steps")
        self._session = session
        self._shown: tuple[tuple[Step, ...], tuple[StepReport, ...], bool, int] | None = None
        self._making: list[MakingRow] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self._stack = QStackedWidget()
        self._add = button(self.tr("Add step…"), "addStepButton")
        icons.set_icon(self._add, "plus", "text", 14)
        self._menu = QMenu(self)
        for kind, step_class in STEP_CLASSES.items():
            self._menu.addAction(step_name(kind)).triggered.connect(partial(self._open_new, step_class))
        self._add.clicked.connect(self._open_menu)
        session.making_changed.connect(self._on_making)
        self._lay_out()
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's steps with what the last look says of them."""
        draft = self._session.draft
        report, steps = draft.known.data, draft.spec.data.steps
        is_stale = "tokens" in draft.stale
        trained = report.train_rows if report is not None else -1
        shown = (steps, report.steps if report is not None else (), is_stale, trained)
        if shown != self._shown:
            self._shown = shown
            clear_layout(self._rows)
            self._making.clear()
            for number, step in enumerate(steps):
                said = shown[1][number] if number < len(shown[1]) and len(shown[1]) == len(steps) else None
                self._rows.addWidget(self._row(number, step, said, len(steps)))
            self._none.setVisible(not steps)

    def open_form(self, step: Step, number: int = -1) -> None:
        """Open the form of a new step, or of the one at a place of the list."""
        self.close_form()
        form = StepForm(self._session, step, self._session.draft.known.data, is_new=number < 0)
        form.applied.connect(lambda made: self._on_applied(made, number))
        form.left.connect(self.close_form)
        self._stack.addWidget(scrolled(form, "stepFormScroll", self.tr("The step")))
        self._stack.setCurrentIndex(1)

    def close_form(self) -> None:
        """Go back to the list."""
        self._stack.setCurrentIndex(0)
        page = self._stack.widget(1)
        if page is not None:
            self._stack.removeWidget(page)
            page.hide()
            page.setParent(None)
            page.deleteLater()

    def _open_new(self, step_class: type[Step], *_: object) -> None:
        self.open_form(step_class())

    def _on_applied(self, step: Step, number: int) -> None:
        steps = self._session.draft.spec.data.steps
        if number < 0:
            self._session.add_step(step)
        elif number < len(steps):
            self._session.draft.edit({"data.steps": (*steps[:number], step, *steps[number + 1 :])})

    def _open_menu(self) -> None:
        self._menu.popup(self._add.mapToGlobal(self._add.rect().bottomLeft()))

    def _titles(self) -> dict[str, str]:
        report = self._session.draft.known.data
        return {one.kind: told(one.title) for one in report.findings} if report is not None else {}

    def _row(self, number: int, step: Step, said: StepReport | None, count: int) -> QWidget:
        held = QWidget()
        held.setObjectName(f"step{number}")
        title = ElidedLabel(f"{number + 1}  {step_title(step, self._titles())}", "strong")
        held.setAccessibleName(title.whole_text())
        session = self._session
        up = icon_button("caret-up", f"stepUp{number}", self.tr("Do it earlier"))
        down = icon_button("caret-down", f"stepDown{number}", self.tr("Do it later"))
        change = icon_button("pencil-simple", f"stepChange{number}", self.tr("Change the step"))
        remove = icon_button("x", f"stepRemove{number}", self.tr("Take the step out"))
        up.setEnabled(number > 0)
        down.setEnabled(number < count - 1)
        up.clicked.connect(lambda: session.move_step(number, number - 1))
        down.clicked.connect(lambda: session.move_step(number, number + 1))
        change.clicked.connect(lambda: self.open_form(step, number))
        remove.clicked.connect(lambda: session.remove_step(number))
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(title, 1)
        for tool in (up, down, change, remove):
            head.addWidget(tool)
        known = said is not None and not (self._shown and self._shown[2])
        sentence = told(said.sentence) if said is not None and known else ""
        words_of = effect(said) if said is not None and known else self.tr("counted at the next look at the data")
        if sentence and isinstance(step, AugmentStep):
            words_of, sentence = sentence, ""  # counts alone would say that nothing changes before rows are made
        layout = QVBoxLayout(held)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        effect_words = plain_label(words_of, "caption", f"stepEffect{number}", wraps=True)
        effect_words.setToolTip(as_plain_tip(sentence) if sentence else "")
        effect_words.setAccessibleDescription(sentence)
        if isinstance(step, AugmentStep):
            layout.addWidget(self._making_row(number, step))
        layout.addWidget(effect_words)
        return held

    def _making_row(self, number: int, step: AugmentStep) -> MakingRow:
        draft = self._session.draft
        steps = draft.spec.data.steps
        is_last = not any(isinstance(one, AugmentStep) for one in steps[number + 1 :])
        made = MakingRow(self._session, number, step, rows_to_say(step, steps, draft.known.data), is_last)
        self._making.append(made)
        return made

    def _on_making(self) -> None:
        for row in self._making:
            row.refresh()

    def _lay_out(self) -> None:
        said = self.tr(
            "Nothing is done to the rows. A step leaves rows out or changes them before they are trained; "
            "the files stay as they are."
        )
        self._none = plain_label(said, "muted", "stepsNone", wraps=True)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._none)
        layout.addLayout(self._rows)
        row = QHBoxLayout()
        row.addWidget(self._add)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addStretch(1)
        self._stack.addWidget(scrolled(page, "stepsScroll", self.tr("Steps")))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
