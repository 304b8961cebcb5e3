"""A small button that shows an icon and says what it does on hover and to a screen reader."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from studio.ui import icons


def icon_button(icon: str, name: str, spoken: str, tint: str = "muted") -> QToolButton:
    """Return the button; ``name`` is its object name."""
    made = QToolButton()
    made.setObjectName(name)
    made.setAccessibleName(spoken)
    made.setToolTip(spoken)
    made.setFixedSize(24, 24)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    icons.set_icon(made, icon, tint, 14)
    return made
