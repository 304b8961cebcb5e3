"""What each shape of a schedule does after the warmup, as functions of the update."""

from __future__ import annotations

import functools
import math
import operator
from bisect import bisect_right
from typing import Callable, Dict, List, NamedTuple, Tuple

from remote_agent.contract.recipe_spec import ScheduleSpec
from remote_agent.contract.schedule_spans import RANGE_TEST, Horizon, cooldown_steps, span_steps

Factors = Callable[[int], float]
"""From an update (0 …) to its share of the peak."""

LEAST_RANGE = 1e-12
"""A range test with no minimum begins at this share of its peak: an exponential cannot begin at 0."""

MOST_BREAKS = 2000
"""A shape with more parts than this names none of them: they lie closer than the columns of any plot."""


class Course(NamedTuple):
    """A shape laid over a run: its factors from the warmup's end on, and the updates at which a part of it begins."""

    factors: Factors
    begins: Tuple[int, ...] = ()


def rise(shape: str, progress: float) -> float:
    """Return how far a warmup has come, 0 to 1: in a line, or as half a cosine, as torch's OneCycleLR rises."""
    return progress if shape == "linear" else (1.0 - math.cos(math.pi * progress)) / 2.0


def point_update(at_percent: float, total_steps: int) -> float:
    """Return where a drawn point lies, in updates: 0 % is the first update of the run, 100 % its last."""
    return at_percent / 100.0 * max(0, total_steps - 1)


def update_percent(update: float, total_steps: int) -> float:
    """Return the percentage that `point_update` turns into this update."""
    return 100.0 * update / (total_steps - 1) if total_steps > 1 else 0.0


