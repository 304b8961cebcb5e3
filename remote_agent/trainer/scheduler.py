"""The recipe's schedule on an optimizer: learning rate, weight decay and momentum of the update that comes next."""

from __future__ import annotations

from typing import Any

import torch

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule import momentum_moves, momentums, weight_decay_factor_at
from remote_agent.contract.schedule_spans import Length, as_horizon


class RecipeScheduler(torch.optim.lr_scheduler.LambdaLR):
    """A LambdaLR that sets weight decay and momentum beside the rate, each group's from what it is now.

    All three are functions of the update and of the job alone, so nothing of it needs saving: a resumed run makes a new
    one at the update it goes on from. A group's rate is its share of the peak times the schedule's factor.

    Args:
        optimizer: its groups hold peak rate, decay (key ``weight_decay`` or ``decay``) and ``betas`` or ``momentum``.
        spec: the job.
        first_step: updates done before.
        horizon: the length of the whole run, as the job gives it.
        amended: the job with what was changed while the run went on, None for the job as it is.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        spec: JobSpec,
        first_step: int,
        horizon: Length,
        amended: AmendedJob | None = None,
    ) -> None:
        self._schedule, self._horizon, self._first_step = spec.schedule, horizon, first_step
        self._amended = amended or AmendedJob(spec, as_horizon(horizon))
        self._decays = [_decay(group) for group in optimizer.param_groups]
        self._momentums = [
            momentums(spec.schedule, _momentum(group), horizon) if momentum_moves(spec.schedule) else None
            for group in optimizer.param_groups
        ]
        super().__init__(optimizer, lambda done: self._amended.rate_factor(first_step + done))

    def amend(self, amended: AmendedJob) -> None:
        """Take the job as it stands now; what the next update uses is set anew."""
        self._amended = amended
        step = self._first_step + self.last_epoch
        self._last_lr = [base * amended.rate_factor(step) for base in self.base_lrs]
        self.put_back()

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next update."""
        super().step(epoch)
        self._put_rest()

    def put_back(self) -> None:
        """Set what the next update uses once more, after a checkpoint brought back the groups of the one before."""
        for group, rate in zip(self.optimizer.param_groups, self.get_last_lr(), strict=True):
            group["lr"] = rate
        self._put_rest()

    def _put_rest(self) -> None:
        step = self._first_step + self.last_epoch
        factor = weight_decay_factor_at(self._schedule, step, self._amended.horizon_at(step))
        for group, decay, momentum in zip(self.optimizer.param_groups, self._decays, self._momentums, strict=True):
            if decay:
                group[_decay_key(group)] = decay * factor
            if momentum is not None and "betas" in group:
                group["betas"] = (momentum(step), *group["betas"][1:])
            elif momentum is not None and "momentum" in group:
                group["momentum"] = momentum(step)


def _decay_key(group: dict[str, Any]) -> str:
    # a rule that decays by itself has a weight_decay too, which stays 0
    return "decay" if "decay" in group else "weight_decay"


def _decay(group: dict[str, Any]) -> float:
    return float(group.get(_decay_key(group), 0.0))


def _momentum(group: dict[str, Any]) -> float:
    return float(group["betas"][0] if "betas" in group else group.get("momentum", 0.0))
