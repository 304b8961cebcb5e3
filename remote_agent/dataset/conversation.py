"""What shape rows have, said with its reason, and each row as the turns of a conversation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row, kind_of

ALPACA, PROMPT_COMPLETION, MESSAGES = "alpaca", "prompt_completion", "messages"
_NEEDED = {ALPACA: ("instruction", "output"), PROMPT_COMPLETION: ("prompt", "completion")}
_ROLES = ("system", "user", "assistant")


class Turn(NamedTuple):
    """Who speaks and what is said.

    Attributes:
        role: system, user, assistant or tool.
        content: the text; empty where the assistant only calls tools.
        extra: what else the template reads of the message: tool_calls, tool_call_id, name, reasoning_content.
        weight: its share in the loss; None leaves that to ``train_on``, 0 takes it out.
    """

    role: str
    content: str
    extra: Mapping[str, Any] = MappingProxyType({})
    weight: float | None = None


class Conversation(NamedTuple):
    """A row's turns.

    Attributes:
        turns: in their order; of plain text for continued pretraining, one turn of role "text".
        glued: prompt and response follow each other with nothing between them.
        tools: the functions that the assistant may call, as the template takes them.
        label: the row's class, empty where there is none.
    """

    turns: tuple[Turn, ...]
    glued: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    label: str = ""


class Example(NamedTuple):
    """A row and what it says after the job's steps.

    ``conversation`` is None where the row cannot be used, and ``problem`` then says why. ``origin`` says how the row
    came to be where it stands in no file.
    """

    row: Row
    conversation: Conversation | None
    problem: str = ""
    origin: str = ""


class Shape(NamedTuple):
    """A shape's name, the sentence that says why it was chosen, and the columns that are not read."""

    name: str
    reason: str
    unused: tuple[str, ...] = ()


def detect_shape(row: Row, chosen: str = "auto") -> Shape:
    """Return the shape of rows like this one; anything but "auto" is taken at its word, once its columns are there.

    Raises:
        DataError: a needed column is missing; names what was found and what is needed.
    """
    columns = list(row.fields)
    found = ", ".join(map(repr, columns)) or "none"
    if chosen != "auto":
        _check_columns(row, chosen, found)
        return Shape(chosen, f"Chosen in the job; the columns are {found}.", _unused(row, chosen))
    if _messages_column(row):
        reason = f"The column {_messages_column(row)!r} holds a list of turns."
        return Shape(MESSAGES, reason, _unused(row, MESSAGES))
    for name, needed in _NEEDED.items():
        if all(column in columns for column in needed):
            return Shape(name, f"The columns {needed[0]!r} and {needed[1]!r} are there.", _unused(row, name))
    raise DataError(
        f"{row.where()}: no shape fits the columns {found}. Needed: instruction and output (alpaca), "
        "prompt and completion, or messages (a list of role and content). Rename the columns."
    )


def _check_columns(row: Row, shape: str, found: str) -> None:
    if shape == MESSAGES:
        if not _messages_column(row):
            raise DataError(f"{row.where()}: the column 'messages' is missing; found {found}. Choose another shape.")
        return
    missing = [column for column in _NEEDED[shape] if column not in row.fields]
    if missing:
        raise DataError(
            f"{row.where()}: the column {missing[0]!r} is missing; found {found}. Choose another shape or rename it."
        )


def _unused(row: Row, shape: str) -> tuple[str, ...]:
    read = (_messages_column(row),) if shape == MESSAGES else (*_NEEDED[shape], "input" if shape == ALPACA else "")
    return tuple(column for column in row.fields if column not in read)


def _messages_column(row: Row) -> str:
    return next((column for column in ("messages", "conversations") if column in row.fields), "")


def example(row: Row, shape: str, system_prompt: str = "") -> Example:
    """Return the row with its turns, or with the reason why it has none."""
    if row.problem:
        return Example(row, None, row.problem)
    try:
        return Example(row, conversation(row, shape, system_prompt))
    except DataError as error:
        return Example(row, None, str(error))


def conversation(row: Row, shape: str, system_prompt: str = "") -> Conversation:
    """Return the row's turns, with ``system_prompt`` before those that have no system turn of their own.

    Raises:
        DataError: a field is missing, no text, or a role is unknown; names file, line and what to do.
    """
    turns, glued = _BUILDERS[shape](row)
    for turn in turns:
        _check_text(row, turn)
    if system_prompt and turns[0].role != "system":
        turns = [Turn("system", system_prompt), *turns]
    return Conversation(tuple(turns), glued)


def _alpaca(row: Row) -> tuple[list[Turn], bool]:
    instruction = _text(row, "instruction")
    extra = "" if row.fields.get("input") is None else _text(row, "input")
    prompt = f"{instruction}\n\n{extra}" if extra and instruction else instruction or extra
    return [Turn("user", prompt), Turn("assistant", _text(row, "output"))], False


def _prompt_completion(row: Row) -> tuple[list[Turn], bool]:
    return [Turn("user", _text(row, "prompt")), Turn("assistant", _text(row, "completion"))], True


def _messages(row: Row) -> tuple[list[Turn], bool]:
    column = _messages_column(row)
    value = row.fields.get(column)
    if isinstance(value, str):
        value = _parsed(row, column, value)
    if not isinstance(value, list) or not value:
        what = "an empty list" if value == [] else kind_of(value)
        raise DataError(f"{row.where()}: {column!r} is {what}; a list of turns with role and content is needed.")
    return [_turn(row, column, number, item) for number, item in enumerate(value, 1)], False


def _turn(row: Row, column: str, number: int, item: Any) -> Turn:
    where = f"{row.where()}: turn {number} of {column!r}"
    if not isinstance(item, dict) or "role" not in item or "content" not in item:
        shown = ", ".join(map(repr, item)) if isinstance(item, dict) else kind_of(item)
        hint = " (these are ShareGPT's names)" if isinstance(item, dict) and {"from", "value"} <= item.keys() else ""
        raise DataError(f"{where} has {shown}{hint}; 'role' and 'content' are needed. Rename the fields.")
    role, content = item["role"], item["content"]
    if role not in _ROLES:
        raise DataError(
            f"{where} has the role {role!r}; known are {', '.join(_ROLES)}. Rename the role or drop the row."
        )
    if not isinstance(content, str):
        raise DataError(f"{where}: the content is {kind_of(content)}; text is needed.")
    return Turn(role, content)


def _parsed(row: Row, column: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{row.where()}: {column!r} is text that is no JSON; a list of turns is needed.") from None


def _text(row: Row, column: str) -> str:
    if column not in row.fields:
        raise DataError(
            f"{row.where()}: the column {column!r} is missing here; other rows have it. Add or drop the row."
        )
    value = row.fields[column]
    if not isinstance(value, str):
        hint = "Put it in quotes." if isinstance(value, (int, float)) else "Fill it in or drop the row."
        raise DataError(f"{row.where()}: {column!r} is {kind_of(value)}; text is needed. {hint}")
    return value


def _check_text(row: Row, turn: Turn) -> None:
    if turn.content.isascii():
        return
    try:
        turn.content.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(turn.content[error.start])
        raise DataError(
            f"{row.where()}: the {turn.role}'s text holds half of a character (\\u{code:04x}); mend or drop the row."
        ) from None


_BUILDERS: dict[str, Callable[[Row], tuple[list[Turn], bool]]] = {
    ALPACA: _alpaca,
    PROMPT_COMPLETION: _prompt_completion,
    MESSAGES: _messages,
}
