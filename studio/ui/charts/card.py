"""The card a chart sits in: title, unit, a legend painted by hand, an empty state and the copy menu."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.charts import saving

_LINE_PX, _GAP_PX, _SWATCH_PX = 18, 12, 20


class LegendEntry(NamedTuple):
    """One entry of the legend: what to paint and what to say; an invalid colour paints no swatch.

    ``symbol`` paints a triangle ("t"), a dot ("o"), a diamond ("d") or an upright dotted line ("|") instead of a line.
    """

    text: str
    colour: QColor
    dashed: bool = False
    symbol: str = ""


class LegendRow(QWidget):
    """Swatches and words, right-aligned; what does not fit is left out from the left.

    One that wraps stands left-aligned in as many lines as it needs, and does not give a line up while the mouse moves.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: Sequence[LegendEntry] = ()
        self._wraps = False
        self._lines = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a height of its caption lines."""
        return QSize(60, _LINE_PX * self._lines)

    def set_wraps(self) -> None:
        """Let the entries go on in another line."""
        self._wraps = True

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """Replace the entries."""
        if list(entries) != list(self._entries):
            if len(entries) != len(self._entries):
                self._lines = 1
            self._entries = entries
            self.setAccessibleName(", ".join(entry.text for entry in entries))
            self._make_room()
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take as many lines as the new width asks for."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lines = 1
            self._make_room()

    def _make_room(self) -> None:
        if self._wraps and self.width() > _LINE_PX:
            lines = {top for _, _, top in self._places(self._metrics())}
            self._lines = max(self._lines, len(lines))
            self.updateGeometry()

    def _metrics(self) -> QFontMetrics:
        font = self.font()
        font.setPixelSize(theme.CAPTION_PX)
        return QFontMetrics(font)

    def _places(self, metrics: QFontMetrics) -> list[tuple[LegendEntry, int, int]]:
        """Return every entry that is painted with the left end of its words and the top of its line."""
        if not self._wraps:
            return self._places_from_the_right(metrics)
        places, left, top = [], 0, 0
        for entry in self._entries:
            width = metrics.horizontalAdvance(entry.text) + _swatch(entry)
            if left and left + width > self.width():
                left, top = 0, top + _LINE_PX
            places.append((entry, left + _swatch(entry), top))
            left += width + _GAP_PX
        return places

    def _places_from_the_right(self, metrics: QFontMetrics) -> list[tuple[LegendEntry, int, int]]:
        places, right = [], self.width()
        for entry in reversed(self._entries):
            width = metrics.horizontalAdvance(entry.text)
            if right - width - _swatch(entry) < 0:
                break
            places.append((entry, right - width, 0))
            right -= width + _swatch(entry) + _GAP_PX
        return places

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the entries."""
        painter = QPainter(self)
        self.paint_on(painter)
        painter.end()

    def paint_on(self, painter: QPainter) -> None:
        """Paint the entries as they stand, on the widget or on a picture."""
        font = self.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for entry, left, top in self._places(self._metrics()):
            painter.setPen(QColor(theme.tokens().muted))
            box = QRectF(left, top, self.width(), _LINE_PX)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, entry.text)
            if entry.colour.isValid():
                _paint_swatch(painter, entry, left, top + _LINE_PX // 2)


def _swatch(entry: LegendEntry) -> int:
    return _SWATCH_PX if entry.colour.isValid() else 0


def _paint_swatch(painter: QPainter, entry: LegendEntry, right: int, middle: int) -> None:
    """Paint a piece of the entry's line, or its symbol, left of its words."""
    if not entry.symbol:
        style = Qt.PenStyle.DashLine if entry.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(entry.colour, 2, style))
        painter.drawLine(right - 18, middle, right - 6, middle)
        return
    if entry.symbol == "|":
        painter.setPen(QPen(entry.colour, 1, Qt.PenStyle.DotLine))
        painter.drawLine(right - 9, middle - 6, right - 9, middle + 6)
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(entry.colour)
    centre = QPointF(right - 9, middle)
    if entry.symbol == "o":
        painter.drawEllipse(centre, 3, 3)
    elif entry.symbol == "d":
        painter.drawPolygon([centre + QPointF(*corner) for corner in ((-4, 0), (0, -4), (4, 0), (0, 4))])
    else:
        painter.drawPolygon([centre + QPointF(-4, 3), centre + QPointF(4, 3), centre + QPointF(0, -4)])


