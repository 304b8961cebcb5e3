"""Every shape of a schedule, held against the schedule of transformers, torch or numpy that it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler
from transformers import optimization

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.recipe_spec import CooldownSpec, OptimizerSpec, PointSpec, ScheduleSpec, WarmupSpec
from remote_agent.contract.schedule import (
    breakpoints,
    lr_factor_at,
    lr_factors,
    momentum_at,
    update_percent,
    warmup_steps,
)
from tests.support.random_schedules import any_schedules

WITHOUT = WarmupSpec(0.0, "steps")


def _theirs(make: Callable[[torch.optim.Optimizer], Any], total: int, key: str = "lr", momentum: float = 0.0) -> Any:
    """Return what each update of a run on another library's schedule uses, the peak being 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=momentum)
    scheduler, used = make(optimizer), []
    for step in range(total):
        used.append(optimizer.param_groups[0][key])
        optimizer.step()
        if step + 1 < total:
            scheduler.step()
    return pytest.approx(used, rel=1e-12, abs=1e-15)


def _ours(schedule: ScheduleSpec, total: int) -> list[float]:
    return [lr_factor_at(schedule, step, total) for step in range(total)]


@st.composite
def _lengths(draw: st.DrawFn, most: int = 250) -> tuple[int, int]:
    total = draw(st.integers(1, most))
    return total, draw(st.integers(0, total - 1))


def _random(**values: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        return settings(deadline=None, max_examples=25)(given(lengths=_lengths(), **values)(test))

    return decorate


@_random(minimum=st.floats(0, 1))
def test_that_the_cosine_is_transformers_cosine_to_a_minimum(lengths: tuple[int, int], minimum: float) -> None:
    total, warmup = lengths
    schedule = ScheduleSpec("cosine", minimum, WarmupSpec(warmup, "steps"))
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: optimization.get_cosine_with_min_lr_schedule_with_warmup(
            optimizer, warmup, total, min_lr_rate=minimum
        ),
        total,
    )


@_random(cycles=st.integers(1, 60))
def test_that_equal_restarts_are_transformers_hard_restarts(lengths: tuple[int, int], cycles: int) -> None:
    total, warmup = lengths
    schedule = ScheduleSpec("cosine_restarts", 0.0, WarmupSpec(warmup, "steps"), cycles=cycles)
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: optimization.get_cosine_with_hard_restarts_schedule_with_warmup(
            optimizer, warmup, total, cycles
        ),
        total,
    )


@settings(deadline=None, max_examples=25)
@given(first=st.integers(1, 9), ratio=st.integers(2, 3), cycles=st.integers(1, 4), minimum=st.floats(0, 1))
def test_that_growing_restarts_are_torchs_warm_restarts(first: int, ratio: int, cycles: int, minimum: float) -> None:
    total = first * (ratio**cycles - 1) // (ratio - 1)
    schedule = ScheduleSpec("cosine_restarts", minimum, WITHOUT, cycles=cycles, cycle_length_factor=float(ratio))
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, first, ratio, eta_min=minimum), total
    )
    assert len(breakpoints(schedule, total)) == len({0, total - 1, *(first * (ratio**n - 1) // (ratio - 1)
                                                                     for n in range(cycles))})  # fmt: skip


@_random(power=st.floats(0.1, 5), end=st.floats(0, 0.99))
def test_that_the_polynomial_is_transformers(lengths: tuple[int, int], power: float, end: float) -> None:
    total, warmup = lengths
    schedule = ScheduleSpec("polynomial", end, WarmupSpec(warmup, "steps"), power=power)
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: optimization.get_polynomial_decay_schedule_with_warmup(
            optimizer, warmup, total, lr_end=end, power=power
        ),
        total,
    )


@_random(timescale=st.integers(0, 500))
def test_that_the_inverse_square_root_is_transformers(lengths: tuple[int, int], timescale: int) -> None:
    total, warmup = lengths
    schedule = ScheduleSpec("inverse_sqrt", 0.0, WarmupSpec(warmup, "steps"), timescale=timescale)
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: optimization.get_inverse_sqrt_schedule(optimizer, warmup, timescale or None), total
    )


@_random(
    share=st.floats(0, 1),
    minimum=st.floats(0, 1),
    rise=st.sampled_from(["linear", "cosine"]),
    fall=st.sampled_from([("linear", "linear"), ("cosine", "cosine"), ("one_minus_sqrt", "1-sqrt")]),
)
def test_that_warmup_stable_decay_is_transformers(
    lengths: tuple[int, int], share: float, minimum: float, rise: str, fall: tuple[str, str]
) -> None:
    total, warmup = lengths
    cooldown = int((total - warmup) * share)
    # transformers begins its warmup at the minimum
    warm = WarmupSpec(warmup, "steps", minimum, rise)
    schedule = ScheduleSpec("wsd", minimum, warm, CooldownSpec(cooldown, "steps", fall[0]))
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: optimization.get_wsd_schedule(
            optimizer, warmup, cooldown, total, warmup_type=rise, decay_type=fall[1], min_lr_ratio=minimum
        ),
        total,
    )


