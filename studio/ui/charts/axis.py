"""An axis that is painted at once, without pyqtgraph's picture of it, which looks its font up for every number."""

from __future__ import annotations

from typing import Any

import pyqtgraph
from PySide6.QtGui import QPainter


class Axis(pyqtgraph.AxisItem):  # type: ignore[misc]
    """A chart's axis: what it draws is worked out once for a range and a size, and painted directly."""

    _specs: Any = None
    picture: Any

    def paint(self, painter: QPainter, option: Any, widget: Any) -> None:
        """Paint line, grid and numbers."""
        painter.save()
        # pyqtgraph sets `picture` to None wherever something changed
        if self.picture is None:
            self._specs = self.generateDrawSpecs(painter)
            self.picture = True
        if self._specs is not None:
            self.drawPicture(painter, *self._specs)
        painter.restore()
