"""A conversation as one text, with the spans in it that are trained: what the assistant says and its end of turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from remote_agent.dataset.chat_template import ChatTemplate, Span
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.skeleton import Skeleton, learn_skeleton
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from remote_agent.dataset.turn_spans import TurnFinder, TurnSpan, content_ranges, spans_of_markers

_BETWEEN_TURNS = "\n\n"
_MOST_SKELETONS = 64
_LEARNT = ("assistant", "text")


class Rendered(NamedTuple):
    """The text that is tokenized, and the trained spans in characters, in order.

    ``weights``: each span's share in the loss; empty where all are 1.
    """

    text: str
    spans: tuple[Span, ...]
    weights: tuple[float, ...] = ()


class Renderer:
    """Renders conversations for one model; made once, used for every row.

    ``train_on``: assistant, last or all, as `DataSpec` names it; a turn's own weight goes before it.
    """

    def __init__(self, model: ModelTokenizer, train_on: str = "assistant") -> None:
        self._model = model
        self._train_on = train_on
        self._skeletons: dict[tuple[str, ...], Skeleton | None] = {}
        self._finder = TurnFinder(model.template, model.special_texts) if model.template is not None else None

    def render(self, conversation: Conversation) -> Rendered:
        """Return text and trained spans.

        Without a chat template the turns are joined as plain text, each response followed by the end token. Plain text
        is trained whole, its end token included.

        Raises:
            DataError: the template refuses the conversation, or does not let the assistant's part be told apart.
        """
        template = self._model.template
        if template is None and any(turn.extra for turn in conversation.turns):
            conversation = conversation._replace(turns=tuple(map(with_calls_as_text, conversation.turns)))
        weighted = any(turn.weight is not None for turn in conversation.turns)
        if template is None or conversation.turns[0].role == "text":
            text, spans = self._plain(conversation)
            if self._train_on != "all":
                spans = tuple(span for span in spans if conversation.turns[span.number].role in _LEARNT)
            return self._trained(conversation, text, spans, weighted)
        if self._train_on == "all" and not weighted:
            text = template.render(conversation.turns, tools=conversation.tools)
            return Rendered(text, ((0, len(text)),))
        return self._by_skeleton(template, conversation, weighted)

    def _by_skeleton(self, template: ChatTemplate, conversation: Conversation, weighted: bool) -> Rendered:
        """Render with what was learnt from an earlier row of the same roles; learn it where there was none."""
        turns, tools = conversation.turns, conversation.tools
        if tools or any([turn.extra for turn in turns]):
            return self._by_template(template, conversation, weighted)
        roles = tuple([turn.role for turn in turns])
        skeleton = self._skeletons.get(roles)
        if skeleton is not None and (template.is_opaque or not template.marks_generation):
            text = skeleton.text(turns)
            if template.is_opaque or text == template.render(turns):
                spans = skeleton.spans(turns)
                if self._train_on == "assistant" and not weighted:
                    return Rendered(text, spans)
                numbers = [number for number, _, _ in skeleton.trained]
                found = [TurnSpan(number, *span) for number, span in zip(numbers, spans, strict=True)]
                return self._trained(conversation, text, found, weighted)
        return self._by_template(template, conversation, weighted, learn=roles not in self._skeletons)

    def _by_template(
        self, template: ChatTemplate, conversation: Conversation, weighted: bool, learn: bool = False
    ) -> Rendered:
        turns, tools = conversation.turns, conversation.tools
        spans: Sequence[TurnSpan] = ()
        by_role_alone = self._train_on == "assistant" and not weighted
        if template.marks_generation:
            text, trained = template.render_with_spans(turns, tools)
            if not by_role_alone:
                spans = spans_of_markers(template, turns, tools, text, trained)
        else:
            assert self._finder is not None
            text = template.render(turns, tools=tools)
            spans = self._finder.spans(turns, tools, text)
            trained = [(start, end) for _, start, end in spans]
        if learn and len(self._skeletons) < _MOST_SKELETONS:
            self._skeletons[tuple([turn.role for turn in turns])] = learn_skeleton(template, turns, text, trained)
        return Rendered(text, tuple(trained)) if by_role_alone else self._trained(conversation, text, spans, weighted)

    def _plain(self, conversation: Conversation) -> tuple[str, tuple[TurnSpan, ...]]:
        """Return the turns joined, and where each stands in the text."""
        special = self._model.special_tokens
        end = special.get("eos_token", "")
        parts = [special.get("bos_token", "")] if self._model.starts_with_bos else []
        length = len(parts[0]) if parts else 0
        spans: list[TurnSpan] = []
        previous = ""
        for number, turn in enumerate(conversation.turns):
            glued = not previous or (conversation.glued and previous == "user")
            part = ("" if glued else _BETWEEN_TURNS) + turn.content
            start = length + len(part) - len(turn.content)
            if turn.role in _LEARNT:
                part += end
            spans.append(TurnSpan(number, start, length + len(part)))
            parts.append(part)
            length += len(part)
            previous = turn.role
        return "".join(parts), tuple(spans)

    def _trained(self, conversation: Conversation, text: str, spans: Sequence[TurnSpan], weighted: bool) -> Rendered:
        turns = conversation.turns
        if self._train_on == "all":
            return self._all_but(conversation, text, spans) if weighted else Rendered(text, ((0, len(text)),))
        if self._train_on == "last" and turns[0].role != "text":
            last = max((span.number for span in spans), default=-1)
            spans = [span for span in spans if span.number == last or turns[span.number].weight is not None]
        if not weighted:
            return Rendered(text, tuple([(start, end) for _, start, end in spans]))
        weights = [_weight(turns[span.number]) for span in spans]
        kept = [((start, end), weight) for (_, start, end), weight in zip(spans, weights, strict=True) if weight]
        some = any(weight != 1 for _, weight in kept)
        return Rendered(text, tuple(span for span, _ in kept), tuple(weight for _, weight in kept) if some else ())

    def _all_but(self, conversation: Conversation, text: str, spans: Sequence[TurnSpan]) -> Rendered:
        """Return the whole text trained, but the turns that have a weight by that weight."""
        turns, template = conversation.turns, self._model.template
        places = {span.number: (span.start, span.end) for span in spans}
        others = [number for number, turn in enumerate(turns) if turn.weight is not None and number not in places]
        if others and template is not None:
            ranges = content_ranges(template, turns, conversation.tools, text)
            places.update({number: place for number in others if (place := ranges[number]) is not None})
        kept: list[tuple[Span, float]] = []
        at = 0
        for number, (start, end) in sorted(places.items(), key=lambda item: item[1]):
            if turns[number].weight is not None:
                kept += [((at, start), 1.0), ((start, end), _weight(turns[number]))]
                at = end
        kept = [(span, weight) for span, weight in [*kept, ((at, len(text)), 1.0)] if weight and span[0] < span[1]]
        return Rendered(text, tuple(span for span, _ in kept), tuple(weight for _, weight in kept))


def _weight(turn: Turn) -> float:
    return 1.0 if turn.weight is None else turn.weight


def with_calls_as_text(turn: Turn) -> Turn:
    """Return a turn whose calls stand in its content, each a line of JSON with name and arguments."""
    calls = turn.extra.get("tool_calls")
    if not calls:
        return turn
    lines = [json.dumps(call.get("function", call), ensure_ascii=False) for call in calls]
    content = "\n".join([turn.content, *lines] if turn.content else lines)
    extra = {key: value for key, value in turn.extra.items() if key not in ("tool_calls", "content")}
    return turn._replace(content=content, extra=extra)
