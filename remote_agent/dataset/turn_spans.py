"""Where each turn of the assistant stands in a rendered text, found by rendering parts of the conversation.

Of a turn's start: what the template writes of the turns before it, with the header of the next one, has to be what the
whole text starts with. Templates that write earlier turns otherwise once later ones are there (reasoning that is left
out of all but the last) fail that check; there the turn is found by a mark put before its content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from remote_agent.dataset.chat_template import ChatTemplate, Span
from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.skeleton import marked_turn, unused_mark

Tools = Sequence[Mapping[str, Any]]
_SAME = 24


class TurnSpan(NamedTuple):
    """The number of a turn, and the characters of the text that it wrote; the end is not included."""

    number: int
    start: int
    end: int


class TurnFinder:
    """Finds turns in the texts of one template."""

    def __init__(self, template: ChatTemplate, special_texts: Sequence[str]) -> None:
        self._template = template
        special = "|".join(map(re.escape, special_texts)) or r"(?!)"
        self._end_of_turn = re.compile(rf"\s*(?:{special})")
        self._last_special = re.compile(rf"(?:{special})\s*\Z")
        self._ends = re.compile(rf"(?:{special})((?:\s|{special})*)\Z")

    def spans(self, turns: Sequence[Turn], tools: Tools, text: str) -> tuple[TurnSpan, ...]:
        """Return the span of every turn of the assistant, from after its header to its end of turn.

        Raises:
            DataError: the template does not let a turn be told apart.
        """
        found: list[TurnSpan] = []
        for number, turn in enumerate(turns):
            if turn.role == "assistant":
                previous = found[-1].end if found else 0
                found.append(TurnSpan(number, *self._span(turns, tools, number, text, previous)))
        return tuple(found)

    def _span(self, turns: Sequence[Turn], tools: Tools, number: int, text: str, previous: int) -> Span:
        turn = turns[number]
        header, start = self._header(turns, tools, number, text)
        if start < 0:
            start = -1 if header or turn.content else self._start_after(turns, tools, number, text)
            start = start if start >= 0 else self._content_start(turns, tools, number, text)
            if header:
                at = text.rfind(header, previous, start)
                start = at + len(header) if at >= 0 else start
        end = -1 if self._has_calls(turn) else self._end_after(text, start, turn.content)
        if end < 0:
            end = self._end_as_last(turns, tools, number, text, start)
        if end < start:
            raise no_prefix(number)
        return start, end

    def _has_calls(self, turn: Turn) -> bool:
        return self._template.reads_calls and bool(turn.extra.get("tool_calls"))

    def _header(self, turns: Sequence[Turn], tools: Tools, number: int, text: str) -> tuple[str, int]:
        """Return what is written before an answer, and where the turn starts after it.

        -1 where the text does not start so, or the template has no header to give (it ignores add_generation_prompt).
        """
        if not number:
            return "", -1
        try:
            before = self._template.render(turns[:number], True, tools)
            plain = self._template.render(turns[:number], False, tools)
        except DataError:
            # Some templates refuse a conversation that ends before the assistant has spoken.
            return "", -1
        if before == plain:
            return "", -1
        header = before[len(plain) :] if before.startswith(plain) else ""
        return header, len(before) if text.startswith(before) else -1

    def _start_after(self, turns: Sequence[Turn], tools: Tools, number: int, text: str) -> int:
        """Return the start of a turn without content (it only calls), in a template that writes no headers."""
        if not number or not self._has_calls(turns[number]):
            return -1
        before = self._template.render(turns[:number], False, tools)
        if not text.startswith(before):
            return -1
        return len(text) - len(text[len(before) :].lstrip())

    def _content_start(self, turns: Sequence[Turn], tools: Tools, number: int, text: str) -> int:
        """Return where the turn's content starts: a mark before it shows, and the text up to there stays the same."""
        mark = unused_mark(turns, tools)
        other = marked_turn(turns[number], mark + turns[number].content)
        changed = self._template.render([*turns[:number], other, *turns[number + 1 :]], tools=tools)
        start = changed.find(mark)
        if start < 0 or text[:start] != changed[:start]:
            raise no_prefix(number)
        return start

    def _end_after(self, text: str, start: int, content: str) -> int:
        """Return where the turn ends whose content follows literally and then a special token; -1 where it is not so.

        This spares a second rendering, and holds for templates that write earlier turns otherwise than the last.
        """
        for candidate in (content, content.strip()):
            if text.startswith(candidate, start):
                found = self._end_of_turn.match(text, start + len(candidate))
                if found:
                    return found.end()
        return -1

    def _end_as_last(self, turns: Sequence[Turn], tools: Tools, number: int, text: str, start: int) -> int:
        """Return where the turn ends, from the text of the conversation that ends with it; -1 where that differs."""
        through = self._template.render(turns[: number + 1], False, tools)
        end = len(through) if text.startswith(through) and len(through) >= start else -1
        shorter: str | None = through
        while end < 0 and shorter:
            end = self._same_tail(turns, tools, number, (text, start), shorter)
            # What ends the whole text (an end token after the last turn) stands in no other place.
            found = self._last_special.search(shorter)
            shorter = shorter[: found.start()] if found else None
        if end < 0:
            return -1
        written = text[start:end]
        trailing = self._ends.search(written)
        if trailing is None:
            return end
        if self._has_calls(turns[number]):
            # Markers around calls may be special too, so that only white space is surely no part of the turn.
            return start + len(written.rstrip())
        return start + trailing.start(1)

    def _same_tail(self, turns: Sequence[Turn], tools: Tools, number: int, place: tuple[str, int], through: str) -> int:
        """Return the end of a turn that the template begins otherwise where it is the last: its rest is the same."""
        text, start = place
        _, own_start = self._header(turns[: number + 1], tools, number, through)
        if own_start < 0:
            return -1
        tail = through[own_start:]
        at = tail.find(text[start : start + 1]) if start < len(text) else -1
        while at >= 0:
            # The short comparison first: the long one copies the rest of the turn.
            if text.startswith(tail[at : at + _SAME], start) and text.startswith(tail[at:], start):
                return start + len(tail) - at
            at = tail.find(text[start], at + 1)
        return -1


