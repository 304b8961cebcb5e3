"""Asks how a run is to be stopped; one of the few questions that hold the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from studio.ui.pieces import button, plain_label

SAVE, DISCARD, KEEP = "save", "discard", "keep"


class StopDialog(QDialog):
    """Three ways out; Esc keeps the run going. ``answer`` is save, discard or keep once it is closed."""

    def __init__(self, name: str, step: int, last_saved: int | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stopDialog")
        self.setWindowTitle(self.tr("Stop the run"))
        self.setAccessibleName(self.windowTitle())
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.answer = KEEP
        question = plain_label(self.tr("Stop {name} at step {step}?").format(name=name, step=step), "heading")
        question.setWordWrap(True)
        question.setMinimumWidth(420)
        kept = plain_label(self._kept(last_saved), "muted", "stopDialogText", wraps=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        save = button(self.tr("Stop and save"), "stopAndSaveButton", role="primary")
        discard = button(self.tr("Stop without saving"), "stopWithoutSavingButton", role="danger")
        keep = button(self.tr("Keep running"), "keepRunningButton")
        for choice, answer in ((save, SAVE), (discard, DISCARD), (keep, KEEP)):
            choice.clicked.connect(lambda _=False, answer=answer: self._finish(answer))
        row.addWidget(discard)
        row.addStretch(1)
        row.addWidget(keep)
        row.addWidget(save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(question)
        layout.addWidget(kept)
        layout.addLayout(row)
        save.setDefault(True)
        save.setFocus()

    def _kept(self, last_saved: int | None) -> str:
        if last_saved is None:
            said = self.tr("Nothing has been saved yet.")
        else:
            said = self.tr("The last checkpoint is of step {step}.").format(step=last_saved)
        more = self.tr("Stopping and saving writes the weights of the present step first, which can take minutes.")
        return f"{said} {more}"

    def _finish(self, answer: str) -> None:
        self.answer = answer
        self.done(QDialog.DialogCode.Rejected if answer == KEEP else QDialog.DialogCode.Accepted)
