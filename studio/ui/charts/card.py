"""The card a chart sits in: title, unit, a legend painted by hand, an empty state and the copy menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QGuiApplication, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.ui import theme


class LegendEntry(NamedTuple):
    """One entry of the legend: what to paint and what to say; an invalid colour paints no swatch."""

    text: str
    colour: QColor
    dashed: bool = False


class LegendRow(QWidget):
    """Swatches and words, right-aligned; what does not fit is left out from the left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: Sequence[LegendEntry] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a height of one caption line."""
        return QSize(60, 18)

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """Replace the entries."""
        if list(entries) != list(self._entries):
            self._entries = entries
            self.setAccessibleName(", ".join(entry.text for entry in entries))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the entries from the right."""
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        right, middle = self.width(), round(self.height() / 2)
        for entry in reversed(self._entries):
            width = metrics.horizontalAdvance(entry.text)
            swatch = 20 if entry.colour.isValid() else 0
            if right - width - swatch < 0:
                break
            painter.setPen(QColor(theme.tokens().muted))
            box = QRectF(right - width, 0, width + 1, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, entry.text)
            right -= width
            if swatch:
                style = Qt.PenStyle.DashLine if entry.dashed else Qt.PenStyle.SolidLine
                painter.setPen(QPen(entry.colour, 2, style))
                painter.drawLine(right - 18, middle, right - 6, middle)
            right -= swatch + 12
        painter.end()


class ChartCard(QFrame):
    """A titled card whose body is an empty text until a plot takes its place."""

    def __init__(self, title: str, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        self.unit_label = QLabel(unit)
        self.unit_label.setProperty("role", "caption")
        self.legend = LegendRow()
        self.empty_label = QLabel(self.tr("No figures yet."))
        self.empty_label.setProperty("role", "muted")
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_label.setWordWrap(True)
        self.body = QStackedWidget()
        self.body.addWidget(self.empty_label)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(heading)
        top.addWidget(self.unit_label)
        top.addWidget(self.legend, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.body, 1)
        self.setMinimumSize(220, 150)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._copy = QAction(self.tr("Copy as image"), self)
        self._copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        self._copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._copy.triggered.connect(self.copy_image)
        self.addAction(self._copy)

    def sizeHint(self) -> QSize:
        """Return a size at which a chart can be read; it grows with its page."""
        return QSize(360, 200)

    def set_empty_text(self, text: str) -> None:
        """Say what stands in place of the plot while there is nothing to draw."""
        self.empty_label.setText(text)

    def copy_image(self) -> None:
        """Copy the chart to the clipboard as a picture."""
        QGuiApplication.clipboard().setPixmap(self.grab())

    def copy_values(self) -> None:
        """Copy all lines to the clipboard as CSV."""
        QGuiApplication.clipboard().setText(self.as_csv())

    def as_csv(self) -> str:
        """Return the chart's values as CSV text."""
        return ""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the copies where the mouse is."""
        self.open_menu(event.globalPos())

    def open_menu(self, at: QPoint) -> None:
        """Open the context menu at a place of the screen."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self._copy)
        menu.addAction(self.tr("Copy values as CSV"), self.copy_values)
        menu.popup(at)
