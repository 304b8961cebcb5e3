"""Rows that an augment step made, read from the file they are kept in; whoever makes them writes that file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.sources import file_hash


class AugmentedRow(NamedTuple):
    """A row that was made of another: the number of the step, the index of the row it was made of, what it says."""

    step: int
    of_row: int
    conversation: Conversation
    origin: str


class AugmentedFile:
    """The rows of the file, found by their number at once; some 24 bytes a row stay in memory.

    A line is ``{"step", "row", "origin", "label", "glued", "tools", "turns"}``, a turn ``{"role", "content", "extra",
    "weight"}``; or ``{"step", "rejected": {reason: rows}}``, what was made by a step and not taken.

    Attributes:
        steps: int64 [rows], the number of the step that made each row.
        of_rows: int64 [rows], the row each was made of.
        rejected: rows that were not taken, by their reason, for each step that has any.
    """

    def __init__(self, path: Path) -> None:
        """Read through the file. Raises DataError where a line is not of that form, and OSError."""
        self._path = path
        steps: list[int] = []
        of_rows: list[int] = []
        offsets: list[int] = []
        self.rejected: dict[int, Mapping[str, int]] = {}
        offset = 0
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                value = self._value(line, number)
                if "rejected" in value:
                    self.rejected[value["step"]] = Counter(value["rejected"])
                else:
                    steps.append(value["step"])
                    of_rows.append(value["row"])
                    offsets.append(offset)
                offset += len(line)
        self.steps = np.array(steps, dtype=np.int64)
        self.of_rows = np.array(of_rows, dtype=np.int64)
        self._offsets = np.array(offsets, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self._path.name

    def rows(self, start: int = 0, count: int | None = None) -> Iterator[AugmentedRow]:
        """Yield rows in order; all from ``start`` on without a count. Raises DataError, OSError."""
        last = len(self) if count is None else min(start + count, len(self))
        if start >= last:
            return
        with self._path.open("rb") as file:
            file.seek(int(self._offsets[start]))
            taken = start
            for line in file:
                value = self._value(line, taken + 1)
                if "rejected" in value:
                    continue
                yield _row(value)
                taken += 1
                if taken == last:
                    return

    def _value(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            value: dict[str, Any] = json.loads(line)
            if "rejected" not in value:
                _row(value)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self._path.name} line {number}: no augmented row ({error}). Delete the file and make the rows again."
            ) from None
        return value


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


def rejected_line(step: int, rejected: Mapping[str, int]) -> str:
    """Return what of a step was not taken as a line of the file, its line end included."""
    return json.dumps({"step": step, "rejected": dict(sorted(rejected.items()))}, ensure_ascii=True) + "\n"


def augmented_hash(path: Path | None) -> str:
    """Return the SHA-256 of the file, empty where there is none."""
    return file_hash(path) if path is not None and path.is_file() else ""


def _row(value: dict[str, Any]) -> AugmentedRow:
    turns = tuple(Turn(one["role"], one["content"], one["extra"], one["weight"]) for one in value["turns"])
    conversation = Conversation(turns, value["glued"], tuple(value["tools"]), value["label"])
    return AugmentedRow(int(value["step"]), int(value["row"]), conversation, value["origin"])
