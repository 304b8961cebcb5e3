"""The steps that decide over all rows: which are left out, and how often the others come."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_steps import BalanceStep
from remote_agent.dataset.findings.duplicates import first_of_equal
from remote_agent.dataset.mixing import mixed, times_taken

_BALANCE_STREAM = 1 << 18
"""Streams from here on, one a step, belong to balancing."""

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]


class State(NamedTuple):
    """How far the steps are.

    ``kept``: bool [rows], not left out yet. ``times``: int32 [rows], how often a pass over the data trains the row.
    ``trained``: bool [rows], which rows belong to the training part; no step moves a row from one part to the other.
    """

    kept: NDArray[np.bool_]
    times: Int32
    trained: NDArray[np.bool_]

    def without(self, rows: Int64) -> State:
        """Return the state with some rows left out."""
        kept = self.kept.copy()
        kept[rows] = False
        return self._replace(kept=kept)


def repeats(keys: UInt64, state: State) -> Int64:
    """Return the kept rows whose key an earlier kept row has; ``keys`` has one for every row."""
    rows = np.flatnonzero(state.kept)
    repeated: Int64 = rows[first_of_equal(keys[rows]) != np.arange(len(rows))]
    return repeated


def balanced(step: BalanceStep, classes: Int32, state: State, seed: int, number: int) -> State:
    """Return the state with the classes of the training part balanced; -1 is no class and stays.

    Down: a class of more than ratio x the smallest keeps so many rows, a seeded choice. Up: a class of less than the
    largest / ratio comes so many times, whole passes and a seeded choice. A row's place in the choice depends on seed,
    step and its index alone.
    """
    used = state.kept & state.trained & (classes >= 0)
    # One class at a time over its own rows only: the held-out part keeps the classes as they are.
    sizes = np.bincount(classes[used], weights=state.times[used]).astype(np.int64)
    present = sizes[sizes > 0]
    if len(present) < 2:
        return state
    most, least = int(step.ratio * int(present.min())), math.ceil(int(present.max()) / step.ratio)
    order = mixed(seed, _BALANCE_STREAM + number, len(classes))
    times, kept = state.times.copy(), state.kept.copy()
    rows = np.flatnonzero(used)
    rows = rows[np.argsort(classes[rows], kind="stable")]
    ends = np.cumsum(np.bincount(classes[rows], minlength=len(sizes)))
    for label, size in enumerate(sizes.tolist()):
        wanted = min(size, most) if step.method == "down" else max(size, least)
        if size and wanted != size:
            own = rows[ends[label - 1] if label else 0 : ends[label]]
            times[own] = times_taken(times[own], order[own], wanted)
            kept[own] = times[own] > 0
    return State(kept, times, state.trained)
