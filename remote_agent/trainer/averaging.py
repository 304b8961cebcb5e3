"""Averages of the weights over updates: what is measured, sampled and saved in their place.

The average lies beside the fp32 master weights, split over the ranks as they are, and in host memory where they are
offloaded to it.

Source: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; Izmailov et al., Averaging
Weights Leads to Wider Optima and Better Generalization, UAI 2018, arXiv:1803.05407.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.distributed as dist

from remote_agent.contract.averaging_span import first_averaged_step
from remote_agent.contract.recipe_spec import RegularizationSpec
from remote_agent.trainer.master_weights import master_weights, pieces, write_back

_COUNT, _PART = "average.updates", "average.part."


class WeightAverage:
    """An exponential moving average, or the mean over the end of the run.

    The first averaged update's weights are the average; each later one moves it by 1 - decay of the way ("ema"), or by
    1 / (updates averaged) ("tail"). So does `torch.optim.swa_utils.AveragedModel`.
    """

    def __init__(self, engine: Any, spec: RegularizationSpec, total_steps: int) -> None:
        self._engine = engine
        self._decay = spec.ema_decay if spec.averaging == "ema" else None
        self._first_step = first_averaged_step(spec, total_steps)
        self._updates = 0
        # now, so that memory that does not suffice ends the run at its start and not near its end
        self._average = [torch.zeros_like(one) for one in master_weights(engine)]

    @torch.no_grad()
    def take(self, step: int) -> None:
        """Take the weights after update ``step`` into the average, where it is old enough."""
        if step < self._first_step:
            return
        self._updates += 1
        weight = 1.0 / self._updates if self._decay is None or self._updates == 1 else 1.0 - self._decay
        for average, master in zip(self._average, master_weights(self._engine), strict=True):
            average.lerp_(master, weight)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model hold the average within, once there is one; every rank enters and leaves."""
        if not self._updates:
            yield
            return
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for average, master in zip(self._average, master_weights(self._engine), strict=True):
            # so the weights are never held a third time
            for first, second in pieces(average, master):
                kept = second.clone()
                second.copy_(first)
                first.copy_(kept)
        write_back(self._engine)

    def state(self) -> dict[str, torch.Tensor]:
        """Return what a resume needs of this rank: its parts; where all hold the whole, rank 0's do."""
        kept = {_COUNT: torch.tensor(self._updates)}
        if dist.get_rank() == 0 or self._is_split():
            kept.update({f"{_PART}{number}": one for number, one in enumerate(self._average)})
        return kept

    def restore(self, kept: Mapping[str, torch.Tensor]) -> None:
        """Go on from what a checkpoint held; every rank calls this."""
        if _COUNT not in kept:
            return
        self._updates = int(kept[_COUNT])
        for number, average in enumerate(self._average):
            name = f"{_PART}{number}"
            if name in kept:
                average.copy_(kept[name])
            if not self._is_split():
                dist.broadcast(average, 0)

    def _is_split(self) -> bool:
        return int(self._engine.zero_optimization_stage()) > 0
