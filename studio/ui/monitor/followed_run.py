"""The one connection of a page to the run that it shows; safe where the run was deleted meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QMetaObject, QObject

if TYPE_CHECKING:
    from studio.state.run import RunState


class FollowedRun:
    """Calls ``on_changed`` after every change of the run that is followed, and of no other."""

    def __init__(self, on_changed: Callable[[], None]) -> None:
        self._on_changed = on_changed
        self._connection: QMetaObject.Connection | None = None

    def follow(self, run: RunState) -> None:
        """Follow another run instead of the one before."""
        self.leave()
        self._connection = run.changed.connect(self._on_changed)

    def leave(self) -> None:
        """Follow no run any more."""
        if self._connection is not None:
            # by the connection: asking the old run for its signal fails once the session has deleted it
            QObject.disconnect(self._connection)
            self._connection = None
