"""The distribution of token counts with the sequence length as a line that can be dragged."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from remote_agent.contract.data_report import TokenCounts
from studio.ui import theme, words

_GRIP_PX = 8
_LEFT, _TOP, _BOTTOM = 44, 20, 20


class LengthHistogram(QWidget):
    """Bars over tokens a row.

    ``length_chosen`` carries the whole number where the line was dropped, ``length_tried`` where it is while it moves.
    """

    length_chosen = Signal(int)
    length_tried = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lengthHistogram")
        self.setAccessibleName(self.tr("Distribution of token counts"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(88)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._counts: TokenCounts | None = None
        self._length = 0
        self._limit = 0
        self._dragged: int | None = None
        self._span = 1.0

    def sizeHint(self) -> QSize:
        """Return a size that shows the shape."""
        return QSize(360, 120)

    def show_counts(self, counts: TokenCounts | None, length: int, limit: int) -> None:
        """Show a distribution, the sequence length, and the model's limit (0 where it is unknown), all in tokens."""
        self._counts, self._length, self._limit = counts, length, limit
        if self._dragged is None:
            self._span = span_of(counts, length)
        self.setAccessibleDescription(
            self.tr("The sequence length is {length} tokens; arrow keys change it.").format(length=length)
        )
        self.update()

    @property
    def shown_length(self) -> int:
        """Return the length the line stands at, also while it is dragged."""
        return self._length if self._dragged is None else self._dragged

    def line_x(self) -> float:
        """Return the line's place in the widget's pixels, inside the plot."""
        return min(self._x(self.shown_length), float(self._plot().right()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint grid, bars, axis and line."""
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        self._paint_axis(painter)
        if self._counts is not None and self._counts.count:
            self._paint_bars(painter, self._counts)
        if self._length:
            self._paint_line(painter)
        if self.hasFocus():
            painter.setPen(QColor(theme.tokens().accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the line."""
        if event.button() == Qt.MouseButton.LeftButton and self._on_line(event.position()):
            self._dragged = self._length

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line with the mouse, or show that it can be taken."""
        if self._dragged is not None:
            before, self._dragged = self._dragged, self._value(event.position().x())
            if before != self._dragged:
                self.length_tried.emit(self._dragged)
            self.update()
        near = self._dragged is not None or self._on_line(event.position())
        self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop the line."""
        if self._dragged is not None:
            chosen, self._dragged = self._dragged, None
            self._choose(chosen)
            self.length_tried.emit(self._length)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the line by a pixel's worth of tokens with the arrow keys, ten with Shift; Esc lets go."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        if event.key() == Qt.Key.Key_Escape and self._dragged is not None:
            self._dragged = None
            self.length_tried.emit(self._length)
            self.update()
        elif event.key() in steps and self._length:
            many = 64 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 8
            self._choose(self._bounded(self._length + steps[Qt.Key(event.key())] * many))
        else:
            super().keyPressEvent(event)

    def _choose(self, length: int) -> None:
        if length != self._length:
            self._length = length
            self.length_chosen.emit(length)
        self._span = span_of(self._counts, self._length)
        self.update()

    def _bounded(self, length: int) -> int:
        return max(8, min(length, self._limit) if self._limit else length)

    def _plot(self) -> QRectF:
        return QRectF(_LEFT, _TOP, max(1, self.width() - _LEFT - 8), max(1, self.height() - _TOP - _BOTTOM))

    def _x(self, tokens: float) -> float:
        plot = self._plot()
        return float(plot.left() + plot.width() * tokens / self._span)

    def _value(self, x: float) -> int:
        plot = self._plot()
        tokens = (x - plot.left()) / plot.width() * self._span
        step = 8 if self._span < 4096 else 64
        return self._bounded(round(min(tokens, self._span) / step) * step)

    def _on_line(self, at: QPointF) -> bool:
        return bool(self._length) and abs(at.x() - self.line_x()) <= _GRIP_PX

    def _paint_axis(self, painter: QPainter) -> None:
        colours, plot = theme.tokens(), self._plot()
        painter.setPen(QColor(colours.border))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        if self._counts is None:
            return
        tallest = max(self._counts.histogram, default=0)
        for tick in nice_ticks(self._span, max(2, int(plot.width() // 90))):
            x = self._x(tick)
            painter.setPen(QColor(colours.muted))
            box = QRectF(x - 40, plot.bottom() + 3, 80, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, words.whole(int(tick)))
        for tick in nice_ticks(tallest, 2):
            y = plot.bottom() - plot.height() * tick / max(1, tallest)
            painter.setPen(QColor(colours.grid))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(colours.muted))
            box = QRectF(0, y - 8, _LEFT - 6, 16)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, right, words.whole(int(tick)))

    def _paint_bars(self, painter: QPainter, counts: TokenCounts) -> None:
        plot, tallest = self._plot(), max(counts.histogram, default=0)
        length = self.shown_length
        painter.setPen(Qt.PenStyle.NoPen)
        inside = theme.series_colour(0)
        beyond = theme.series_colour(1)
        for number, count in enumerate(counts.histogram):
            left, right = self._x(counts.edges[number]), self._x(counts.edges[number + 1])
            if not count or right < plot.left() or left > plot.right():
                continue
            height = max(1.0, plot.height() * count / max(1, tallest))
            gap = 1.0 if right - left > 4 else 0.0
            painter.setBrush(beyond if length and counts.edges[number] >= length else inside)
            painter.drawRect(QRectF(left, plot.bottom() - height, max(1.0, right - left - gap), height))

    def _paint_line(self, painter: QPainter) -> None:
        colours, plot, x = theme.tokens(), self._plot(), self.line_x()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colours.text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, plot.top() - 2), QPointF(x, plot.bottom()))
        painter.setPen(QPen(QColor(colours.text), 1.5))
        painter.setBrush(QColor(colours.card))
        painter.drawEllipse(QPointF(x, plot.top() - 2), 4, 4)
        beyond = self.shown_length > self._span
        text = self.tr("length {count}").format(count=words.whole(self.shown_length)) + (" →" if beyond else "")
        width = painter.fontMetrics().horizontalAdvance(text)
        left = x - 10 - width if x - 10 - width > plot.left() else x + 10
        painter.setPen(QColor(colours.text))
        painter.drawText(QRectF(left, 0, width + 4, _TOP), Qt.AlignmentFlag.AlignVCenter, text)


def span_of(counts: TokenCounts | None, length: int) -> float:
    """Return how many tokens the x axis reaches: all rows, and the length where it does not squeeze them."""
    longest = float(counts.edges[-1]) if counts is not None and counts.edges else 0.0
    if not longest:
        return max(1.0, length * 1.1)
    return longest * 1.05 if length > 2.5 * longest else max(longest, float(length)) * 1.05


def nice_ticks(span: float, about: int) -> Sequence[float]:
    """Return ticks above 0 at 1, 2 or 5 times a power of ten, whole numbers, about so many."""
    if span <= 0:
        return ()
    rough = span / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(1.0, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))
    return [step * number for number in range(1, int(span / step) + 1)]
