"""A list of turns, in OpenAI's or in ShareGPT's names, as the turns of a conversation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row, kind_of
from remote_agent.dataset.shapes.fields import parsed, without_nulls
from remote_agent.dataset.shapes.tools import calls_of


class Names(NamedTuple):
    """What a turn's fields are called."""

    role: str
    content: str


OPENAI = Names("role", "content")
SHAREGPT = Names("from", "value")

_ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "chatgpt": "assistant", "bot": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "ipython": "tool", "function_response": "tool",
}  # fmt: skip
_CALL_ROLES = ("function_call", "tool_call")
_OWN_FIELDS = ("role", "content", "from", "value", "weight", "train", "function_call", "tool_calls")


def turns_of(row: Row, column: str, names: Names) -> list[Turn]:
    """Return the turns of a field that holds a list of them, or JSON text of one.

    Raises:
        DataError: it is no such list, or a turn in it cannot be used; says which.
    """
    try:
        value = parsed(row.fields.get(column))
    except ValueError:
        raise DataError(f"{row.where()}: {column!r} is text that is no JSON; a list of turns is needed.") from None
    if not isinstance(value, list) or not value:
        what = "an empty list" if value == [] else kind_of(value)
        raise DataError(
            f"{row.where()}: {column!r} is {what}; a list of turns with {names.role} and {names.content} is needed."
        )
    return [_turn(row, column, number, item, names) for number, item in enumerate(value, 1)]


def names_in(value: Any) -> Names | None:
    """Return what the turns of a list are called, None where it is no list of turns."""
    try:
        value = parsed(value) if not isinstance(value, str) or value.lstrip()[:1] == "[" else None
    except ValueError:
        return None
    first = value[0] if isinstance(value, list) and value else None
    if not isinstance(first, dict):
        return None
    return next((names for names in (OPENAI, SHAREGPT) if names.role in first), None)


def _turn(row: Row, column: str, number: int, item: Any, names: Names) -> Turn:
    if type(item) is dict and len(item) == 2:
        # The usual turn, a role and text, without a look at what it does not have.
        role, content = item.get(names.role), item.get(names.content)
        if (role == "user" or role == "assistant") and type(content) is str:
            return Turn(role, content)
    where = f"{row.where()}: turn {number} of {column!r}"
    if isinstance(item, dict) and not row.line:
        item = without_nulls(item)
    if not isinstance(item, dict) or names.role not in item or not _says_something(item, names):
        shown = ", ".join(map(repr, item)) if isinstance(item, dict) else kind_of(item)
        raise DataError(
            f"{where} has {shown}{_other_names(item, names)}; {names.role!r} and {names.content!r} are needed. "
            "Rename the fields."
        )
    written = item[names.role]
    weight = _weight(where, item)
    if written in _CALL_ROLES:
        return Turn("assistant", "", {"tool_calls": calls_of(where, item.get(names.content))}, weight)
    role = _ROLES.get(written) if isinstance(written, str) else None
    if role is None:
        raise DataError(
            f"{where} has the role {written!r}; known are {', '.join(_ROLES)}. Rename the role or drop the row."
        )
    extra = _extra(where, item)
    content = _content(where, item.get(names.content), extra)
    return Turn(role, content, extra, weight)


def _says_something(item: dict[str, Any], names: Names) -> bool:
    return names.content in item or bool(item.get("tool_calls") or item.get("function_call"))


def _other_names(item: Any, names: Names) -> str:
    if not isinstance(item, dict):
        return ""
    if names is OPENAI and set(SHAREGPT) <= item.keys():
        return " (these are ShareGPT's names)"
    return " (these are the names of the shape messages)" if names is SHAREGPT and set(OPENAI) <= item.keys() else ""


def _extra(where: str, item: dict[str, Any]) -> dict[str, Any]:
    extra = {key: value for key, value in item.items() if key not in _OWN_FIELDS and value is not None}
    calls = item.get("tool_calls") or item.get("function_call")
    if calls:
        extra["tool_calls"] = calls_of(where, calls)
    return extra


def _content(where: str, value: Any, extra: dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_part(where, number, part) for number, part in enumerate(value, 1))
    if value is None and "tool_calls" in extra:
        # Templates tell a message that only calls from one with empty text.
        extra["content"] = None
        return ""
    raise DataError(f"{where}: the content is {kind_of(value)}; text is needed.")


def _part(where: str, number: int, part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type", "text" if "text" in part else None) if isinstance(part, dict) else None
    if kind in ("text", "input_text", "output_text") and isinstance(part.get("text"), str):
        return str(part["text"])
    found = f"of the type {kind!r}" if isinstance(kind, str) and kind != "text" else "no text"
    raise DataError(
        f"{where}: part {number} of the content is {found}; a language model is trained on text parts only. "
        "Take the part out or drop the row."
    )


def _weight(where: str, item: dict[str, Any]) -> float | None:
    weight = item.get("weight")
    if weight is None:
        train = item.get("train")
        if train is None or isinstance(train, bool):
            return None if train is None or train else 0.0
        raise DataError(f"{where}: 'train' is {kind_of(train)}; true or false is needed.")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not (0 <= weight < math.inf):
        raise DataError(f"{where}: the weight is {weight!r}; a number from 0 is needed, 0 to leave the turn out.")
    return float(weight)
