"""Turns text back whose UTF-8 bytes were read as Windows-1252 or Latin-1, where that surely happened."""

from __future__ import annotations

import re
import unicodedata


def _byte_characters() -> dict[int, str]:
    """Return what each byte from 0x80 became: cp1252's character, Latin-1's for the five that cp1252 leaves out."""
    return {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}


_CHARACTER_OF = _byte_characters()
_LATIN = {chr(byte): byte for byte in range(0x80, 0xA0)}
_BYTE_OF = {character: byte for byte, character in _CHARACTER_OF.items()} | _LATIN
_TO_BYTES = {ord(character): byte for character, byte in _BYTE_OF.items()}


def _characters(low: int, high: int) -> str:
    return "[" + "".join(re.escape(char) for char, byte in sorted(_BYTE_OF.items()) if low <= byte <= high) + "]"


_FOLLOWING = _characters(0x80, 0xBF)
_SEQUENCE = re.compile(
    f"{_characters(0xC2, 0xDF)}{_FOLLOWING}"
    f"|{_characters(0xE0, 0xEF)}{_FOLLOWING}{{2}}"
    f"|{_characters(0xF0, 0xF4)}{_FOLLOWING}{{3}}"
)
_SUSPECT = re.compile(_characters(0xC2, 0xF4))
# What may rightly stand after a letter such as É at the end of a word, and before one at its beginning.
_CLOSING = frozenset("»›”’…·•–—®™\u00a0")
_OPENING = frozenset("«‹“‘\"'(")
_ENOUGH = 2
"""Evidence that is taken for proof: one sequence that no language writes, or several that one might."""


def repaired(text: str) -> str:
    """Return the text with each misread sequence turned back, or the text itself where it may well be meant so.

    A sequence is characters that stand for the bytes of exactly one UTF-8 character, so what is put there reads back
    to the same. They are turned back together, and only where they are unlikely as text: "Ã©" is, "CAFÉ»" is not.
    Text that was misread twice is turned back twice.
    """
    while not text.isascii() and _SUSPECT.search(text):
        better = _once(text)
        if better == text:
            break
        text = better
    return text


def _once(text: str) -> str:
    found = [match for match in _SEQUENCE.finditer(text) if _decoded(match[0])]
    if sum(_evidence(text, match) for match in found) < _ENOUGH:
        return text
    return _SEQUENCE.sub(lambda match: _decoded(match[0]) or match[0], text)


def _decoded(sequence: str) -> str:
    """Return the character the sequence stands for, empty where there is none."""
    try:
        character = bytes(_TO_BYTES[ord(part)] for part in sequence).decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "" if unicodedata.category(character) in ("Cn", "Co") else character


def _evidence(text: str, match: re.Match[str]) -> int:
    """Return how unlikely a sequence is as text: 0 it is quite natural, 1 it is odd, 2 nobody writes it."""
    sequence = match[0]
    if unicodedata.category(_decoded(sequence)) == "Cc":
        return 0
    if len(sequence) > 2:
        return 2 if sequence[0] in "âð" or not set(sequence[1:]) <= _CLOSING else 1
    if sequence[1] not in _CLOSING:
        return 2 if sequence[0] in "ÂÃ" else 1
    # An upper-case letter that ends a word follows another one: "AMANHÃ»" closes a quotation, but "dÃ»" is dû.
    before = text[match.start() - 1 : match.start()]
    return 2 if sequence[0] in "ÂÃ" and not before.isupper() and before not in _OPENING else 0