def content_ranges(template: ChatTemplate, turns: Sequence[Turn], tools: Tools, text: str) -> list[Span | None]:
    """Return where each turn's content stands in the text, None for a turn without any.

    Raises:
        DataError: the template does more with a content than write it somewhere.
    """
    mark = unused_mark(turns, tools)
    wrapped = []
    for turn in turns:
        bare = turn.content.strip()
        if bare:
            before, after = turn.content.split(bare, 1)
            turn = marked_turn(turn, f"{before}{mark}{bare}{mark}{after}")
        wrapped.append(turn)
    parts = template.render(wrapped, tools=tools).split(mark)
    numbers = [number for number, turn in enumerate(turns) if turn.content.strip()]
    if "".join(parts) != text or len(parts) != 2 * len(numbers) + 1:
        raise no_prefix(numbers[0] if numbers else 0)
    ranges: list[Span | None] = [None] * len(turns)
    at = 0
    for number, before, content in zip(numbers, parts[::2], parts[1::2], strict=False):
        ranges[number] = (at + len(before), at + len(before) + len(content))
        at += len(before) + len(content)
    return ranges


def spans_of_markers(
    template: ChatTemplate, turns: Sequence[Turn], tools: Tools, text: str, marked: Sequence[Span]
) -> tuple[TurnSpan, ...]:
    """Return to which turn each marked span belongs. Raises DataError as `content_ranges`."""
    numbers = [number for number, turn in enumerate(turns) if turn.role == "assistant"]
    if len(marked) == len(numbers):
        return tuple(TurnSpan(number, *span) for number, span in zip(numbers, marked, strict=True))
    ranges = content_ranges(template, turns, tools, text)
    starts = [(number, place[0]) for number in numbers if (place := ranges[number]) is not None]
    if not starts:
        raise no_prefix(numbers[0] if numbers else 0)
    return tuple(
        TurnSpan(max([number for number, at in starts if at < end], default=starts[0][0]), start, end)
        for start, end in marked
    )


def no_prefix(number: int) -> DataError:
    """Return the error of a template that does not let a turn be told apart."""
    return DataError(
        f"the chat template writes the text before turn {number + 1} otherwise once that turn is there, so what the "
        "assistant says cannot be told apart. Use a chat template that marks it with {% generation %}."
    )
