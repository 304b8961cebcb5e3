"""Looks for text in all rows, in a process of its own, and tells of those that hold it as they are found."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from typing import Any

from remote_agent.dataset.conversation import Conversation
from remote_agent.dataset.corpus import Corpus
from remote_agent.dataset.sources import Advance, Cancelled, check

FOUND = "matches"
"""The kind of the frames whose body holds int64 indices of rows, rising."""

_TELL_EVERY_S = 0.1
_ROWS_AT_ONCE = 256
Send = Callable[[dict[str, Any], bytes], None]


def search(corpus: Corpus, text: str, send: Send, progress: Advance, cancelled: Cancelled) -> int:
    """Send the indices of the rows whose texts hold ``text`` in any case; return how many there are.

    Raises:
        DataError: a file changed or cannot be read. CancelledError.
    """
    wanted = text.lower()
    corpus.index(progress, cancelled)
    rows = array("q")
    found = 0
    next_s = time.monotonic()
    for number, example in enumerate(corpus.examples()):
        if example.conversation is not None and holds(example.conversation, wanted):
            rows.append(example.row.index)
        if number % _ROWS_AT_ONCE == 0:
            check(cancelled)
            if rows and time.monotonic() >= next_s:
                send({"frame": FOUND}, rows.tobytes())
                found += len(rows)
                rows = array("q")
                next_s = time.monotonic() + _TELL_EVERY_S
    send({"frame": FOUND}, rows.tobytes())
    return found + len(rows)


def holds(conversation: Conversation, lowered: str) -> bool:
    """Say whether a turn, or the class, of a row holds a text that is in lower case already."""
    return any(lowered in turn.content.lower() for turn in conversation.turns) or lowered in conversation.label.lower()
