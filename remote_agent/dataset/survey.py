"""One reading of all rows for what their plan needs: classes, groups, keys of equal rows, what each step changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.conversation import Example
from remote_agent.dataset.findings.duplicates import exact_keys
from remote_agent.dataset.sources import Cancelled, check
from remote_agent.dataset.steps.row_steps import RowStep

_ROWS_AT_ONCE = 256


class Wanted(NamedTuple):
    """What is to be read.

    ``steps``: the row-wise steps by their number in the job; ``keys_before``: numbers of the steps before which each
    row's key is taken; ``changes``: whether to note which rows a step changes; ``group_column``: empty for no groups.
    """

    steps: tuple[tuple[int, RowStep], ...]
    keys_before: tuple[int, ...]
    changes: bool
    classes: bool
    group_column: str

    def anything(self) -> bool:
        """Return whether the rows have to be read at all."""
        return bool(self.keys_before or self.classes or self.group_column or (self.changes and self.steps))


class Survey(NamedTuple):
    """An array over all rows for each thing wanted.

    ``classes``: int32, a number into ``names`` (sorted), -1 for none; ``groups``: uint64; ``keys`` and ``changed`` by
    the number of the step; ``has_groups``: whether any row has the group column.
    """

    classes: NDArray[np.int32] | None
    names: tuple[str, ...]
    groups: NDArray[np.uint64] | None
    has_groups: bool
    keys: dict[int, NDArray[np.uint64]]
    changed: dict[int, NDArray[np.bool_]]


def survey(
    examples: Iterator[Example], rows: int, wanted: Wanted, told: Callable[[int], None], cancelled: Cancelled
) -> Survey:
    """Read ``rows`` examples, to which no step was applied, in their order. Raises CancelledError, DataError."""
    reading = _Reading(rows, wanted)
    done = 0
    while done < rows and (chunk := list(islice(examples, min(_ROWS_AT_ONCE, rows - done)))):
        check(cancelled)
        reading.take(chunk, done)
        done += len(chunk)
        told(done)
    return reading.finished()


class _Reading:
    """The arrays as they fill."""

    def __init__(self, rows: int, wanted: Wanted) -> None:
        self._wanted = wanted
        self._steps = dict(wanted.steps)
        self._keys = {number: np.zeros(rows, dtype=np.uint64) for number in wanted.keys_before}
        self._changed = {number: np.zeros(rows, dtype=np.bool_) for number in self._steps} if wanted.changes else {}
        self._classes = np.full(rows, -1, dtype=np.int32) if wanted.classes else None
        self._groups = np.zeros(rows, dtype=np.uint64) if wanted.group_column else None
        self._codes: dict[str, int] = {}
        self._has_groups = False

    def take(self, chunk: Sequence[Example], start: int) -> None:
        """Take in the examples of the rows from ``start`` on."""
        places = np.array([at for at, one in enumerate(chunk, start) if one.conversation is not None], dtype=np.int64)
        now = [one.conversation for one in chunk if one.conversation is not None]
        for number in sorted({*self._steps, *self._keys}):
            if number in self._keys:
                self._keys[number][places] = exact_keys(now)
            if number in self._steps:
                before, now = now, self._steps[number](now)
                if self._wanted.changes:
                    differs = [new is not old and new != old for new, old in zip(now, before, strict=True)]
                    self._changed[number][places] = differs
        if self._classes is not None:
            self._classes[places] = [self._code(one.label) for one in now]
        if self._groups is not None:
            for at, one in enumerate(chunk, start):
                value = one.row.fields.get(self._wanted.group_column)
                self._has_groups = self._has_groups or value is not None
                self._groups[at] = _group(value, at)

    def _code(self, label: str) -> int:
        return self._codes.setdefault(label, len(self._codes)) if label else -1

    def finished(self) -> Survey:
        """Return the arrays; classes are numbered in the order of their names, so that no order of rows decides."""
        names = tuple(sorted(self._codes))
        if self._classes is not None:
            number = {name: place for place, name in enumerate(names)}
            place = np.array([*(number[name] for name in self._codes), -1], dtype=np.int32)
            self._classes = place[self._classes]
        return Survey(self._classes, names, self._groups, self._has_groups, self._keys, self._changed)


def _group(value: object, row: int) -> int:
    """Return the hash of a group's value; a row without one is a group of its own."""
    text = f"row {row}" if value is None else "value " + json.dumps(value, sort_keys=True, default=str)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
