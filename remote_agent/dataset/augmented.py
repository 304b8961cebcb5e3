"""Rows that an augment step made, read from the file they are kept in; whoever makes them writes that file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.sources import file_hash


class AugmentedRow(NamedTuple):
    """A row that was made of another: the number of the step, the index of the row it was made of, what it says."""

    step: int
    of_row: int
    conversation: Conversation
    origin: str


def augmented_rows(path: Path) -> Iterator[AugmentedRow]:
    """Yield the rows of the file in order.

    A line is ``{"step", "row", "origin", "label", "glued", "tools", "turns"}``, a turn ``{"role", "content", "extra",
    "weight"}``.

    Raises:
        DataError: a line is not of that form; names file and line.
    """
    with path.open("r", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _row(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path.name} line {number}: no augmented row ({error}). Delete the file and make the rows again."
                ) from None


def augmented_line(row: AugmentedRow) -> str:
    """Return a row as a line of the file, its line end included."""
    conversation = row.conversation
    turns = [
        {"role": turn.role, "content": turn.content, "extra": dict(turn.extra), "weight": turn.weight}
        for turn in conversation.turns
    ]
    value = {
        "step": row.step, "row": row.of_row, "origin": row.origin, "label": conversation.label,
        "glued": conversation.glued, "tools": [dict(tool) for tool in conversation.tools], "turns": turns,
    }  # fmt: skip
    return json.dumps(value, ensure_ascii=True) + "\n"


def augmented_hash(path: Path | None) -> str:
    """Return the SHA-256 of the file, empty where there is none."""
    return file_hash(path) if path is not None and path.is_file() else ""


def _row(value: dict[str, Any]) -> AugmentedRow:
    turns = tuple(Turn(one["role"], one["content"], one["extra"], one["weight"]) for one in value["turns"])
    conversation = Conversation(turns, value["glued"], tuple(value["tools"]), value["label"])
    return AugmentedRow(int(value["step"]), int(value["row"]), conversation, value["origin"])
