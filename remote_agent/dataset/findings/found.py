"""What a check found, before it is put into words, and the rows it collects meanwhile."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import RowPair

MOST_PAIRS = 200
"""How many pairs a finding names; its count and rows are whole."""


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """One kind of finding over all rows.

    Attributes:
        kind: its name, a key of `KINDS`.
        count: rows it concerns, or what its sentence counts.
        rows: int64 [rows], rising, counted from 0 over all sources.
        pairs: the first pairs of rows that are alike, at most 200.
        detail: what its sentence says besides the count.
        threshold: the bound that was applied, None where there is none.
        figures: what its fixes need: of rows that are too long, the tokens that hold 99 % of the rows, and all.
        answers: int64 [rows, 2] of prompts with several answers: the first row of that prompt, and the first row that
            is equal, so that it can be seen what is left where rows go; empty for other kinds.
        firsts: int64 [rows] of rows that are nearly equal to an earlier one: that one; empty for other kinds.
        likes: int64 [pairs, 2] of held-out rows that are nearly trained on: each with every trained row it was found to
            be like, so that it can be seen which leak where rows go; empty for other kinds.
    """

    kind: str
    count: int
    rows: NDArray[np.int64]
    pairs: tuple[RowPair, ...] = ()
    detail: str = ""
    threshold: float | None = None
    figures: tuple[int, ...] = ()
    answers: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    firsts: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.empty(0, dtype=np.int64))
    likes: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))


class RowNotes:
    """Rows by kind of finding, 8 bytes a row."""

    def __init__(self) -> None:
        self._rows: dict[str, array[int]] = {}
        self.detail: dict[str, str] = {}

    def add(self, kind: str, row: int, detail: str = "") -> None:
        """Note a row once; the first row's detail stays."""
        rows = self._rows.setdefault(kind, array("q"))
        if not rows or rows[-1] != row:
            rows.append(row)
        if detail:
            self.detail.setdefault(kind, detail)

    def add_all(self, kind: str, rows: NDArray[np.int64]) -> None:
        """Note rows that come after those noted before."""
        if len(rows):
            self._rows.setdefault(kind, array("q")).frombytes(np.ascontiguousarray(rows, dtype=np.int64).tobytes())

    def found(self) -> list[Found]:
        """Return what was noted, a finding a kind."""
        return [
            found_rows(kind, np.array(rows, dtype=np.int64), detail=self.detail.get(kind, ""))
            for kind, rows in self._rows.items()
        ]


def found_rows(
    kind: str,
    rows: NDArray[np.integer],
    pairs: Iterable[RowPair] = (),
    detail: str = "",
    threshold: float | None = None,
) -> Found:
    """Return a finding that counts its rows."""
    distinct = np.unique(rows).astype(np.int64)
    return Found(kind, len(distinct), distinct, tuple(pairs), detail, threshold)


def found_once(kind: str, count: int, detail: str = "", threshold: float | None = None) -> Found:
    """Return a finding that is about the whole and not about rows."""
    return Found(kind, count, np.empty(0, dtype=np.int64), (), detail, threshold)


def rows_word(count: int) -> str:
    """Return a number of rows in words: "1 row", "3 rows"."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
