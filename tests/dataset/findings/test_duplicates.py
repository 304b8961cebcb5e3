"""Keys are equal just where conversations are, and the first of equal ones is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.findings import duplicates
from remote_agent.dataset.findings.duplicates import (
    NO_PROMPT,
    exact_key,
    exact_keys,
    first_of_equal,
    places_of_alike,
    prompt_key,
)
from tests.dataset.findings.looking import chat, roles

turns = st.lists(
    st.builds(
        Turn,
        st.sampled_from(["user", "assistant"]),
        st.sampled_from(["", "a", "1:a", "a\x1euser1:a", ":"]),
        st.sampled_from([{}, {"name": "f"}, {"name": "g"}]),
        st.none(),
    ),
    min_size=1,
    max_size=3,
)
conversations = turns.map(lambda some: Conversation(tuple(some)))


@given(conversations, conversations)
def test_that_keys_are_equal_just_where_the_turns_are(one: Conversation, other: Conversation) -> None:
    assert (exact_key(one) == exact_key(other)) == (one.turns == other.turns)


def test_that_what_is_no_text_counts_too() -> None:
    call = {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1, "b": 2}}}]}
    turned = {"tool_calls": [{"function": {"arguments": {"b": 2, "a": 1}, "name": "f"}}]}
    other = {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 2}}}]}
    one, same, different = (
        exact_key(Conversation((Turn("user", "go"), Turn("assistant", "", extra)))) for extra in (call, turned, other)
    )
    assert one == same != different
    assert exact_key(chat("a", "b")) != exact_key(chat("a", "b")._replace(tools=({"name": "f"},)))


def test_that_the_key_is_the_same_on_every_machine() -> None:
    assert exact_keys([chat("Wer ist da?", "Ich, é.")]).tolist() == [11348247392152364750]


def test_that_a_prompt_is_all_before_the_last_answer() -> None:
    assert prompt_key(chat("a", "b", "c", "d")) == prompt_key(chat("a", "b", "c", "other"))
    assert prompt_key(chat("a", "b", "c", "d")) != prompt_key(chat("a", "other", "c", "d"))
    assert prompt_key(chat("a")) == NO_PROMPT
    assert prompt_key(roles("system", "assistant")) == NO_PROMPT
    assert prompt_key(roles("text")) == NO_PROMPT


@given(st.lists(st.integers(0, 5)))
def test_that_the_first_of_equal_keys_stands_for_all(values: list[int]) -> None:
    expected = [values.index(value) for value in values]
    assert first_of_equal(np.array(values, dtype=np.uint64)).tolist() == expected
    apart = [number if value == 3 else values.index(value) for number, value in enumerate(values)]
    assert first_of_equal(np.array(values, dtype=np.uint64), nothing=3).tolist() == apart


def test_that_many_keys_are_compared_in_parts_that_keep_equal_ones_together(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.default_rng(1)
    keys = numbers.choice(numbers.integers(1 << 63, size=900, dtype=np.uint64) * np.uint64(3), 3000)
    expected = first_of_equal(keys).tolist()
    monkeypatch.setattr(duplicates, "PART_KEYS", 50)
    parts = [part.tolist() for part in places_of_alike(keys)]
    assert len(parts) == 64 and max(map(len, parts)) < 300
    assert sorted(place for part in parts for place in part) == list(range(3000))
    assert first_of_equal(keys).tolist() == expected
