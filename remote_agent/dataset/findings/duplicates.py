"""Which conversations are equal word for word: 64-bit keys in arrays, not objects in sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.conversation import Conversation, Turn

UInt64 = NDArray[np.uint64]
Int64 = NDArray[np.int64]

NO_PROMPT = 0
"""The prompt key of a conversation in which nobody is answered."""


def exact_key(conversation: Conversation) -> int:
    """Return a key in [0, 2^64) that only conversations share whose turns and tools are the same to the letter.

    The first 8 bytes of BLAKE2b. Among ten million different conversations two share one with a chance of 3 in a
    million.
    """
    return _key(conversation.turns, conversation)


def exact_keys(conversations: Iterable[Conversation]) -> UInt64:
    """Return the keys of many conversations, uint64 [conversations]."""
    return np.fromiter(map(exact_key, conversations), dtype=np.uint64)


def prompt_key(conversation: Conversation) -> int:
    """Return the key of all that stands before the last answer; `NO_PROMPT` where there is no such thing."""
    last = last_answer(conversation.turns)
    if not any(turn.role != "system" for turn in conversation.turns[: max(0, last)]):
        return NO_PROMPT
    return max(1, _key(conversation.turns[:last], conversation))


def last_answer(turns: Sequence[Turn]) -> int:
    """Return the number of the assistant's last turn, -1 where it has none."""
    return next((number for number in range(len(turns) - 1, -1, -1) if turns[number].role == "assistant"), -1)


def first_of_equal(keys: UInt64) -> Int64:
    """Return for each key the place of the first that equals it, int64 [keys]; a first one names itself."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_new = np.ones(len(keys), dtype=np.bool_)
    is_new[1:] = ordered[1:] != ordered[:-1]
    first = np.empty(len(keys), dtype=np.int64)
    first[order] = order[is_new][np.cumsum(is_new) - 1] if len(keys) else order
    return first


def _key(turns: Sequence[Turn], conversation: Conversation) -> int:
    # Lengths stand before texts, so that no text can look like the border between two.
    parts = [
        f"{turn.role}{len(turn.content)}:{turn.content}{_as_text(turn.extra) if turn.extra else ''}" for turn in turns
    ]
    if conversation.tools:
        parts.append(_as_text(conversation.tools))
    digest = hashlib.blake2b("\x1e".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _as_text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: object) -> object:
    # Turns carry read-only mappings, which json does not know.
    return dict(value) if hasattr(value, "keys") else str(value)  # type: ignore[call-overload]
