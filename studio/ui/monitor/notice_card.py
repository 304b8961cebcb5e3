"""A card that says what went wrong: severity as icon and word, the sentence, where and when, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from studio.ui import icons, words
from studio.ui.pieces import plain_label

SEVERITIES = {
    "error": ("x-circle-fill", "bad"),
    "warning": ("warning-fill", "warning"),
    "info": ("info", "info"),
}
"""The Phosphor icon and the theme colour of a severity."""


def severity_word(severity: str) -> str:
    """Return the word beside a severity's icon."""
    known = {
        "error": words.translated("Error"),
        "warning": words.translated("Warning"),
        "info": words.translated("Note"),
    }
    return known.get(severity, severity)


def notice_card(
    name: str, severity: str, sentence: str, captions: Sequence[str], buttons: Sequence[QWidget], title: str = ""
) -> QFrame:
    """Return the card.

    Args:
        name: the card's object name.
        severity: error, warning or info.
        sentence: plain text.
        captions: short facts behind the sentence.
        buttons: what can be done, in reading order.
        title: the word beside the icon, where it says more than the severity's own.
    """
    card = QFrame()
    card.setProperty("role", "notice")
    card.setObjectName(name)
    word = title or severity_word(severity)
    card.setAccessibleName(f"{word}: {sentence}")
    icon, token = SEVERITIES.get(severity, SEVERITIES["info"])
    row = QHBoxLayout(card)
    row.setContentsMargins(16, 8, 12, 8)
    row.setSpacing(8)
    row.addWidget(icons.pixmap_label(icon, token, 16))
    row.addWidget(plain_label(word, "strong"))
    row.addWidget(plain_label(sentence, wraps=True), 1)
    for caption in captions:
        row.addWidget(plain_label(caption, "caption"))
    for shown in buttons:
        row.addWidget(shown)
    return card
