"""Shingles are the n-grams that a plain reading of the words gives."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.findings.shingles import LONG_TEXT_WORDS, LONG_WORDS, OVERLAP_WORDS, SHORT_WORDS, shingles

texts = st.lists(st.text(alphabet=st.sampled_from(list("aAbB1_ ,.\n-éÉ“—日本")), max_size=300), max_size=8)


def plain_grams(text: str) -> list[list[tuple[str, ...]]]:
    """Return the n-grams of each entry a text gives, by a regular expression."""
    words = re.findall(r"[日本]|[a-z0-9_é]+", text.lower())
    sizes = [SHORT_WORDS] if 0 < len(words) < OVERLAP_WORDS else []
    sizes += [LONG_WORDS] if len(words) >= LONG_TEXT_WORDS else []
    return [[tuple(words[at : at + size]) for at in range(max(1, len(words) - size + 1))] for size in sizes]


@given(texts)
def test_that_shingles_are_equal_just_where_the_words_are(some: list[str]) -> None:
    found = shingles(some)
    names: dict[tuple[str, ...], int] = {}
    for number, text in enumerate(some):
        entries = np.flatnonzero(found.texts == number)
        expected = plain_grams(text)
        assert len(entries) == len(expected)
        for entry, grams in zip(entries, expected, strict=True):
            values = found.values[found.offsets[entry] : found.offsets[entry + 1]].tolist()
            assert len(values) == len(grams)
            for value, gram in zip(values, grams, strict=True):
                assert names.setdefault(gram, value) == value
    assert len(set(names.values())) == len(names)


def test_that_case_punctuation_and_spaces_do_not_count() -> None:
    found = shingles(["The cat — sat;  on the mat.", "the CAT sat\non “the” mat", "the cat sat on the hat"])
    one, same, other = (found.values[found.offsets[at] : found.offsets[at + 1]].tolist() for at in range(3))
    assert one == same
    assert one != other


def test_that_vowel_signs_stay_in_their_words() -> None:
    found = shingles(["हिन्दी भाषा", "हनद भष"])
    assert np.diff(found.offsets).tolist() == [1, 1]
    assert found.values[0] != found.values[1]


def test_that_a_text_is_read_the_same_alone_and_among_others() -> None:
    some = ["one two three", "", "four five six seven", "é" * 10, "w " * 60]
    together = shingles(some)
    for number, text in enumerate(some):
        alone = shingles([text])
        entries = np.flatnonzero(together.texts == number)
        values = [together.values[together.offsets[at] : together.offsets[at + 1]] for at in entries]
        np.testing.assert_array_equal(np.concatenate([*values, alone.values[:0]]), alone.values)
