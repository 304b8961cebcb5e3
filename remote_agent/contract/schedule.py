"""The learning rate, weight decay and momentum of every update: one home for preview, trainer, alerts and terminal."""

from __future__ import annotations

import math
from typing import Callable, List, Tuple

from remote_agent.contract.job_spec import JobSpec, ScheduleSpec
from remote_agent.contract.schedule_shapes import LAID_UNDER, Factors, course_of, rise
from remote_agent.contract.schedule_shapes import point_update as point_update
from remote_agent.contract.schedule_shapes import update_percent as update_percent
from remote_agent.contract.schedule_spans import Horizon as Horizon
from remote_agent.contract.schedule_spans import Length, as_horizon
from remote_agent.contract.schedule_spans import cooldown_steps as cooldown_steps
from remote_agent.contract.schedule_spans import horizon_of as horizon_of
from remote_agent.contract.schedule_spans import span_steps as span_steps
from remote_agent.contract.schedule_spans import warmup_steps as warmup_steps


def lr_factors(schedule: ScheduleSpec, horizon: Length) -> Factors:
    """Return the function from update (0 … total_steps - 1) to the share of the peak that it uses.

    The warmup goes from ``start_fraction`` to 1 over the updates 0 … warmup, so that update 0 has ``start_fraction``
    (0 as in transformers, whose first update changes nothing). After it, progress = (step - warmup) / (total - warmup);
    the cosine is minimum + (1 - minimum) x (1 + cos(pi x progress)) / 2. Past the end the last value stays. Each shape
    says in `schedule_shapes` which schedule of transformers or torch it equals. Under a drawn or multi-step shape,
    which are told over the whole run, the warmup is multiplied over what they say.
    """
    run = as_horizon(horizon)
    warmup = warmup_steps(schedule, run)
    start, shape = schedule.warmup.start_fraction, schedule.warmup.shape
    after = course_of(schedule, run, warmup).factors
    lies_over = schedule.shape in LAID_UNDER

    def factor(step: int) -> float:
        if step >= warmup:
            return after(step)
        warm = start + (1.0 - start) * rise(shape, step / warmup)
        return warm * after(step) if lies_over else warm

    return factor


def lr_factor_at(schedule: ScheduleSpec, step: int, horizon: Length) -> float:
    """Return the share of the peak that update ``step`` uses: `lr_factors` for one update."""
    return lr_factors(schedule, horizon)(step)


def lr_at(spec: JobSpec, step: int, horizon: Length) -> float:
    """Return the learning rate used by update ``step`` (0 … total_steps - 1)."""
    return spec.optimizer.learning_rate * lr_factor_at(spec.schedule, step, horizon)


def weight_decay_factor_at(schedule: ScheduleSpec, step: int, horizon: Length) -> float:
    """Return the share of the weight decay that update ``step`` uses: half a cosine from 1 to its end factor.

    Source: Caron et al., DINO, 2021, arXiv:2104.14294; its cosine_scheduler takes progress as step / total too.
    """
    end = schedule.weight_decay_end_factor
    if end == 1.0:
        return 1.0
    progress = min(1.0, step / max(1, as_horizon(horizon).total_steps))
    return end + (1.0 - end) * (1.0 + math.cos(math.pi * progress)) / 2.0


def weight_decay_at(spec: JobSpec, step: int, horizon: Length) -> float:
    """Return the weight decay of update ``step``, on the groups that have one; the learning rate multiplies it."""
    return spec.optimizer.weight_decay * weight_decay_factor_at(spec.schedule, step, horizon)


def momentum_moves(schedule: ScheduleSpec) -> bool:
    """Say whether the schedule moves momentum or beta 1 at all."""
    return schedule.shape == "one_cycle" and schedule.momentum_low > 0.0


def momentums(schedule: ScheduleSpec, base: float, horizon: Length) -> Callable[[int], float]:
    """Return the function from update to momentum, where ``base`` is what the recipe says: beta 1 or momentum.

    Under one-cycle it goes from ``base`` to ``momentum_low`` at the peak and back, as torch's OneCycleLR moves
    it between max_momentum and base_momentum; else it stays.
    """
    if not momentum_moves(schedule):
        return lambda step: base
    run = as_horizon(horizon)
    low, warmup, shape = schedule.momentum_low, warmup_steps(schedule, run), schedule.warmup.shape
    length = max(1, run.total_steps - 1 - warmup)

    def momentum(step: int) -> float:
        if step < warmup:
            return base + (low - base) * rise(shape, step / warmup)
        return low + (base - low) * rise("cosine", min(1.0, (step - warmup) / length))

    return momentum


def momentum_at(spec: JobSpec, step: int, horizon: Length) -> float:
    """Return what update ``step`` uses as momentum (SGD, Muon's matrices) or beta 1 (the others)."""
    base = spec.optimizer.momentum if spec.optimizer.kind in ("sgd", "muon") else spec.optimizer.beta1
    return momentums(spec.schedule, base, horizon)(step)


def breakpoints(schedule: ScheduleSpec, horizon: Length) -> Tuple[int, ...]:
    """Return, in order, the updates with which another part of the schedule begins, the first and the last included.

    Parts of which there are more than a plot has columns are left out (`schedule_shapes.MOST_BREAKS`).
    """
    run = as_horizon(horizon)
    warmup, last = warmup_steps(schedule, run), run.total_steps - 1
    begins = {0, warmup, last, *course_of(schedule, run, warmup).begins}
    return tuple(sorted(step for step in begins if 0 <= step <= last))


def curve_steps(schedule: ScheduleSpec, horizon: Length, columns: int = 1200) -> List[int]:
    """Return the updates to draw: all of a short run, else those of the pixel columns, and about the breakpoints.

    Beside a breakpoint its neighbour before it is drawn, so that a jump is upright.
    """
    last = as_horizon(horizon).total_steps - 1
    if last < columns:
        return list(range(last + 1))
    chosen = {round(index * last / (columns - 1)) for index in range(columns)}
    for step in breakpoints(schedule, horizon):
        chosen.update((max(0, step - 1), step))
    return sorted(chosen)


def lr_curve(spec: JobSpec, horizon: Length, columns: int = 1200) -> Tuple[List[int], List[float]]:
    """Return (updates, learning rates) to draw.

    Args:
        spec: the job.
        horizon: the length of the run.
        columns: how many points a long run is reduced to, the breakpoints apart.
    """
    steps = curve_steps(spec.schedule, horizon, columns)
    peak, factors = spec.optimizer.learning_rate, lr_factors(spec.schedule, horizon)
    return steps, [peak * factors(step) for step in steps]


def first_update_note(spec: JobSpec, horizon: Length) -> str:
    """Return a sentence where the first update has a learning rate of 0 and so changes nothing, else an empty one."""
    run = as_horizon(horizon)
    if run.total_steps <= 0 or lr_factor_at(spec.schedule, 0, run) != 0.0:
        return ""
    return (
        "The first update has a learning rate of 0, as in transformers, and changes nothing; "
        "start the warmup above 0 to use it."
    )
