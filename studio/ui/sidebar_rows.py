"""The rows of the sidebar: what each holds, and how it is painted."""

from __future__ import annotations

import math
from typing import NamedTuple

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.ui import icons, theme

JOB, RUN, NODE, SECTION, GROUP, ACTION = "job", "run", "node", "section", "group", "action"
ENTRY_ROLE = Qt.ItemDataRole.UserRole + 1
_ROW_PX = 29

RUN_ICONS = {
    "running": ("play-circle-fill", "accent"),
    "finished": ("check-circle-fill", "good"),
    "failed": ("x-circle-fill", "bad"),
    "interrupted": ("x-circle-fill", "bad"),
    "paused": ("pause-circle-fill", "warning"),
    "stopped": ("stop-circle-fill", "muted"),
}
"""Icon and colour token of a run's state; states on their way are an hourglass."""


class Entry(NamedTuple):
    """One row of the sidebar; ``hint`` is what the pointer over it tells, ``searched`` what else a filter finds."""

    kind: str
    key: str
    text: str
    detail: str = ""
    icon: str = ""
    tint: str = "muted"
    losses: tuple[float, ...] = ()
    hint: str = ""
    searched: str = ""


class RowPainter(QStyledItemDelegate):
    """Paints icon, text, sparkline and detail of a row."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return a row's height; a section has room above it."""
        entry = index.data(ENTRY_ROLE)
        return QSize(120, 32 if entry.kind == SECTION and index.row() else _ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint a row."""
        entry: Entry = index.data(ENTRY_ROLE)
        colours = theme.tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        font: QFont = option.font
        if entry.kind == SECTION:
            self._paint_section(painter, area, font, entry)
        elif entry.kind == GROUP:
            self._paint_section(painter, area.adjusted(8, 0, -8, 0), font, entry)
        else:
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            hovered = bool(state & QStyle.StateFlag.State_MouseOver)
            if chosen or hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colours.selection if chosen else colours.hover))
                painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
            self._paint_row(painter, area.adjusted(8, 0, -8, 0), font, entry)
        painter.restore()

    def _paint_section(self, painter: QPainter, area: QRect, font: QFont, entry: Entry) -> None:
        font.setPixelSize(theme.CAPTION_PX)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(theme.tokens().muted))
        text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area.adjusted(0, 0, 0, -6), Qt.AlignmentFlag.AlignBottom, text)

    def _paint_row(self, painter: QPainter, area: QRect, font: QFont, entry: Entry) -> None:
        colours = theme.tokens()
        ratio = painter.device().devicePixelRatio()
        image = icons.pixmap(entry.icon, entry.tint, 15, ratio)
        if image is not None:
            painter.drawPixmap(area.left(), area.center().y() - 7, image)
        right = area.right()
        small = QFont(font)
        small.setPixelSize(theme.CAPTION_PX)
        if entry.detail:
            painter.setFont(small)
            painter.setPen(QColor(colours.muted))
            width = min(painter.fontMetrics().horizontalAdvance(entry.detail), area.width() // 2)
            text = painter.fontMetrics().elidedText(entry.detail, Qt.TextElideMode.ElideRight, width + 1)
            box = QRect(right - width, area.top(), width + 1, area.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
            right -= width + 8
        if len(entry.losses) > 1 and right - area.left() > 120:
            _paint_sparkline(painter, QRect(right - 36, area.center().y() - 6, 36, 13), entry.losses)
            right -= 44
        painter.setFont(font)
        painter.setPen(QColor(colours.muted if entry.kind == ACTION else colours.text))
        left = area.left() + 22
        text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, right - left)
        painter.drawText(QRect(left, area.top(), right - left, area.height()), Qt.AlignmentFlag.AlignVCenter, text)

    def helpEvent(self, event: QEvent, view: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> bool:  # type: ignore[override]
        """Leave the tool tip to the view."""
        return False


def _paint_sparkline(painter: QPainter, area: QRect, losses: tuple[float, ...]) -> None:
    finite = [(place, loss) for place, loss in enumerate(losses) if math.isfinite(loss)]
    if len(finite) < 2:
        return
    low, high = min(loss for _, loss in finite), max(loss for _, loss in finite)
    spread = (high - low) or 1.0
    line = QPolygonF()
    for place, loss in finite:
        across = area.left() + area.width() * place / (len(losses) - 1)
        line.append(QPoint(round(across), round(area.bottom() - area.height() * (loss - low) / spread)).toPointF())
    pen = QPen(theme.series_colour(0), 1.0)
    pen.setCosmetic(True)
    painter.setPen(pen)
    painter.drawPolyline(line)
