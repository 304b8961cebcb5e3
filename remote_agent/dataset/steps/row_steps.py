"""The steps that change one row without looking at others: normalise, replace, truncate, map classes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from remote_agent.contract.data_steps import MapLabelsStep, NormaliseStep, ReplaceStep, Step, TruncateStep
from remote_agent.dataset.conversation import Conversation, Example, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.steps.encoding_repair import repaired
from remote_agent.dataset.steps.expression import Expression
from remote_agent.dataset.tokenizer_files import ModelTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

RowStep = Callable[[Sequence[Conversation]], list[Conversation]]
"""Conversations to as many, each from its own alone; one that it does not change comes back as the same object."""

_ROWS_AT_ONCE = 256
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile(r"\r\n?")


def row_step(step: Step, model: ModelTokenizer) -> RowStep | None:
    """Return what the step does to rows, None where it decides over all of them. Raises DataError where it cannot."""
    match step:
        case NormaliseStep():
            return _each("any", lambda text: normalised(text, step))
        case TruncateStep():
            return _each(step.role, lambda text: cut_to_tokens(text, step, model.tokenizer))
        case MapLabelsStep():
            names = label_map(step)
            return lambda conversations: [relabelled(one, names) for one in conversations]
        case ReplaceStep():
            return _replacing(step)
    return None


def applied(examples: Iterable[Example], steps: Sequence[RowStep]) -> Iterator[Example]:
    """Yield the examples in order with the steps applied; those without a conversation stay as they are."""
    if not steps:
        yield from examples
        return
    source = iter(examples)
    while chunk := list(islice(source, _ROWS_AT_ONCE)):
        yield from applied_to(chunk, steps)


def applied_to(chunk: Sequence[Example], steps: Sequence[RowStep]) -> list[Example]:
    """Return a few examples with the steps applied."""
    conversations = [one.conversation for one in chunk if one.conversation is not None]
    for step in steps:
        conversations = step(conversations)
    changed = iter(conversations)
    return [one if one.conversation is None else one._replace(conversation=next(changed)) for one in chunk]


def normalised(text: str, step: NormaliseStep) -> str:
    """Return the text mended in the parts that are turned on; mended text stays as it is."""
    while True:
        before = text
        if step.encoding:
            text = repaired(text)
        if step.controls:
            text = _CONTROLS.sub("", text)
        if step.unicode and not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if step.spaces:
            text = _LINE_ENDS.sub("\n", text).strip()
        # One part can make work for another, such as a control character that hid a wrong encoding.
        if text == before:
            return text


def cut_to_tokens(text: str, step: TruncateStep, tokenizer: Tokenizer) -> str:
    """Return the text cut to the step's tokens at a boundary between characters; it has no more when read again."""
    if len(text.encode("utf-8", "surrogatepass")) < step.tokens:
        return text
    encoding = tokenizer.encode(text, add_special_tokens=False)
    kept = step.tokens
    while len(encoding.ids) > step.tokens:
        # The rest may split into other tokens than it did as a part of the whole, rarely into more.
        offsets = encoding.offsets
        text = text[: offsets[kept - 1][1]] if step.keep == "start" else text[offsets[len(offsets) - kept][0] :]
        encoding = tokenizer.encode(text, add_special_tokens=False)
        kept -= 1
        if kept == 0:
            return ""
    return text


def label_map(step: MapLabelsStep) -> Mapping[str, str]:
    """Return the new name of each class. Raises DataError where a line has no '='."""
    names: dict[str, str] = {}
    for line in step.labels:
        old, equals, new = line.partition("=")
        if not equals:
            raise DataError(f"The class map has the line {line!r}; write OLD=NEW.")
        names[old.strip()] = new.strip()
    return names


def relabelled(conversation: Conversation, names: Mapping[str, str]) -> Conversation:
    """Return the conversation with the new name of its class, also where the assistant answers with the old one."""
    old = conversation.label
    new = names.get(old.strip(), old)
    if not old or new == old:
        return conversation
    turns = tuple(
        turn._replace(content=new) if turn.role == "assistant" and turn.content.strip() == old.strip() else turn
        for turn in conversation.turns
    )
    return conversation._replace(turns=turns, label=new)


def _each(role: str, change: Callable[[str], str]) -> RowStep:
    """Return the step that changes each text of a role by itself."""

    def step(conversations: Sequence[Conversation]) -> list[Conversation]:
        return [
            _with_contents(one, role, (change(turn.content) for turn in one.turns if role in ("any", turn.role)))
            for one in conversations
        ]

    return step


def _replacing(step: ReplaceStep) -> RowStep:
    if not step.find:
        raise DataError("A replace step has nothing to find; fill it in or take the step out.")
    if not step.regex:
        return _each(step.role, lambda text: text.replace(step.find, step.put))
    expression = Expression(step.find, step.put)

    def replace(conversations: Sequence[Conversation]) -> list[Conversation]:
        texts = [turn.content for one in conversations for turn in one.turns if step.role in ("any", turn.role)]
        contents = iter(expression.replaced(texts))
        return [_with_contents(one, step.role, contents) for one in conversations]

    return replace


def _with_contents(conversation: Conversation, role: str, contents: Iterator[str]) -> Conversation:
    """Return the conversation with the next contents in the turns of a role; itself where nothing changes."""
    turns = tuple(_changed(turn, next(contents)) if role in ("any", turn.role) else turn for turn in conversation.turns)
    same = all(new is old for new, old in zip(turns, conversation.turns, strict=True))
    return conversation if same else conversation._replace(turns=turns)


def _changed(turn: Turn, content: str) -> Turn:
    return turn if content == turn.content else turn._replace(content=content)
