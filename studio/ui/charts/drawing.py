"""A chart as an SVG drawing: title, unit and legend above the plot, all of it lines and text that can be scaled."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtSvg import QSvgGenerator

from studio.ui import theme
from studio.ui.charts.card import LegendRow

_MARGIN_PX, _TITLE_PX = 16, 24


def svg_of(title: str, unit: str, legend: LegendRow, plot: Any) -> bytes:
    """Return the drawing; ``plot`` is pyqtgraph's widget, which is drawn at the size it has on the screen."""
    width = plot.width() + 2 * _MARGIN_PX
    top = _MARGIN_PX + _TITLE_PX + legend.height()
    height = top + plot.height() + _MARGIN_PX
    store = QBuffer()
    store.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(store)
    generator.setSize(QSize(width, height))
    generator.setViewBox(QRect(0, 0, width, height))
    generator.setTitle(title)
    colours = theme.tokens()
    painter = QPainter(generator)
    painter.fillRect(QRect(0, 0, width, height), QColor(colours.card))
    painter.setFont(legend.font())
    painter.setPen(QColor(colours.text))
    heading = QRectF(_MARGIN_PX, _MARGIN_PX, width, _TITLE_PX)
    painter.drawText(heading, Qt.AlignmentFlag.AlignTop, f"{title}  {unit}".strip())
    painter.save()
    painter.translate(QPoint(_MARGIN_PX, _MARGIN_PX + _TITLE_PX))
    legend.paint_on(painter)
    painter.restore()
    scene = plot.scene()
    plot_box = QRectF(_MARGIN_PX, top, plot.width(), plot.height())
    scene.render(painter, plot_box, plot.mapToScene(plot.viewport().rect()).boundingRect())
    painter.end()
    return bytes(store.data().data())
