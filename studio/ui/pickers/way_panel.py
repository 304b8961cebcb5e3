"""The test of the way to a node: one sentence a step, as each is taken."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from studio.ui import icons
from studio.ui.pieces import plain_label
from studio.ui.translation import told

_MAX_STEPS = 40
_MAX_CHARACTERS = 1000


class WayPanel(QWidget):
    """Hidden until a test begins; grows with every step."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("wayPanel")
        self.setAccessibleName(self.tr("Steps on the way to the node"))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._count = 0
        self.hide()

    def clear(self) -> None:
        """Forget the last test."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._count = 0
        self.hide()

    def add(self, sentence: str, went_well: bool) -> None:
        """Show one more step."""
        if self._count == _MAX_STEPS:
            return
        icon, token = ("check-circle-fill", "good") if went_well else ("warning-circle-fill", "bad")
        mark = icons.pixmap_label(icon, token, 16)
        mark.setAccessibleName(self.tr("went well") if went_well else self.tr("failed"))
        text = plain_label(told(sentence[:_MAX_CHARACTERS]), "" if went_well else "problem", "wayStep", wraps=True)
        self._grid.addWidget(mark, self._count, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, self._count, 1)
        self._count += 1
        self.show()
