"""The ways of making batches side by side: how much of what the tensors hold is tokens, how much padding."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from remote_agent.contract.data_report import BatchingReport
from studio.ui import theme, words
from studio.ui.pieces import as_plain_tip

_ROW_PX, _NAME_PX = 20, 72


class BatchingBars(QWidget):
    """One bar for each way; the one that the job uses is in the accent colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("batchingBars")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._ways: tuple[BatchingReport, ...] = ()
        self._used = ""

    def sizeHint(self) -> QSize:
        """Return room for three bars."""
        return QSize(200, _ROW_PX * 3)

    def show_ways(self, ways: Sequence[BatchingReport], used: str) -> None:
        """Show the ways; ``used`` is the kind of the one that the job uses."""
        self._ways, self._used = tuple(ways), used
        self.setAccessibleName("; ".join(f"{self._name(way.kind)}: {self._waste(way)}" for way in self._ways))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint name, bar and waste of each way."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(theme.CAPTION_PX)
        colours = theme.tokens()
        names = max((painter.fontMetrics().horizontalAdvance(self._name(way.kind)) for way in self._ways), default=0)
        left = min(max(_NAME_PX, names + 8), self.width() // 2)
        painter.setFont(font)
        share = max((painter.fontMetrics().horizontalAdvance(self._waste(way)) for way in self._ways), default=0) + 12
        for number, way in enumerate(self._ways):
            top = number * _ROW_PX
            is_used = way.kind == self._used
            painter.setPen(QColor(colours.text if is_used else colours.muted))
            name = QRectF(0, top, left - 8, _ROW_PX)
            painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._name(way.kind))
            track = QRectF(left, top + 6, max(8, self.width() - left - share), 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.free))
            painter.drawRoundedRect(track, 3, 3)
            painter.setBrush(QColor(colours.accent if is_used else colours.muted))
            painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * fullness(way), 8), 3, 3)
            painter.setPen(QColor(colours.text if is_used else colours.muted))
            waste = QRectF(track.right() + 8, top, share - 8, _ROW_PX)
            painter.drawText(waste, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._waste(way))
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Tell the exact figures of the way under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._tell(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _tell(self, place: QPoint, at: QPoint) -> None:
        number = place.y() // _ROW_PX
        if 0 <= number < len(self._ways):
            way = self._ways[number]
            said = self.tr("{name}: {sequences} sequences hold {held} tokens, {tokens} of them of rows. {what}")
            QToolTip.showText(
                at,
                as_plain_tip(
                    said.format(
                        name=self._name(way.kind), sequences=words.whole(way.sequences),
                        held=words.whole(way.held_tokens), tokens=words.whole(way.tokens), what=self._what(way.kind),
                    )
                ),
                self,
            )  # fmt: skip

    def _name(self, kind: str) -> str:
        names = {"packed": self.tr("Packed"), "padding_free": self.tr("Padding-free"), "padded": self.tr("Padded")}
        return names.get(kind, kind)

    def _what(self, kind: str) -> str:
        said = {
            "packed": self.tr("Rows share sequences, each blind to the others."),
            "padding_free": self.tr("The rows of a micro batch are joined; none is cut or shared."),
            "padded": self.tr("Rows of like length stand together, filled up to the longest."),
        }
        return said.get(kind, "")

    def _waste(self, way: BatchingReport) -> str:
        return self.tr("{} padding").format(words.percent(1.0 - fullness(way)))


def fullness(way: BatchingReport) -> float:
    """Return the share of tokens in what the tensors hold, 1 where they hold nothing."""
    return min(1.0, way.tokens / way.held_tokens) if way.held_tokens else 1.0
