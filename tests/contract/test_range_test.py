"""A range test's job, its rise, its end, and the peak its curve suggests."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.problems import blocking, problems
from remote_agent.contract.range_test import (
    Divergence,
    RangeTest,
    is_range_test,
    range_test_job,
    smoothed,
    suggestion,
)
from remote_agent.contract.schedule import lr_at, warmup_steps


def _job() -> JobSpec:
    spec = with_value(with_value(JobSpec(name="chat"), "model.id", "/models/small"), "data.path", "/data/rows.json")
    watched: JobSpec = with_value(spec, "regularization.patience", 3)
    return watched


@settings(deadline=None)
@given(low=st.floats(1e-9, 1e-5), high=st.floats(1e-4, 10.0), updates=st.integers(2, 400))
def test_that_a_range_test_rises_as_torchs_exponential_schedule(low: float, high: float, updates: int) -> None:
    spec = range_test_job(_job(), RangeTest(low, high, updates))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=low)
    theirs = torch.optim.lr_scheduler.ExponentialLR(optimizer, (high / low) ** (1.0 / (updates - 1)))
    rates = []
    for _ in range(updates):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert [lr_at(spec, update, updates) for update in range(updates)] == pytest.approx(rates, rel=1e-9)


def test_that_a_range_test_is_a_job_that_may_start_and_leaves_nothing_behind() -> None:
    spec = range_test_job(_job(), RangeTest(1e-7, 1e-2, 80))
    assert is_range_test(spec) and not is_range_test(_job())
    assert blocking(problems(spec)) == []
    assert spec.name == "chat (range test)"
    assert (spec.batch.max_steps, spec.optimizer.learning_rate) == (80, 1e-2)
    assert lr_at(spec, 0, 80) == pytest.approx(1e-7) and lr_at(spec, 79, 80) == pytest.approx(1e-2)
    assert warmup_steps(spec.schedule, 80) == 0
    assert not spec.checkpointing.save_at_end and not spec.regularization.patience
    assert spec.data == _job().data and spec.model == _job().model and spec.seed == _job().seed


def test_that_a_range_test_from_a_rate_of_zero_is_a_problem_whose_fix_mends_it() -> None:
    spec = with_value(range_test_job(_job()), "schedule.minimum_factor", 0.0)
    (found,) = blocking(problems(spec))
    assert found.field == "schedule.minimum_factor" and "cannot begin at a learning rate of 0" in found.sentence
    assert found.fix is not None
    assert blocking(problems(with_value(spec, *found.fix.changes[0]))) == []


def test_that_a_loss_that_is_no_number_or_four_times_its_lowest_ends_the_test() -> None:
    rule = Divergence(4.0)
    assert all(rule.take(step, 2.0, 1e-5) == "" for step in range(1, 50))
    ended = [step for step in range(50, 400) if rule.take(step, 20.0, 1e-3)]
    means = smoothed([2.0] * 49 + [20.0] * 351)
    assert ended[0] == 1 + next(place for place, mean in enumerate(means) if mean > 8.0)
    assert "no number" in Divergence(0.0).take(3, math.nan, 0.5)
    assert "learning rate of 0.5" in Divergence(0.0).take(3, math.inf, 0.5)
    assert Divergence(0.0).take(3, 1e9, 0.5) == ""


def test_that_the_running_loss_is_adams_corrected_mean() -> None:
    losses = [3.0, 1.0, 4.0, 1.5]
    mean = 0.0
    for count, loss in enumerate(losses, 1):
        mean = 0.98 * mean + 0.02 * loss
        assert smoothed(losses)[count - 1] == pytest.approx(mean / (1.0 - 0.98**count))


def test_that_a_peak_is_suggested_a_tenth_of_the_rate_where_the_smoothed_loss_is_lowest() -> None:
    rates = [1e-7 * 10 ** (5 * place / 199) for place in range(200)]
    losses = [2.0 + 0.5 * (math.log10(rate) + 3.5) ** 2 if rate > 1e-5 else 3.1 for rate in rates]
    found = suggestion(rates, losses)
    assert found is not None
    means = smoothed(losses)
    assert found.lowest == rates[means.index(min(means))]
    assert found.peak == pytest.approx(found.lowest / 10.0)
    assert 1e-5 < found.steepest < found.lowest


@pytest.mark.parametrize("losses", [[2.0 + place for place in range(40)], [3.0, 2.0, 1.0], [math.nan] * 40])
def test_that_nothing_is_suggested_where_the_loss_never_falls_or_the_curve_is_short(losses: list[float]) -> None:
    assert suggestion([1e-6 * 1.2**place for place in range(len(losses))], losses) is None


def test_that_what_comes_after_a_loss_that_is_no_number_is_left_out() -> None:
    rates = [1e-6 * 1.1**place for place in range(60)]
    falling = [3.0 - 0.02 * place for place in range(40)]
    assert suggestion(rates, falling + [math.nan] + [0.0] * 19) == suggestion(rates[:40], falling)