def course_of(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """Return a schedule's shape laid over a run whose first ``warmup`` updates warm up."""
    return _SHAPES[schedule.shape](schedule, horizon, warmup)


def _half_cosine(progress: float) -> float:
    return (1.0 + math.cos(math.pi * progress)) / 2.0


def _falling(schedule: ScheduleSpec, begin: int, end: int, fall: Callable[[float], float]) -> Factors:
    """Return minimum + (1 - minimum) x fall(progress), progress = (update - begin) / (end - begin), at most 1."""
    minimum, length = schedule.minimum_factor, max(1, end - begin)

    def factor(update: int) -> float:
        return minimum + (1.0 - minimum) * fall(min(1.0, (update - begin) / length))

    return factor


def _constant(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    return Course(lambda update: 1.0)


def _linear(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """transformers' get_linear_schedule_with_warmup where the minimum is 0."""
    minimum, total = schedule.minimum_factor, horizon.total_steps
    length = max(1, total - warmup)
    # what is left, and not 1 - progress, which loses digits toward the end of a long run
    return Course(lambda update: minimum + (1.0 - minimum) * (max(0, total - update) / length))


def _cosine(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """transformers' get_cosine_schedule_with_warmup, and ..._with_min_lr_... with its min_lr_rate as the minimum."""
    return Course(_falling(schedule, warmup, horizon.total_steps, _half_cosine))


def _polynomial(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """transformers' get_polynomial_decay_schedule_with_warmup, its lr_end as a share of the peak."""
    power = schedule.power
    return Course(_falling(schedule, warmup, horizon.total_steps, lambda progress: (1.0 - progress) ** power))


def _rex(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """(1 - p) / (1/2 + (1 - p) / 2): Chen et al., REX, 2021, arXiv:2107.04197, section 3."""
    return Course(
        _falling(schedule, warmup, horizon.total_steps, lambda progress: (1.0 - progress) / (1.0 - progress / 2.0))
    )


def _inverse_sqrt(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """transformers' get_inverse_sqrt_schedule. It never ends by itself: the minimum is a floor under it."""
    minimum, timescale = schedule.minimum_factor, schedule.timescale or warmup or 10_000
    last = max(0, horizon.total_steps - 1)

    def factor(update: int) -> float:
        after = max(0, min(update, last) - warmup)
        return max(minimum, 1.0 / math.sqrt((after + timescale) / timescale))

    return Course(factor)


_COOLDOWNS: Dict[str, Callable[[float], float]] = {
    "linear": lambda progress: 1.0 - progress,
    "cosine": _half_cosine,
    "one_minus_sqrt": lambda progress: 1.0 - math.sqrt(progress),
}


def _wsd(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """transformers' get_wsd_schedule. Its warmup starts at the minimum, ours where ``warmup.start_fraction`` says.

    The peak is held until the cooldown begins. A cooldown that would begin within the warmup begins at its end.
    """
    total = horizon.total_steps
    begin = max(warmup, total - cooldown_steps(schedule, horizon))
    falling = _falling(schedule, begin, total, _COOLDOWNS[schedule.cooldown.shape])
    return Course(lambda update: 1.0 if update < begin or begin >= total else falling(update), (begin,))


def _one_cycle(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """torch's OneCycleLR (two phases, cosine), the rise being the warmup with its start and shape.

    torch: pct_start = (warmup + 1) / total, div_factor = 1 / start_fraction, final_div_factor = start_fraction /
    minimum. Unlike the other shapes it is at its minimum in the last update itself.
    """
    return Course(_falling(schedule, warmup, horizon.total_steps - 1, _half_cosine))


def _cosine_restarts(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """One fall after the other: each as long as the one before x ``cycle_length_factor``, from its peak x
    ``cycle_peak_factor``, never below the minimum.

    Equal cycles are transformers' get_cosine_with_hard_restarts_schedule_with_warmup, rounding included; others torch's
    CosineAnnealingWarmRestarts. The end of the last cycle is the end of the run.
    """
    minimum, count, length = schedule.minimum_factor, schedule.cycles, max(1, horizon.total_steps - warmup)
    cycles = _cycles(count, schedule.cycle_length_factor, length)
    starts, equal = cycles.starts, schedule.cycle_length_factor == 1.0

    def factor(update: int) -> float:
        after = update - warmup
        if after >= length:
            return minimum
        if equal:
            place = count * (after / length)
            number, progress = int(place), place % 1.0
        else:
            number = bisect_right(starts, after) - 1
            progress = (after - starts[number]) / (starts[number + 1] - starts[number])
        peak = max(minimum, schedule.cycle_peak_factor**number)
        return minimum + (peak - minimum) * _half_cosine(progress)

    return Course(factor, tuple(warmup + first for first in cycles.firsts) if count <= MOST_BREAKS else ())


class _Cycles(NamedTuple):
    """Where cycles start and the last one ends, counted from the warmup's end, and the first update of each."""

    starts: Tuple[float, ...]
    firsts: Tuple[int, ...]


@functools.lru_cache(maxsize=64)
def _cycles(count: int, ratio: float, length: int) -> _Cycles:
    if ratio == 1.0:
        equal = [length * number / count for number in range(count + 1)]
        # count x (after / length) may round to just below the number: the restart is one update later then
        firsts = [math.ceil(start) for start in equal[:-1]]
        late = [int(int(count * (first / length)) < number) for number, first in enumerate(firsts)]
        return _Cycles(tuple(equal), tuple(map(operator.add, firsts, late)))
    starts: List[float] = []
    for number in range(count + 1):
        # negative powers only: ratio ** count is beyond the floats for long series
        exact = length * (ratio ** (number - count) - ratio**-count) / (1.0 - ratio**-count)
        whole = float(round(exact))
        starts.append(whole if abs(exact - whole) < 1e-9 * length else exact)
    return _Cycles(tuple(starts), tuple(math.ceil(start) for start in starts[:-1]))


def _step(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """torch's StepLR from the warmup's end on, its step_size a share of the run in whole updates, rounded up."""
    total, ratio = horizon.total_steps, schedule.step_factor
    size = max(1, span_steps(schedule.step_percent, "percent", horizon))
    levels = range(warmup + size, total, size)
    return Course(
        lambda update: float(ratio ** (max(0, min(update, total - 1) - warmup) // size)),
        tuple(levels) if len(levels) <= MOST_BREAKS else (),
    )


def _multi_step(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """torch's MultiStepLR with a factor of its own for each milestone, counted over the whole run. 1 before the first.

    A point lies at the first update that is not before it.
    """
    milestones = [math.ceil(place - 1e-9) for place in _places(schedule, horizon)]
    levels = [1.0, *(point.factor for point in schedule.points)]
    return Course(lambda update: levels[bisect_right(milestones, update)], tuple(milestones))


def _piecewise(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """Lines between the points, level before the first and after the last; 1 where there are none (numpy.interp)."""
    places, levels = _places(schedule, horizon), [point.factor for point in schedule.points]
    if not places:
        return Course(lambda update: 1.0)

    def factor(update: int) -> float:
        after = bisect_right(places, update)
        if after == 0 or after == len(places):
            return levels[max(0, after - 1)]
        share = (update - places[after - 1]) / (places[after] - places[after - 1])
        return levels[after - 1] + (levels[after] - levels[after - 1]) * share

    around = {bound for place in places for bound in (math.floor(place), math.ceil(place))}
    return Course(factor, tuple(sorted(around)))


def _places(schedule: ScheduleSpec, horizon: Horizon) -> List[float]:
    return [point_update(point.at_percent, horizon.total_steps) for point in schedule.points]


def _range_test(schedule: ScheduleSpec, horizon: Horizon, warmup: int) -> Course:
    """torch's ExponentialLR with a factor above 1: from the minimum in the first update to the peak in the last."""
    minimum, length = max(schedule.minimum_factor, LEAST_RANGE), max(1, horizon.total_steps - 1)
    return Course(lambda update: float(minimum ** (1.0 - min(1.0, update / length))))


_SHAPES: Dict[str, Callable[[ScheduleSpec, Horizon, int], Course]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "cosine_restarts": _cosine_restarts,
    "polynomial": _polynomial,
    "inverse_sqrt": _inverse_sqrt,
    "wsd": _wsd,
    "one_cycle": _one_cycle,
    "rex": _rex,
    "step": _step,
    "multi_step": _multi_step,
    "piecewise": _piecewise,
    RANGE_TEST: _range_test,
}

LAID_UNDER = ("multi_step", "piecewise")
"""Shapes that are told over the whole run: the warmup is multiplied over them, and others begin where it ends."""
