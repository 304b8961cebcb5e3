"""What a chat template writes around the contents of turns, learnt from one row so that others need one rendering."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from remote_agent.dataset.chat_template import ChatTemplate, Span
from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError

_PRIVATE_USE = range(0xE000, 0xF900)


class Skeleton(NamedTuple):
    """The text around the contents of one sequence of roles.

    ``pieces``: one more than there are turns. ``trained``: number of an assistant's turn, and by how many characters
    its trained span starts before the content and ends after it.
    """

    pieces: tuple[str, ...]
    trained: tuple[tuple[int, int, int], ...]

    def text(self, turns: Sequence[Turn]) -> str:
        """Return these pieces around the turns' contents."""
        parts = [self.pieces[0]]
        for turn, piece in zip(turns, self.pieces[1:], strict=True):
            parts.append(turn.content)
            parts.append(piece)
        return "".join(parts)

    def spans(self, turns: Sequence[Turn]) -> tuple[Span, ...]:
        """Return the trained spans of a text that fits, in the order of ``trained``."""
        starts = _content_starts(self.pieces, turns)
        return tuple(
            (starts[number] - lead, starts[number] + len(turns[number].content) + tail)
            for number, lead, tail in self.trained
        )


def learn_skeleton(template: ChatTemplate, turns: Sequence[Turn], text: str, spans: Sequence[Span]) -> Skeleton | None:
    """Return the skeleton of a rendered row whose spans are known; None where the template does more than surround."""
    mark = unused_mark(turns)
    try:
        marked = template.render([marked_turn(turn, f"{mark}{turn.content}{mark}") for turn in turns])
    except DataError:
        return None
    parts = marked.split(mark)
    if parts[1::2] != [turn.content for turn in turns] or len(parts) != 2 * len(turns) + 1:
        return None
    skeleton = Skeleton(tuple(parts[::2]), ())
    if skeleton.text(turns) != text:
        return None
    starts = _content_starts(skeleton.pieces, turns)
    numbers = [number for number, turn in enumerate(turns) if turn.role == "assistant"]
    if len(numbers) != len(spans):
        return None
    trained = tuple(
        (number, starts[number] - start, end - starts[number] - len(turns[number].content))
        for number, (start, end) in zip(numbers, spans, strict=True)
    )
    pieces = skeleton.pieces
    # A span that reaches into another content, or starts after its own, is as long as that content is.
    if not all(
        0 <= lead <= len(pieces[number]) and 0 <= tail <= len(pieces[number + 1]) for number, lead, tail in trained
    ):
        return None
    return Skeleton(pieces, trained)


def marked_turn(turn: Turn, content: str) -> Turn:
    """Return the turn with another content, which is then the one that the template sees."""
    if "content" not in turn.extra:
        return turn._replace(content=content)
    extra = {key: value for key, value in turn.extra.items() if key != "content"}
    return turn._replace(content=content, extra=extra)


def unused_mark(turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a private-use character that no turn holds, to show where a content lands. Raises DataError."""
    others = [turn.extra for turn in turns if turn.extra]
    further = (
        json.dumps([*map(dict, others), *map(dict, tools)], ensure_ascii=False, default=str) if others or tools else ""
    )
    marks = map(chr, _PRIVATE_USE)
    mark = next((mark for mark in marks if mark not in further and not any(mark in turn.content for turn in turns)), "")
    if not mark:
        raise DataError("the row holds every private-use character, so its turns cannot be told apart; drop the row.")
    return mark


def _content_starts(pieces: Sequence[str], turns: Sequence[Turn]) -> list[int]:
    starts = []
    at = 0
    for piece, turn in zip(pieces, turns, strict=False):
        at += len(piece)
        starts.append(at)
        at += len(turn.content)
    return starts
