"""What stands against a launch, each with its sentence and the click that mends it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.problems import ERROR, Problem
from studio.state.draft import Draft
from studio.ui import icons
from studio.ui.pieces import Card, button, clear_layout, plain_label
from studio.ui.translation import told


class ProblemCard(Card):
    """Errors first; hidden where there is nothing to say."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("", "launchProblems", parent)
        self._draft = draft
        self._shown: tuple[Problem, ...] = ()
        self._heading = plain_label("", "heading")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self.body.addWidget(self._heading)
        self.body.addLayout(self._rows)
        self.hide()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show a job's problems."""
        self.setVisible(bool(problems))
        if tuple(problems) == self._shown:
            return
        self._shown = tuple(problems)
        clear_layout(self._rows)
        errors = sum(problem.severity == ERROR for problem in problems)
        self._heading.setText(self._title(errors, len(problems) - errors))
        self.setAccessibleName(self._heading.text())
        for number, problem in enumerate(problems):
            self._rows.addWidget(self._row(number, problem))

    def _title(self, errors: int, warnings: int) -> str:
        if errors == 1:
            return self.tr("One problem holds the launch")
        if errors:
            return self.tr("{count} problems hold the launch").format(count=errors)
        if warnings == 1:
            return self.tr("One thing to know before the launch")
        return self.tr("{count} things to know before the launch").format(count=warnings)

    def _row(self, number: int, problem: Problem) -> QWidget:
        row = QWidget()
        row.setObjectName(f"launchProblem{number}")
        is_error = problem.severity == ERROR
        word = self.tr("Error") if is_error else self.tr("Warning")
        row.setAccessibleName(f"{word}: {told(problem.sentence)}")
        icon, token = ("x-circle-fill", "bad") if is_error else ("warning-fill", "warning")
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(icons.pixmap_label(icon, token, 16))
        layout.addWidget(plain_label(word, token))
        layout.addWidget(plain_label(told(problem.sentence), wraps=True), 1)
        fix = problem.fix
        if fix is not None:
            mend = button(told(fix.label), f"launchFix{number}")
            mend.clicked.connect(lambda: self._draft.apply(fix))
            layout.addWidget(mend)
        return row
