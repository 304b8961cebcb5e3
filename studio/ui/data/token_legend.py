"""What the styles of the token view mean, each with its count in the row."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QTextCharFormat
from PySide6.QtWidgets import QSizePolicy, QWidget

from remote_agent.contract.data_report import RowView, TokenSpan
from studio.ui import theme, words
from studio.ui.data.token_view import (
    FULL_LOSS,
    MASKED,
    SHOWN_TOKENS,
    SPECIAL,
    TRAINED,
    TRUNCATED,
    token_format,
    token_kind,
)

_SAMPLES = {
    TRAINED: TokenSpan(0, "a", True),
    MASKED: TokenSpan(0, "a", False),
    SPECIAL: TokenSpan(0, "a", False, special=True),
    TRUNCATED: TokenSpan(0, "a", True, truncated=True),
}


_LOSSES = {
    f"loss{share}": TokenSpan(0, "a", True, loss=share * FULL_LOSS / 4) for share in (1, 2, 4)
}  # fmt: skip


class TokenLegend(QWidget):
    """A line of samples in the view's own styles with words and counts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenLegend")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._entries: list[tuple[str, str]] = []

    def sizeHint(self) -> QSize:
        """Return the height of a caption."""
        return QSize(120, 20)

    def show_row(self, row: RowView | None, shaded: bool = False) -> None:
        """Count the tokens of another row; where they are shaded by their loss, tell what the shades mean."""
        counts = Counter(token_kind(token) for token in row.tokens) if row is not None else Counter[str]()
        names = {
            TRAINED: self.tr("{} trained"),
            MASKED: self.tr("{} masked"),
            SPECIAL: self.tr("{} special"),
            TRUNCATED: self.tr("{} cut"),
        }
        self._entries = [(kind, name.format(words.whole(counts[kind]))) for kind, name in names.items() if counts[kind]]
        if row is not None and len(row.tokens) > SHOWN_TOKENS:
            self._entries.append(("", self.tr("the first {} are shown").format(words.whole(SHOWN_TOKENS))))
        if shaded:
            self._entries = [(kind, self._loss_words(kind)) for kind in _LOSSES]
        said = ", ".join(text for _, text in self._entries)
        self.setAccessibleName(said)
        self.setToolTip(said)
        self.update()

    def _loss_words(self, kind: str) -> str:
        loss = _LOSSES[kind].loss or 0.0
        return (self.tr("loss {} and more") if loss >= FULL_LOSS else self.tr("loss {}")).format(round(loss))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint sample and words one after the other."""
        painter = QPainter(self)
        words_font = self.font()
        words_font.setPixelSize(theme.CAPTION_PX)
        sample_font = theme.mono_font(theme.CAPTION_PX)
        x = 0.0
        for kind, text in self._entries:
            if kind:
                x += self._paint_sample(painter, x, self._style(kind), QFontMetrics(sample_font)) + 4
            painter.setFont(words_font)
            painter.setPen(QColor(theme.tokens().muted))
            width = painter.fontMetrics().horizontalAdvance(text)
            if x + width > self.width():
                text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(self.width() - x))
            painter.drawText(QRectF(x, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += width + 8
        painter.end()

    def _style(self, kind: str) -> QTextCharFormat:
        if kind in _LOSSES:
            return token_format(_LOSSES[kind], True, shaded=True)
        return token_format(_SAMPLES[kind], True)

    def _paint_sample(self, painter: QPainter, x: float, style: QTextCharFormat, metrics: QFontMetrics) -> float:
        font = theme.mono_font(theme.CAPTION_PX)
        font.setStrikeOut(style.fontStrikeOut())
        font.setItalic(style.fontItalic())
        font.setUnderline(style.underlineStyle() == QTextCharFormat.UnderlineStyle.DotLine)
        width = metrics.horizontalAdvance("a") + 4
        box = QRectF(x, (self.height() - 16) / 2, width, 16)
        if style.background().style() != Qt.BrushStyle.NoBrush:
            painter.fillRect(box, style.background())
        painter.setFont(font)
        painter.setPen(style.foreground().color())
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "a")
        return width
