"""The packed sequence that a row is trained in, as a thin strip: one segment a row, the one that is shown in accent."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from remote_agent.contract.data_report import PackedRow, RowView
from studio.ui import theme, words


class SequenceStrip(QWidget):
    """Shows where documents begin and end in a sequence; ``row_wanted`` carries the number of a clicked row."""

    row_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sequenceStrip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._packed: tuple[PackedRow, ...] = ()
        self._index = -1
        self._length = 1
        self.show_row(None, 0)

    def sizeHint(self) -> QSize:
        """Return the height of a thin strip."""
        return QSize(120, 16)

    def show_row(self, row: RowView | None, length: int) -> None:
        """Show the sequence of a row at a sequence length in tokens."""
        self._packed = row.packed if row is not None else ()
        self._index = row.index if row is not None else -1
        held = max((one.start + one.tokens for one in self._packed), default=0)
        self._length = max(1, length, held)
        self.setVisible(bool(self._packed))
        if row is not None and self._packed:
            said = self.tr("Sequence {number}: {rows} rows, {held} of {length} tokens")
            self.setAccessibleName(
                said.format(number=row.sequence + 1, rows=len(self._packed), held=held, length=self._length)
            )
        else:
            self.setAccessibleName(self.tr("Packed sequence"))
        self.update()

    def row_at(self, place: QPoint) -> PackedRow | None:
        """Return the row at a place of the widget, None beside them."""
        return next((one for one in self._packed if self._box(one).contains(place.x(), self.height() / 2)), None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the track and its rows."""
        painter = QPainter(self)
        colours = theme.tokens()
        painter.fillRect(QRectF(0, 3, self.width(), 10), QColor(colours.free))
        for number, one in enumerate(self._packed):
            tint = QColor(colours.accent)
            if one.row != self._index:
                tint = QColor(colours.muted)
                tint.setAlphaF(0.55 if number % 2 else 0.4)
            painter.fillRect(self._box(one), tint)
        if self.hasFocus():
            painter.setPen(QColor(colours.accent))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the row that is clicked."""
        one = self.row_at(event.position().toPoint())
        if one is not None and one.row != self._index:
            self.row_wanted.emit(one.row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the row before or after in the sequence."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        rows = [one.row for one in self._packed]
        if event.key() not in steps or self._index not in rows:
            super().keyPressEvent(event)
            return
        place = rows.index(self._index) + steps[Qt.Key(event.key())]
        if 0 <= place < len(rows):
            self.row_wanted.emit(rows[place])

    def event(self, event: QEvent) -> bool:
        """Tell of the row under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            one = self.row_at(event.pos())
            if one is not None:
                said = self.tr("Row {row}: positions 0 to {last}, at token {start} of the sequence").format(
                    row=words.whole(one.row + 1), last=max(0, one.tokens - 1), start=one.start
                )
                QToolTip.showText(event.globalPos(), said, self)
            return True
        return super().event(event)

    def _box(self, one: PackedRow) -> QRectF:
        scale = self.width() / self._length
        gap = 1.0 if one.tokens * scale > 3 else 0.0
        return QRectF(one.start * scale, 3, max(1.0, one.tokens * scale - gap), 10)
