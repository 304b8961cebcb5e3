"""The table of rows: which rows a view of it lists, in which order, and its pages."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import TablePage, TableQuery, TableRow
from remote_agent.contract.frames import Frame
from remote_agent.dataset.answers import Failure
from remote_agent.dataset.conversation import Example
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.lately import Lately
from remote_agent.dataset.look import Look
from remote_agent.dataset.row_losses import RowLosses
from remote_agent.dataset.row_search import FOUND
from remote_agent.dataset.row_views import turn_text
from remote_agent.dataset.worker_process import End, WorkerProcess

MOST_ROWS = 500
"""The longest page."""

_SHOWN_CHARACTERS = 300
_KEPT_SEARCHES = 3
Int64 = NDArray[np.int64]


class _Search:
    """A search that runs, or ran, in a process of its own."""

    def __init__(self, look: Look, text: str) -> None:
        self._rows = array("q")
        self.complete = False
        self.failure: Failure | None = None
        self._worker = WorkerProcess(look.request("search", text=text), self._on_frame, self._on_end)

    def rows(self) -> Int64:
        return np.frombuffer(self._rows.tobytes(), dtype=np.int64)

    def stop(self) -> None:
        self._worker.stop()

    def _on_frame(self, frame: Frame) -> None:
        if frame.kind == FOUND:
            self._rows.frombytes(frame.body)

    def _on_end(self, end: End) -> None:
        self.failure = end.failure
        self.complete = end.failure is None


@dataclass(frozen=True)
class _View:
    """The rows of a view in their order; None stands for all rows in the order of the files."""

    rows: Int64 | None
    count: int
    complete: bool


class Table:
    """Views of the rows of a look. Used by one thread."""

    def __init__(self) -> None:
        self._searches: OrderedDict[tuple[str, str], _Search] = OrderedDict()
        self._sorted: Lately[Int64] = Lately()
        self.losses: RowLosses | None = None

    def page(self, look: Look, query: TableQuery, start: int, count: int) -> TablePage:
        """Return some rows of a view.

        Raises:
            DataError: the files changed, or the search failed.
        """
        if start < 0 or count < 0:
            raise DataError(f"Rows {start} to {start + count} cannot be shown; rows count from 0.")
        view = self._view(look, query)
        count = min(count, MOST_ROWS)
        if view.rows is None:
            examples = look.examples(start, count)
        else:
            examples = look.single_examples(view.rows[start : start + count].tolist())
        rows = tuple(self._row(example, look) for example in examples)
        return TablePage(start, rows, max(view.count, start + len(rows)), view.complete)

    def _view(self, look: Look, query: TableQuery) -> _View:
        rows: Int64 | None = None
        complete = look.plan is not None
        if query.search:
            search = self._search(look, query.search)
            rows, complete = search.rows(), search.complete
        if query.finding:
            of_finding = look.rows_of(query.finding)
            rows = of_finding if rows is None else rows[np.isin(rows, of_finding, assume_unique=True)]
            complete &= look.is_known
        if query.order:
            rows = self._in_order(look, query, rows)
            complete &= query.order == "loss" or look.is_known
        return _View(rows, look.row_count() if rows is None else len(rows), complete)

    def _search(self, look: Look, text: str) -> _Search:
        key = (look.keys.tokens, text.lower())
        found = self._searches.pop(key, None)
        if found is not None and found.failure is not None:
            raise DataError(found.failure.sentence)
        self._searches[key] = found = found or _Search(look, text)
        while len(self._searches) > _KEPT_SEARCHES:
            self._searches.popitem(last=False)[1].stop()
        return found

    def _in_order(self, look: Look, query: TableQuery, rows: Int64 | None) -> Int64:
        """Return rows by falling tokens or loss, equal ones as they stand in the files."""
        losses, tokens = self.losses, look.arrays.tokens

        def ordered() -> Int64:
            if query.order == "loss":
                hardest = losses.hardest if losses is not None else np.zeros(0, dtype=np.int64)
                return hardest if rows is None else hardest[np.isin(hardest, rows)]
            known = np.arange(len(tokens)) if rows is None else rows[rows < len(tokens)]
            return known[np.argsort(-tokens[known], kind="stable")]

        state = (len(tokens), -1 if rows is None else len(rows))
        return self._sorted.get((look.keys.plan, query, losses), state, ordered)

    def _row(self, example: Example, look: Look) -> TableRow:
        index = example.row.index
        prompt, response = shown_texts(example)
        tokens = supervised = -1
        arrays = look.arrays
        if index < arrays.rows:
            tokens = int(arrays.tokens[index])
            runs = arrays.runs_of(index)
            supervised = int((runs[:, 1] - runs[:, 0]).sum())
        return TableRow(
            index, prompt, response, tokens, supervised,
            example.conversation.label if example.conversation else "", look.part_of(index),
            example.problem[:_SHOWN_CHARACTERS], self.losses.mean_of(index) if self.losses is not None else None,
            example.origin,
        )  # fmt: skip


def shown_texts(example: Example) -> tuple[str, str]:
    """Return the starts of what is asked first and of what is answered last; plain text counts as asked."""
    turns = example.conversation.turns if example.conversation else ()
    asked = next((turn.content for turn in turns if turn.role in ("user", "text")), "")
    answered = next((turn_text(turn) for turn in reversed(turns) if turn.role == "assistant"), "")
    return asked[:_SHOWN_CHARACTERS], answered[:_SHOWN_CHARACTERS]
