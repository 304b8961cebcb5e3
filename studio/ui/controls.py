"""Controls of a form: a switch, a choice that leaves the wheel to the page, and text read as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QSizePolicy,
    QWidget,
)

from studio.ui import theme
from studio.ui.detail_painter import DETAIL, DetailPainter

_DETAIL_GAP = 48


class Switch(QCheckBox):
    """A check box drawn as a switch: on is filled and its knob stands at the right."""

    _WIDTH, _HEIGHT = 36, 20

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Return the size of the track and the ring of the focus."""
        return QSize(self._WIDTH + 4, self._HEIGHT + 4)

    def hitButton(self, pos: object) -> bool:
        """Take clicks anywhere on the switch."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint track, knob and focus."""
        colours = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2, (self.height() - self._HEIGHT) / 2, self._WIDTH, self._HEIGHT)
        on = self.isChecked()
        painter.setPen(QPen(QColor(colours.accent if on else colours.muted), 1))
        painter.setBrush(QColor(colours.accent if on else colours.field))
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), self._HEIGHT / 2, self._HEIGHT / 2)
        radius = self._HEIGHT / 2 - 5
        centre = QPointF(
            track.right() - self._HEIGHT / 2 if on else track.left() + self._HEIGHT / 2, track.center().y()
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.on_accent if on else colours.muted))
        painter.drawEllipse(centre, radius, radius)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(track.adjusted(-1.5, -1.5, 1.5, 1.5), self._HEIGHT / 2 + 1, self._HEIGHT / 2 + 1)
        painter.end()


class ChoiceBox(QComboBox):
    """A combo box of (value, words) that ignores the wheel unless it has the focus."""

    def __init__(self, choices: Sequence[tuple[object, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(4)
        for value, words in choices:
            self.addItem(words, value)

    def value(self) -> object:
        """Return the value of the chosen entry."""
        return self.currentData()

    def set_value(self, value: object) -> None:
        """Choose an entry without a signal; a value that is none of them is added as it is, so that it can be seen."""
        index = self.findData(value)
        self.blockSignals(True)
        if index < 0:
            self.addItem(str(value), value)
            index = self.count() - 1
        self.setCurrentIndex(index)
        self.blockSignals(False)

    def set_details(self, details: Mapping[object, str]) -> None:
        """Say something beside each entry of the open list, by the entry's value."""
        for value, detail in details.items():
            index = self.findData(value)
            if index >= 0:
                self.setItemData(index, detail, DETAIL)
        self.view().setItemDelegate(DetailPainter(self.view()))
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(self.itemText(place)) for place in range(self.count())), default=0)
        beside = max((metrics.horizontalAdvance(detail) for detail in details.values()), default=0)
        self.view().setMinimumWidth(widest + beside + _DETAIL_GAP)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page instead of the choice."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def read_float(text: str) -> float:
    """Return the number a person typed, such as 2e-5, 0.1 or 1 000. Raises ValueError with a sentence."""
    plain = _without_groups(text)
    try:
        value = float(plain)
    except ValueError:
        raise ValueError(_no_number(text, plain)) from None
    if not math.isfinite(value):
        raise ValueError(_no_number(text, plain))
    return value


def read_int(text: str) -> int:
    """Return the whole number a person typed, such as 512, 1 000 or 1e3. Raises ValueError with a sentence."""
    value = read_float(text)
    if value != int(value):
        raise ValueError(
            QCoreApplication.translate("controls", "{} is no whole number; write one such as 8.").format(text.strip())
        )
    return int(value)


def _without_groups(text: str) -> str:
    plain = text.strip()
    for gap in (" ", "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}", "_"):
        plain = plain.replace(gap, "")
    return plain


def _no_number(text: str, plain: str) -> str:
    if not plain:
        return QCoreApplication.translate("controls", "A number is needed here, such as 0.1 or 2e-5.")
    if "," in plain:
        sentence = QCoreApplication.translate("controls", "Write the number with a point, such as 0.1; {} has a comma.")
    else:
        sentence = QCoreApplication.translate("controls", "{} is no number; write one such as 0.1 or 2e-5.")
    return sentence.format(text.strip()[:40])
