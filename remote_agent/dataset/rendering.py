"""A conversation as one text, with the spans in it that are trained: what the assistant says and its end of turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from remote_agent.dataset.chat_template import ChatTemplate, Span
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.skeleton import Skeleton, learn_skeleton, unused_mark
from remote_agent.dataset.tokenizer_files import ModelTokenizer

_BETWEEN_TURNS = "\n\n"
_MOST_SKELETONS = 64


class Rendered(NamedTuple):
    """The text that is tokenized, and the trained spans in characters, in order."""

    text: str
    spans: tuple[Span, ...]


class Renderer:
    """Renders conversations for one model; made once, used for every row."""

    def __init__(self, model: ModelTokenizer) -> None:
        self._model = model
        special = "|".join(re.escape(text) for text in model.special_texts) or r"(?!)"
        self._end_of_turn = re.compile(rf"\s*(?:{special})")
        self._skeletons: dict[tuple[str, ...], Skeleton | None] = {}
        self._after_end = re.compile(rf"(?:{special})(\s+)\Z")

    def render(self, conversation: Conversation) -> Rendered:
        """Return text and trained spans.

        Without a chat template the turns are joined as plain text, each response followed by the end token.

        Raises:
            DataError: the template refuses the conversation, or does not let the assistant's part be told apart.
        """
        template = self._model.template
        if template is None:
            return self._plain(conversation)
        if template.marks_generation:
            text, spans = template.render_with_spans(conversation.turns)
            return Rendered(text, tuple(spans))
        return self._by_prefixes(template, conversation)

    def _plain(self, conversation: Conversation) -> Rendered:
        special = self._model.special_tokens
        end = special.get("eos_token", "")
        parts = [special.get("bos_token", "")] if self._model.starts_with_bos else []
        length = len(parts[0]) if parts else 0
        spans: list[Span] = []
        previous = ""
        for turn in conversation.turns:
            glued = not previous or (conversation.glued and previous == "user")
            part = ("" if glued else _BETWEEN_TURNS) + turn.content
            start = length + len(part) - len(turn.content)
            if turn.role == "assistant":
                part += end
                spans.append((start, length + len(part)))
            parts.append(part)
            length += len(part)
            previous = turn.role
        return Rendered("".join(parts), tuple(spans))

    def _by_prefixes(self, template: ChatTemplate, conversation: Conversation) -> Rendered:
        turns = conversation.turns
        text = template.render(turns)
        roles = tuple(turn.role for turn in turns)
        skeleton = self._skeletons.get(roles)
        if skeleton is not None and skeleton.fits(text, turns):
            return Rendered(text, skeleton.spans(turns))
        spans = tuple(
            self._span(template, turns, number, text) for number, turn in enumerate(turns) if turn.role == "assistant"
        )
        if roles not in self._skeletons and len(self._skeletons) < _MOST_SKELETONS:
            self._skeletons[roles] = learn_skeleton(template, turns, text, spans)
        return Rendered(text, spans)

    def _span(self, template: ChatTemplate, turns: Sequence[Turn], number: int, text: str) -> Span:
        start = _prefix_length(template, turns, number, text)
        if start < 0:
            start = _content_start(template, turns, number, text)
            end = self._end_after(text, start, turns[number].content)
            if end < 0:
                raise _no_prefix(number)
            return start, end
        end = self._end_after(text, start, turns[number].content)
        if end < 0:
            through = template.render(turns[: number + 1])
            if not text.startswith(through) or len(through) < start:
                raise _no_prefix(number)
            trailing = self._after_end.search(through)
            end = trailing.start(1) if trailing else len(through)
        return start, end

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


def _prefix_length(template: ChatTemplate, turns: Sequence[Turn], number: int, text: str) -> int:
    """Return the length of what stands before the turn, its header included.

    -1 where the text does not start so, or the template has no header to give (it ignores add_generation_prompt).
    """
    if not number:
        return -1
    try:
        before = template.render(turns[:number], add_generation_prompt=True)
        if before == template.render(turns[:number]):
            return -1
    except DataError:
        # Some templates refuse a conversation that ends before the assistant has spoken.
        return -1
    return len(before) if text.startswith(before) else -1


def _content_start(template: ChatTemplate, turns: Sequence[Turn], number: int, text: str) -> int:
    """Return where the turn's content starts: a mark put before it shows, and the text up to there stays the same."""
    mark = unused_mark(turns)
    other = Turn(turns[number].role, mark + turns[number].content)
    changed = template.render([*turns[:number], other, *turns[number + 1 :]])
    start = changed.find(mark)
    if start < 0 or text[:start] != changed[:start]:
        raise _no_prefix(number)
    return start


def _no_prefix(number: int) -> DataError:
    return DataError(
        f"the chat template writes the text before turn {number + 1} otherwise once that turn is there, so what the "
        "assistant says cannot be told apart. Use a chat template that marks it with {% generation %}."
    )
