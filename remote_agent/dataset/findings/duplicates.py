"""Which conversations are equal word for word: 64-bit keys in arrays, not objects in sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.conversation import Conversation, Turn

UInt64 = NDArray[np.uint64]
Int32 = NDArray[np.int32]

PART_KEYS = 1 << 19
"""So many keys are compared at once, so that the memory beside them stays small however many there are."""

_MOST_PARTS = 128

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


def first_of_equal(keys: UInt64, nothing: int | None = None) -> Int32:
    """Return for each key the place of the first that equals it, int32 [keys]; a first one names itself, and so does
    every key that is ``nothing``."""
    first = np.arange(len(keys), dtype=np.int32)
    for places in places_of_alike(keys):
        ordered = keys[places]
        if nothing is not None:
            places = places[ordered != np.uint64(nothing)]
            ordered = keys[places]
        order = np.argsort(ordered, kind="stable")
        ordered = ordered[order]
        is_new = np.ones(len(ordered), dtype=np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
        sorted_places = places[order]
        first[sorted_places] = sorted_places[is_new][np.cumsum(is_new, dtype=np.int32) - 1]
    return first


def places_of_alike(keys: UInt64) -> Iterator[Int32]:
    """Yield the places of keys, rising, about half a million at once; all of those that are equal come together.

    The keys have to be spread evenly, as hashes are: their upper bits tell the parts.
    """
    parts = 1
    while len(keys) > parts * PART_KEYS and parts < _MOST_PARTS:
        parts *= 2
    if parts == 1:
        yield np.arange(len(keys), dtype=np.int32)
        return
    upper = np.ascontiguousarray(keys, dtype="<u8").view(np.uint8)[7::8]
    for part in range(parts):
        yield np.flatnonzero((upper & np.uint8(parts - 1)) == part).astype(np.int32)


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
