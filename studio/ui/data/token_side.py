"""The tokens of a row with all that belongs to them: what the colours mean, the sequence, the token pointed at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.data_report import RowView, TokenSpan
from studio.ui import words
from studio.ui.data.icon_button import icon_button
from studio.ui.data.sequence_strip import SequenceStrip
from studio.ui.data.token_legend import TokenLegend
from studio.ui.data.token_view import MASKED, SPECIAL, TRAINED, TRUNCATED, TokenView, token_kind
from studio.ui.pieces import ElidedLabel, labelled_switch

IGNORED_LABEL = -100
"""The label of a token that is not learnt, as the loss of PyTorch ignores it."""


class TokenSide(QWidget):
    """Shows the tokens of one row; ``row_wanted`` carries the number of another row of its sequence."""

    row_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: RowView | None = None
        self.view = TokenView()
        self.view.setTabChangesFocus(True)
        self.legend = TokenLegend()
        self.strip = SequenceStrip()
        self.shade, self._shade_row = labelled_switch(self.tr("Loss"), "shadeSwitch")
        self.shade.setAccessibleName(self.tr("Shade tokens by their loss"))
        self._shade_row.setToolTip(self.tr("Shade tokens by their loss"))
        self._pointed = ElidedLabel("", "mono")
        self._pointed.setObjectName("tokenUnderCursor")
        self._fingerprint = ElidedLabel("", "caption")
        self._fingerprint.setObjectName("rowFingerprint")
        self._copy = icon_button("copy", "copyFingerprint", self.tr("Copy the hash of ids, labels and positions"))
        self._lay_out()
        self.view.pointed.connect(self._on_pointed)
        self.strip.row_wanted.connect(self.row_wanted)
        self.shade.toggled.connect(self._on_shaded)
        self._copy.clicked.connect(self.copy_fingerprint)

    def show_row(self, row: RowView | None, length: int) -> None:
        """Show another row, in sequences of a length in tokens."""
        self._row = row
        has_losses = row is not None and any(token.loss is not None for token in row.tokens)
        self._shade_row.setVisible(has_losses)
        is_shaded = has_losses and self.shade.isChecked()
        self.view.set_shaded(is_shaded)
        self.view.show_row(row)
        self.legend.show_row(row, is_shaded)
        self.strip.show_row(row, length)
        self._fingerprint.set_text(
            self.tr("hash of ids, labels, positions  {hash}").format(hash=row.fingerprint[:16]) if row else ""
        )
        self._copy.setVisible(row is not None)
        self._on_pointed(-1)

    def copy_fingerprint(self) -> None:
        """Copy the whole hash."""
        if self._row is not None:
            QGuiApplication.clipboard().setText(self._row.fingerprint)

    def _on_shaded(self, on: bool) -> None:
        self.view.set_shaded(on)
        self.legend.show_row(self._row, on)

    def _on_pointed(self, number: int) -> None:
        row = self._row
        if row is None or not 0 <= number < len(row.tokens):
            self._pointed.set_text(self.tr("Point at a token to see its id.") if row else "")
            return
        token = row.tokens[number]
        parts = [
            quoted(token.text),
            self.tr("id {id}").format(id=token.id),
            self._kind(token),
            self.tr("label {label}").format(label=token.id if token.trained else f"−{-IGNORED_LABEL}"),
        ]
        start = next((one.start for one in row.packed if one.row == row.index), -1)
        if not token.truncated:
            parts.append(self.tr("position {number}").format(number=number))
            if start >= 0:
                parts.append(self.tr("{place} in the sequence").format(place=words.whole(start + number)))
        if token.trained and token.weight != 1:
            parts.append(self.tr("weight {weight}").format(weight=words.short_number(token.weight)))
        if token.loss is not None:
            parts.append(self.tr("loss {loss}").format(loss=f"{token.loss:.2f}"))
        self._pointed.set_text("  ".join(parts))

    def _kind(self, token: TokenSpan) -> str:
        if token.special and token.trained and not token.truncated:
            return self.tr("special, trained")
        kinds = {
            TRAINED: self.tr("trained"),
            MASKED: self.tr("masked"),
            SPECIAL: self.tr("special, masked"),
            TRUNCATED: self.tr("cut off"),
        }
        return kinds[token_kind(token)]

    def _lay_out(self) -> None:
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self._fingerprint, 1)
        below.addWidget(self._copy)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.strip, 1)
        top.addWidget(self._shade_row, 0, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.legend)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._pointed)
        layout.addLayout(below)


def quoted(text: str) -> str:
    """Return a token's text in quotes, line ends and tabs to be seen."""
    return "“" + text.replace("\n", "↵").replace("\t", "→") + "”"
