"""Texts as sets of word n-grams, each a 64-bit number, whole batches at a time without a Python object a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UInt64 = NDArray[np.uint64]
Int64 = NDArray[np.int64]

LONG_WORDS, SHORT_WORDS = 5, 2
"""Words of a shingle of a long and of a short text."""
LONG_TEXT_WORDS = 40
"""From so many words on a text is long: below, one changed word would touch most of the 5-grams."""
OVERLAP_WORDS = 50
"""Long texts below so many words count as short ones too: 40 words of 50 are still 0.8 alike."""

_LONGEST_TEXT = 1 << 18
_BEYOND_ASCII = re.compile("[^\0-\x7f]+")
# Scripts that are written without spaces between words, by the first and last character of their blocks.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
_FOLDED = np.array(
    [ord(chr(byte).lower()) if chr(byte).isalnum() or byte >= 128 or byte == 95 else 0 for byte in range(256)],
    dtype=np.uint8,
)
_FOLDED[128:] = np.arange(128, 256)
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_PLACES = np.array(
    [0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB],
    dtype=np.uint64,
)
_powers: list[UInt64] = [np.ones(1, np.uint64), np.ones(1, np.uint64)]


class Shingles(NamedTuple):
    """Shingles of some texts one after the other.

    Attributes:
        values: uint64 [all shingles], repeats within a text included.
        offsets: int64 [entries + 1], where each entry's shingles start.
        texts: int64 [entries], the text of each entry; a text has none (no word in it), one, or two.
        is_short: bool [entries], whether these are the shingles of a short text.
    """

    values: UInt64
    offsets: Int64
    texts: Int64
    is_short: NDArray[np.bool_]


def shingles(texts: Sequence[str]) -> Shingles:
    """Return the shingles of texts: case, punctuation and white space do not count; beyond 262,144 characters nothing.

    Long texts give word 5-grams, those under 40 words 2-grams, and those between 40 and 50 words both.
    """
    words, first = _words(texts)
    counts = np.diff(first)
    short = np.flatnonzero((counts > 0) & (counts < OVERLAP_WORDS))
    long = np.flatnonzero(counts >= LONG_TEXT_WORDS)
    parts = [
        _grams(words, first[rows], counts[rows], size) for rows, size in ((short, SHORT_WORDS), (long, LONG_WORDS))
    ]
    sizes = np.concatenate([part[1] for part in parts])
    return Shingles(
        np.concatenate([part[0] for part in parts]),
        np.concatenate(([0], np.cumsum(sizes))),
        np.concatenate((short, long)),
        np.arange(len(sizes)) < len(short),
    )


def _grams(words: UInt64, first: Int64, counts: Int64, size: int) -> tuple[UInt64, Int64]:
    """Return the n-grams of texts whose words lie at ``first``, and how many each has, at least one."""
    sizes = np.maximum(counts - size + 1, 1)
    starts = np.repeat(first - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    grams = np.zeros(len(starts), dtype=np.uint64)
    if len(counts) and counts.min() >= size:
        for place in range(size):
            grams += words[starts + place] * _PLACES[place]
        return _mixed(grams), sizes
    # A text of fewer words than a gram has takes what there is.
    present = np.repeat(np.minimum(counts, size), sizes)
    for place in range(size):
        here = np.minimum(starts + place, len(words) - 1)
        grams += np.where(place < present, words[here] * _PLACES[place], np.uint64(0))
    return _mixed(grams), sizes


def _words(texts: Sequence[str]) -> tuple[UInt64, Int64]:
    """Return a number for each word of all texts, and where each text's words start, int64 [texts + 1].

    The number is the word's bytes as a polynomial modulo 2^64, taken as a difference of prefix sums.
    """
    plain = [_plain(text[:_LONGEST_TEXT]).encode("utf-8", "surrogatepass") for text in texts]
    joined = np.frombuffer(b"\n".join(plain) + b"\n", dtype=np.uint8)
    folded = _FOLDED[joined]
    is_word = np.zeros(len(folded) + 1, dtype=np.bool_)
    np.not_equal(folded, 0, out=is_word[1:])
    # The last byte is a line end, so that edges come in pairs of a start and an end.
    edges = np.flatnonzero(is_word[1:] != is_word[:-1])
    starts, ends = edges[::2], edges[1::2]
    powers, inverses = _powers_to(len(folded))
    sums = np.zeros(len(folded) + 1, dtype=np.uint64)
    np.multiply(folded, powers[: len(folded)], out=sums[1:])
    np.cumsum(sums[1:], out=sums[1:])
    words = _mixed((sums[ends] - sums[starts]) * inverses[starts])
    borders = np.cumsum([0, *(len(raw) + 1 for raw in plain)])
    return words, np.searchsorted(starts, borders)


def _plain(text: str) -> str:
    return text if text.isascii() else _BEYOND_ASCII.sub(_spaced, text.lower())


def _spaced(characters: re.Match[str]) -> str:
    return characters.group().translate(_SPACED)


class _Spaced(dict[int, str]):
    """What stands for a character: itself, with spaces where each is a word, or a space where it is in no word."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        if any(first <= code <= last for first, last in _UNSPACED):
            character = f" {character} "
        self[code] = character if kind in "LNM" else " "
        return self[code]


_SPACED = _Spaced()


def _powers_to(length: int) -> tuple[UInt64, UInt64]:
    if len(_powers[0]) < length:
        for place, base in enumerate((_BASE, _INVERSE)):
            factors = np.full(length, base, dtype=np.uint64)
            factors[0] = 1
            _powers[place] = np.cumprod(factors)
    return _powers[0], _powers[1]


def _mixed(values: UInt64) -> UInt64:
    """Return the values with every bit depending on all (MurmurHash3's finaliser)."""
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values
