"""How many rows each class has, in the training and in the held-out part."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from remote_agent.contract.data_report import ClassCount
from studio.ui import theme, words

_ROW_PX, _COUNT_PX, _SHOWN = 20, 128, 200


class ClassBars(QWidget):
    """One bar a class, the largest first: trained rows, then held-out ones behind them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classBars")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._classes: tuple[ClassCount, ...] = ()
        self._left_out = 0

    def sizeHint(self) -> QSize:
        """Return the height of all bars."""
        return QSize(200, _ROW_PX * (len(self._classes) + bool(self._left_out)))

    def show_classes(self, classes: Sequence[ClassCount]) -> None:
        """Show the classes; of very many, the 200 largest."""
        ordered = sorted(classes, key=lambda one: -(one.train_rows + one.held_out_rows))
        self._classes, self._left_out = tuple(ordered[:_SHOWN]), max(0, len(ordered) - _SHOWN)
        self.setAccessibleName("; ".join(f"{one.label}: {self._count(one)}" for one in self._classes[:20]))
        self.setFixedHeight(max(_ROW_PX, self.sizeHint().height()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint name, bars and counts of each class in view."""
        painter = QPainter(self)
        font = self.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        colours, metrics = theme.tokens(), painter.fontMetrics()
        names = max((metrics.horizontalAdvance(one.label[:80]) for one in self._classes), default=0)
        left = min(names + 12, self.width() // 3)
        most = max((one.train_rows + one.held_out_rows for one in self._classes), default=1) or 1
        room = max(8, self.width() - left - _COUNT_PX)
        middle = Qt.AlignmentFlag.AlignVCenter
        for number, one in enumerate(self._classes):
            top = number * _ROW_PX
            if top + _ROW_PX < event.rect().top() or top > event.rect().bottom():
                continue
            painter.setPen(QColor(colours.text))
            name = metrics.elidedText(" ".join(one.label.split()), Qt.TextElideMode.ElideRight, left - 12)
            painter.drawText(QRectF(0, top, left - 8, _ROW_PX), middle, name)
            trained, held_out = room * one.train_rows / most, room * one.held_out_rows / most
            painter.fillRect(QRectF(left, top + 5, trained, 10), theme.series_colour(0))
            painter.fillRect(QRectF(left + trained + 1, top + 5, held_out, 10), theme.series_colour(4))
            painter.setPen(QColor(colours.muted))
            counts = QRectF(left + room + 8, top, _COUNT_PX - 8, _ROW_PX)
            painter.drawText(counts, middle | Qt.AlignmentFlag.AlignRight, self._count(one))
        if self._left_out:
            painter.setPen(QColor(colours.muted))
            rest = QRectF(0, len(self._classes) * _ROW_PX, self.width(), _ROW_PX)
            painter.drawText(rest, middle, self.tr("and {} more classes").format(words.whole(self._left_out)))
        painter.end()

    def _count(self, one: ClassCount) -> str:
        if not one.held_out_rows:
            return words.whole(one.train_rows)
        said = self.tr("{train} + {held_out} held out")
        return said.format(train=words.whole(one.train_rows), held_out=words.whole(one.held_out_rows))
