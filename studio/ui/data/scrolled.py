"""A page that scrolls up and down inside a card, on the card's own colour."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def scrolled(page: QWidget, name: str, spoken: str) -> QScrollArea:
    """Return an area that scrolls a page; ``name`` is its object name."""
    area = QScrollArea()
    area.setObjectName(name)
    area.setAccessibleName(spoken)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.setObjectName(page.objectName() or f"{name}Page")
    area.setStyleSheet(f"QScrollArea#{name}, QWidget#{page.objectName()} {{ background: transparent; }}")
    area.setWidget(page)
    return area
