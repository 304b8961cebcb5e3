"""The learning rate, held against transformers' own schedules."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.job_spec import JobSpec, OptimizerSpec, ScheduleSpec, WarmupSpec, with_value
from remote_agent.contract.schedule import (
    curve_steps,
    first_update_note,
    lr_at,
    lr_curve,
    lr_factor_at,
    momentum_at,
    warmup_steps,
    weight_decay_at,
)
from tests.support.random_schedules import any_schedules


def _schedule(shape: str, warmup: float = 0, minimum: float = 0.0, start: float = 0.0) -> ScheduleSpec:
    return ScheduleSpec(shape=shape, minimum_factor=minimum, warmup=WarmupSpec(warmup, "steps", start))


def _transformers_factors(shape: str, warmup: int, total: int) -> list[float]:
    import torch
    from transformers import optimization

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = {
        "cosine": lambda: optimization.get_cosine_schedule_with_warmup(optimizer, warmup, total),
        "linear": lambda: optimization.get_linear_schedule_with_warmup(optimizer, warmup, total),
        "constant": lambda: optimization.get_constant_schedule_with_warmup(optimizer, warmup),
    }[shape]()
    factors = []
    for _ in range(total):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return factors


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
@settings(deadline=None, max_examples=25)
@given(total=st.integers(1, 120), share=st.floats(0, 0.9))
def test_that_every_update_uses_the_learning_rate_transformers_would(shape: str, total: int, share: float) -> None:
    warmup = int(total * share)
    expected = _transformers_factors(shape, warmup, total)
    ours = [lr_factor_at(_schedule(shape, warmup), step, total) for step in range(total)]
    assert ours == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_that_the_cosine_falls_to_its_minimum_by_the_formula() -> None:
    spec = JobSpec(schedule=_schedule("cosine", 10, minimum=0.05))
    peak, minimum = spec.optimizer.learning_rate, spec.optimizer.learning_rate * 0.05
    for step in range(10, 100):
        progress = (step - 10) / 90
        expected = minimum + (peak - minimum) * (1 + math.cos(math.pi * progress)) / 2
        assert lr_at(spec, step, 100) == pytest.approx(expected, rel=1e-12)


def test_that_the_first_update_starts_where_the_warmup_says() -> None:
    assert lr_factor_at(_schedule("cosine", 10), 0, 100) == 0.0
    assert lr_factor_at(_schedule("cosine", 10, start=0.25), 0, 100) == 0.25
    assert lr_factor_at(_schedule("cosine", 10, start=0.25), 10, 100) == 1.0


def test_that_past_the_end_the_last_value_stays() -> None:
    assert lr_factor_at(_schedule("linear", 0, minimum=0.1), 500, 100) == pytest.approx(0.1)


@given(total=st.integers(1, 5_000_000), columns=st.integers(2, 2000), warmup=st.floats(0, 99))
@settings(deadline=None, max_examples=30)
def test_that_the_curve_holds_the_exact_values_and_its_peak(total: int, columns: int, warmup: float) -> None:
    spec = with_value(JobSpec(), "schedule.warmup.amount", warmup)
    steps, rates = lr_curve(spec, total, columns)
    assert steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == total - 1
    assert len(steps) <= columns + 6
    assert rates == [lr_at(spec, step, total) for step in steps]
    if warmup_steps(spec.schedule, total) < total:
        assert max(rates) == spec.optimizer.learning_rate


@given(schedule=any_schedules(), total=st.integers(1, 2_000_000))
@settings(deadline=None, max_examples=50)
def test_that_the_curve_of_any_schedule_is_what_the_trainer_uses(schedule: ScheduleSpec, total: int) -> None:
    spec = JobSpec(schedule=schedule)
    steps, rates = lr_curve(spec, total, 50)
    assert steps == curve_steps(schedule, total, 50) and steps[0] == 0 and steps[-1] == total - 1
    for index in range(0, len(steps), 1 + len(steps) // 40):
        assert rates[index] == lr_at(spec, steps[index], total)


def test_that_weight_decay_goes_to_its_end_as_dinos_cosine() -> None:
    spec = JobSpec(optimizer=OptimizerSpec(weight_decay=0.04), schedule=ScheduleSpec(weight_decay_end_factor=10.0))
    # cosine_scheduler of DINO's utils.py: final + 0.5 (base - final) (1 + cos(pi iters / len(iters)))
    expected = [0.4 + 0.5 * (0.04 - 0.4) * (1 + math.cos(math.pi * step / 50)) for step in range(50)]
    assert [weight_decay_at(spec, step, 50) for step in range(50)] == pytest.approx(expected, rel=1e-12)
    assert weight_decay_at(JobSpec(), 20, 50) == JobSpec().optimizer.weight_decay


def test_that_momentum_stays_unless_one_cycle_lowers_it() -> None:
    for kind, stays in (("adamw", 0.8), ("lion", 0.8), ("sgd", 0.7), ("muon", 0.7)):
        optimizer = OptimizerSpec(kind, beta1=0.8, momentum=0.7)
        cosine = JobSpec(optimizer=optimizer, schedule=ScheduleSpec(momentum_low=0.5))
        assert {momentum_at(cosine, step, 40) for step in range(40)} == {stays}
        cycle = with_value(cosine, "schedule.shape", "one_cycle")
        moved = [momentum_at(cycle, step, 40) for step in range(40)]
        assert (moved[0], moved[4], moved[39]) == pytest.approx((stays, 0.5, stays))
        assert min(moved) == moved[4]


def test_that_a_first_update_without_a_rate_is_told() -> None:
    assert "changes nothing" in first_update_note(JobSpec(), 100)
    assert first_update_note(with_value(JobSpec(), "schedule.warmup.start_fraction", 0.01), 100) == ""
    assert first_update_note(with_value(JobSpec(), "schedule.warmup.amount", 0.0), 100) == ""
    assert first_update_note(JobSpec(), 0) == ""
