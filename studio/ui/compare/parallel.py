"""Parallel coordinates: an upright axis for each setting that differs and for what came out, a line for each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QBuffer, QCoreApplication, QEvent, QIODevice, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from studio.ui import theme
from studio.ui.knob_control import value_text

if TYPE_CHECKING:
    from studio.state.run import RunState

MOST_AXES = 10
_UNTOLD = ("schema_version", "name")
_LOG_FROM = 20.0
"""Positive values that span so many times their least are placed by their logarithm."""
_MARGIN_PX, _TOP_PX, _BOTTOM_PX, _NEAR_PX, _HEIGHT_PX = 70, 44, 26, 8.0, 260


class Axis(NamedTuple):
    """An axis: its name, and for each run where it lies from 0 (bottom) to 1 with what it is there, None for nothing.

    ``is_result`` marks what came out rather than what was set.
    """

    name: str
    places: tuple[float | None, ...]
    texts: tuple[str, ...]
    is_result: bool = False


def parallel_axes(runs: Sequence[RunState]) -> list[Axis]:
    """Return an axis for each setting that differs, and at the right those of the losses; at most `MOST_AXES`."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("compare", text)

    results = []
    best = [run.best_held_out[1] if run.best_held_out else math.nan for run in runs]
    last = [run.recent_mean("loss", 10) for run in runs]
    for name, values in ((translated("Training loss"), last), (translated("Best held-out loss"), best)):
        if any(math.isfinite(value) for value in values):
            texts = [f"{value:.4f}" if math.isfinite(value) else "–" for value in values]
            results.append(_numbers(name, values, texts, is_result=True))
    settings = []
    for field in described_fields(JobSpec):
        found = [value_at(run.spec, field.path) for run in runs]
        if field.path in _UNTOLD or all(value == found[0] for value in found):
            continue
        name = QCoreApplication.translate("JobSpec", field.knob.label)
        texts = [value_text(field.path, value) for value in found]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in found):
            settings.append(_numbers(name, [float(value) for value in found], texts))
        else:
            settings.append(_kinds(name, texts))
    return [*settings[: MOST_AXES - len(results)], *results]


def _numbers(name: str, values: Sequence[float], texts: Sequence[str], is_result: bool = False) -> Axis:
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    if low > 0 and high / low >= _LOG_FROM:
        values, low, high = [math.log(value) for value in values], math.log(low), math.log(high)
    spread = (high - low) or 1.0
    places = tuple((value - low) / spread if math.isfinite(value) else None for value in values)
    return Axis(name, places, tuple(texts), is_result)


def _kinds(name: str, texts: Sequence[str]) -> Axis:
    kinds = list(dict.fromkeys(texts))
    return Axis(name, tuple(kinds.index(text) / max(1, len(kinds) - 1) for text in texts), tuple(texts))


