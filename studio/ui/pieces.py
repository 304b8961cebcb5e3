"""Small parts that several pages are made of: labels for text from outside, cards, meters, buttons with names."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.ui import theme
from studio.ui.controls import Switch

PLAIN_CORNER = "QAbstractScrollArea::corner { background: transparent; border: none; }"
"""For a view with both scroll bars: no box where they meet."""


def plain_label(text: str = "", role: str = "", name: str = "", wraps: bool = False) -> QLabel:
    """Return a label that shows its text as it is, never as rich text; ``role`` is one of the style sheet's."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    if role:
        label.setProperty("role", role)
    if name:
        label.setObjectName(name)
    return label


def button(text: str, name: str, spoken: str = "", role: str = "") -> QPushButton:
    """Return a push button with an object name and a name for screen readers (its text where ``spoken`` is empty)."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAccessibleName(spoken or text.rstrip("…"))
    made.setAutoDefault(False)
    if role:
        made.setProperty("role", role)
    return made


def labelled_switch(text: str, name: str) -> tuple[Switch, QWidget]:
    """Return a switch, and it together with its words in one row."""
    switch = Switch()
    switch.setObjectName(name)
    switch.setAccessibleName(text)
    label = plain_label(text)
    label.setBuddy(switch)
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(switch)
    row.addWidget(label)
    return switch, holder


class Card(QFrame):
    """A surface with rounded corners and an optional heading; ``body`` takes what stands below it."""

    def __init__(self, heading: str = "", name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setObjectName(name)
        self.setAccessibleName(heading)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(8)
        self.top: QBoxLayout = QHBoxLayout()
        self.top.setSpacing(8)
        self.body: QBoxLayout = QVBoxLayout()
        self.body.setSpacing(8)
        self.heading = plain_label(heading, "heading")
        if heading:
            self.top.addWidget(self.heading)
            self.top.addStretch(1)
            outer.addLayout(self.top)
        outer.addLayout(self.body, 1)


class ElidedLabel(QLabel):
    """One line of outside text that gives way with an ellipsis (in the middle for paths) and tells all on hover."""

    def __init__(self, text: str = "", role: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if role:
            self.setProperty("role", role)
        self._mode = mode
        self._whole = ""
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show another text; line ends become spaces."""
        self._whole = " ".join(text.split("\n"))
        self.setAccessibleName(self._whole)
        self._elide()

    def whole_text(self) -> str:
        """Return the text as it was given, on one line."""
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide anew for the new width."""
        super().resizeEvent(event)
        self._elide()

    def minimumSizeHint(self) -> QSize:
        """Return a width of nothing: the text gives way."""
        return QSize(0, super().minimumSizeHint().height())

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(0, self.width()))
        if shown != self.text():
            super().setText(shown)
        self.setToolTip("" if shown == self._whole else as_plain_tip(self._whole))


class Meter(QWidget):
    """A slim bar that fills from 0 to 1; its colour is a name of the theme's tokens."""

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setFixedHeight(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._share = 0.0
        self._colour = "accent"

    def set_share(self, share: float, spoken: str, colour: str = "accent") -> None:
        """Fill a share (0 … 1, cut to it); ``spoken`` says the same to a screen reader."""
        self._share = min(1.0, max(0.0, share)) if share == share else 0.0
        self._colour = colour
        self.setAccessibleName(spoken)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the track and the filled part."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours = theme.tokens()
        painter.setBrush(QColor(colours.free))
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        if self._share > 0:
            painter.setBrush(QColor(getattr(colours, self._colour)))
            painter.drawRoundedRect(QRectF(0, 0, max(6.0, self.width() * self._share), self.height()), 3, 3)
        painter.end()


def clear_layout(layout: QBoxLayout) -> None:
    """Take every widget out of a layout and delete it soon."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.setParent(None)  # so that nobody finds it by its name until it is gone
            widget.deleteLater()


def as_plain_tip(text: str, longest: int = 600) -> str:
    """Return outside text for a tool tip, which would take markup for rich text otherwise."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    escaped = cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p style='white-space:pre-wrap'>{escaped}</p>"
