"""What stands against a schedule: parts longer than the run, and points that make no curve."""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.knob import described_fields
from remote_agent.contract.problem import ERROR, WARNING, Fix, Known, Problem, range_sentence
from remote_agent.contract.recipe_spec import PointSpec, ScheduleSpec
from remote_agent.contract.schedule_spans import (
    RANGE_TEST,
    Horizon,
    cooldown_steps,
    horizon_of,
    is_counted,
    warmup_steps,
)

_WARMUP, _COOLDOWN, _POINTS = "schedule.warmup.amount", "schedule.cooldown.amount", "schedule.points"
_SHORT_WARMUP = ((_WARMUP, 10.0), ("schedule.warmup.unit", "percent"))
_SHORT_COOLDOWN = ((_COOLDOWN, 20.0), ("schedule.cooldown.unit", "percent"))


def known_horizon(spec: JobSpec, known: Known) -> Horizon:
    """Return how long the run is, by prepared data or a complete report of it; steps are 0 where neither tells."""
    report = known.data if known.data is not None and known.data.complete else None
    sequences = known.train_sequences or (report.train_sequences if report is not None else 0)
    tokens = known.train_tokens or (report.train_tokens if report is not None else 0)
    return horizon_of(batch_plan(spec, sequences), tokens)


def schedule_problems(spec: JobSpec, known: Known = Known()) -> Iterator[Problem]:
    """Yield what stands against the schedule of a job whose values are all in range."""
    schedule, horizon = spec.schedule, known_horizon(spec, known)
    yield from _of_points(schedule)
    yield from _of_units(schedule, horizon)
    if horizon.total_steps > 0:
        yield from _of_lengths(schedule, horizon)
    if schedule.shape == "one_cycle":
        yield from _of_momentum(spec)
    if schedule.shape == RANGE_TEST:
        yield from _of_range_test(schedule)


def _of_range_test(schedule: ScheduleSpec) -> Iterator[Problem]:
    if schedule.minimum_factor <= 0.0:
        yield Problem(
            ERROR, "schedule.minimum_factor",
            "A range test rises exponentially, so it cannot begin at a learning rate of 0.",
            Fix("Begin at 1e-5 of the peak", (("schedule.minimum_factor", 1e-5),)),
        )  # fmt: skip


def _of_lengths(schedule: ScheduleSpec, horizon: Horizon) -> Iterator[Problem]:
    total, warmup, cooldown = horizon.total_steps, warmup_steps(schedule, horizon), cooldown_steps(schedule, horizon)
    if warmup >= total:
        yield Problem(
            ERROR, _WARMUP,
            "The warmup of {} steps is not shorter than the run of {} steps, so the peak is never reached.".format(
                warmup, total),
            Fix("Set to 10 %", _SHORT_WARMUP),
        )  # fmt: skip
    elif warmup + cooldown > total:
        keeps_warmup = warmup <= 0.8 * total
        yield Problem(
            ERROR, _COOLDOWN,
            "Warmup and cooldown take {} + {} steps, which is more than the run of {} steps.".format(
                warmup, cooldown, total),
            Fix("Cool down over 20 %", _SHORT_COOLDOWN) if keeps_warmup and warmup + -(-total // 5) <= total
            else Fix("Warm up over 10 %, cool down over 20 %", _SHORT_WARMUP + _SHORT_COOLDOWN),
        )  # fmt: skip


def _of_units(schedule: ScheduleSpec, horizon: Horizon) -> Iterator[Problem]:
    """A span in epochs or tokens is left out of the curve while the data is not known; that has to be said."""
    spans = [(_WARMUP, "warmup", schedule.warmup.amount, schedule.warmup.unit)]
    if schedule.shape == "wsd":
        spans.append((_COOLDOWN, "cooldown", schedule.cooldown.amount, schedule.cooldown.unit))
    for path, name, amount, unit in spans:
        if amount > 0 and not is_counted(unit, horizon):
            yield Problem(
                WARNING, path,
                "The {} is given in {}; how many steps that is can be told once the data is looked at.".format(
                    name, unit),
            )  # fmt: skip


def _of_points(schedule: ScheduleSpec) -> Iterator[Problem]:
    points = schedule.points
    for number, point in enumerate(points):
        for field in described_fields(PointSpec):
            sentence = range_sentence(field.knob, getattr(point, field.path))
            if sentence:
                without = points[:number] + points[number + 1 :]
                yield Problem(
                    ERROR, _POINTS, "Point {}: {}".format(number + 1, sentence),
                    Fix("Take the point out", ((_POINTS, without),)),
                )  # fmt: skip
                return
    if schedule.shape not in ("piecewise", "multi_step"):
        return
    if not points and schedule.shape == "piecewise":
        line = (PointSpec(0.0, 1.0), PointSpec(100.0, schedule.minimum_factor))
        yield Problem(
            ERROR, _POINTS, "A hand-drawn schedule has no points.",
            Fix("Start from a straight fall", ((_POINTS, line),)),
        )  # fmt: skip
    elif not points:
        # He et al., Deep Residual Learning, 2016, arXiv:1512.03385, section 4.2: after 32k and 48k of 64k updates
        levels = (PointSpec(50.0, 0.1), PointSpec(75.0, 0.01))
        yield Problem(
            ERROR, _POINTS, "A multi-step schedule has no points.",
            Fix("Fall to a tenth at 50 % and 75 %", ((_POINTS, levels),)),
        )  # fmt: skip
    elif any(points[number].at_percent <= points[number - 1].at_percent for number in range(1, len(points))):
        yield Problem(
            ERROR, _POINTS, "The points of the schedule are out of order: each has to lie after the one before.",
            Fix("Put them in order", ((_POINTS, _in_order(points)),)),
        )  # fmt: skip


def _in_order(points: Tuple[PointSpec, ...]) -> Tuple[PointSpec, ...]:
    """Return the points by their place; of several in one place the last stays."""
    by_place: Dict[float, PointSpec] = {point.at_percent: point for point in points}
    return tuple(by_place[place] for place in sorted(by_place))


def _of_momentum(spec: JobSpec) -> Iterator[Problem]:
    optimizer, low = spec.optimizer, spec.schedule.momentum_low
    base = optimizer.momentum if optimizer.kind in ("sgd", "muon") else optimizer.beta1
    if low <= 0.0:
        return
    if optimizer.kind == "adafactor" or base == 0.0:
        sentence = "The momentum at the peak is set, but this optimizer has no momentum to move."
    elif low >= base:
        sentence = "The momentum at the peak, {:g}, is not below the momentum itself, {:g}.".format(low, base)
    else:
        return
    yield Problem(
        WARNING, "schedule.momentum_low", sentence, Fix("Keep the momentum", (("schedule.momentum_low", 0.0),))
    )
