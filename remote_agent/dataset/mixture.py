"""How often a pass trains each row, by the weights of the sources and the share of what is replayed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_spec import DataSpec, SourceSpec, all_sources
from remote_agent.dataset.mixing import mixed, mixture_rows, replayed_rows, times_taken

_STREAM = 1 << 16


def is_mixture(data: DataSpec) -> bool:
    """Return whether sources have shares, so that not every row is simply trained once."""
    return any(spec.weight or spec.replay for spec in all_sources(data))


def mixture(times: NDArray[np.int32], parts: Sequence[slice], data: DataSpec, seed: int) -> NDArray[np.int32]:
    """Return how often each row is trained after the sources' weights and the replay.

    Args:
        times: int32 [rows], how often each would be trained without them; 0 for a row of which nothing is trained.
        parts: where the rows of each of ``all_sources(data)`` lie.
        data: the sources.
        seed: the job's.
    """
    train = times.astype(np.int32)
    specs = all_sources(data)
    available = [int(train[part].sum(dtype=np.int64)) for part in parts]
    wanted = dict(enumerate(available))
    main = [number for number, spec in enumerate(specs) if not spec.replay]
    wanted.update(zip(main, mixture_rows(*_of(main, specs, available)), strict=True))
    replayed = [number for number, spec in enumerate(specs) if spec.replay]
    if replayed:
        rows, weights, _ = _of(replayed, specs, available)
        added = replayed_rows(sum(wanted[number] for number in main), data.replay_share, rows, weights)
        wanted.update(zip(replayed, added, strict=True))
    for number, part in enumerate(parts):
        if wanted[number] != available[number]:
            order = mixed(seed, _STREAM + number, part.stop - part.start)
            train[part] = times_taken(train[part], order, wanted[number])
    return train


def _of(
    numbers: list[int], specs: tuple[SourceSpec, ...], available: list[int]
) -> tuple[list[int], list[float], list[float]]:
    """Return the rows, weights and most epochs of some sources."""
    chosen = [specs[number] for number in numbers]
    return (
        [available[number] for number in numbers],
        [spec.weight for spec in chosen],
        [spec.max_epochs for spec in chosen],
    )
