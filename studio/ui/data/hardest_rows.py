"""Finding the rows that the base model finds hardest: what that does, how far it is, and the way to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.ui import icons
from studio.ui.data.progress_row import Amounts, ProgressRow
from studio.ui.pieces import button

if TYPE_CHECKING:
    from studio.session.session import Session


def order_words() -> str:
    """Return what the order by surprise means, and how it differs from the losses in the table."""
    return QCoreApplication.translate(
        "HardestRows",
        "The hardest rows come first, by surprise: how much worse the response is told from the row's own prompt than "
        "from another row's. The Loss column shows the mean loss of the response.",
    )


class HardestRows(QWidget):
    """The progress of taking losses, shown while it runs; `button` starts it, ``order_wanted`` follows its end."""

    order_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._wants_order = False
        self.button = button(self.tr("Find the hardest rows"), "hardestButton", role="link")
        taking = self.tr(
            "Takes the loss of every row under the base model on the node, forward only; nothing is trained."
        )
        self.button.setToolTip(f"{taking} {order_words()}")
        icons.set_icon(self.button, "barbell", "muted", 14)
        self._progress = ProgressRow("losses", self.tr("Stop taking losses"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._progress)
        self.button.clicked.connect(self._on_clicked)
        self._progress.cancelled.connect(session.cancel_losses)
        self.hide()

    def refresh(self) -> None:
        """Show whether losses are known, or on their way."""
        session, progress = self._session, self._session.losses_progress
        self.setVisible(progress is not None)
        self.button.setHidden(progress is not None or session.has_losses)
        if progress is not None:
            amounts = Amounts(progress.done, progress.total, progress.unit, progress.rate)
            self._progress.show_progress(self.tr("Taking losses"), amounts)
        elif session.has_losses and self._wants_order:
            self._wants_order = False
            self.order_wanted.emit()

    def _on_clicked(self) -> None:
        self._wants_order = True
        self._session.take_losses()
