"""Rows of a list with something said at their right, smaller and muted."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from studio.ui import theme

DETAIL = Qt.ItemDataRole.UserRole + 1
"""The role of the text at the right of a row."""


class DetailPainter(QStyledItemDelegate):
    """Paints what an entry holds under `DETAIL` at the right of its row."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the row, then its detail."""
        super().paint(painter, option, index)
        painter.save()
        font = painter.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        painter.setPen(QColor(theme.tokens().muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(option.rect.adjusted(0, 0, -10, 0), right, index.data(DETAIL) or "")
        painter.restore()
