"""The functions an assistant may call, and its calls, in the form that chat templates read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row, kind_of
from remote_agent.dataset.shapes.fields import parsed, without_nulls

Tool = dict[str, Any]


def tools_of(row: Row, column: str) -> tuple[Tool, ...]:
    """Return the row's functions as ``{"type": "function", "function": {..}}``; the column may hold JSON text.

    Raises:
        DataError: it is no list of functions with a name.
    """
    value = row.fields.get(column) if column else None
    if value is None or value == "":
        return ()
    where = f"{row.where()}: {column!r}"
    try:
        value = parsed(value)
        found = [parsed(item) for item in value] if isinstance(value, list) else value
    except ValueError:
        raise DataError(f"{where} is text that is no JSON; a list of functions is needed.") from None
    if not found:
        return ()
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise DataError(f"{where} is {kind_of(found)}; a list of functions is needed.")
    return tuple(
        _tool(where, number, item if row.line else without_nulls(item)) for number, item in enumerate(found, 1)
    )


def _tool(where: str, number: int, item: Any) -> Tool:
    if isinstance(item, dict):
        if "function" in item or "name" not in item:
            if isinstance(item.get("function"), dict) or "type" in item:
                return item
        else:
            return {"type": "function", "function": item}
    raise DataError(f"{where}: function {number} is no object with a name. Mend or drop the row.")


def calls_of(where: str, value: Any) -> list[dict[str, Any]]:
    """Return calls as ``{"type": "function", "function": {"name", "arguments"}}``, arguments as an object.

    The OpenAI form writes the arguments as JSON text; templates write them as JSON themselves, so that text would be
    quoted a second time.

    Raises:
        DataError: a call has no name; ``where`` starts the sentence.
    """
    try:
        value = parsed(value)
    except ValueError:
        raise DataError(f"{where}: a function call is text that is no JSON; name and arguments are needed.") from None
    items = value if isinstance(value, list) else [value]
    return [_call(where, item) for item in items]


def _call(where: str, item: Any) -> dict[str, Any]:
    function = item.get("function", item) if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise DataError(f"{where}: a function call is no object with name and arguments. Mend or drop the row.")
    arguments = function.get("arguments", {})
    try:
        arguments = parsed(arguments)
    except ValueError:
        arguments = function["arguments"]
    if not isinstance(arguments, dict):
        # Whatever it is, it was called so; the template writes it as it can.
        arguments = function["arguments"] if arguments is not None else {}
    rest = {key: value for key, value in item.items() if key not in ("function", "name", "arguments", "type")}
    rest = {key: value for key, value in rest.items() if value is not None}
    return {**rest, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def numbered(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns with an id for each call, nine digits as Mistral asks for, and the calls' ids at their results.

    A result also gets its function's name, which some templates write.
    """
    open_calls: list[tuple[str, str]] = []
    count = 0
    found = []
    for turn in turns:
        if turn.extra.get("tool_calls"):
            calls = []
            for call in turn.extra["tool_calls"]:
                count += 1
                calls.append({"id": f"{count:09d}", **call})
                open_calls.append((calls[-1]["id"], call["function"]["name"]))
            turn = turn._replace(extra={**turn.extra, "tool_calls": calls})
        elif turn.role == "tool" and open_calls:
            number, name = open_calls.pop(0)
            turn = turn._replace(extra={"tool_call_id": number, "name": name, **turn.extra})
        found.append(turn)
    return found
