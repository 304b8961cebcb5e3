"""The turns of a row, shape by shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from remote_agent.contract.data_spec import ColumnsSpec, DataSpec
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row, kind_of
from remote_agent.dataset.shapes.fields import optional_text, text_of
from remote_agent.dataset.shapes.tools import numbered, tools_of
from remote_agent.dataset.shapes.turns import OPENAI, SHAREGPT, Names, names_in, turns_of

_PLACES = re.compile(r"\{(text|labels)\}")


class Build(NamedTuple):
    """What building a row's conversation needs: its columns and the job's words."""

    columns: ColumnsSpec
    data: DataSpec


Builder = Callable[[Row, Build], Conversation]


def alpaca(row: Row, build: Build) -> Conversation:
    """Return instruction, with the input under it, and output."""
    columns = build.columns
    if isinstance(row.fields.get(columns.prompt), list) or isinstance(row.fields.get(columns.response), list):
        return _pair_of_lists(row, build)
    instruction = text_of(row, columns.prompt)
    extra = optional_text(row, columns.input)
    prompt = f"{instruction}\n\n{extra}" if extra and instruction else instruction or extra
    turns = [Turn("user", prompt), Turn("assistant", text_of(row, columns.response))]
    return _conversation(row, build, turns)


def prompt_completion(row: Row, build: Build) -> Conversation:
    """Return prompt and completion, with nothing between them where there is no chat template."""
    columns = build.columns
    if isinstance(row.fields.get(columns.prompt), list) or isinstance(row.fields.get(columns.response), list):
        return _pair_of_lists(row, build)
    turns = [Turn("user", text_of(row, columns.prompt)), Turn("assistant", text_of(row, columns.response))]
    return _conversation(row, build, turns, glued=True)


def messages(row: Row, build: Build) -> Conversation:
    """Return the turns of a list in OpenAI's names."""
    return _conversation(row, build, turns_of(row, build.columns.messages, OPENAI))


def sharegpt(row: Row, build: Build) -> Conversation:
    """Return the turns of a list in ShareGPT's names; its calls have no ids, so they are numbered."""
    return _conversation(row, build, numbered(turns_of(row, build.columns.messages, SHAREGPT)))


def text(row: Row, build: Build) -> Conversation:
    """Return plain text for continued pretraining."""
    return Conversation((Turn("text", text_of(row, build.columns.text)),))


def classification(row: Row, build: Build) -> Conversation:
    """Return a text, asked by the job's prompt, and its class."""
    label = _label(row, build.columns.label, build.data.label_names)
    values = {"text": text_of(row, build.columns.text), "labels": ", ".join(build.data.label_names)}
    asked = _PLACES.sub(lambda found: values[found[1]], build.data.classification_prompt)
    conversation = _conversation(row, build, [Turn("user", asked), Turn("assistant", label)])
    return conversation._replace(label=label)


BUILDERS: dict[str, Builder] = {
    "alpaca": alpaca,
    "prompt_completion": prompt_completion,
    "messages": messages,
    "sharegpt": sharegpt,
    "text": text,
    "classification": classification,
}


def _conversation(row: Row, build: Build, turns: Sequence[Turn], glued: bool = False) -> Conversation:
    columns = build.columns
    if turns[0].role != "system":
        own = optional_text(row, columns.system) or build.data.system_prompt
        if own:
            turns = [Turn("system", own), *turns]
    return Conversation(tuple(turns), glued, tools_of(row, columns.tools))


def _pair_of_lists(row: Row, build: Build) -> Conversation:
    """Return prompt and response where either is a list of turns: what the prompt's assistant said is not learnt."""
    asked = _turns_or_text(row, build.columns.prompt, "user")
    answered = _turns_or_text(row, build.columns.response, "assistant")
    if answered[0].role != "assistant":
        # The list repeats the prompt, as lists of chosen answers do.
        return _conversation(row, build, answered)
    before = [turn._replace(weight=0.0) if turn.role == "assistant" else turn for turn in asked]
    return _conversation(row, build, [*before, *answered])


def _turns_or_text(row: Row, column: str, role: str) -> list[Turn]:
    value = row.fields.get(column)
    if not isinstance(value, list):
        return [Turn(role, text_of(row, column))]
    names: Names | None = names_in(value)
    if names is None:
        return [Turn(role, text_of(row, column))]
    return turns_of(row, column, names)


def _label(row: Row, column: str, names: Sequence[str]) -> str:
    value: Any = row.fields.get(column)
    if isinstance(value, str) and value:
        number = value if value.strip().lstrip("-").isdigit() and names and value not in names else ""
        if not number:
            return value
        value = int(number)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        what = "empty" if value == "" else kind_of(value)
        raise DataError(f"{row.where()}: the class in {column!r} is {what}; a word or a number is needed.")
    if not names:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not 0 <= value < len(names):
        raise DataError(
            f"{row.where()}: the class in {column!r} is {int(value)}; data.label_names names 0 to {len(names) - 1}. "
            "Name more classes or drop the row."
        )
    return names[value]
