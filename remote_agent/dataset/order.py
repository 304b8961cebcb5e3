"""Which sequences an update trains: a seeded order of each epoch that no number of ranks changes."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.mixing import seeded_permutation

EPOCH_STREAM = 1 << 32
"""Streams from here on belong to epochs; those below to the split."""


@functools.lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, n_sequences: int) -> NDArray[np.int64]:
    """Return the order of the sequences in an epoch (from 0), a permutation; not to be written to."""
    order = seeded_permutation(seed, EPOCH_STREAM + epoch, n_sequences)
    order.setflags(write=False)
    return order


def step_sequences(
    seed: int, step: int, n_sequences: int, micro_batch: int, accumulation: int, ranks: int
) -> list[list[list[int]]]:
    """Return the sequences of update ``step`` (from 0): ``[micro batch of the update][rank]`` is a list of indices.

    The global batch is the next slice of the epoch's order and depends on its size alone; read through in the
    order of the lists it is that slice. An epoch's last update takes what is left, so lists may be short or empty.
    """
    assert step >= 0 and n_sequences > 0 and micro_batch > 0 and accumulation > 0 and ranks > 0
    global_batch = micro_batch * accumulation * ranks
    epoch, within = divmod(step, -(-n_sequences // global_batch))
    start = within * global_batch
    taken = epoch_order(seed, epoch, n_sequences)[start : start + global_batch].tolist()
    return [
        [
            taken[first : first + micro_batch]
            for first in range(turn * ranks * micro_batch, (turn + 1) * ranks * micro_batch, micro_batch)
        ]
        for turn in range(accumulation)
    ]
