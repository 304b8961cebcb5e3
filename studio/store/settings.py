"""The settings of many runs side by side: for each field of the job the values of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

Value = str | float | int | bool | None


def settings_columns(jobs: Sequence[str]) -> dict[str, list[Value]]:
    """Return for each field's dotted path its value in every job, None where a job has no such field.

    Args:
        jobs: the texts of job.json files; one that is none has no field. Jobs that are the same are read once.

    Lists and what they hold are one value, as the text that they are in the file.
    """
    columns: dict[str, list[Value]] = {}
    first_of: dict[str, int] = {}
    for row, job in enumerate(jobs):
        first = first_of.setdefault(job, row)
        if first != row:
            for column in columns.values():
                column[row] = column[first]
        else:
            _enter("", _decoded(job), row, columns, len(jobs))
    return columns


def _decoded(job: str) -> Any:
    try:
        return msgspec.json.decode(job)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return {}


def _enter(prefix: str, group: Any, row: int, columns: dict[str, list[Value]], rows: int) -> None:
    if not isinstance(group, dict):
        return
    for name, value in group.items():
        path = prefix + name
        if isinstance(value, dict):
            _enter(path + ".", value, row, columns, rows)
            continue
        column = columns.get(path)
        if column is None:
            column = columns[path] = [None] * rows
        column[row] = msgspec.json.encode(value).decode() if isinstance(value, list) else value
