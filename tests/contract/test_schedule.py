"""The learning rate, held against transformers' own schedules."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.job_spec import JobSpec, ScheduleSpec, WarmupSpec, with_value
from remote_agent.contract.schedule import lr_at, lr_curve, lr_factor_at, warmup_steps


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


def test_that_percent_are_rounded_up_to_whole_steps() -> None:
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(10.0, "percent")), 273) == 28
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(0.0, "percent")), 273) == 0
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(5.0, "steps")), 273) == 5


def test_that_past_the_end_the_last_value_stays() -> None:
    assert lr_factor_at(_schedule("linear", 0, minimum=0.1), 500, 100) == pytest.approx(0.1)


@given(total=st.integers(1, 5_000_000), columns=st.integers(2, 2000), warmup=st.floats(0, 99))
@settings(deadline=None, max_examples=30)
def test_that_the_curve_holds_the_exact_values_and_its_peak(total: int, columns: int, warmup: float) -> None:
    spec = with_value(JobSpec(), "schedule.warmup.amount", warmup)
    steps, rates = lr_curve(spec, total, columns)
    assert steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == total - 1
    assert len(steps) <= max(columns + 4, min(total, columns))
    assert rates == [lr_at(spec, step, total) for step in steps]
    if warmup_steps(spec.schedule, total) < total:
        assert max(rates) == spec.optimizer.learning_rate
