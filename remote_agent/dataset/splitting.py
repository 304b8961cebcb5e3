"""Which rows are trained and which are held out, decided by the seed and a row's index, class or group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.mixing import first_of, largest_remainder, mixed, mixed_keys, seeded_permutation

_SPLIT_STREAM = 1
_CAP_STREAM = 2
_GROUP_STREAM = 3

Bool = NDArray[np.bool_]
Int64 = NDArray[np.int64]


class Split(NamedTuple):
    """Two masks over the rows; a row in neither lies beyond the cap of the held-out part."""

    train: Bool
    held_out: Bool


class RowMarks(NamedTuple):
    """What a split may go by, an array over the rows each; None where it was not read.

    ``classes``: the row's class as a number from 0, -1 for none. ``groups``: a 64-bit hash of the group's value.
    """

    classes: NDArray[np.int32] | None = None
    groups: NDArray[np.uint64] | None = None


NO_MARKS = RowMarks()


def split(rows: int, spec: DataSpec, seed: int, marks: RowMarks = NO_MARKS) -> Split:
    """Set rows aside as `set_aside` does, and cap them as `held_out_of` does; the others are trained."""
    aside = set_aside(rows, spec, seed, marks)
    train = np.ones(rows, dtype=np.bool_)
    train[aside] = False
    return Split(train, held_out_of(aside, ~train, spec, marks))


def set_aside(rows: int, spec: DataSpec, seed: int, marks: RowMarks = NO_MARKS) -> Int64:
    """Return ``held_out_fraction`` of the rows in seeded order, at least one where it is not 0 and two rows are there.

    By row: a seeded choice. By class: the same share of every class, whole rows by the largest remainder. By group:
    whole groups in seeded order, as many as come nearest to the share; at least one group is trained.
    """
    wanted = round(rows * spec.held_out_fraction)
    if spec.held_out_fraction > 0:
        wanted = min(max(wanted, 1), rows - 1)
    if wanted <= 0:
        return np.zeros(0, dtype=np.int64)
    if spec.held_out_by == "group" and marks.groups is not None:
        return _groups_aside(marks.groups, wanted, seed)
    numbers = mixed(seed, _SPLIT_STREAM, rows)
    if spec.held_out_by == "class" and marks.classes is not None:
        return _of_every_class(np.argsort(numbers, kind="stable"), marks.classes, wanted)
    return first_of(numbers, wanted)


def held_out_of(aside: Int64, usable: Bool, spec: DataSpec, marks: RowMarks = NO_MARKS) -> Bool:
    """Return the usable ones among the rows set aside (given in seeded order), no more than the cap."""
    held_out = np.zeros(len(usable), dtype=np.bool_)
    chosen = aside[usable[aside]]
    if 0 < spec.held_out_rows < len(chosen):
        if spec.held_out_by == "class" and marks.classes is not None:
            chosen = _of_every_class(chosen, marks.classes, spec.held_out_rows)
        chosen = chosen[: spec.held_out_rows]
    held_out[chosen] = True
    return held_out


def capped(rows: int, spec: DataSpec, seed: int, usable: Bool | None = None) -> Bool:
    """Return which rows of a held-out file are used: all usable ones, or ``held_out_rows`` that the seed picks."""
    usable = np.ones(rows, dtype=np.bool_) if usable is None else usable
    return held_out_of(seeded_permutation(seed, _CAP_STREAM, rows), usable, spec)


def _of_every_class(order: Int64, classes: NDArray[np.int32], wanted: int) -> Int64:
    """Return ``wanted`` of the rows in ``order``, of every class its share and its first ones; their order stays."""
    _, codes, sizes = np.unique(classes[order], return_inverse=True, return_counts=True)
    shares = np.array(largest_remainder(sizes.tolist(), wanted), dtype=np.int64)
    by_class = np.argsort(codes, kind="stable")
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    taken = np.zeros(len(order), dtype=np.bool_)
    taken[by_class] = rank < np.repeat(shares, sizes)
    return order[taken].astype(np.int64, copy=False)


def _groups_aside(groups: NDArray[np.uint64], wanted: int, seed: int) -> Int64:
    keys, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(mixed_keys(seed, _GROUP_STREAM, keys), kind="stable")
    reached = np.cumsum(sizes[order])
    # The group that crosses the share is taken where the sum then lies nearer to it than without.
    count = int(np.searchsorted(reached, wanted))
    before = int(reached[count - 1]) if count else 0
    if int(reached[count]) - wanted <= wanted - before:
        count += 1
    count = min(max(count, 1), len(keys) - 1)
    place = np.empty(len(keys), dtype=np.int64)
    place[order] = np.arange(len(keys))
    row_place = place[codes]
    rows = np.flatnonzero(row_place < count)
    return rows[np.argsort(row_place[rows], kind="stable")].astype(np.int64, copy=False)
