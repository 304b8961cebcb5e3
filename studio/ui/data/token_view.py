"""The tokens of a row as they will be trained: told apart by style and colour, each explained under the cursor."""

from __future__ import annotations

import bisect

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from remote_agent.contract.data_report import RowView, TokenSpan
from studio.ui import theme

SHOWN_TOKENS = 8192
FULL_LOSS = 8.0
"""The loss, in nats, from which on a token is shaded as strongly as it gets; a uniform guess of 50 k is at 10.8."""
TRAINED, MASKED, SPECIAL, TRUNCATED = "trained", "masked", "special", "cut off"


def token_kind(token: TokenSpan) -> str:
    """Return how a token counts; cut off wins over trained, trained over special."""
    if token.truncated:
        return TRUNCATED
    if token.trained:
        return TRAINED
    return SPECIAL if token.special else MASKED


def shown_text(token: TokenSpan) -> str:
    """Return the token's text with line ends made visible, and something to point at where it is empty."""
    text = token.text.replace("\r", "␍").replace("\x00", "␀")
    return text.replace("\n", "↵\n").replace("\t", "→\t") or "∅"


def loss_tint(loss: float) -> QColor:
    """Return the colour behind a token of that loss in nats: none at 0, full from `FULL_LOSS` on."""
    tint = theme.series_colour(1)
    tint.setAlphaF(min(0.75, 0.75 * max(0.0, loss) / FULL_LOSS))
    return tint


def token_format(token: TokenSpan, alternate: bool, shaded: bool = False) -> QTextCharFormat:
    """Return a token's style: neighbours alternate in tint so that their border is seen; shaded, by their loss."""
    colours = theme.tokens()
    style = QTextCharFormat()
    style.setFont(theme.mono_font(12))
    kind = token_kind(token)
    style.setForeground(QColor(colours.text if kind == TRAINED else colours.muted))
    if shaded:
        if token.loss is not None:
            style.setBackground(loss_tint(token.loss))
        style.setFontStrikeOut(kind == TRUNCATED)
    elif kind == TRAINED:
        tint = QColor(colours.accent)
        tint.setAlphaF(0.26 if alternate else 0.16)
        style.setBackground(tint)
    elif kind == TRUNCATED:
        style.setFontStrikeOut(True)
        style.setForeground(QColor(colours.bad))
    else:
        tint = QColor(colours.muted)
        tint.setAlphaF(0.16 if alternate else 0.07)
        style.setBackground(tint)
    if token.special:
        style.setFontItalic(True)
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
    return style


class TokenView(QTextEdit):
    """Shows a row's tokens; ``pointed`` carries the number of the token under mouse or text cursor, -1 for none."""

    pointed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenView")
        self.setAccessibleName(self.tr("Tokens of the row"))
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self._row: RowView | None = None
        self._ends: list[int] = []
        self._shaded = False
        self.cursorPositionChanged.connect(self._on_cursor_moved)

    def show_row(self, row: RowView | None) -> None:
        """Show another row; of a very long one, the first 8,192 tokens."""
        self._row = row
        self._ends = []
        self.blockSignals(True)
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for number, token in enumerate(row.tokens[:SHOWN_TOKENS] if row else ()):
            cursor.insertText(shown_text(token), token_format(token, number % 2 == 1, self._shaded))
            self._ends.append(cursor.position())
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.blockSignals(False)
        self.pointed.emit(-1)

    def set_shaded(self, shaded: bool) -> None:
        """Colour tokens by their loss, or by how they count."""
        if shaded != self._shaded:
            self._shaded = shaded
            self.show_row(self._row)

    def token_at(self, position: int) -> int:
        """Return the number of the token that holds a character position of the document, -1 past the last."""
        number = bisect.bisect_right(self._ends, position)
        return number if number < len(self._ends) else -1

    def token_under(self, place: QPoint) -> int:
        """Return the number of the token at a place of the viewport, -1 beside the text."""
        position = (
            self.document()
            .documentLayout()
            .hitTest(
                (place + QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())).toPointF(),
                Qt.HitTestAccuracy.ExactHit,
            )
        )
        return -1 if position < 0 else self.token_at(position)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which token the mouse is over."""
        super().mouseMoveEvent(event)
        self.pointed.emit(self.token_under(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """Say that the mouse is over none."""
        super().leaveEvent(event)
        self.pointed.emit(-1)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._row is not None:
            self.show_row(self._row)

    def _on_cursor_moved(self) -> None:
        self.pointed.emit(self.token_at(self.textCursor().position()))
