"""Findings that change with the sequence length, from the rows' numbers alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.findings import KINDS, Found
from remote_agent.dataset.findings.found import rows_word
from remote_agent.dataset.row_arrays import Int64, RowArrays
from remote_agent.dataset.value_counts import ValueCounts

BY_LENGTH = frozenset(("nothing_trained", "over_length", "response_cut"))
"""Kinds that `by_length` finds."""

_ALIKE = frozenset(("duplicate", "near_duplicate", "conflicting_answers", "leakage", "near_leakage"))
_SHARES = (0.99, 1.0)
_ORDER = {kind: number for number, kind in enumerate(KINDS)}
Bool = NDArray[np.bool_]


def at_length(
    found: Sequence[Found], arrays: RowArrays, kept: Bool, is_used: Bool, data: DataSpec
) -> tuple[Found, ...]:
    """Return findings that were made without a length as they are at the job's.

    Args:
        found: of whole rows, whatever their length; those of rows that a step left out are passed over.
        arrays: the rows' numbers.
        kept: bool [rows], which rows no step left out.
        is_used: bool [rows], of which rows something is trained at the job's length.
        data: the job's length, and what becomes of longer rows.
    """
    # A row of which nothing is trained repeats nothing.
    rest = [_of_rows(one, kept & is_used if one.kind in _ALIKE else kept) for one in found]
    whole = [one for one in rest if one is not None]
    return in_order([*whole, *_by_length(arrays, kept, is_used, data)])


def in_order(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return findings in the order in which they are shown."""
    return tuple(sorted(found, key=lambda one: _ORDER[one.kind]))


def _of_rows(found: Found, mask: Bool) -> Found | None:
    """Return a finding of the rows of a mask alone, None where none is left."""
    known = found.rows[found.rows < len(mask)]
    rows = known[mask[known]]
    if len(rows) == len(found.rows) and mask[found.firsts].all() and mask[found.likes].all():
        return found
    pairs = tuple(pair for pair in found.pairs if max(pair.row, pair.other) < len(mask))
    pairs = tuple(pair for pair in pairs if mask[pair.row] and mask[pair.other])
    answers = found.answers
    if len(answers):
        answers = answers[np.isin(found.rows, rows)]
        several = _have_several(answers)
        rows, answers = rows[several], answers[several]
    firsts = found.firsts
    if len(firsts):
        rows, firsts = _without_stand_ins(rows, firsts[np.isin(found.rows, rows)], mask)
    likes = found.likes
    if len(likes):
        # A row leaks while one that it is like is still trained on.
        likes = likes[mask[likes].all(axis=1)]
        rows = np.unique(likes[:, 0])
    if not len(rows):
        return None
    return replace(found, rows=rows, count=len(rows), pairs=pairs, answers=answers, firsts=firsts, likes=likes)


def _without_stand_ins(rows: Int64, firsts: Int64, mask: Bool) -> tuple[Int64, Int64]:
    """Return rows that repeat another of a mask, and that one: where it is gone, the next of its kind stands for it."""
    kinds, earliest, kind = np.unique(firsts, return_index=True, return_inverse=True)
    stands = np.where(mask[kinds], kinds, rows[earliest])[kind]
    repeats = rows != stands
    return rows[repeats], stands[repeats]


def _have_several(answers: Int64) -> Bool:
    """Return of which rows the prompt has another answer among them: [rows, 2] of prompt and answer to bool [rows]."""
    distinct = np.unique(answers, axis=0)
    prompts, counts = np.unique(distinct[:, 0], return_counts=True)
    several: Bool = np.isin(answers[:, 0], prompts[counts > 1])
    return several


def _by_length(arrays: RowArrays, kept: Bool, is_used: Bool, data: DataSpec) -> Iterator[Found]:
    nothing: list[Int64] = []
    over: list[Int64] = []
    cut: list[Int64] = []
    lengths: list[ValueCounts] = []
    for start, chunk in arrays.chunks():
        part = slice(start, start + chunk.rows)
        looked_at = chunk.usable & kept[part]
        is_over = looked_at & (chunk.tokens > data.max_length)
        is_nothing = looked_at & ((chunk.first_trained() < 0) | (~is_used[part] & ~is_over))
        is_cut = is_over & (chunk.last_trained() > data.max_length)
        for rows, mask in ((nothing, is_nothing), (over, is_over), (cut, is_cut)):
            rows.append(start + np.flatnonzero(mask))
        lengths.append(ValueCounts.of([(chunk.tokens[looked_at], None)]))
    yield from _found("nothing_trained", nothing)
    whole = ValueCounts.joined(lengths)
    holding = tuple(whole.at(max(0, int(np.ceil(share * whole.count)) - 1)) for share in _SHARES) if whole.count else ()
    if data.over_length == "truncate":
        wholly = sum(int(np.count_nonzero(~is_used[rows])) for rows in cut)
        detail = f"; of {rows_word(wholly)} nothing trained is left" if wholly else ""
        yield from _found("response_cut", cut, detail, holding)
    yield from _found("over_length", over, figures=holding)


def _found(kind: str, rows: list[Int64], detail: str = "", figures: tuple[int, ...] = ()) -> Iterator[Found]:
    found = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    if len(found):
        yield Found(kind, len(found), found, detail=detail, figures=figures)