class ChartCard(QFrame):
    """A titled card whose body is an empty text until a plot takes its place."""

    title_double_clicked = Signal()

    def __init__(self, title: str, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        self.heading = heading = QLabel(title)
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
        self.top = top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(heading)
        top.addWidget(self.unit_label)
        top.addWidget(self.legend, 1)
        self.column = layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.body, 1)
        self.setMinimumSize(220, 150)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.menu_actions: list[QAction] = []
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

    def copy_svg(self) -> None:
        """Copy the chart to the clipboard as a drawing that can be scaled, and as its text."""
        drawing = self.as_svg()
        if drawing:
            data = QMimeData()
            data.setData("image/svg+xml", drawing)
            data.setText(drawing.decode("utf-8"))
            QGuiApplication.clipboard().setMimeData(data)

    def as_svg(self) -> bytes:
        """Return the chart as an SVG drawing, empty while nothing is drawn."""
        return b""

    def as_parquet(self) -> bytes:
        """Return the chart's values as a Parquet file."""
        return saving.parquet_of({})

    def save_as(self, path: Path) -> None:
        """Write the chart as the file's ending says, one of `saving.KINDS`. Raises OSError, ValueError for another."""
        kinds = {
            saving.PICTURE: lambda: saving.png_of(self.grab()),
            saving.DRAWING: self.as_svg,
            saving.TEXT: lambda: self.as_csv().encode(),
            saving.TABLE: self.as_parquet,
        }
        if path.suffix.lower() not in kinds:
            raise ValueError(f"A chart cannot be saved as {path.suffix or path.name}; name it .png, .svg or the like.")
        saving.write_whole(path, kinds[path.suffix.lower()]())

    def _ask_file(self) -> None:
        from PySide6.QtWidgets import QFileDialog, QMessageBox

        filters = {
            self.tr("Picture (*.png)"): saving.PICTURE,
            self.tr("Drawing (*.svg)"): saving.DRAWING,
            self.tr("Values as CSV (*.csv)"): saving.TEXT,
            self.tr("Values as Parquet (*.parquet)"): saving.TABLE,
        }
        named, chosen = QFileDialog.getSaveFileName(
            self, self.tr("Save the chart"), f"{self.accessibleName()}.png", ";;".join(filters)
        )
        if not named:
            return
        path = Path(named)
        if path.suffix.lower() not in saving.KINDS:
            path = path.with_name(path.name + filters.get(chosen, saving.PICTURE))
        try:
            self.save_as(path)
        except OSError as error:
            said = self.tr("{path} cannot be written: {why}. Choose another folder.")
            QMessageBox.warning(self, self.tr("Save the chart"), said.format(path=path, why=error.strerror))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Tell a double click on the row of the title; the plot below keeps its own."""
        if event.position().y() < self.body.y():
            self.title_double_clicked.emit()
        super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the copies where the mouse is."""
        self.open_menu(event.globalPos())

    def open_menu(self, at: QPoint) -> None:
        """Open the context menu at a place of the screen."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.menu_actions)
        if self.menu_actions:
            menu.addSeparator()
        menu.addAction(self._copy)
        menu.addAction(self.tr("Copy as SVG"), self.copy_svg)
        menu.addAction(self.tr("Copy values as CSV"), self.copy_values)
        menu.addAction(self.tr("Save as a file…"), self._ask_file)
        menu.popup(at)
