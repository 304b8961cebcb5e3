"""A row's fields as the shapes need them: text, parsed JSON, and a sentence where a field is something else."""

from __future__ import annotations

import json
from typing import Any

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row, kind_of

_MOST_NAMES = 20


def named(columns: list[str]) -> str:
    """Return column names in quotes, the first twenty of many."""
    shown = ", ".join(map(repr, columns[:_MOST_NAMES])) or "none"
    return f"{shown} and {len(columns) - _MOST_NAMES:,} more" if len(columns) > _MOST_NAMES else shown


def text_of(row: Row, column: str) -> str:
    """Return a field that has to be text. Raises DataError where it is missing or something else."""
    value = row.fields.get(column)
    if isinstance(value, str):
        return value
    if column not in row.fields:
        raise DataError(
            f"{row.where()}: the column {column!r} is missing here; other rows have it. Add or drop the row."
        )
    hint = "Put it in quotes." if isinstance(value, (int, float)) else "Fill it in or drop the row."
    raise DataError(f"{row.where()}: {column!r} is {kind_of(value)}; text is needed. {hint}")


def optional_text(row: Row, column: str) -> str:
    """Return a field that may be absent or null, empty then. Raises DataError where it is no text."""
    return "" if not column or row.fields.get(column) is None else text_of(row, column)


def parsed(value: Any) -> Any:
    """Return what JSON text says, and anything else as it is. Raises ValueError where text is no JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def without_nulls(value: Any) -> Any:
    """Return the value without fields that are null: columnar files give every record the fields of all others."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def check_text(row: Row, role: str, value: Any) -> None:
    """Raise DataError where text, however deep it lies in the value, holds half of a character (a lone surrogate)."""
    if isinstance(value, str):
        if value.isascii():
            return
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            code = ord(value[error.start])
            raise DataError(
                f"{row.where()}: the {role}'s text holds half of a character (\\u{code:04x}); mend or drop the row."
            ) from None
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(row, role, key)
            check_text(row, role, item)
    elif isinstance(value, list):
        for item in value:
            check_text(row, role, item)
