"""Brings a question from the thread that connects to the window, and the person's answer back."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, Signal

from studio.remote.asking import ANSWER_S, Asker, SecretAnswer, SecretQuestion
from studio.secrets import KeyringKeeper


class PendingQuestion:
    """A question that a thread waits for; settled once, by whoever comes first."""

    def __init__(self, question: SecretQuestion) -> None:
        self.question = question
        self.answer: SecretAnswer | None = None
        self.settled = threading.Event()


class Asking(QObject):
    """Lives on the GUI thread. ``asked`` carries a PendingQuestion, ``withdrawn`` one that nobody waits for any more.

    Nobody is asked before `attend`, which a window calls that shows the questions.
    """

    asked = Signal(object)
    withdrawn = Signal(object)
    _arrived = Signal(object)
    _left = Signal(object)

    def __init__(self, asker: Asker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asker = asker
        self._guard = threading.Lock()
        self._pending: list[PendingQuestion] = []
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)
        self._left.connect(self.withdrawn, Qt.ConnectionType.QueuedConnection)

    def attend(self) -> None:
        """Put questions to the window from now on."""
        self._asker.ask = self._wait

    def answer(self, pending: PendingQuestion, texts: tuple[str, ...], keep: bool = False) -> None:
        """Hand over what a person typed."""
        if not pending.settled.is_set():
            pending.answer = SecretAnswer(texts, keep)
            pending.settled.set()

    def decline(self, pending: PendingQuestion) -> None:
        """Say that the person does not answer."""
        pending.settled.set()

    def keeping_problem(self) -> str:
        """Return why nothing can be kept beyond this session, "" where the system has a keyring."""
        return KeyringKeeper().unavailable()

    def close(self) -> None:
        """Ask nobody any more; whoever waits goes on without an answer."""
        self._asker.ask = None
        with self._guard:
            waiting = tuple(self._pending)
        for pending in waiting:
            pending.settled.set()

    def _wait(self, question: SecretQuestion) -> SecretAnswer | None:
        """Wait for a person; called on the thread that connects."""
        pending = PendingQuestion(question)
        with self._guard:
            self._pending.append(pending)
        try:
            self._arrived.emit(pending)
            if not pending.settled.wait(ANSWER_S):
                self._left.emit(pending)
        finally:
            with self._guard:
                self._pending.remove(pending)
        return pending.answer

    def _on_arrived(self, pending: PendingQuestion) -> None:
        if not pending.settled.is_set():
            self.asked.emit(pending)
