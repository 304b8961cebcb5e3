"""A stacked bar of what a device holds against its capacity, and the legend that names its parts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.state.memory_figures import PARTS, Estimate, parts_at
from studio.ui import theme, words

_GAP = 2.0


def part_names() -> tuple[str, ...]:
    """Return the words for the parts of the bar, in their order."""
    return (
        QCoreApplication.translate("memory", "weights"),
        QCoreApplication.translate("memory", "gradients"),
        QCoreApplication.translate("memory", "optimizer"),
        QCoreApplication.translate("memory", "activations"),
        QCoreApplication.translate("memory", "logits"),
        QCoreApplication.translate("memory", "buffers"),
        QCoreApplication.translate("memory", "allocator's cache"),
        QCoreApplication.translate("memory", "context"),
    )


def part_colour(index: int) -> QColor:
    """Return a part's colour; what is not the model's own, at the end, is muted."""
    return theme.series_colour(index) if index < len(PARTS) - 1 else QColor(theme.tokens().muted)


def parts_of(figures: Estimate, phase: str = "") -> tuple[int, ...]:
    """Return the bytes of the parts in a phase, in the binding one where none is named."""
    parts = parts_at(figures, phase or figures.memory.binding)
    return tuple(parts[name] for name in PARTS)


def spoken(figures: Estimate) -> str:
    """Return the bar in words."""
    parts = zip(part_names(), parts_of(figures), strict=True)
    text = ", ".join(f"{name} {words.size(value)}" for name, value in parts if value)
    if figures.capacity_bytes:
        text += QCoreApplication.translate("memory", " of {}").format(words.size(figures.capacity_bytes))
    return text


def paint_bar(
    painter: QPainter, area: QRectF, figures: Estimate, reach_bytes: float, parts: Sequence[int] | None = None
) -> None:
    """Paint the stacked parts into an area whose width stands for ``reach_bytes``; the rest up to the capacity is free.

    ``parts`` are those of a phase, of the binding one where none are given. Where they pass the capacity, a line in the
    colour of trouble marks it.
    """
    colours = theme.tokens()
    scale = area.width() / reach_bytes if reach_bytes else 0.0
    painter.setPen(Qt.PenStyle.NoPen)
    capacity = min(area.width(), figures.capacity_bytes * scale) if figures.capacity_bytes else area.width()
    painter.setBrush(QColor(colours.free))
    painter.drawRoundedRect(QRectF(area.left(), area.top(), capacity, area.height()), 3, 3)
    left = area.left()
    parts = parts_of(figures) if parts is None else parts
    for index, value in enumerate(parts):
        width = value * scale
        if width <= 0:
            continue
        painter.setBrush(QColor(colours.card))
        painter.drawRect(QRectF(left, area.top(), width, area.height()))
        painter.setBrush(part_colour(index))
        painter.drawRoundedRect(QRectF(left, area.top(), max(1.0, width - _GAP), area.height()), 3, 3)
        left += width
    if figures.capacity_bytes and sum(parts) > figures.capacity_bytes:
        pen = QPen(QColor(colours.bad), 2)
        painter.setPen(pen)
        at = area.left() + figures.capacity_bytes * scale
        painter.drawLine(round(at), round(area.top() - 3), round(at), round(area.bottom() + 3))


class StateBar(QWidget):
    """The bar with its legend below."""

    def __init__(self, height: int = 14, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar_height = height
        self._figures: Estimate | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return room for the bar and one line of legend."""
        return QSize(240, self._bar_height + 32)

    def minimumSizeHint(self) -> QSize:
        """Return the least room."""
        return self.sizeHint()

    def show_estimate(self, figures: Estimate | None) -> None:
        """Show other figures; None empties the bar."""
        self._figures = figures
        self.setAccessibleName(spoken(figures) if figures is not None else "")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint bar and legend."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, 4, self.width(), self._bar_height)
        if self._figures is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.tokens().free))
            painter.drawRoundedRect(area, 3, 3)
        else:
            paint_bar(painter, area, self._figures, max(self._figures.capacity_bytes, self._figures.used_bytes))
            self._paint_legend(painter, self._figures)
        painter.end()

    def _paint_legend(self, painter: QPainter, figures: Estimate) -> None:
        font = painter.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        entries = [
            (name, value, part_colour(index))
            for index, (name, value) in enumerate(zip(part_names(), parts_of(figures), strict=True))
            if value
        ]
        free = figures.capacity_bytes - figures.used_bytes
        if free > 0:
            entries.append((self.tr("left"), free, QColor(theme.tokens().free)))
        left, top = 0.0, self._bar_height + 14.0
        for name, value, colour in entries:
            text = f"{name} {words.size(value)}"
            width = painter.fontMetrics().horizontalAdvance(text)
            if left + 16 + width > self.width():
                break
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(left + 1, top + 3, 9, 9), 2, 2)
            painter.setPen(QColor(theme.tokens().muted))
            box = QRectF(left + 16, top, width + 1, 15)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            left += 16 + width + 14
