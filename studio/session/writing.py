"""Small writes to the library off the GUI thread: one at a time, and of each thing only the newest."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from studio.background.tasks import Tasks
from studio.session.nodes import sentence_of

Write = Callable[[], None]


class Writing(QObject):
    """A follower may hold the database while a long journal comes in; the window does not wait for it here.

    ``failed`` carries the sentence of a write that failed; the next write of the same thing is a new try.
    """

    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._waiting: dict[str, Write] = {}
        self._under_way: Write | None = None
        self._is_held = False

    def put(self, key: str, write: Write) -> None:
        """Write soon; a write of the same key that has not begun is replaced."""
        self._waiting.pop(key, None)
        self._waiting[key] = write
        self._begin()

    def hold(self) -> None:
        """Begin no further write, because the pool is about to close."""
        self._is_held = True

    def finish(self) -> None:
        """Write on this thread what waits or was not seen to end; the pool is closed. Raises StoreError."""
        writes = [*([self._under_way] if self._under_way is not None else []), *self._waiting.values()]
        self._waiting, self._under_way = {}, None
        for write in writes:
            write()

    def _begin(self) -> None:
        if self._is_held or self._under_way is not None or not self._waiting:
            return
        write = self._under_way = self._waiting.pop(next(iter(self._waiting)))
        self._tasks.run(self, lambda task: write(), lambda _: self._go_on(), self._on_error)

    def _go_on(self) -> None:
        self._under_way = None
        self._begin()

    def _on_error(self, error: Exception) -> None:
        self.failed.emit(sentence_of(error))
        self._go_on()
