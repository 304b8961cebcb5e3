"""Two rows that are alike, side by side, with the words that differ marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QTextEdit, QVBoxLayout, QWidget

from remote_agent.contract.data_report import RowPair, RowView
from studio.ui import theme, words
from studio.ui.data.conversation_view import role_word
from studio.ui.data.icon_button import icon_button
from studio.ui.pieces import ElidedLabel

_COMPARED_WORDS = 4000


class PairView(QWidget):
    """Shows one pair of a finding after the other; ``row_needed`` asks for a row by its number from 0."""

    row_needed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pairView")
        self._pairs: tuple[RowPair, ...] = ()
        self._number = 0
        self._rows: dict[int, RowView] = {}
        self._title = ElidedLabel("", "caption")
        self._title.setObjectName("pairWords")
        self._heads = (ElidedLabel("", "section"), ElidedLabel("", "section"))
        self.texts = (QTextEdit(), QTextEdit())
        self._lay_out()

    @property
    def pairs(self) -> tuple[RowPair, ...]:
        """Return the pairs that are shown one after the other."""
        return self._pairs

    def show_pairs(self, pairs: Sequence[RowPair]) -> None:
        """Show the first of some pairs."""
        self._pairs, self._number = tuple(pairs), 0
        self._rows.clear()
        if self._pairs:
            self._show()

    def step(self, by: int) -> None:
        """Go to another pair; after the last comes the first."""
        if self._pairs:
            self._number = (self._number + by) % len(self._pairs)
            self._show()

    def take_row(self, row: RowView) -> None:
        """Take in a row that was asked for."""
        if self._pairs and row.index in self._wanted():
            self._rows[row.index] = row
            self._compare()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._pairs:
            self._compare()

    def _wanted(self) -> tuple[int, int]:
        pair = self._pairs[self._number]
        return pair.row, pair.other

    def _show(self) -> None:
        pair = self._pairs[self._number]
        place = self.tr("Pair {number} of {count}").format(number=self._number + 1, count=len(self._pairs))
        alike = self.tr("{share} alike").format(share=words.percent(pair.likeness))
        self._title.set_text(f"{place}  ·  {alike if pair.likeness else self.tr('not compared')}")
        wanted = self._wanted()
        self._rows = {index: row for index, row in self._rows.items() if index in wanted}
        for head, text, index in zip(self._heads, self.texts, wanted, strict=True):
            head.set_text(self.tr("Row {number}").format(number=words.whole(index + 1)))
            if index not in self._rows:
                text.setPlainText(self.tr("The row is being read."))
        for index in wanted:
            if index not in self._rows:
                self.row_needed.emit(index)
        self._compare()

    def _compare(self) -> None:
        first, second = (self._rows.get(index) for index in self._wanted())
        if first is None or second is None:
            return
        for text, parts in zip(self.texts, differing(said_in(first), said_in(second)), strict=True):
            _write(text, parts)

    def _lay_out(self) -> None:
        before = icon_button("caret-left", "pairBefore", self.tr("The pair before"))
        after = icon_button("caret-right", "pairAfter", self.tr("The next pair"))
        before.clicked.connect(lambda: self.step(-1))
        after.clicked.connect(lambda: self.step(1))
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._title, 1)
        top.addWidget(before)
        top.addWidget(after)
        sides = QHBoxLayout()
        sides.setSpacing(8)
        names = (("pairFirst", self.tr("The first of the pair")), ("pairSecond", self.tr("The second of the pair")))
        for head, text, (name, spoken) in zip(self._heads, self.texts, names, strict=True):
            text.setObjectName(name)
            text.setAccessibleName(spoken)
            text.setReadOnly(True)
            text.setUndoRedoEnabled(False)
            text.setTabChangesFocus(True)
            side = QVBoxLayout()
            side.setSpacing(4)
            side.addWidget(head)
            side.addWidget(text, 1)
            sides.addLayout(side, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(sides, 1)


def said_in(row: RowView) -> str:
    """Return what is said in a row, every turn under its role."""
    if not row.turns:
        return row.text
    return "\n\n".join(f"{role_word(turn.role)}\n{turn.content}" for turn in row.turns)


def differing(first: str, second: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return both texts as parts, each with whether the other text lacks it; words and the gaps between them count.

    Beyond the first 4,000 words nothing is marked.
    """
    sides = [re.findall(r"\s+|\w+|[^\w\s]", text) for text in (first, second)]
    heads = [side[:_COMPARED_WORDS] for side in sides]
    found: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for tag, a, b, c, d in difflib.SequenceMatcher(None, heads[0], heads[1], autojunk=False).get_opcodes():
        for parts, words_of, start, stop in ((found[0], heads[0], a, b), (found[1], heads[1], c, d)):
            if stop > start:
                parts.append(("".join(words_of[start:stop]), tag != "equal"))
    for parts, side in zip(found, sides, strict=True):
        rest = "".join(side[_COMPARED_WORDS:])
        if rest:
            parts.append((rest, False))
    return found


def _write(text: QTextEdit, parts: Sequence[tuple[str, bool]]) -> None:
    text.clear()
    colours = theme.tokens()
    cursor = QTextCursor(text.document())
    cursor.beginEditBlock()
    for part, differs in parts:
        style = QTextCharFormat()
        style.setForeground(QColor(colours.text))
        if differs:
            tint = theme.series_colour(1)
            tint.setAlphaF(0.35)
            style.setBackground(tint)
            style.setFontUnderline(True)
        cursor.insertText(part, style)
    cursor.endEditBlock()
    text.moveCursor(QTextCursor.MoveOperation.Start)
