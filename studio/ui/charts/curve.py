"""A curve of a plot: few points as a smooth line, and many as the pixels that they cover, painted as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyqtgraph
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QImage, QPaintEngine, QPainter, QPen
from PySide6.QtWidgets import QWidget

from studio.ui.charts.bars import Covered, covered
from studio.ui.charts.columns import as_bars

if TYPE_CHECKING:
    from studio.ui.charts.columns import Column


class Curve(pyqtgraph.PlotCurveItem):  # type: ignore[misc]
    """Draws what its plot gives it; whoever shows it says where, so that nobody asks its points for their reach."""

    def __init__(self) -> None:
        super().__init__(antialias=True, skipFiniteCheck=False)
        self._reach = QRectF()
        self._bars: tuple[Column, Column] | None = None
        self._covered: Covered | None = None
        self._covered_in: tuple[float, ...] = ()

    def set_reach(self, reach: QRectF) -> None:
        """Take the part of the plot that is looked at: nothing is painted beyond it."""
        if reach != self._reach:
            self.prepareGeometryChange()
            self._reach = reach

    def boundingRect(self) -> QRectF:
        """Return the part that is looked at."""
        return self._reach

    def show_line(self, x: Column, y: Column) -> None:
        """Draw a line from point to point, with gaps where y is none."""
        self._bars = None
        self.setData(x, y, connect="finite")

    def show_bars(self, x: Column, y: Column) -> None:
        """Draw a line of points that fill the pixels: it looks the same, and costs a tenth."""
        self._bars, self._covered_in = as_bars(x, y), ()
        self.update()

    def paint(self, painter: QPainter, option: Any, widget: QWidget | None) -> None:
        """Paint the line or its pixels."""
        if self._bars is None:
            super().paint(painter, option, widget)
        elif widget is None or painter.paintEngine().type() != QPaintEngine.Type.Raster:
            # a drawing that can be scaled has no pixels
            painter.setPen(self.opts["pen"])
            ends = [QPointF(*end) for end in zip(*self._bars, strict=True)]
            painter.drawLines([QLineF(*pair) for pair in zip(ends[0::2], ends[1::2], strict=True)])
        else:
            self._paint_pixels(painter, widget)

    def _paint_pixels(self, painter: QPainter, widget: QWidget) -> None:
        assert self._bars is not None
        to_pixels = painter.worldTransform()
        across, up = (to_pixels.m11(), to_pixels.dx()), (to_pixels.m22(), to_pixels.dy())
        at = (*across, *up, widget.width(), widget.height())
        if at != self._covered_in:
            x, y = self._bars
            pixels = up[0] * y + up[1]
            # y goes up and pixels go down
            self._covered = covered(
                across[0] * x[0::2] + across[1], pixels[1::2], pixels[0::2], widget.width(), widget.height()
            )
            self._covered_in = at
        if self._covered is None:
            return
        pen: QPen = self.opts["pen"]
        rows, width = self._covered.pixels.shape
        picture = QImage(self._covered.pixels.data, width, rows, width, QImage.Format.Format_Indexed8)
        picture.setColorTable([0, pen.color().rgba()])
        painter.save()
        painter.resetTransform()
        painter.drawImage(0, self._covered.top, picture)
        painter.restore()
