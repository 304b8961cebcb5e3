"""Figures that every rank has to agree on, exchanged in float64 in the order of the ranks, from host memory to it.

So an exchange waits for the other ranks and for no GPU.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

COLUMN_PIECE = 1 << 16
"""So many lines of columns are exchanged at once: 512 KiB a column."""


def summed(values: Sequence[float]) -> list[float]:
    """Return the sums over all ranks."""
    return [sum(column) for column in zip(*gathered(values), strict=True)]


def gathered(values: Sequence[float]) -> list[list[float]]:
    """Return every rank's values, in the order of the ranks."""
    return [one.tolist() for one in _every_rank(torch.tensor(list(values), dtype=torch.float64))]


def gathered_columns(columns: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return every rank's columns, joined in the order of the ranks; those of one rank are as long as each other.

    Every rank does the same number of collectives, whatever the lengths of its own columns.
    """
    lengths = [int(one[0]) for one in gathered([len(columns[0])])]
    mine = torch.from_numpy(np.stack(list(columns)))
    found: list[list[NDArray[np.float64]]] = [[] for _ in lengths]
    for start in range(0, max(lengths), COLUMN_PIECE):
        piece = torch.zeros((len(columns), min(COLUMN_PIECE, max(lengths) - start)), dtype=torch.float64)
        own = mine[:, start : start + COLUMN_PIECE]
        piece[:, : own.shape[1]] = own
        for rank, values in enumerate(_every_rank(piece)):
            found[rank].append(values.numpy()[:, : max(0, lengths[rank] - start)])
    nothing = np.zeros((len(columns), 0))
    return list(np.concatenate([nothing, *(piece for pieces in found for piece in pieces)], axis=1))


def _every_rank(mine: torch.Tensor) -> list[torch.Tensor]:
    if dist.get_world_size() == 1:
        return [mine]
    every = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(every, mine, group=_host_group())
    return every


@functools.cache
def _host_group() -> Any:
    """Return the group of all ranks over host memory: None, the default one, where that is it already."""
    return None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
