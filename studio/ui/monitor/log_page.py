"""The whole log of a run on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.monitor.followed_run import FollowedRun
from studio.ui.monitor.log_view import LogView
from studio.ui.pieces import Card

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.run import RunState


class LogPage(QWidget):
    """The log over the whole page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("logPage")
        self.setAccessibleName(self.tr("Log"))
        self._followed = FollowedRun(self._on_changed)
        self.log = LogView("pageLog")
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(100)
        self._soon.timeout.connect(self.log.refresh)
        card = Card()
        card.body.addWidget(self.log, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)

    def show_run(self, run: RunState) -> None:
        """Show another run's log."""
        self._followed.follow(run)
        self.log.show_run(run)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the page was hidden."""
        super().showEvent(event)
        QTimer.singleShot(0, self.log, self.log.refresh)

    def _on_changed(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()