@settings(deadline=None, max_examples=25)
@given(
    total=st.integers(3, 250),
    share=st.floats(0, 1),
    start=st.floats(0.01, 0.9),
    final=st.floats(1, 1e4),
    low=st.floats(0.1, 0.8),
)
def test_that_one_cycle_is_torchs_with_its_momentum(
    total: int, share: float, start: float, final: float, low: float
) -> None:
    warmup = 1 + int((total - 3) * share)
    warm = WarmupSpec(warmup, "steps", start, "cosine")
    schedule = ScheduleSpec("one_cycle", start / final, warm, momentum_low=low)

    def theirs(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.OneCycleLR(
            optimizer, 1.0, total, pct_start=(warmup + 1) / total, div_factor=1 / start, final_div_factor=final,
            base_momentum=low, max_momentum=0.9,
        )  # fmt: skip

    assert _ours(schedule, total) == _theirs(theirs, total)
    for kind in ("sgd", "adamw"):
        spec = JobSpec(optimizer=OptimizerSpec(kind, beta1=0.9, momentum=0.9), schedule=schedule)
        moved = [momentum_at(spec, step, total) for step in range(total)]
        assert moved == _theirs(theirs, total, "momentum", momentum=0.9)


@settings(deadline=None, max_examples=25)
@given(total=st.integers(1, 250), size=st.integers(1, 250), gamma=st.floats(0.01, 1))
def test_that_steps_are_torchs_step_schedule(total: int, size: int, gamma: float) -> None:
    size = min(size, total)
    schedule = ScheduleSpec("step", warmup=WITHOUT, step_percent=100.0 * size / total, step_factor=gamma)
    assert _ours(schedule, total) == _theirs(lambda optimizer: lr_scheduler.StepLR(optimizer, size, gamma), total)


@settings(deadline=None, max_examples=25)
@given(total=st.integers(2, 250), places=st.sets(st.integers(0, 249), max_size=5), gamma=st.floats(0.01, 1))
def test_that_multi_steps_are_torchs_milestones(total: int, places: set[int], gamma: float) -> None:
    milestones = sorted(place for place in places if 0 < place < total)
    points = tuple(
        PointSpec(update_percent(place, total), gamma ** (1 + number)) for number, place in enumerate(milestones)
    )
    schedule = ScheduleSpec("multi_step", warmup=WITHOUT, points=points)
    assert _ours(schedule, total) == _theirs(
        lambda optimizer: lr_scheduler.MultiStepLR(optimizer, milestones, gamma), total
    )


@settings(deadline=None, max_examples=25)
@given(
    total=st.integers(2, 250),
    points=st.dictionaries(st.integers(0, 100), st.floats(0, 1), min_size=1, max_size=6),
    warmup=st.integers(0, 40),
)
def test_that_a_drawn_curve_goes_in_lines_under_the_warmup(total: int, points: dict[int, float], warmup: int) -> None:
    drawn = tuple(PointSpec(float(at), points[at]) for at in sorted(points))
    schedule = ScheduleSpec("piecewise", warmup=WarmupSpec(warmup, "steps"), points=drawn)
    updates = np.arange(total)
    lines = np.interp(updates / (total - 1) * 100.0, sorted(points), [point.factor for point in drawn])
    warm = np.minimum(1.0, updates / warmup) if warmup else 1.0
    assert _ours(schedule, total) == pytest.approx(list(lines * warm), rel=1e-9, abs=1e-12)


@_random(minimum=st.floats(0, 1))
def test_that_rex_is_the_papers_profile(lengths: tuple[int, int], minimum: float) -> None:
    total, warmup = lengths
    ours = _ours(ScheduleSpec("rex", minimum, WarmupSpec(warmup, "steps")), total)
    left = 1.0 - (np.arange(warmup, total) - warmup) / (total - warmup)
    expected = minimum + (1.0 - minimum) * left / (0.5 + 0.5 * left)
    assert ours[warmup:] == pytest.approx(list(expected), rel=1e-12)


def test_that_each_cycle_starts_from_its_share_of_the_peak_before() -> None:
    schedule = ScheduleSpec("cosine_restarts", 0.2, WITHOUT, cycles=4, cycle_peak_factor=0.5)
    assert [lr_factor_at(schedule, step, 400) for step in (0, 100, 200, 300)] == [1.0, 0.5, 0.25, 0.2]
    assert lr_factor_at(schedule, 99, 400) == pytest.approx(0.2, rel=1e-2)


def test_that_long_series_of_growing_cycles_stay_within_the_floats() -> None:
    schedule = ScheduleSpec("cosine_restarts", 0.0, WITHOUT, cycles=1000, cycle_length_factor=10.0)
    factors = [lr_factor_at(schedule, step, 1_000_000) for step in (0, 1, 99_999, 500_000, 999_999)]
    assert all(0.0 <= factor <= 1.0 for factor in factors)


@settings(deadline=None, max_examples=100)
@given(schedule=any_schedules(), total=st.integers(1, 300))
def test_that_every_factor_of_any_schedule_is_a_share_of_the_peak(schedule: ScheduleSpec, total: int) -> None:
    factors = [lr_factors(schedule, total)(step) for step in range(total + 3)]
    assert all(math.isfinite(factor) and -1e-15 <= factor <= 1.0 + 1e-15 for factor in factors)
    if warmup_steps(schedule, total) < total:
        assert factors[total] == factors[total + 1] == factors[total + 2]


@settings(deadline=None, max_examples=100)
@given(schedule=any_schedules(), total=st.integers(1, 300))
def test_that_every_jump_of_any_schedule_is_a_breakpoint(schedule: ScheduleSpec, total: int) -> None:
    factors, begins = _ours(schedule, total), breakpoints(schedule, total)
    assert begins == tuple(sorted(set(begins))) and begins[0] == 0 and begins[-1] == total - 1
    for step in range(warmup_steps(schedule, total) + 1, total):
        rises = factors[step] > factors[step - 1] + 1e-12
        changes = factors[step] != factors[step - 1]
        if (rises and schedule.shape == "cosine_restarts") or (changes and schedule.shape in ("step", "multi_step")):
            assert step in begins, step
