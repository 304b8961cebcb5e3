"""Two ranks whose run is changed, paused, taken past rows, or loses its loss: all agree, and the journal tells it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.events import (
    Amended,
    CheckpointCommitted,
    CommandDone,
    Evaluated,
    Sampled,
    StepCompleted,
    StepRows,
    TrainingEnded,
    TrainingStarted,
)
from remote_agent.contract.recovery_spec import NONFINITE
from remote_agent.contract.schedule_spans import Horizon
from tests.trainer.launches import CHANGES, Launches
from tests.trainer.run_folder import job

pytestmark = pytest.mark.slow
PLANNED = 5


def rates(launches: Launches, name: str) -> dict[int, float]:
    return {event.step: event.learning_rate for event in launches.events(name, StepCompleted)}


def seen(launches: Launches, name: str) -> list[Any]:
    """Return the ids of every micro batch of both ranks in turn."""
    each = [json.loads((launches.root / name / f"seen-rank{rank}.json").read_text()) for rank in range(2)]
    return [[micro["input_ids"] for micro in update] for update in zip(*each, strict=True)]


def test_that_a_changed_rate_end_and_interval_hold_from_the_next_update_and_are_journalled_before_it(
    launches: Launches,
) -> None:
    made = launches.events("changed", Amended)
    assert [(one.attempt, one.from_step, one.field, one.value) for one in made] == [(1, 1, *one) for one in CHANGES]
    amended = AmendedJob(job(batch__micro_batch=4), Horizon(PLANNED), made)
    assert rates(launches, "changed") == {step: amended.learning_rate(step - 1) for step in range(1, 8)}
    assert launches.events("changed", TrainingEnded)[-1].step == 7
    assert [event.step for event in launches.events("changed", Evaluated)] == [0, 3, 6, 7]
    assert [event.step for event in launches.events("changed", Sampled)] == [0, 1, 3, 6, 7]
    assert {event.verb for event in launches.events("changed", CommandDone)} == {"amend", "sample"}


def test_that_a_paused_run_goes_on_with_its_changes_bit_for_bit(launches: Launches) -> None:
    first, second = launches.events("changed-paused", TrainingEnded)
    assert (first.step, first.complete, second.step, second.complete) == (1, False, 7, True)
    assert [event.name for event in launches.events("changed-paused", CheckpointCommitted) if event.has_state] == [
        "step-1"
    ]
    assert CommandDone("c3", "pause", 1) in launches.events("changed-paused", CommandDone)
    started = launches.events("changed-paused", TrainingStarted)[-1]
    assert (started.first_step, started.total_steps, started.planned_steps) == (1, 7, PLANNED)
    assert rates(launches, "changed-paused") == rates(launches, "changed")
    assert launches.losses("changed-paused", 2) == {
        step: loss for step, loss in launches.losses("changed").items() if step > 1
    }


def test_that_rows_that_are_left_out_give_way_to_those_of_the_next_update(launches: Launches) -> None:
    plain, left_out = seen(launches, "stage-2"), seen(launches, "left-out")
    assert left_out == [plain[0], plain[1], plain[3], plain[4]]


def test_that_a_loss_that_is_no_number_ends_the_ranks_and_names_its_rows(launches: Launches) -> None:
    (ended,) = launches.events("wild", TrainingEnded)
    last = launches.events("wild", StepCompleted)[-1]
    assert (ended.cause, ended.complete, ended.step) == (NONFINITE, False, last.step)
    assert f"at step {last.step}" in ended.reason
    assert not (math.isfinite(last.loss) and math.isfinite(last.gradient_norm))
    told = launches.events("wild", StepRows)[-1]
    assert told.step == last.step and len(told.rows) >= 8
    assert last.step not in [event.step for event in launches.events("wild", CheckpointCommitted)]


def test_that_an_updates_time_is_told_in_its_parts_and_the_slowest_rank_is_one_of_both(launches: Launches) -> None:
    for event in launches.events("one-8", StepCompleted):
        parts = event.data_s + event.forward_s + event.backward_s + event.optimizer_s + event.communication_s
        assert 0.5 * event.step_time_s < parts <= event.step_time_s
        assert min(event.forward_s, event.backward_s, event.optimizer_s) > 0
        assert event.slowest_rank == -1
    assert {event.slowest_rank for event in launches.events("stage-2", StepCompleted)} <= {-1, 0, 1}
