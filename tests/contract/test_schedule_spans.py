"""What spans in percent, steps, epochs and tokens come to in updates."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.job_spec import JobSpec, ScheduleSpec, WarmupSpec, with_value
from remote_agent.contract.recipe_spec import CooldownSpec
from remote_agent.contract.schedule_spans import Horizon, cooldown_steps, horizon_of, span_steps, warmup_steps


def test_that_parts_of_an_update_are_rounded_up() -> None:
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(10.0, "percent")), 273) == 28
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(0.0, "percent")), 273) == 0
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(5.0, "steps")), 273) == 5
    assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(4.2, "steps")), 273) == 5


@given(percent=st.integers(0, 100), total=st.integers(1, 5_000_000))
def test_that_whole_percent_are_exact_where_floats_are_not(percent: int, total: int) -> None:
    assert span_steps(float(percent), "percent", total) == math.ceil(Fraction(percent * total, 100))


@given(epochs=st.integers(0, 20), tenths=st.integers(0, 9), per_epoch=st.integers(1, 100_000))
def test_that_epochs_are_counted_in_the_updates_of_an_epoch(epochs: int, tenths: int, per_epoch: int) -> None:
    horizon = Horizon(1000, per_epoch)
    exact = math.ceil(Fraction(10 * epochs + tenths, 10) * per_epoch)
    assert span_steps(epochs + tenths / 10, "epochs", horizon) == exact


@given(steps=st.integers(0, 100_000), sequences=st.integers(1, 10**6), per_sequence=st.integers(1, 8192))
def test_that_tokens_are_counted_in_the_mean_tokens_of_an_update(steps: int, sequences: int, per_sequence: int) -> None:
    plan = batch_plan(with_value(JobSpec(), "batch.accumulation", 8), sequences)
    horizon = horizon_of(plan, sequences * per_sequence)
    assert horizon.tokens_per_step * plan.steps_per_epoch == pytest.approx(sequences * per_sequence)
    assert span_steps(steps * horizon.tokens_per_step, "tokens", horizon) == steps
    assert span_steps(steps * horizon.tokens_per_step + 1, "tokens", horizon) == steps + 1


def test_that_an_epoch_of_warmup_is_the_same_given_in_tokens() -> None:
    plan = batch_plan(with_value(JobSpec(), "batch.accumulation", 16), 1003)
    horizon = horizon_of(plan, 123_457)
    assert plan.steps_per_epoch == 63
    for amount, unit in ((1.0, "epochs"), (123_457.0, "tokens")):
        assert warmup_steps(ScheduleSpec(warmup=WarmupSpec(amount, unit)), horizon) == 63


def test_that_epochs_and_tokens_are_nothing_where_the_data_is_not_known() -> None:
    assert span_steps(2.0, "epochs", 100) == span_steps(2e6, "tokens", 100) == 0
    assert span_steps(2.0, "epochs", Horizon(100)) == 0
    assert horizon_of(batch_plan(JobSpec(), 0), 0) == Horizon(0, 0, 0.0)


def test_that_only_warmup_stable_decay_has_a_cooldown() -> None:
    cooldown = CooldownSpec(25.0, "percent")
    assert cooldown_steps(ScheduleSpec("wsd", cooldown=cooldown), 90) == 23
    assert cooldown_steps(ScheduleSpec("cosine", cooldown=cooldown), 90) == 0
