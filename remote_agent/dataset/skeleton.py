"""What a chat template writes around the contents of turns, learnt from one row so that others need one rendering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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

    def fits(self, text: str, turns: Sequence[Turn]) -> bool:
        """Say whether the rendered text is exactly these pieces around the turns' contents."""
        return text == self.pieces[0] + "".join(
            turn.content + piece for turn, piece in zip(turns, self.pieces[1:], strict=True)
        )

    def spans(self, turns: Sequence[Turn]) -> tuple[Span, ...]:
        """Return the trained spans of a text that fits."""
        starts = _content_starts(self.pieces, turns)
        return tuple(
            (starts[number] - lead, starts[number] + len(turns[number].content) + tail)
            for number, lead, tail in self.trained
        )


def learn_skeleton(template: ChatTemplate, turns: Sequence[Turn], text: str, spans: Sequence[Span]) -> Skeleton | None:
    """Return the skeleton of a rendered row whose spans are known; None where the template does more than surround."""
    mark = unused_mark(turns)
    try:
        marked = template.render([Turn(turn.role, f"{mark}{turn.content}{mark}") for turn in turns])
    except DataError:
        return None
    parts = marked.split(mark)
    if parts[1::2] != [turn.content for turn in turns] or len(parts) != 2 * len(turns) + 1:
        return None
    skeleton = Skeleton(tuple(parts[::2]), ())
    if not skeleton.fits(text, turns):
        return None
    starts = _content_starts(skeleton.pieces, turns)
    numbers = [number for number, turn in enumerate(turns) if turn.role == "assistant"]
    trained = tuple(
        (number, starts[number] - start, end - starts[number] - len(turns[number].content))
        for number, (start, end) in zip(numbers, spans, strict=True)
    )
    return Skeleton(skeleton.pieces, trained)


def unused_mark(turns: Sequence[Turn]) -> str:
    """Return a private-use character that no turn holds, to show where a content lands. Raises DataError."""
    marks = map(chr, _PRIVATE_USE)
    mark = next((mark for mark in marks if not any(mark in turn.content for turn in turns)), "")
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
