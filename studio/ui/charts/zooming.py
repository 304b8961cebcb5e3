"""Looking at a part of a chart: a drag marks it, Ctrl and the wheel zoom, Shift and a drag pan, two clicks show all."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QRubberBand

View = tuple[float, float]
"""Where the part that is looked at begins and ends on the x axis."""

_DRAG_PX, _NOTCH, _STEP, _KEY_STEP, _LEAST_SHARE = 5, 120.0, 1.25, 1.5, 1e-6


class Zooming(QObject):
    """Turns mouse, wheel and touchpad on a plot into the part that is wanted; ``wanted`` carries a `View` or None.

    Args:
        widget: pyqtgraph's plot widget.
        box: its view box.
        card: the chart, whose keys zoom too: + and -, left and right, Home for all.

    Attributes:
        whole: what there is to look at; set at each drawing.
        view: what is looked at, None where it is all.
    """

    wanted = Signal(object)

    def __init__(self, widget: Any, box: Any, card: QObject) -> None:
        super().__init__(card)
        self.whole: View = (0.0, 1.0)
        self.view: View | None = None
        self._widget, self._box = widget, box
        self._viewport: Any = widget.viewport()
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, self._viewport)
        self._marks: QPoint | None = None
        self._pans: tuple[float, View] | None = None
        for watched in (self._viewport, card):
            watched.installEventFilter(self)

    @property
    def shown(self) -> View:
        """Return the part that is looked at, which may be all."""
        return self.view or self.whole

    def zoom(self, factor: float, about: float | None = None) -> None:
        """Ask for a part ``factor`` times as wide, in which ``about`` (by default the middle) stays where it is."""
        low, high = self.shown
        fixed = (low + high) / 2 if about is None else min(max(about, low), high)
        self.ask(fixed - (fixed - low) * factor, fixed + (high - fixed) * factor)

    def pan(self, share: float) -> None:
        """Ask for the part that lies so many widths to the right."""
        low, high = self.shown
        self.ask(low + share * (high - low), high + share * (high - low))

    def ask(self, low: float, high: float) -> None:
        """Ask for a part, moved into what there is and not narrower than can be told apart."""
        left, right = self.whole
        width = max(high - low, _LEAST_SHARE * (right - left))
        if width >= right - left:
            self.wanted.emit(None)
            return
        begin = min(max((low + high - width) / 2, left), right - width)
        self.wanted.emit((begin, begin + width))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what marks, zooms or pans; leave the rest to the plot, and a plain wheel to the page."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event)
        if watched is not self._viewport:
            return False
        match event.type():
            case QEvent.Type.Wheel if isinstance(event, QWheelEvent):
                return self._on_wheel(event)
            case QEvent.Type.NativeGesture if isinstance(event, QNativeGestureEvent):
                return self._on_gesture(event)
            case QEvent.Type.MouseButtonPress if isinstance(event, QMouseEvent):
                return self._on_press(event)
            case QEvent.Type.MouseMove if isinstance(event, QMouseEvent):
                return self._on_move(event)
            case QEvent.Type.MouseButtonRelease if isinstance(event, QMouseEvent):
                return self._on_release(event)
            case QEvent.Type.MouseButtonDblClick if isinstance(event, QMouseEvent):
                self.wanted.emit(None)
                return True
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(1.0 / _KEY_STEP)
            case Qt.Key.Key_Minus:
                self.zoom(_KEY_STEP)
            case Qt.Key.Key_Left if self.view is not None:
                self.pan(-0.25)
            case Qt.Key.Key_Right if self.view is not None:
                self.pan(0.25)
            case Qt.Key.Key_Home | Qt.Key.Key_0:
                self.wanted.emit(None)
            case _:
                return False
        return True

    def _on_wheel(self, event: QWheelEvent) -> bool:
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(_STEP ** (-turned / _NOTCH), self._place(event.position().toPoint()))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(event.angleDelta().x()) > abs(
            event.angleDelta().y()
        ):
            self.pan(-0.1 * turned / _NOTCH)
        else:
            return False
        event.accept()
        return True

    def _on_gesture(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        self.zoom(1.0 / max(0.1, 1.0 + event.value()), self._place(event.position().toPoint()))
        return True

    def _on_press(self, event: QMouseEvent) -> bool:
        at = event.position().toPoint()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.MiddleButton or (event.button() == Qt.MouseButton.LeftButton and shift):
            self._pans = self._place(at), self.shown
            return True
        if event.button() != Qt.MouseButton.LeftButton or not self._frame().contains(at):
            return False
        self._marks = at
        return False  # the card takes the keyboard with a click

    def _on_move(self, event: QMouseEvent) -> bool:
        at = event.position().toPoint()
        if self._pans is not None:
            frame, (_, (low, high)) = self._frame(), self._pans
            started = frame.left() + (self._pans[0] - low) / (high - low) * frame.width()
            moved = (at.x() - started) / max(1, frame.width()) * (high - low)
            self.ask(low - moved, high - moved)
            return True
        if self._marks is not None and abs(at.x() - self._marks.x()) >= _DRAG_PX:
            frame = self._frame()
            left, right = sorted((min(max(x, frame.left()), frame.right())) for x in (at.x(), self._marks.x()))
            self._band.setGeometry(QRect(QPoint(left, frame.top()), QSize(right - left, frame.height())))
            self._band.show()
        return False

    def _on_release(self, event: QMouseEvent) -> bool:
        panned, self._pans = self._pans, None
        marked, self._marks = self._marks, None
        if marked is not None and not self._band.isHidden():
            chosen = self._band.geometry()
            self._band.hide()
            self.ask(self._place(chosen.topLeft()), self._place(chosen.topRight()))
        return panned is not None

    def _place(self, at: QPoint) -> float:
        return float(self._box.mapSceneToView(self._widget.mapToScene(at)).x())

    def _frame(self) -> QRect:
        """Return where the plot's lines are drawn, in the viewport's pixels."""
        frame: QRect = self._widget.mapFromScene(self._box.sceneBoundingRect()).boundingRect()
        return frame
