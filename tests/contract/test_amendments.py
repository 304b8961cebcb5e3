"""What was changed while a run went on: each update's values follow from the journal alone."""

from __future__ import annotations

import math

import pytest

from remote_agent.contract.amendments import (
    EVALUATE_EVERY,
    LEARNING_RATE,
    MAX_STEPS,
    SKIP_STEPS,
    AmendedJob,
    amendment_problem,
    in_order,
)
from remote_agent.contract.events import Amended
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.schedule import lr_at
from remote_agent.contract.schedule_spans import Horizon

SPEC: JobSpec = with_value(JobSpec(), "optimizer.learning_rate", 1e-4)


def test_that_without_amendments_the_rate_is_the_schedules() -> None:
    job = AmendedJob(SPEC, Horizon(50))
    assert [job.learning_rate(step) for step in range(50)] == [lr_at(SPEC, step, 50) for step in range(50)]
    assert (job.total_steps, job.data_step(7), job.evaluates_every(7)) == (50, 7, 0)


def test_that_a_rate_is_scaled_from_its_update_on_and_an_end_moves_the_schedule_from_its_update_on() -> None:
    job = AmendedJob(SPEC, Horizon(50), [Amended(1, 10, LEARNING_RATE, 5e-5), Amended(1, 20, MAX_STEPS, 80.0)])
    assert job.learning_rate(9) == lr_at(SPEC, 9, 50)
    assert job.learning_rate(10) == pytest.approx(0.5 * lr_at(SPEC, 10, 50), rel=1e-12)
    assert job.learning_rate(20) == pytest.approx(0.5 * lr_at(SPEC, 20, 80), rel=1e-12)
    assert job.total_steps == 80


def test_that_what_an_attempt_begins_with_comes_before_what_was_commanded_in_it_and_wins_over_the_one_before() -> None:
    told = [
        Amended(1, 30, LEARNING_RATE, 2e-4),
        Amended(2, 25, LEARNING_RATE, 3e-5),
        Amended(2, 20, LEARNING_RATE, 5e-5, at_start=True),
    ]
    job = AmendedJob(SPEC, Horizon(50), in_order(told))
    assert [job.peak_at(step) for step in (19, 20, 25, 30)] == [1e-4, 5e-5, 3e-5, 3e-5]


def test_that_rows_left_out_twice_at_one_update_move_the_data_by_two() -> None:
    job = AmendedJob(SPEC, Horizon(50), [Amended(2, 9, SKIP_STEPS, 1.0), Amended(3, 9, SKIP_STEPS, 1.0)])
    assert [job.data_step(step) for step in (8, 9, 10)] == [8, 11, 12]


@pytest.mark.parametrize(
    ("field", "value", "step", "part"),
    [
        ("model.id", 1.0, 0, "cannot be changed"),
        (LEARNING_RATE, math.nan, 0, "has to be a number"),
        (LEARNING_RATE, 0.0, 0, "above 0"),
        (EVALUATE_EVERY, 2.5, 0, "whole number"),
        (EVALUATE_EVERY, -1.0, 0, "below 0"),
        (MAX_STEPS, 9.0, 9, "has to lie beyond"),
        (MAX_STEPS, 10.0, 9, ""),
        (LEARNING_RATE, 1e-5, 0, ""),
        (EVALUATE_EVERY, 0, 0, ""),
    ],
)
def test_that_an_amendment_is_checked(field: str, value: float, step: int, part: str) -> None:
    said = amendment_problem(SPEC, field, value, step)
    assert part in said and bool(said) == bool(part)
