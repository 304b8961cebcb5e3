"""Small figures that every rank has to agree on, exchanged in float64 in the order of the ranks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist


def summed(values: Sequence[float], device: torch.device) -> list[float]:
    """Return the sums over all ranks."""
    return [sum(column) for column in zip(*gathered(values, device), strict=True)]


def gathered(values: Sequence[float], device: torch.device) -> list[list[float]]:
    """Return every rank's values, in the order of the ranks."""
    mine = torch.tensor(list(values), dtype=torch.float64, device=device)
    if dist.get_world_size() == 1:
        return [mine.tolist()]
    every = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(every, mine)
    return [one.tolist() for one in every]
