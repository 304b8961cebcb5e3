"""Where runs came from, for a report: the hashes of their inputs, and the environment that they were launched in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from studio.store.rows import RunRow

_UNTOLD = ("memory",)
_LONGEST = 400


def provenance_table(rows: Sequence[RunRow]) -> list[list[str]]:
    """Return a heading row, then a row for each thing that is known of any run, with its value for each.

    Args:
        rows: the runs, in the order of the columns. One that another computer launched has nothing.
    """
    columns = [dict(_flat("", _bundle(row))) for row in rows]
    names = dict.fromkeys(name for column in columns for name in column)
    return [["", *(row.name for row in rows)], *([name, *(one.get(name, "–") for one in columns)] for name in names)]


def _bundle(row: RunRow) -> dict[str, Any]:
    try:
        found = json.loads(row.bundle) if row.bundle else {}
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if name not in _UNTOLD} if isinstance(found, dict) else {}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield what lies in dicts and lists by its dotted path; empty values say nothing."""
    inside = value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    for name, one in inside:
        yield from _flat(f"{prefix}.{name}" if prefix else str(name), one)
    if not isinstance(value, dict | list) and value not in ("", None):
        yield prefix, str(value)[:_LONGEST]
