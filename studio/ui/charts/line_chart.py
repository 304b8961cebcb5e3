"""A chart on a card: plan dashed, fact solid, values under the crosshair."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QTimer, Signal
from PySide6.QtGui import QAction, QColor, QShowEvent
from PySide6.QtWidgets import QWidget

from studio.ui import theme
from studio.ui.charts import loading
from studio.ui.charts.card import ChartCard, LegendEntry
from studio.ui.charts.columns import value_near
from studio.ui.charts.extremes import Extremes
from studio.ui.charts.handles import Handle
from studio.ui.charts.plot import Line, Look, Plot
from studio.ui.charts.saving import parquet_of
from studio.ui.charts.zooming import View
from studio.ui.words import short_number

if TYPE_CHECKING:
    from studio.ui.charts.columns import Column

_ROLES = ("fact", "held_out", "plan", "raw", "ticks")
_DEFAULT_COLOURS = {"held_out": 1, "plan": 6}
_AGAIN_MS = 5
_LEGEND_RANK = {"plan": 1, "ticks": 2}
"""What the legend tells after the lines of what is."""


class LineChart(ChartCard):
    """A card with a title, a legend that tells the values under the crosshair, and lines over steps.

    ``handle_moved`` and ``handle_released`` carry a handle's name and place; ``cursor_moved`` carries the x under the
    mouse, or None where the mouse left; ``double_clicked`` carries a place of the plot without a handle;
    ``view_wanted`` the part of the x axis that a hand chose, None for all of it, where the chart was let to `let_zoom`.
    """

    handle_moved = Signal(str, float, float)
    handle_released = Signal(str, float, float)
    cursor_moved = Signal(object)
    double_clicked = Signal(float, float)
    view_wanted = Signal(object)

    def __init__(self, title: str, unit: str = "", x_unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, unit, parent)
        self._unit, self._x_unit = unit, x_unit or self.tr("step")
        self._lines: dict[str, Line] = {}
        self._marks: dict[str, tuple[str, float]] = {}
        self._handles: tuple[Handle, ...] = ()
        self._from_zero, self._is_log, self._clips = False, False, False
        self.further_entries: Sequence[LegendEntry] = ()  # of the legend, for what no line stands for
        self._factor = 1.0
        self._x_factor, self._x_whole, self._x_is_log = 1.0, True, False
        self._show_all: QAction | None = None
        self._view: View | None = None
        self._cursor: float | None = None
        self._plot: Plot | None = None
        self._held_back = 0
        self._turn = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._turn.timeout.connect(self._draw_in_turn)

    @contextlib.contextmanager
    def drawing_once(self, in_turn: bool = False) -> Iterator[None]:
        """Collect the changes made inside a ``with`` and draw them once at its end.

        Args:
            in_turn: draw a moment later where another chart was drawn just now, so that many charts do not add up to
                one long stall.
        """
        self._held_back += 1
        try:
            yield
        finally:
            self._held_back -= 1
            if in_turn:
                self._draw_in_turn()
            else:
                self._refresh()

    def set_line(
        self,
        name: str,
        x: Sequence[float] | Column,
        y: Sequence[float] | Column,
        role: str = "fact",
        color_index: int | None = None,
        settled: int | None = None,
        told: float = 1.0,
    ) -> None:
        """Draw or replace the line ``name``; x ascends, y may hold NaN where the line has gaps.

        Arrays are not copied: what the line shows of them it took when it was last drawn.

        Args:
            name: what the legend says; it is shown as it is, so it has to be translated already.
            x: places on the x axis.
            y: as many values.
            role: "fact" solid, "plan" dashed and grey, "raw" at 25 % without a legend, "held_out" solid with points.
            color_index: place in the theme's series colours; by default 0, and 1 for held out.
            settled: how many leading points stay as they are when the line is replaced by a longer one; it is then
                drawn in a time that does not grow with it. None where nothing is said about the next one.
            told: the legend tells y times this, for a line that is drawn on another scale than its own.
        """
        import numpy

        assert role in _ROLES, role
        columns = numpy.asarray(x, dtype=numpy.float64), numpy.asarray(y, dtype=numpy.float64)
        assert columns[0].shape == columns[1].shape, name
        index = _DEFAULT_COLOURS.get(role, 0) if color_index is None else color_index
        before = self._lines.get(name)
        extremes = before.extremes if before is not None and settled is not None else Extremes()
        if settled is not None:
            extremes.follow(columns[1], settled)
        self._lines[name] = Line(*columns, role, index, extremes, told)
        self._refresh()

    def set_ticks(
        self,
        name: str,
        x: Sequence[float] | Column,
        symbol: str,
        color_index: int,
        in_legend: bool = True,
        row: int = 0,
    ) -> None:
        """Mark places at the bottom of the plot; without places the marks of that name go away.

        Args:
            name: what the legend says.
            x: places on the x axis, ascending.
            symbol: one of pyqtgraph's, "t1" a triangle, "o" a dot, "d" a diamond.
            color_index: place in the theme's series colours.
            in_legend: False where something else explains the marks.
            row: marks of another row, counted from the bottom, do not hide these.
        """
        import numpy

        places = numpy.asarray(x, dtype=numpy.float64)
        if not places.size:
            self.remove_line(name)
            return
        before = self._lines.get(name)
        if before is not None and before.symbol == symbol and numpy.array_equal(before.x, places):
            return
        nothing = numpy.full(places.shape, numpy.nan)
        self._lines[name] = Line(places, nothing, "ticks", color_index, Extremes(), 1.0, symbol, in_legend, row)
        self._refresh()

    def remove_line(self, name: str) -> None:
        """Take a line away; a name that is not drawn is ignored."""
        if self._lines.pop(name, None) is not None:
            self._refresh()

    def clear(self) -> None:
        """Take all lines, marks and handles away."""
        self._lines, self._marks, self._handles = {}, {}, ()
        self._refresh()

    def set_mark(self, name: str, x: float | None) -> None:
        """Draw a dotted vertical line at x (an epoch, a checkpoint, a resume), or take it away with None."""
        self._set_mark(name, "x", x)

    def set_level(self, name: str, y: float | None) -> None:
        """Draw a dotted horizontal line at y (a limit), or take it away with None."""
        self._set_mark(name, "y", y)

    def _set_mark(self, name: str, axis: str, place: float | None) -> None:
        before = self._marks.get(name)
        if place is None:
            self._marks.pop(name, None)
        else:
            self._marks[name] = (axis, place)
        if before != self._marks.get(name):
            self._refresh()

    def set_handles(self, handles: Sequence[Handle]) -> None:
        """Show points that can be dragged; a name that is being dragged keeps the hand."""
        self._handles = tuple(handles)
        self._refresh()

    def set_from_zero(self, from_zero: bool) -> None:
        """Let the y axis start at zero."""
        self._from_zero = from_zero
        self._refresh()

    def set_log(self, is_log: bool) -> None:
        """Draw y on a logarithmic axis; values of zero and less lie at its bottom."""
        if is_log != self._is_log:
            self._is_log = is_log
            self._refresh()

    def set_clips(self, clips: bool) -> None:
        """Let the y axis leave outliers out: it spans the middle 98 % of every line, and the unit says so."""
        if clips != self._clips:
            self._clips = clips
            self._refresh()

    def set_x_unit(self, unit: str, factor: float = 1.0, whole: bool = True) -> None:
        """Say what the x axis counts.

        Args:
            unit: a word, translated already.
            factor: places are told multiplied by it: 1 / 60 for seconds told as minutes.
            whole: the place under the mouse is told without decimals.
        """
        if (unit, factor, whole) != (self._x_unit, self._x_factor, self._x_whole):
            self._x_unit, self._x_factor, self._x_whole = unit, factor, whole
            self._refresh()

    def set_x_log(self) -> None:
        """Take places on the x axis for decimal logarithms, told as what they are logarithms of."""
        self._x_is_log = True
        self._refresh()

    def let_zoom(self) -> None:
        """Let a hand choose a part of the x axis; whoever hears `view_wanted` says with `set_view` that it may."""
        self._show_all = QAction(self.tr("Show the whole x axis"), self, enabled=False)
        self._show_all.triggered.connect(lambda: self.view_wanted.emit(None))
        self.menu_actions.append(self._show_all)

    def set_view(self, view: View | None) -> None:
        """Look at a part of the x axis, or with None at all of it; y then spans what is seen."""
        if view != self._view:
            self._view = view
            if self._show_all is not None:
                self._show_all.setEnabled(view is not None)
            self._refresh()

    @property
    def view(self) -> View | None:
        """The part of the x axis that is looked at, None where it is all."""
        return self._view

    def set_unit(self, unit: str) -> None:
        """Say the unit of the y axis beside the title."""
        if unit != self._unit:
            self._unit = unit
            self._refresh()

    def set_factor(self, factor: float) -> None:
        """Tell y multiplied by a factor, on the axis and in the legend: 0.001 for a unit of thousands."""
        if factor != self._factor:
            self._factor = factor
            self._refresh()

    def greatest(self, name: str) -> float:
        """Return the greatest value of a line, NaN where it has none. Raises KeyError for an unknown name."""
        return self._lines[name].reach()[1]

    def set_cursor(self, x: float | None) -> None:
        """Put the crosshair at x without a signal, so that charts can share one."""
        if x != self._cursor:
            self._cursor = x
            if self._plot is not None:
                self._plot.show_cursor(x)
            self._show_legend()

    @property
    def line_names(self) -> tuple[str, ...]:
        """The names of the lines in the order they were first drawn."""
        return tuple(self._lines)

    def line(self, name: str) -> tuple[Column, Column]:
        """Return x and y of a line as they were given. Raises KeyError for an unknown name."""
        return self._lines[name].x, self._lines[name].y

    @property
    def handles(self) -> tuple[Handle, ...]:
        """The handles as they were last set."""
        return self._handles

    @property
    def is_drawn(self) -> bool:
        """Whether the plot exists; it is made right after the chart was first shown."""
        return self._plot is not None

    def handle_position(self, name: str) -> QPoint | None:
        """Return where a handle lies in the chart's own pixels, None while the plot is not drawn."""
        return self._plot.handle_position(name, self) if self._plot is not None else None

    @property
    def handle_under_mouse(self) -> str:
        """The name of the handle the mouse is on, empty where it is on none."""
        return self._plot.handle_under_mouse() if self._plot is not None else ""

    def as_svg(self) -> bytes:
        """Return title, legend and plot as an SVG drawing; empty while the plot is not drawn."""
        if self._plot is None:
            return b""
        from studio.ui.charts.drawing import svg_of  # the SVG library costs milliseconds at the start

        return svg_of(self.accessibleName(), self.unit_label.text(), self.legend, self._plot.widget)

    @property
    def plot_widget(self) -> QWidget | None:
        """The widget that takes the mouse, None while the plot is not drawn."""
        return self._plot.viewport if self._plot is not None else None

    def as_csv(self) -> str:
        """Return one row a point: line, x, y."""
        rows = ["line,x,y"]
        for name, line in self._lines.items():
            if line.role == "ticks":
                continue
            quoted = '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"\n') else name
            rows += [
                f"{quoted},{x:.12g},{y * line.told!r}" for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True)
            ]
        return "\n".join(rows) + "\n"

    def as_parquet(self) -> bytes:
        """Return one row a point: line, x, y."""
        told = {name: (line.x, line.y * line.told) for name, line in self._lines.items() if line.role != "ticks"}
        return parquet_of(told)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the plot once the card itself has been painted."""
        super().showEvent(event)
        if self._plot is None:
            QTimer.singleShot(_AGAIN_MS, self, self._draw)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._plot is not None:
            self._plot.dress()
            self._refresh()

    def _draw(self) -> None:
        if self._plot is None and not loading.is_turn():
            QTimer.singleShot(_AGAIN_MS, self, self._draw)
        elif self._plot is None:
            self._plot = Plot(self)
            self._plot.pointed.connect(self._on_pointed)
            self._plot.double_clicked.connect(self.double_clicked)
            self._plot.handles.moved.connect(self.handle_moved)
            self._plot.handles.released.connect(self.handle_released)
            if self._show_all is not None:
                self._plot.let_zoom().wanted.connect(self.view_wanted)
            self.body.addWidget(self._plot.widget)
            self._refresh()
            loading.take_turn()

    def _draw_in_turn(self) -> None:
        """Draw now, or as soon as the charts that were drawn before are painted."""
        if self._plot is None:
            self._refresh()
        elif loading.is_turn():
            self._turn.stop()
            self._refresh()
            loading.take_turn()
        else:
            self._turn.start()

    def _refresh(self) -> None:
        if self._held_back:
            return
        drawable = any(line.x.size for line in self._lines.values())
        if self._plot is not None:
            if drawable:
                y_look = (self._from_zero, self._factor, self._is_log, self._clips)
                look = Look(*y_look, self._x_factor, self._x_is_log, self._view)
                scale = self._plot.draw(self._lines, self._marks, self._handles, look)
                said = " ".join(part for part in (scale, self._unit) if part)
                clipped = self.tr("outliers clipped") if self._plot.is_clipped else ""
                self.unit_label.setText(" · ".join(part for part in (said, clipped) if part))
            self.body.setCurrentWidget(self._plot.widget if drawable else self.empty_label)
        self._show_legend()

    def _show_legend(self) -> None:
        entries = []
        for name, line in sorted(self._lines.items(), key=lambda each: _LEGEND_RANK.get(each[1].role, 0)):
            if line.role == "raw" or not line.x.size or not line.in_legend:
                continue
            if line.role == "ticks":
                entries.append(LegendEntry(name, theme.series_colour(line.colour_index), False, line.symbol[0]))
                continue
            value = value_near(line.x, line.y, self._cursor) if self._cursor is not None else None
            text = name if value is None else f"{name}  {short_number(value * self._factor * line.told)}"
            entries.append(LegendEntry(text, theme.series_colour(line.colour_index), line.role == "plan"))
        place = "" if self._cursor is None else f" {self.place_words(self._cursor)}"
        self.legend.show_entries([*entries, *self.further_entries, LegendEntry(self._x_unit + place, QColor())])

    def place_words(self, x: float) -> str:
        """Return how a place on the x axis is told under the mouse."""
        if self._x_is_log:
            return short_number(10.0**x)
        place = x * self._x_factor
        return str(round(place)) if self._x_whole else short_number(place)

    def _on_pointed(self, x: float | None) -> None:
        self.set_cursor(x)
        self.cursor_moved.emit(x)
