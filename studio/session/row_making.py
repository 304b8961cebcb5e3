"""Rows that augment steps make: made where the data is looked at, on a person's wish, then looked at again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled
from studio.session.inputs import Inputs, InspectedModel
from studio.state.draft import Draft

if TYPE_CHECKING:
    from studio.remote.agent import RowsMade
    from studio.remote.call import Progress


class RowMaking(QObject):
    """Makes the rows of the draft's augment steps. ``changed`` follows progress and end, ``made`` carries `RowsMade`.

    Attributes:
        progress: how far the making is, None where none is under way.
    """

    changed = Signal()
    made = Signal(object)
    failed = Signal(object)

    def __init__(
        self, draft: Draft, tasks: Tasks, make_inputs: Callable[[bool], Callable[[Task], Inputs]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.progress: Progress | None = None
        self._draft, self._tasks, self._make_inputs = draft, tasks, make_inputs
        self._handle: TaskHandle | None = None

    def make(self, model: InspectedModel) -> None:
        """Make the rows; nothing happens while that is under way. What was made before a cancel is kept."""
        from studio.remote.call import Progress  # brings what talks along, which the first paint does not wait for

        if self._handle is not None:
            return
        spec, inputs = self._draft.spec, self._make_inputs(False)
        self.progress = Progress("augment", 0.0, 0.0)

        def work(task: Task) -> RowsMade:
            return inputs(task).make_rows(spec, model, on_progress=task.report, cancelled=task.cancelled)

        def on_result(found: RowsMade) -> None:
            self._end()
            self.made.emit(found)

        def on_error(error: Exception) -> None:
            self._end()
            if not isinstance(error, Cancelled):
                self.failed.emit(error)

        self._handle = self._tasks.run(self, work, on_result, on_error, self._on_progress)
        self.changed.emit()

    def cancel(self) -> None:
        """End the making."""
        if self._handle is not None:
            self._handle.cancel()

    def _on_progress(self, progress: Progress) -> None:
        self.progress = progress
        self.changed.emit()

    def _end(self) -> None:
        self._handle, self.progress = None, None
        self.changed.emit()