class ParallelLines(QWidget):
    """Draws the axes; ``pointed`` carries the number of the run whose line is under the mouse, or -1."""

    pointed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("parallelLines")
        self.setMouseTracking(True)
        self.labels: tuple[str, ...] = ()
        self.axes: tuple[Axis, ...] = ()
        self.marked = -1

    def sizeHint(self) -> QSize:
        """Return a height in which values can be told apart."""
        return QSize(400, _HEIGHT_PX)

    def show_lines(self, labels: Sequence[str], axes: Sequence[Axis]) -> None:
        """Show other runs or values."""
        self.labels, self.axes = tuple(labels), tuple(axes)
        said = [
            f"{label}: " + ", ".join(f"{axis.name} {axis.texts[at]}" for axis in axes)
            for at, label in enumerate(labels)
        ]
        self.setAccessibleDescription("; ".join(said))
        self.update()

    def point(self, run: int, axis: int) -> QPointF | None:
        """Return where a run crosses an axis, None where it has no value."""
        place = self.axes[axis].places[run]
        if place is None:
            return None
        height = self.height() - _TOP_PX - _BOTTOM_PX
        return QPointF(self._left(axis), _TOP_PX + (1.0 - place) * height)

    def paint_on(self, painter: QPainter) -> None:
        """Paint axes, values and lines."""
        colours = theme.tokens()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(theme.CAPTION_PX)
        painter.setFont(font)
        for number in range(len(self.axes)):
            self._paint_axis(painter, number)
        order = sorted(range(len(self.labels)), key=lambda run: run == self.marked)
        for run in order:
            colour = QColor(theme.series_colour(run))
            if self.marked not in (-1, run):
                colour.setAlpha(60)
            painter.setPen(QPen(colour, 2.5 if run == self.marked else 1.5))
            for piece in self.pieces(run):
                painter.drawPolyline(QPolygonF(piece))
        if self.marked >= 0:
            painter.setPen(QColor(colours.text))
            for number, axis in enumerate(self.axes):
                at = self.point(self.marked, number)
                if at is not None and 0.0 < (axis.places[self.marked] or 0.0) < 1.0:  # the ends are told already
                    painter.drawText(at + QPointF(6, -4), axis.texts[self.marked])

    def pieces(self, run: int) -> list[list[QPointF]]:
        """Return the run's line, in pieces where an axis has no value of it."""
        found: list[list[QPointF]] = [[]]
        for number in range(len(self.axes)):
            at = self.point(run, number)
            if at is None:
                found.append([])
            else:
                found[-1].append(at)
        return [piece for piece in found if piece]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the widget."""
        painter = QPainter(self)
        self.paint_on(painter)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the run whose line is nearest."""
        self._mark(self.run_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Mark none."""
        self._mark(-1)

    def run_at(self, place: QPointF) -> int:
        """Return the run whose line is under a place, -1 where none is."""
        near = [(self._distance(run, place), run) for run in range(len(self.labels))]
        distance, run = min(near, default=(math.inf, -1))
        return run if distance <= _NEAR_PX else -1

    def _distance(self, run: int, place: QPointF) -> float:
        found = math.inf
        for piece in self.pieces(run):
            for start, end in zip(piece, piece[1:] or piece, strict=False):
                if min(start.x(), end.x()) - 2 <= place.x() <= max(start.x(), end.x()) + 2:
                    share = (place.x() - start.x()) / ((end.x() - start.x()) or 1.0)
                    found = min(found, abs(start.y() + share * (end.y() - start.y()) - place.y()))
        return found

    def _mark(self, run: int) -> None:
        if run != self.marked:
            self.marked = run
            self.setToolTip(self.labels[run] if run >= 0 else "")
            self.update()
            self.pointed.emit(run)

    def _left(self, axis: int) -> float:
        return _MARGIN_PX + axis * (self.width() - 2 * _MARGIN_PX) / max(1, len(self.axes) - 1)

    def _paint_axis(self, painter: QPainter, number: int) -> None:
        axis, colours, left = self.axes[number], theme.tokens(), self._left(number)
        painter.setPen(QPen(QColor(colours.accent if axis.is_result else colours.field_border), 1))
        painter.drawLine(QPointF(left, _TOP_PX), QPointF(left, self.height() - _BOTTOM_PX))
        width = (self.width() - 2 * _MARGIN_PX) / max(1, len(self.axes) - 1) - 8 if len(self.axes) > 1 else 160
        metrics = QFontMetrics(painter.font())
        painter.setPen(QColor(colours.text))
        name = metrics.elidedText(axis.name, Qt.TextElideMode.ElideMiddle, int(max(width, 2 * _MARGIN_PX - 8)))
        painter.drawText(QRectF(left - 200, 2, 400, 18), Qt.AlignmentFlag.AlignCenter, name)
        painter.setPen(QColor(colours.muted))
        ends = {place: text for place, text in zip(axis.places, axis.texts, strict=True) if place is not None}
        for place, top in ((1.0, _TOP_PX - 20), (0.0, self.height() - _BOTTOM_PX + 4)):
            if place in ends:
                said = metrics.elidedText(ends[place], Qt.TextElideMode.ElideMiddle, int(max(width, 60)))
                painter.drawText(QRectF(left - 200, top, 400, 18), Qt.AlignmentFlag.AlignCenter, said)


class ParallelCard(QFrame):
    """A card with the lines, hidden where no setting differs; its caption names the run under the mouse."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setObjectName("parallelCard")
        heading = QLabel(self.tr("Settings and results"))
        heading.setProperty("role", "heading")
        self.caption = QLabel()
        self.caption.setObjectName("parallelCaption")
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.caption.setProperty("role", "caption")
        self.lines = ParallelLines()
        self.lines.setAccessibleName(self.tr("Settings and results of each run"))
        self.lines.pointed.connect(self._on_pointed)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(4)
        for widget in (heading, self.caption, self.lines):
            column.addWidget(widget)
        self.lines.setFixedHeight(_HEIGHT_PX)
        self._on_pointed(-1)

    def show_lines(self, labels: Sequence[str], axes: Sequence[Axis]) -> None:
        """Show the runs, or nothing where there is no setting to tell them apart by."""
        self.setVisible(len(labels) > 1 and any(not axis.is_result for axis in axes))
        self.lines.show_lines(labels, axes)

    def as_svg(self) -> bytes:
        """Return the lines as an SVG drawing, empty while the card is hidden."""
        if self.isHidden() or not self.lines.axes:
            return b""
        from PySide6.QtSvg import QSvgGenerator  # costs milliseconds at the start

        store = QBuffer()
        store.open(QIODevice.OpenModeFlag.WriteOnly)
        generator = QSvgGenerator()
        generator.setOutputDevice(store)
        generator.setSize(self.lines.size())
        generator.setViewBox(self.lines.rect())
        painter = QPainter(generator)
        painter.fillRect(self.lines.rect(), QColor(theme.tokens().card))
        self.lines.paint_on(painter)
        painter.end()
        return bytes(store.data().data())

    def _on_pointed(self, run: int) -> None:
        few = self.tr("Point at a line to see its run.")
        self.caption.setText(self.lines.labels[run] if run >= 0 else few)
