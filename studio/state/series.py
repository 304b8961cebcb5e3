"""Metrics of a run as growing columns: append without copying, and the newest attempt wins from its resume step on."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]

_FIRST_ROWS = 1024
_MOST_GHOSTS = 20


class GrowingColumns:
    """Columns of equal length. A view shares memory with them and is good until the columns change next.

    Rows behind the true ones may hold a sample of rows to come (`set_tail`); true rows take their place.
    """

    def __init__(self, count: int) -> None:
        self._columns: list[Column] = [np.empty(_FIRST_ROWS) for _ in range(count)]
        self._rows = 0
        self._tail = 0

    def __len__(self) -> int:
        """Return the number of true rows."""
        return self._rows

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all, so that none has to be moved when they come."""
        if rows <= len(self._columns[0]):
            return
        used = self._rows + self._tail
        for index, column in enumerate(self._columns):
            # np.empty only reserves addresses: memory is taken as rows are written
            grown = np.empty(rows)
            grown[:used] = column[:used]
            self._columns[index] = grown

    def append(self, columns: Sequence[Column]) -> None:
        """Add true rows, column by column; a tail is dropped."""
        self._tail = 0
        self._write(columns)
        self._rows += len(columns[0])

    def set_tail(self, columns: Sequence[Column]) -> None:
        """Replace the rows behind the true ones."""
        self._write(columns)
        self._tail = len(columns[0])

    def cut(self, rows: int) -> tuple[Column, ...]:
        """Drop the true rows from that one on, and return copies of them, column by column."""
        assert 0 <= rows <= self._rows
        dropped = tuple(column[rows : self._rows].copy() for column in self._columns)
        self._rows, self._tail = rows, 0
        return dropped

    def true(self, index: int) -> Column:
        """Return a view of a column's true rows."""
        return self._columns[index][: self._rows]

    def view(self, index: int) -> Column:
        """Return a view of a column, the tail included."""
        return self._columns[index][: self._rows + self._tail]

    def _write(self, columns: Sequence[Column]) -> None:
        end = self._rows + len(columns[0])
        if end > len(self._columns[0]):
            self.reserve(max(end, len(self._columns[0]) * 2))
        for column, values in zip(self._columns, columns, strict=True):
            column[self._rows : end] = values


@dataclasses.dataclass(frozen=True)
class Ghost:
    """What an attempt had done beyond the step from which a later one went on: columns as in its `AttemptSeries`."""

    attempt: int
    columns: tuple[Column, ...]


class AttemptSeries:
    """Rows by step, of which the first column is the step. The newest attempt wins from its resume step on.

    Within an attempt steps rise; a step that comes again (its journal was read again) replaces itself and what follows.
    What a later attempt replaced is kept as a ghost. ``resume_steps`` tells for each attempt that has rows how many
    updates were done before it.
    """

    def __init__(self, count: int) -> None:
        self._columns = GrowingColumns(count)
        self._count = count
        self.attempt = 0
        self.ghosts: list[Ghost] = []
        self.resume_steps: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def last_step(self) -> float:
        """Return the last row's step, -1 where there is none."""
        steps = self._columns.true(0)
        return float(steps[-1]) if len(steps) else -1.0

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all."""
        self._columns.reserve(rows)

    def begin(self, attempt: int, resume_step: float) -> None:
        """Let a newer attempt begin: rows beyond its resume step become a ghost. Any other attempt does nothing."""
        if attempt > self.attempt:
            self._keep_up_to(resume_step, attempt)
            self.attempt = attempt

    def add(self, attempts: Column, columns: Sequence[Column]) -> None:
        """Add rows in the order of their journal; rows of an attempt older than the present one are passed over."""
        steps = columns[0]
        breaks = np.flatnonzero((np.diff(attempts) != 0) | (np.diff(steps) <= 0)) + 1
        edges = [0, *breaks.tolist(), len(steps)]
        for start, end in itertools.pairwise(edges):
            if start == end or attempts[start] < self.attempt:
                continue
            if steps[start] <= self.last_step or attempts[start] > self.attempt:
                self._keep_up_to(np.nextafter(steps[start], -np.inf), int(attempts[start]))
            if attempts[start] > self.attempt:
                self.attempt = int(attempts[start])
                self.resume_steps[self.attempt] = float(steps[start]) - 1
            self._columns.append([column[start:end] for column in columns])

    def show_ahead(self, sample: AttemptSeries | None) -> None:
        """Show the rows of a sample that lie beyond the last true row, until true rows take their place."""
        if sample is None:
            empty = np.empty(0)
            self._columns.set_tail([empty] * self._count)
            return
        steps = sample.column(0)
        first = int(np.searchsorted(steps, self.last_step, side="right"))
        self._columns.set_tail([sample.column(index)[first:] for index in range(self._count)])

    def column(self, index: int) -> Column:
        """Return a view of a column, rows shown ahead included; good until the series changes next."""
        return self._columns.view(index)

    def true_column(self, index: int) -> Column:
        """Return a view of a column without the rows shown ahead."""
        return self._columns.true(index)

    def _keep_up_to(self, step: float, attempt: int) -> None:
        rows = int(np.searchsorted(self._columns.true(0), step, side="right"))
        if rows == len(self._columns):
            return
        dropped = self._columns.cut(rows)
        if attempt != self.attempt:
            self.ghosts = [*self.ghosts, Ghost(self.attempt, dropped)][-_MOST_GHOSTS:]
