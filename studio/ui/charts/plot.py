"""The pyqtgraph side of a chart; pyqtgraph costs up to two seconds to import, so it comes with the first plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui import theme
from studio.ui.charts.columns import log_ticks, logarithm, reduced
from studio.ui.charts.handles import Handle, HandleLayer
from studio.ui.charts.zooming import View, Zooming
from studio.ui.words import short_number

if TYPE_CHECKING:
    from studio.ui.charts.columns import Column
    from studio.ui.charts.extremes import Extremes

_RAW_ALPHA = 64
_MOST_POINTS = 200
_POINT_PX, _TICK_PX, _ROW_PX = 5, 7, 9
_HANDLE_REACH_PX = 14.0
_SAMPLED, _LEAST_CLIPPED = 4000, 50
_CROWDED = 1.5
"""So many points a pixel fill it."""
_LOG_DECADES = 6
"""How far below its greatest value a logarithmic axis goes at most."""


class Line(NamedTuple):
    """A line to draw: ``role`` is fact, held_out, plan, raw or ticks, ``colour_index`` a place in the series colours.

    ``extremes`` follows y, of which the legend tells ``told`` times as much; ``symbol`` is what ticks are drawn as;
    what the legend leaves out is not ``in_legend``; ticks stand in rows from the bottom, ``row`` 0 the lowest.
    """

    x: Column
    y: Column
    role: str
    colour_index: int
    extremes: Extremes
    told: float = 1.0
    symbol: str = ""
    in_legend: bool = True
    row: int = 0

    def reach(self) -> tuple[float, float]:
        """Return the least and the greatest number of y, NaN where it has none."""
        return self.extremes.whole(self.y)

    def middle(self, view: View | None) -> tuple[float, float]:
        """Return what the middle 98 % of y span, from an evenly spaced sample of it; NaN where it is short."""
        import numpy

        start, stop = self.x.searchsorted(view) if view is not None else (0, self.y.size)
        sample = self.y[start : stop : max(1, (stop - start) // _SAMPLED)]
        sample = sample[numpy.isfinite(sample)]
        if sample.size < _LEAST_CLIPPED or self.role in ("held_out", "plan"):
            return math.nan, math.nan
        low, high = numpy.quantile(sample, (0.01, 0.99))
        return float(low), float(high)


class Look(NamedTuple):
    """How a plot tells its axes: y from zero, y times ``factor``, y logarithmic, outliers of y left out, x times.

    Where ``x_is_log``, places on the x axis are decimal logarithms and told as what they are logarithms of. ``view`` is
    the part of the x axis that is looked at, None for all of it.
    """

    from_zero: bool = False
    factor: float = 1.0
    is_log: bool = False
    clips: bool = False
    x_factor: float = 1.0
    x_is_log: bool = False
    view: View | None = None


class Plot(QObject):
    """The pyqtgraph side of a chart: curves of one pixel, a light grid, the crosshair and the handles."""

    pointed = Signal(object)
    double_clicked = Signal(float, float)

    def __init__(self, parent: QObject) -> None:
        import pyqtgraph

        from studio.ui.charts.axis import Axis  # these need pyqtgraph
        from studio.ui.charts.curve import Curve

        super().__init__(parent)
        self._pg = pyqtgraph
        axes = {side: Axis(side) for side in ("left", "bottom")}
        self.widget: Any = pyqtgraph.PlotWidget(background=None, axisItems=axes)
        self._item: Any = self.widget.getPlotItem()
        self._box: Any = self._item.getViewBox()
        self._new_curve = Curve
        self._curves: dict[str, Any] = {}
        self._points: dict[str, Any] = {}
        self._looks: dict[str, tuple[int, str]] = {}
        self._ticks: dict[str, tuple[Column, float]] = {}
        self._rules: dict[str, Any] = {}
        self._lines: Mapping[str, Line] = {}
        self._parts: dict[str, tuple[Line, View, int, tuple[Column, Column]]] = {}
        self._exponent = 0
        self._is_log = False
        self._bottom = 0.0
        self.is_clipped = False
        self._mouse: QPointF | None = None
        self.handles = HandleLayer(pyqtgraph.TargetItem, self._item, self)
        self.zooming: Zooming | None = None
        self.viewport: QWidget = self.widget.viewport()
        self.widget.setAntialiasing(True)
        self.widget.setFrameShape(self.widget.Shape.NoFrame)
        self.widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self._item.hideButtons()
        self._item.setMenuEnabled(False)
        self._item.setDefaultPadding(0.0)
        self._box.setMouseMode(self._box.RectMode)
        self._box.setMouseEnabled(x=False, y=False)
        self._item.layout.setContentsMargins(0, 4, 8, 0)
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=0, tickTextOffset=6, maxTickLevel=0)
            axis.setZValue(-1)
        self._crosshair = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self._crosshair.hide()
        self._item.addItem(self._crosshair, ignoreBounds=True)
        self.widget.scene().sigMouseMoved.connect(self._on_mouse)
        self._box.sigResized.connect(self._reduce)
        self.viewport.installEventFilter(self)
        self.dress()

    def dress(self) -> None:
        """Take the theme's colours; the curves take theirs at the next `draw`."""
        colours = theme.tokens()
        font = self.widget.font()
        font.setPixelSize(theme.CAPTION_PX)
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(self._pen(QColor(colours.border)))
            axis.setTextPen(QColor(colours.muted))
            axis.setTickFont(font)
        self.widget.setBackground(QColor(colours.card))
        self._item.showGrid(x=False, y=True, alpha=1.0)
        self._crosshair.setPen(self._pen(QColor(colours.field_border)))
        self.handles.dress()

    def draw(
        self,
        lines: Mapping[str, Line],
        marks: Mapping[str, tuple[str, float]],
        handles: Sequence[Handle],
        look: Look,
    ) -> str:
        """Bring curves, rules and handles up to date; return the power of ten the y axis is told in, or nothing."""
        self._lines = lines
        if look.is_log != self._is_log:
            self._is_log = look.is_log
            self._item.getAxis("left").setLogMode(y=look.is_log)
            self.handles.set_scale(self._to_view, self._from_view)
        for name in set(self._curves) - set(lines):
            self._item.removeItem(self._curves.pop(name))
            self._parts.pop(name, None)
            if name in self._points:
                self._item.removeItem(self._points.pop(name))
                self._looks.pop(name, None)
                self._ticks.pop(name, None)
        for name, line in lines.items():
            if name not in self._curves:
                self._curves[name] = self._new_curve()
                self._item.addItem(self._curves[name], ignoreBounds=True)
            colour = theme.series_colour(line.colour_index)
            if line.role == "raw":
                colour.setAlpha(_RAW_ALPHA)
            if line.role in ("held_out", "ticks"):
                self._dress_points(name, colour, line.symbol)
            style = Qt.PenStyle.DashLine if line.role == "plan" else Qt.PenStyle.SolidLine
            self._curves[name].setPen(self._pen(colour, style))
            self._curves[name].setZValue({"raw": 0, "plan": 1}.get(line.role, 2))
        scale = self._fit(look, marks) if not self.handles.held else self._scale_text()
        self._draw_rules(marks)
        self.handles.show_handles(handles)
        self._reduce()
        return scale

    def let_zoom(self) -> Zooming:
        """Let a part of the x axis be chosen by hand, and return what tells which."""
        self._box.setMouseMode(self._box.PanMode)  # or pyqtgraph draws a box of its own
        card = self.parent()
        assert card is not None
        self.zooming = self.zooming or Zooming(self.widget, self._box, card)
        return self.zooming

    def _dress_points(self, name: str, colour: QColor, symbol: str) -> None:
        """Give a line of few values its points, so that a single one is seen too."""
        if name not in self._points:
            self._points[name] = self._pg.ScatterPlotItem(size=_POINT_PX, antialias=True)
            self._points[name].setZValue(3)
            self._item.addItem(self._points[name], ignoreBounds=True)
            self._points[name].setPen(None)
        look = (colour.rgba(), symbol)
        if self._looks.get(name) == look:
            return
        self._looks[name] = look
        if symbol:
            self._points[name].setSymbol(symbol)
            self._points[name].setSize(_TICK_PX)
        self._points[name].setBrush(colour)

    def show_cursor(self, x: float | None) -> None:
        """Put the crosshair at x, or hide it."""
        self._crosshair.setVisible(x is not None)
        if x is not None:
            self._crosshair.setPos(x)

    def handle_position(self, name: str, widget: QWidget) -> QPoint | None:
        """Return where a handle lies in a widget's pixels."""
        scene = self.handles.scene_position(name)
        if scene is None:
            return None
        place: QPoint = widget.mapFromGlobal(self.viewport.mapToGlobal(self.widget.mapFromScene(scene)))
        return place

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the page, the right button to the card, and hide the crosshair when the mouse leaves."""
        if event.type() == QEvent.Type.Leave:
            self._mouse = None
            self.pointed.emit(None)
        if event.type() == QEvent.Type.MouseButtonDblClick and isinstance(event, QMouseEvent):
            self._on_double_click(self.widget.mapToScene(event.position().toPoint()))
            return True
        if event.type() in (QEvent.Type.Wheel, QEvent.Type.ContextMenu):
            event.ignore()
            return True
        return False

    def _pen(self, colour: QColor, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        pen = QPen(colour, 1.0, style)
        pen.setCosmetic(True)
        return pen

    def _draw_rules(self, marks: Mapping[str, tuple[str, float]]) -> None:
        for name in set(self._rules) - set(marks):
            self._item.removeItem(self._rules.pop(name))
        for name, (axis, place) in marks.items():
            if name not in self._rules:
                self._rules[name] = self._pg.InfiniteLine(angle=90 if axis == "x" else 0, movable=False)
                self._item.addItem(self._rules[name], ignoreBounds=True)
            self._rules[name].setPos(place if axis == "x" else self._to_view(place))
            self._rules[name].setPen(self._pen(QColor(theme.tokens().muted), Qt.PenStyle.DotLine))

    def handle_under_mouse(self) -> str:
        """Return the name of the handle the mouse is on, empty where it is on none."""
        return self.handles.name_at(self._mouse, _HANDLE_REACH_PX) if self._mouse is not None else ""

    def _on_double_click(self, place: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(place) and not self.handles.name_at(place, _HANDLE_REACH_PX):
            view = self._box.mapSceneToView(place)
            self.double_clicked.emit(view.x(), self._from_view(view.y()))

    def _to_view(self, y: float) -> float:
        return math.log10(max(y, 10.0**self._bottom)) if self._is_log else y

    def _from_view(self, y: float) -> float:
        return float(10.0**y) if self._is_log else y

    def _on_mouse(self, place: QPointF) -> None:
        inside = self._box.sceneBoundingRect().contains(place)
        self._mouse = place if inside else None
        self.pointed.emit(self._box.mapSceneToView(place).x() if inside else None)

    def _fit(self, look: Look, marks: Mapping[str, tuple[str, float]]) -> str:
        """Show everything, with room above, and tell small or huge values in a power of ten."""
        lines = [line for line in self._lines.values() if line.x.size]
        from_zero, factor = look.from_zero, look.factor
        left, right = min(float(line.x[0]) for line in lines), max(float(line.x[-1]) for line in lines)
        if self.zooming is not None:
            self.zooming.whole, self.zooming.view = (left, right), look.view
        low, high = self._y_reach(lines, look, [place for axis, place in marks.values() if axis == "y"])
        spread = (high - low) or abs(high) or 1.0
        axis = self._item.getAxis("left")
        axis.setTicks(None)
        bottom, top = low - (0.04 if from_zero else 0.06) * spread, high + 0.08 * spread
        if self._is_log:
            bottom, top = self._log_reach(lines, low if look.clips or look.view else math.nan, high)
            axis.setTicks([[(math.log10(value), short_number(value)) for value in log_ticks(bottom, top)]])
        self._bottom = bottom
        width = (right - left) or 1.0
        below = self._item.getAxis("bottom")
        below.setScale(look.x_factor)
        ticks = [(math.log10(value), short_number(value)) for value in log_ticks(left, right)] if look.x_is_log else []
        below.setTicks([ticks] if look.x_is_log else None)
        x_range = look.view or (left - 0.02 * width, right + 0.03 * width)
        self._box.setRange(xRange=x_range, yRange=(bottom, top), padding=0)
        furthest = factor * max(abs(low), abs(high)) if not self._is_log else 0.0
        self._exponent = math.floor(math.log10(furthest)) if furthest and not 1e-3 <= furthest < 1e5 else 0
        axis.setScale(factor * 10.0**-self._exponent if not self._is_log else 1.0)
        return self._scale_text()

    def _y_reach(self, lines: Sequence[Line], look: Look, levels: Sequence[float]) -> tuple[float, float]:
        """Return the least and the greatest y to show, and note whether outliers lie beyond."""
        found = [
            line.reach() if look.view is None else self._reach_within(name, line, look.view)
            for name, line in self._lines.items()
            if line.x.size
        ]
        reaches = [reach for reach in found if math.isfinite(reach[0])]
        whole = (min((low for low, _ in reaches), default=0.0), max((high for _, high in reaches), default=0.0))
        if look.clips:
            middles = [line.middle(look.view) for line in lines]
            clipped = [one if math.isfinite(one[0]) else other for one, other in zip(middles, found, strict=True)]
            reaches = [reach for reach in clipped if math.isfinite(reach[0])]
        low = 0.0 if look.from_zero else min([*(reach[0] for reach in reaches), *levels], default=0.0)
        high = max([*(reach[1] for reach in reaches), *levels], default=1.0)
        self.is_clipped = look.clips and bool(reaches) and (whole[0] < low or whole[1] > high)
        return low, high

    def _reach_within(self, name: str, line: Line, view: View) -> tuple[float, float]:
        """Return the least and the greatest number of y in a part of the x axis, NaN where it has none."""
        import numpy

        shown = self._reduced(name, line, view)[1]
        shown = shown[numpy.isfinite(shown)]
        return (float(shown.min()), float(shown.max())) if shown.size else (math.nan, math.nan)

    def _reduced(self, name: str, line: Line, view: View) -> tuple[Column, Column]:
        """Return what the pixels can show of a line; it is computed once for the y axis and for the curve."""
        columns = self._pixel_columns()
        known = self._parts.get(name)
        if known is None or known[0] is not line or known[1:3] != (view, columns):
            points = reduced(line.x, line.y, *view, columns, line.extremes)
            known = self._parts[name] = (line, view, columns, points)
        return known[3]

    def _pixel_columns(self) -> int:
        return max(200, int(self._box.width()))

    def _log_reach(self, lines: Sequence[Line], least: float, high: float) -> tuple[float, float]:
        """Return the decades from ``least``, or where it is not positive the least positive value, to the greatest."""
        top = math.log10(high) if high > 0 else 0.0
        lows = [least] if least > 0 else [low for line in lines if (low := _least_positive(line)) < math.inf]
        bottom = max(math.log10(min(lows)) if lows else top - 1.0, top - _LOG_DECADES)
        spread = max(top - bottom, 0.3)
        return bottom - 0.06 * spread, top + 0.08 * spread

    def _scale_text(self) -> str:
        return f"× 1e{self._exponent}" if self._exponent else ""

    def _reduce(self) -> None:
        """Give every curve what its pixels can show."""
        (low, high), (bottom, top) = self._box.viewRange()
        reach = QRectF(low, bottom, high - low, top - bottom)
        crowded = _CROWDED * self._pixel_columns()
        for name, curve in self._curves.items():
            line = self._lines.get(name)  # the chart may hold changes back that are not drawn yet
            if line is None:
                continue
            if line.role == "ticks":
                self._place_ticks(name, line)
                continue
            curve.set_reach(reach)
            x, y = self._reduced(name, line, (low, high))
            if self._is_log:
                y = logarithm(y, 10.0**self._bottom)
            if x.size > crowded and line.role != "plan":
                curve.show_bars(x, y)
            else:
                curve.show_line(x, y)
            if name in self._points:
                few = x.size <= _MOST_POINTS
                self._points[name].setData(x if few else [], y if few else [])

    def _place_ticks(self, name: str, line: Line) -> None:
        """Put marks a little above the bottom of the plot, unless they are there."""
        x = line.x
        bottom, top = self._box.viewRange()[1]
        raised = _TICK_PX + line.row * _ROW_PX
        above = bottom + raised * (top - bottom) / max(1.0, self._box.height())
        before = self._ticks.get(name)
        if before is None or before[1] != above or before[0] is not x:
            shown = x[:: max(1, -(-x.size // _MOST_POINTS))]
            self._points[name].setData(shown, [above] * shown.size)
            self._ticks[name] = (x, above)


def _least_positive(line: Line) -> float:
    """Return the least value above zero, infinite where there is none; rows are looked at only where it is hidden."""
    low = line.reach()[0]
    if low > 0:
        return low
    positive = line.y[line.y > 0]
    return float(positive.min()) if positive.size else math.inf
