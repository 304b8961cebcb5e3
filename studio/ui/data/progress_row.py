"""How far something is that takes its time: a bar, the amounts with rate and time left, and the way to stop it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from studio.ui import words
from studio.ui.pieces import ElidedLabel, button


class Amounts(NamedTuple):
    """What a progress says: done of total (0: unknown) in a unit, and the rate in units a second (0: unknown)."""

    done: float
    total: float
    unit: str = ""
    rate: float = 0.0


class ProgressRow(QWidget):
    """A bar with words and a button; ``cancelled`` follows a click on it. ``name`` begins the object names."""

    cancelled = Signal()

    def __init__(self, name: str, cancel_spoken: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QProgressBar()
        self._bar.setObjectName(f"{name}ProgressBar")
        self._bar.setTextVisible(False)
        self._words = ElidedLabel("", "caption")
        self._words.setObjectName(f"{name}ProgressWords")
        cancel = button(self.tr("Cancel"), f"{name}CancelButton", cancel_spoken)
        cancel.clicked.connect(self.cancelled)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._bar, 2)
        row.addWidget(self._words, 3)
        row.addWidget(cancel)

    def show_progress(self, what: str, progress: Amounts, done: str = "", estimated: bool = False) -> None:
        """Show how far it is.

        Args:
            what: what is being done.
            progress: the amounts.
            done: what to say of them instead of "done of total".
            estimated: whether the total is an estimate.
        """
        parts = [what]
        if progress.total > 0:
            parts.append(done or self._amounts(progress, estimated))
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(1000 * min(1.0, progress.done / progress.total)))
            if progress.rate > 0:
                left = max(0.0, progress.total - progress.done) / progress.rate
                parts.append(self._rate(progress))
                parts.append(self.tr("about {} left").format(words.duration(max(10.0, left))))
        else:
            self._bar.setRange(0, 0)
        said = "  ·  ".join(parts)
        self._words.set_text(said)
        self._bar.setAccessibleName(said)

    def _amounts(self, progress: Amounts, estimated: bool) -> str:
        if progress.unit == "bytes":
            amounts, unit = (words.size(progress.done), words.size(progress.total)), ""
        else:
            amounts, unit = (words.count(progress.done), words.count(progress.total)), progress.unit
        text = self.tr("{done} of about {total}") if estimated else self.tr("{done} of {total}")
        return f"{text.format(done=amounts[0], total=amounts[1])} {unit}".rstrip()

    def _rate(self, progress: Amounts) -> str:
        if progress.unit == "bytes":
            return self.tr("{}/s").format(words.size(progress.rate))
        return self.tr("{amount} {unit}/s").format(amount=words.count(progress.rate), unit=progress.unit)
