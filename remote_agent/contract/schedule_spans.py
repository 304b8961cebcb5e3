"""The length of a run in updates, epochs and tokens, and what a span given in one of these units comes to."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol, Union

from remote_agent.contract.job_spec import ScheduleSpec

RANGE_TEST = "range_test"
"""The shape that makes a run a learning-rate range test."""


class Horizon(NamedTuple):
    """How long a run is.

    ``steps_per_epoch`` counts updates and ``tokens_per_step`` is the mean of an epoch's, padding left out; both are 0
    where the data is not known yet.
    """

    total_steps: int
    steps_per_epoch: int = 0
    tokens_per_step: float = 0.0


Length = Union[Horizon, int]
"""A horizon, or the total updates alone."""


class RunLength(Protocol):
    """What says how long a run is in updates: a batch plan, or the event that starts a training."""

    @property
    def total_steps(self) -> int:
        """The updates of the run."""

    @property
    def steps_per_epoch(self) -> int:
        """The updates of an epoch, 0 where the data is not known."""


def horizon_of(plan: RunLength, train_tokens: int) -> Horizon:
    """Return the horizon of a planned run whose data has so many tokens an epoch (0 where they are not known).

    Window, trainer and alerts all call it, with the same plan and the data's ``train_tokens``, so that a span in epochs
    or tokens comes to the same updates everywhere.
    """
    per_step = train_tokens / plan.steps_per_epoch if plan.steps_per_epoch else 0.0
    return Horizon(plan.total_steps, plan.steps_per_epoch, per_step)


def as_horizon(length: Length) -> Horizon:
    """Return the horizon of what may be a plain number of updates."""
    return length if isinstance(length, Horizon) else Horizon(length)


def is_counted(unit: str, length: Length) -> bool:
    """Say whether a span in this unit can be told in updates: epochs and tokens need the data."""
    horizon = as_horizon(length)
    return {"epochs": horizon.steps_per_epoch > 0, "tokens": horizon.tokens_per_step > 0}.get(unit, True)


def span_steps(amount: float, unit: str, length: Length) -> int:
    """Return how many updates a span takes, parts of an update rounded up, as transformers does for a ratio.

    transformers computes ceil(total x ratio), which takes one more where the product of the floats lies a rounding
    error above a whole number (7 % of 100: 8); here such an error does not count. A span whose unit is not
    `is_counted` is 0.
    """
    horizon = as_horizon(length)
    if unit == "steps":
        return math.ceil(amount)
    if unit == "percent":
        exact = horizon.total_steps * amount / 100.0
    elif not is_counted(unit, horizon):
        return 0
    elif unit == "epochs":
        exact = amount * horizon.steps_per_epoch
    else:
        assert unit == "tokens", unit
        exact = amount / horizon.tokens_per_step
    return math.ceil(exact * (1.0 - 1e-12))


def warmup_steps(schedule: ScheduleSpec, length: Length) -> int:
    """Return how many updates the warmup takes: 0 in a range test, which rises by itself."""
    if schedule.shape == RANGE_TEST:
        return 0
    return span_steps(schedule.warmup.amount, schedule.warmup.unit, length)


def cooldown_steps(schedule: ScheduleSpec, length: Length) -> int:
    """Return how many updates the cooldown takes: 0 unless the shape is warmup-stable-decay."""
    if schedule.shape != "wsd":
        return 0
    return span_steps(schedule.cooldown.amount, schedule.cooldown.unit, length)
