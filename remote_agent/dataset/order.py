"""Which sequences an update trains: a seeded order of each epoch that no number of ranks changes."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.mixing import seeded_permutation
from remote_agent.dataset.prepared import ROW_STARTS, SEQUENCE_ROWS, SEQUENCES, array_file

EPOCH_STREAM = 1 << 32
"""Streams from here on belong to epochs; those below to the split."""

BATCH_STREAM = 1 << 33
"""Streams from here on belong to the order of an epoch's length-grouped batches."""

GROUPED_BATCHES = 50
"""So many global batches are sorted by length together: few enough that an epoch stays mixed."""


class SequenceLengths:
    """The tokens of every sequence, int64 [n]; orders are remembered by this object."""

    def __init__(self, values: NDArray[np.int64]) -> None:
        self.values = values

    @classmethod
    def of(cls, folder: Path, part: str) -> SequenceLengths:
        """Read them from prepared data that `open_prepared` has found whole."""
        starts, sequences, rows = (
            np.load(folder / array_file(part, name), mmap_mode="r") for name in (ROW_STARTS, SEQUENCES, SEQUENCE_ROWS)
        )
        if len(sequences) < 2:
            return cls(np.zeros(0, dtype=np.int64))
        of_rows = np.diff(starts).astype(np.int64)[rows]
        return cls(np.add.reduceat(of_rows, sequences[:-1]))


@functools.lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, n_sequences: int) -> NDArray[np.int64]:
    """Return the order of the sequences in an epoch (from 0), a permutation; not to be written to."""
    order = seeded_permutation(seed, EPOCH_STREAM + epoch, n_sequences)
    order.setflags(write=False)
    return order


@functools.lru_cache(maxsize=2)
def grouped_order(seed: int, epoch: int, lengths: SequenceLengths, global_batch: int) -> NDArray[np.int64]:
    """Return an epoch's order in which a global batch holds sequences of like length, a permutation.

    Fifty global batches at a time of the shuffled epoch are sorted by length, the longest first, and cut into global
    batches, which are shuffled over the whole epoch. The batch with the longest sequence comes first, so that memory
    that is too small for it shows at once; a batch that is not full comes last, where the updates expect it.
    """
    shuffled = epoch_order(seed, epoch, len(lengths.values))
    stretch = GROUPED_BATCHES * global_batch
    parts = [shuffled[start : start + stretch] for start in range(0, len(shuffled), stretch)]
    by_length = np.concatenate([part[np.argsort(-lengths.values[part], kind="stable")] for part in parts])
    full = len(by_length) // global_batch
    batches = by_length[: full * global_batch].reshape(full, global_batch)
    batches = batches[seeded_permutation(seed, BATCH_STREAM + epoch, full)]
    if full:
        longest = int(np.argmax(lengths.values[batches[:, 0]]))
        batches[[0, longest]] = batches[[longest, 0]]
    order = np.concatenate([batches.reshape(-1), by_length[full * global_batch :]])
    order.setflags(write=False)
    return order


def step_sequences(
    seed: int,
    step: int,
    n_sequences: int,
    micro_batch: int,
    accumulation: int,
    ranks: int,
    lengths: SequenceLengths | None = None,
    longest_only: bool = False,
) -> list[list[list[int]]]:
    """Return the sequences of update ``step`` (from 0): ``[micro batch of the update][rank]`` is a list of indices.

    The global batch is the next slice of the epoch's order and depends on its size alone; read through in the
    order of the lists it is that slice. An epoch's last update takes what is left, so lists may be short or empty.
    With ``lengths`` sequences of like length come together, see `grouped_order`; ``longest_only`` takes the longest
    ones in every update.
    """
    assert step >= 0 and n_sequences > 0 and micro_batch > 0 and accumulation > 0 and ranks > 0
    global_batch = micro_batch * accumulation * ranks
    epoch, within = divmod(step, -(-n_sequences // global_batch))
    start = within * global_batch
    if longest_only:
        assert lengths is not None
        order, start = np.argsort(-lengths.values, kind="stable"), 0
    elif lengths is None:
        order = epoch_order(seed, epoch, n_sequences)
    else:
        assert len(lengths.values) == n_sequences
        order = grouped_order(seed, epoch, lengths, global_batch)
    taken = order[start : start + global_batch].tolist()
    return [
        [
            taken[first : first + micro_batch]
            for first in range(turn * ranks * micro_batch, (turn + 1) * ranks * micro_batch, micro_batch)
        ]
        for turn in range(accumulation)
    ]
