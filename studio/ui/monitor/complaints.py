"""What went wrong in a run, a card each, newest first; a card can be put away."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from remote_agent.contract.events import Complained
from studio.ui.monitor.notice_card import notice_card
from studio.ui.pieces import button, clear_layout

SHOWN = 2


class Complaints(QWidget):
    """The newest complaints that nobody put away yet; the others are counted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("complaints")
        self._put_away: set[int] = set()
        self._shown: tuple[int, ...] = ()
        self._all: Sequence[Complained] = ()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)

    def start_over(self) -> None:
        """Forget which were put away: another run is shown."""
        self._put_away.clear()
        self._shown = ()
        self.show_complaints(())

    def show_complaints(self, complaints: Sequence[Complained]) -> None:
        """Show a run's complaints, given in the order they came."""
        self._all = complaints
        waiting = [number for number in range(len(complaints)) if number not in self._put_away]
        shown = tuple(reversed(waiting[-SHOWN:]))
        if shown != self._shown or not waiting:
            self._shown = shown
            self._build(len(waiting) - len(shown))
        self.setVisible(bool(waiting))

    def _build(self, more: int) -> None:
        clear_layout(self._rows)
        for number in self._shown:
            self._rows.addWidget(self._card(number, more if number == self._shown[-1] else 0))

    def _card(self, number: int, more: int) -> QFrame:
        complaint = self._all[number]
        captions = [self.tr("process {rank}").format(rank=complaint.rank)] if complaint.rank >= 0 else []
        if more:
            captions.append(self.tr("and {count} earlier").format(count=more))
        away = button(self.tr("Dismiss"), f"dismissComplaint{number}", self.tr("Put this complaint away"))
        away.clicked.connect(lambda: self._dismiss(number))
        return notice_card(f"complaint{number}", complaint.severity, complaint.sentence, captions, [away])

    def _dismiss(self, number: int) -> None:
        self._put_away.add(number)
        self.show_complaints(self._all)
