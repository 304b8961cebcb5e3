"""Which shape rows have and which columns it is read from, with the reason, from the first rows."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from remote_agent.contract.data_spec import ColumnsSpec
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row
from remote_agent.dataset.shapes.fields import named
from remote_agent.dataset.shapes.turns import SHAREGPT, Names, names_in

_USUAL: Mapping[str, tuple[str, ...]] = {
    "prompt": ("instruction", "prompt", "question", "query", "input", "inputs", "problem", "user", "human"),
    "input": ("input", "context"),
    "response": (
        "output", "completion", "response", "answer", "chosen", "target", "targets", "solution", "assistant", "outputs",
    ),
    "system": ("system", "system_prompt"),
    "messages": ("messages", "conversations", "conversation", "chat", "dialogue", "dialog", "turns", "chosen"),
    "tools": ("tools", "functions"),
    "text": ("text", "content", "sentence", "document", "review", "tweet"),
    "label": ("label_text", "label", "labels", "class", "category", "sentiment"),
}  # fmt: skip
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "alpaca": ("prompt", "response"),
    "prompt_completion": ("prompt", "response"),
    "messages": ("messages",),
    "sharegpt": ("messages",),
    "text": ("text",),
    "classification": ("text", "label"),
}
_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "alpaca": ("input", "system", "tools"),
    "prompt_completion": ("system", "tools"),
    "messages": ("system", "tools"),
    "sharegpt": ("system", "tools"),
    "text": (),
    "classification": ("system",),
}
_FIRST_NAME = {
    "alpaca": {"prompt": "instruction", "response": "output"},
    "prompt_completion": {"prompt": "prompt", "response": "completion"},
}
_HOW = (
    "Needed: instruction and output (alpaca), prompt and completion, messages (a list of role and content), "
    "conversations (a list of from and value), text, or text and label. "
    "Rename the columns or say which column is which."
)


class Found(NamedTuple):
    """A shape, the columns that play its parts, and why."""

    shape: str
    columns: ColumnsSpec
    reason: str


def found_shape(first: Sequence[Row], chosen: str, mapped: ColumnsSpec) -> Found:
    """Return the shape of these rows; anything but "auto" is taken at its word once its columns are there.

    Raises:
        DataError: there is no row that could be read, no shape fits, or a needed column is missing.
    """
    usable = [row for row in first if not row.problem]
    if not usable:
        raise DataError(first[0].problem if first else "There is no row in the data; choose a file with rows.")
    present = list(dict.fromkeys(column for row in usable for column in row.fields))
    wrong = [name for name in _mapping(mapped).values() if name not in present]
    if wrong:
        raise DataError(
            f"{usable[0].file}: the column {wrong[0]!r} is named in the job but is not there; found {named(present)}."
        )
    if chosen != "auto":
        return _chosen(usable[0], chosen, mapped, present)
    votes = Counter(vote for row in usable if (vote := _vote(row.fields, mapped)))
    if not votes:
        raise DataError(f"{usable[0].where()}: no shape fits the columns {named(present)}. {_HOW}")
    (shape, needed), count = votes.most_common(1)[0]
    parts = dict(zip(_NEEDED[shape], needed, strict=True))
    reason = _reason(shape, parts)
    if count < len(usable):
        reason += f" So it is in {count} of the first {len(usable)} rows."
    return Found(shape, _with_optional(shape, parts, mapped, present), reason)


def _mapping(mapped: ColumnsSpec) -> dict[str, str]:
    return {part: name for part, name in dataclasses.asdict(mapped).items() if name}


def _chosen(row: Row, shape: str, mapped: ColumnsSpec, present: Sequence[str]) -> Found:
    parts: dict[str, str] = {}
    for part in _NEEDED[shape]:
        usual = (_FIRST_NAME.get(shape, {}).get(part, ""), *_USUAL[part])
        name = getattr(mapped, part) or _first_of(usual, present, parts.values())
        if not name:
            raise DataError(
                f"{row.where()}: the column {next(filter(None, usual))!r} is missing; found {named(list(present))}. "
                "Choose another shape, rename it, or say which column it is."
            )
        parts[part] = name
    reason = f"Chosen in the job; the columns are {named(list(present))}."
    return Found(shape, _with_optional(shape, parts, mapped, present), reason)


def _vote(fields: Mapping[str, Any], mapped: ColumnsSpec) -> tuple[str, tuple[str, ...]] | None:
    """Return the shape of one row and the columns it needs, None where none fits."""
    return _list_of_turns(fields, mapped) or _pair(fields, mapped) or _text(fields, mapped)


def _list_of_turns(fields: Mapping[str, Any], mapped: ColumnsSpec) -> tuple[str, tuple[str, ...]] | None:
    if mapped.messages:
        return _shape_of(names_in(fields.get(mapped.messages))), (mapped.messages,)
    if mapped.prompt or mapped.response or mapped.text:
        return None
    known = [column for usual in _USUAL["messages"] if (column := _first_of((usual,), fields, ()))]
    has_prompt = bool(_first_of(("prompt",), fields, ()))
    for column in known:
        names = names_in(fields[column])
        if names and not (column.lower() == "chosen" and has_prompt and _is_answer(fields[column])):
            return _shape_of(names), (column,)
    # Of a list that is empty or broken in this row nothing else would come.
    sure = next((column for column in known[:1] if column.lower() in ("messages", "conversations")), "")
    return ("messages", (sure,)) if sure and not _pair(fields, mapped) else None


def _shape_of(names: Names | None) -> str:
    return "sharegpt" if names is SHAREGPT else "messages"


def _is_answer(value: Any) -> bool:
    return isinstance(value, list) and isinstance(value[0], dict) and value[0].get("role") == "assistant"


def _pair(fields: Mapping[str, Any], mapped: ColumnsSpec) -> tuple[str, tuple[str, ...]] | None:
    if mapped.text or mapped.label:
        return None
    prompt = mapped.prompt or _first_of(_USUAL["prompt"], fields, (mapped.response,))
    response = mapped.response or _first_of(_USUAL["response"], fields, (prompt,))
    if not prompt or not response or not (_may_be_said(fields.get(prompt)) and _may_be_said(fields.get(response))):
        return None
    shape = "prompt_completion" if response.lower() == "completion" else "alpaca"
    return shape, (prompt, response)


def _text(fields: Mapping[str, Any], mapped: ColumnsSpec) -> tuple[str, tuple[str, ...]] | None:
    text = mapped.text or _first_of(_USUAL["text"], fields, (mapped.label,))
    if not text or isinstance(fields.get(text), (dict, list)):
        return None
    label = mapped.label or ("" if mapped.text else _first_of(_USUAL["label"], fields, (text,)))
    if label and isinstance(fields.get(label), (str, int)):
        return "classification", (text, label)
    return ("text", (text,)) if not mapped.label else None


def _may_be_said(value: Any) -> bool:
    return not isinstance(value, (dict, list)) or names_in(value) is not None


def _with_optional(shape: str, parts: dict[str, str], mapped: ColumnsSpec, present: Sequence[str]) -> ColumnsSpec:
    parts = dict(parts)
    for part in _OPTIONAL[shape]:
        usual = _USUAL[part]
        name = getattr(mapped, part) or _first_of(usual, present, parts.values())
        # A column that only later rows have is read by its usual name.
        parts[part] = name or ("" if usual[0] in parts.values() else usual[0])
    return ColumnsSpec(**parts)


def _first_of(usual: Sequence[str], present: Sequence[str] | Mapping[str, Any], taken: Any) -> str:
    """Return the first usual name that is a column, by its exact name or in another case; empty where none is."""
    for name in usual:
        if name and name in present and name not in taken:
            return name
    lower: dict[str, str] | None = None
    for name in usual:
        if lower is None:
            lower = {column.lower(): column for column in present}
        column = lower.get(name, "")
        if column and column not in taken:
            return column
    return ""


def _reason(shape: str, parts: Mapping[str, str]) -> str:
    names = list(parts.values())
    if shape == "messages":
        return f"The column {names[0]!r} holds a list of turns."
    if shape == "sharegpt":
        return f"The column {names[0]!r} holds a list of turns named from and value."
    if shape == "text":
        return f"The column {names[0]!r} holds text, and no column answers it."
    if shape == "classification":
        return f"The column {names[0]!r} holds text and {names[1]!r} its class."
    usual = _FIRST_NAME[shape]
    if names == list(usual.values()):
        return f"The columns {names[0]!r} and {names[1]!r} are there."
    return f"The columns {names[0]!r} and {names[1]!r} are there, read as {usual['prompt']} and {usual['response']}."
