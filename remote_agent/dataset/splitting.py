"""Which rows are trained and which are held out, decided by the seed and a row's index."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.mixing import seeded_permutation

_SPLIT_STREAM = 1
_CAP_STREAM = 2


class Split(NamedTuple):
    """Two masks over the rows; a row in neither lies beyond the cap of the held-out part."""

    train: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


def split(rows: int, spec: DataSpec, seed: int) -> Split:
    """Set aside ``held_out_fraction`` of the rows, at least one where it is not 0 and two rows are there."""
    train = np.ones(rows, dtype=np.bool_)
    held_out = np.zeros(rows, dtype=np.bool_)
    wanted = round(rows * spec.held_out_fraction)
    if spec.held_out_fraction > 0:
        wanted = min(max(wanted, 1), rows - 1)
    if wanted > 0:
        aside = seeded_permutation(seed, _SPLIT_STREAM, rows)[:wanted]
        train[aside] = False
        held_out[aside[: spec.held_out_rows or wanted]] = True
    return Split(train, held_out)


def capped(rows: int, spec: DataSpec, seed: int) -> NDArray[np.bool_]:
    """Return which rows of a held-out file are used: all, or ``held_out_rows`` that the seed picks."""
    used = np.ones(rows, dtype=np.bool_)
    if 0 < spec.held_out_rows < rows:
        used[seeded_permutation(seed, _CAP_STREAM, rows)[spec.held_out_rows :]] = False
    return used
