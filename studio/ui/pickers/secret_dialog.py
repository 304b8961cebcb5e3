"""Asks for what only a person knows while a node is reached: a passphrase, a password, a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.session.addresses import PASSPHRASE, PASSWORD
from studio.ui import icons
from studio.ui.pieces import button, labelled_switch, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.asking import Asking, PendingQuestion


class SecretDialog(QDialog):
    """One question with its prompts. Esc and "Not now" answer nothing; texts of the server are shown as plain text."""

    def __init__(self, asking: Asking, pending: PendingQuestion, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asking, self._pending = asking, pending
        self._lines: list[QLineEdit] = []
        question = pending.question
        title = {
            PASSPHRASE: self.tr("A key is locked"),
            PASSWORD: self.tr("{node} asks for a password").format(node=question.node),
        }.get(question.kind, self.tr("{node} asks a question").format(node=question.node))
        self.setObjectName("secretDialog")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(460)
        self._keep, self._keep_row = labelled_switch(self.tr("Keep it in the system's keyring"), "keepSecretSwitch")
        self._build(title)
        asking.withdrawn.connect(self._on_withdrawn)
        self.finished.connect(self._on_finished)
        self._lines[0].setFocus()

    def _build(self, title: str) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(icons.pixmap_label("key", "accent", 20))
        head.addWidget(plain_label(title, "heading"), 1)
        layout.addLayout(head)
        for words in self._sentences():
            layout.addWidget(plain_label(words, "", wraps=True))
        if self._pending.question.again:
            layout.addWidget(plain_label(self.tr("That was not accepted; try again."), "problem", "secretAgain"))
        for number, prompt in enumerate(self._pending.question.prompts):
            text = prompt.text.strip().rstrip(":")
            label = plain_label(text, "muted", wraps=True)
            line = QLineEdit()
            line.setObjectName(f"secretLine{number}")
            line.setAccessibleName(text)
            line.setEchoMode(QLineEdit.EchoMode.Password if prompt.hidden else QLineEdit.EchoMode.Normal)
            label.setBuddy(line)
            layout.addWidget(label)
            layout.addWidget(line)
            self._lines.append(line)
        if self._pending.question.account:
            problem = self._asking.keeping_problem()
            layout.addWidget(
                plain_label(told(problem), "caption", "keepProblem", wraps=True) if problem else self._keep_row
            )
        layout.addLayout(self._buttons())

    def _sentences(self) -> list[str]:
        question = self._pending.question
        if question.kind == PASSPHRASE:
            return [
                self.tr("{file} is protected by a passphrase. It is needed for {where}.").format(
                    file=question.subject, where=question.where
                )
            ]
        said = [self.tr("It is needed for {where}.").format(where=question.where)]
        return [*said, *(text for text in (question.title, question.instruction) if text.strip())]

    def _buttons(self) -> QHBoxLayout:
        go = button(self.tr("Continue"), "answerSecretButton", role="primary")
        go.setDefault(True)
        go.clicked.connect(self._on_answer)
        refuse = button(self.tr("Not now"), "declineSecretButton", self.tr("Do not answer"))
        refuse.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(refuse)
        row.addWidget(go)
        return row

    def _on_answer(self) -> None:
        empty = [line for line in self._lines if not line.text()]
        if empty:  # Enter goes on to the next line, and nothing empty is ever sent as a wrong answer
            empty[0].setFocus()
            return
        self._asking.answer(self._pending, tuple(line.text() for line in self._lines), self._keep.isChecked())
        self.accept()

    def _on_withdrawn(self, pending: PendingQuestion) -> None:
        if pending is self._pending:
            self.reject()

    def _on_finished(self) -> None:
        for line in self._lines:
            line.clear()
        self._asking.decline(self._pending)
