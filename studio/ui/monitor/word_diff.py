"""Which words of two texts differ, and a label that underlines them in a text that is never interpreted."""

from __future__ import annotations

import difflib
import html
import re
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 4000
"""Longer texts are not compared: difflib's time grows with the square."""


class Piece(NamedTuple):
    """A part of a text, and whether the other text lacks it."""

    text: str
    differs: bool


def word_diff(first: str, second: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts in pieces: joined, each gives its text back."""
    words: list[list[str]] = [_WORDS.findall(text) for text in (first, second)]
    if max(map(len, words)) > _MOST_WORDS:
        return [Piece(first, False)], [Piece(second, False)]
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, start, stop, other_start, other_stop in difflib.SequenceMatcher(
        None, words[0], words[1], autojunk=False
    ).get_opcodes():
        for pieces, found in ((left, words[0][start:stop]), (right, words[1][other_start:other_stop])):
            if found:
                pieces.append(Piece("".join(found), kind != "equal"))
    return left, right


class MarkedLabel(QLabel):
    """Shows pieces of text; those that differ are underlined and on a tint. Markup in the text is shown as it is."""

    def __init__(self, pieces: list[Piece], name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setWordWrap(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.pieces = tuple(pieces)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText("".join(_markup(piece) for piece in pieces))
        self.setAccessibleName(self.plain_text)

    @property
    def plain_text(self) -> str:
        """The text without the marks."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def marked(self) -> tuple[str, ...]:
        """The pieces that are underlined."""
        return tuple(piece.text for piece in self.pieces if piece.differs)


def _markup(piece: Piece) -> str:
    from studio.ui import theme

    told = html.escape(piece.text).replace("\n", "<br>").replace("  ", "&nbsp; ")
    if not piece.differs or piece.text.isspace():
        return told
    return f'<span style="text-decoration: underline; background-color: {theme.tokens().selection}">{told}</span>'
