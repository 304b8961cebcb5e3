"""Points of a chart that can be dragged, with a dead zone so that an axis moves only when the hand means it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QColor, QPen

from studio.ui import theme

_DEAD_ZONE_PX = 5.0


class Handle(NamedTuple):
    """A point of the chart that can be dragged, in the axes' units; an axis that is not ``moves_`` stays put."""

    name: str
    x: float
    y: float
    moves_x: bool = True
    moves_y: bool = True


class HandleLayer(QObject):
    """The handles on one plot; ``moved`` and ``released`` carry the name and the place in the axes' units.

    Args:
        make_target: pyqtgraph's TargetItem, handed in by the only module that imports pyqtgraph.
        plot_item: the plot they lie on.
        parent: the plot's owner.
    """

    moved = Signal(str, float, float)
    released = Signal(str, float, float)

    def __init__(self, make_target: Callable[..., Any], plot_item: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._make_target, self._item, self._box = make_target, plot_item, plot_item.getViewBox()
        self._targets: dict[str, Any] = {}
        self._shown: dict[str, Handle] = {}
        self._start: Handle | None = None
        self._placing = False
        self._to_view: Callable[[float], float] = float
        self._from_view: Callable[[float], float] = float

    def set_scale(self, to_view: Callable[[float], float], from_view: Callable[[float], float]) -> None:
        """Say how y becomes a place of the plot and back, where its axis is logarithmic."""
        self._to_view, self._from_view = to_view, from_view

    @property
    def held(self) -> bool:
        """Whether one is being dragged."""
        return self._start is not None

    def show_handles(self, handles: Sequence[Handle]) -> None:
        """Show exactly these, where they say."""
        for name in set(self._targets) - {handle.name for handle in handles}:
            self._item.removeItem(self._targets.pop(name))
        self._shown = {handle.name: handle for handle in handles}
        self._placing = True
        for handle in handles:
            if handle.name not in self._targets:
                self._add(handle.name)
            self._targets[handle.name].setPos(handle.x, self._to_view(handle.y))
        self._placing = False

    def scene_position(self, name: str) -> QPointF | None:
        """Return where a handle lies in the plot's scene, None where there is none of that name."""
        target = self._targets.get(name)
        if target is None:
            return None
        place: QPointF = self._box.mapViewToScene(QPointF(target.pos()))
        return place

    def name_at(self, scene: QPointF, within_px: float) -> str:
        """Return the name of the handle nearest to a place of the scene, empty where none is within reach."""
        near = {
            name: (self._box.mapViewToScene(QPointF(target.pos())) - scene).manhattanLength()
            for name, target in self._targets.items()
        }
        nearest = min(near, key=lambda name: near[name], default="")
        return nearest if nearest and near[nearest] <= within_px else ""

    def dress(self) -> None:
        """Take the theme's colours."""
        for target in self._targets.values():
            self._dress(target)

    def _add(self, name: str) -> None:
        target = self._make_target(size=12, symbol="o", movable=True)
        target.setZValue(10)
        self._dress(target)
        target.sigPositionChanged.connect(lambda _: self._on_moved(name))
        target.sigPositionChangeFinished.connect(lambda _: self._on_released(name))
        self._targets[name] = target
        self._item.addItem(target, ignoreBounds=True)

    def _dress(self, target: Any) -> None:
        colours = theme.tokens()
        ratio = self._item.scene().views()[0].devicePixelRatioF()  # cosmetic pens count device pixels
        pen, hover = QPen(theme.series_colour(0), 2.0 * ratio), QPen(QColor(colours.accent), 3.0 * ratio)
        pen.setCosmetic(True)
        hover.setCosmetic(True)
        target.setPen(pen)
        target.setHoverPen(hover)
        target.setBrush(QColor(colours.card))
        target.setHoverBrush(QColor(colours.card))

    def _on_moved(self, name: str) -> None:
        if self._placing:
            return
        self._start = start = self._start or self._shown[name]
        x, y = self._targets[name].pos().x(), self._targets[name].pos().y()
        before = self._box.mapViewToScene(QPointF(start.x, self._to_view(start.y)))
        now = self._box.mapViewToScene(QPointF(x, y))
        if not start.moves_x or abs(now.x() - before.x()) < _DEAD_ZONE_PX:
            x = start.x
        stays = not start.moves_y or abs(now.y() - before.y()) < _DEAD_ZONE_PX
        y = start.y if stays else self._from_view(y)
        self.moved.emit(name, x, y)

    def _on_released(self, name: str) -> None:
        shown = self._shown[name]
        self._start = None
        self.released.emit(name, shown.x, shown.y)
