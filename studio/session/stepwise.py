"""Work in the background that goes through steps, one such work at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from studio.background.tasks import TaskHandle
from studio.session.launching import LaunchStep


class Stepwise(QObject):
    """``changed`` follows every step.

    Attributes:
        steps: of the work that is under way, or of the last one, empty before the first.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.steps: tuple[LaunchStep, ...] = ()
        self._handle: TaskHandle | None = None

    def cancel(self) -> None:
        """End the work that is under way, as soon as it can be ended; without one nothing happens."""
        if self._handle is not None:
            self._handle.cancel()

    def _on_steps(self, steps: tuple[LaunchStep, ...]) -> None:
        self.steps = steps
        self.changed.emit()
