"""The learning rate of every update: called by the preview, the trainer's LambdaLR and the command line."""

from __future__ import annotations

import math
from typing import List, Tuple

from remote_agent.contract.job_spec import JobSpec, ScheduleSpec


def warmup_steps(schedule: ScheduleSpec, total_steps: int) -> int:
    """Return how many updates the warmup takes. Percent are rounded up, as transformers does for a ratio."""
    if schedule.warmup.unit == "steps":
        return math.ceil(schedule.warmup.amount)
    return math.ceil(total_steps * schedule.warmup.amount / 100.0)


def lr_factor_at(schedule: ScheduleSpec, step: int, total_steps: int) -> float:
    """Return the share of the peak that update ``step`` (0 … total_steps - 1) uses; past the end, the last value.

    progress = (step - warmup) / (total - warmup); cosine: minimum + (1 - minimum) x (1 + cos(pi x progress)) / 2.
    With ``warmup.start_fraction`` and ``minimum_factor`` 0 it equals transformers' get_cosine_schedule_with_warmup and
    get_linear_schedule_with_warmup.
    """
    warmup = warmup_steps(schedule, total_steps)
    if step < warmup:
        start = schedule.warmup.start_fraction
        return start + (1.0 - start) * (step / warmup)
    if schedule.shape == "constant":
        return 1.0
    progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
    minimum = schedule.minimum_factor
    if schedule.shape == "linear":
        return minimum + (1.0 - minimum) * (1.0 - progress)
    assert schedule.shape == "cosine", schedule.shape
    return minimum + (1.0 - minimum) * (1.0 + math.cos(math.pi * progress)) / 2.0


def lr_at(spec: JobSpec, step: int, total_steps: int) -> float:
    """Return the learning rate used by update ``step`` (0 … total_steps - 1)."""
    return spec.optimizer.learning_rate * lr_factor_at(spec.schedule, step, total_steps)


def lr_curve(spec: JobSpec, total_steps: int, columns: int = 1200) -> Tuple[List[int], List[float]]:
    """Return (updates, learning rates) to draw: every update of a short run, else pixel columns and the breakpoints.

    Args:
        spec: the job.
        total_steps: length of the run in updates.
        columns: how many points a long run is reduced to, the breakpoints apart.
    """
    last = total_steps - 1
    if total_steps <= columns:
        steps = list(range(total_steps))
    else:
        warmup = warmup_steps(spec.schedule, total_steps)
        chosen = {round(index * last / (columns - 1)) for index in range(columns)}
        chosen.update(step for step in (0, warmup - 1, warmup, last) if 0 <= step <= last)
        steps = sorted(chosen)
    return steps, [lr_at(spec, step, total_steps) for step in steps]
