"""Each alert is raised by what it is about, once, and is over when that is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from remote_agent.contract import alerts
from remote_agent.contract.alert_spec import AlertSpec
from remote_agent.contract.alerts import Alert, AlertRules
from remote_agent.contract.amendments import LEARNING_RATE, MAX_STEPS, AmendedJob
from remote_agent.contract.events import (
    AlertCleared,
    AlertRaised,
    Amended,
    AttemptStarted,
    CheckpointCommitted,
    Evaluated,
    Event,
    NodeSampled,
    Stamped,
    StateChanged,
    StepCompleted,
    StepRows,
    TrainingStarted,
)
from remote_agent.contract.job_spec import JobSpec, OptimizerSpec
from remote_agent.contract.schedule_spans import Horizon

START = TrainingStarted(1, 0, 1000, 50, 1, 10, 100, 10)
GIB = 2**30


def a_step(step: int, **changes: Any) -> StepCompleted:
    usual = StepCompleted(1, step, 2.0, 1e-5, 1.0, 100, 80, 1000.0, 0.1, 0, step / 50)
    return dataclasses.replace(usual, **changes)


class Told:
    """Rules that were fed a run which trains, with a clock of one second an event."""

    def __init__(self, spec: JobSpec | None = None, **options: Any) -> None:
        self.rules = AlertRules(spec or JobSpec(), **options)
        self.now = 0.0
        self.tell(AttemptStarted(1, 1), StateChanged("running", 1), START)

    def tell(self, *events: Event) -> list[Alert]:
        found: list[Alert] = []
        for event in events:
            self.now += 1.0
            found += self.rules.take(Stamped(self.now, event))
        return found

    def steps(self, first: int, count: int, **changes: Any) -> list[Alert]:
        return self.tell(*(a_step(step, **changes) for step in range(first, first + count)))


def raised(found: list[Alert]) -> list[str]:
    return [alert.rule for alert in found if isinstance(alert, AlertRaised)]


def cleared(found: list[Alert]) -> list[str]:
    return [alert.rule for alert in found if isinstance(alert, AlertCleared)]


def test_that_a_calm_run_raises_nothing_until_it_ends() -> None:
    told = Told()
    assert told.steps(1, 300) == []
    assert raised(told.tell(StateChanged("finished", 1))) == [alerts.RUN_ENDED]


@pytest.mark.parametrize(
    ("field", "rule"), [("loss", alerts.NONFINITE_LOSS), ("gradient_norm", alerts.NONFINITE_GRADIENT)]
)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_that_a_value_that_is_no_number_is_said_once_with_its_step_and_is_over_with_the_next_number(
    field: str, rule: str, value: float
) -> None:
    told = Told()
    told.steps(1, 3)
    found = told.steps(4, 2, **{field: value})
    assert raised(found) == [rule]
    assert isinstance(found[0], AlertRaised)
    assert (found[0].step, found[0].severity) == (4, "error")
    assert "step 4" in found[0].sentence
    assert cleared(told.steps(6, 1)) == [rule]


def test_that_a_loss_that_rises_over_its_level_is_told_with_both() -> None:
    told = Told()
    told.steps(1, 60)
    found = told.steps(61, 30, loss=4.0)
    assert raised(found) == [alerts.LOSS_RISE]
    assert isinstance(found[0], AlertRaised)
    assert found[0].limit == pytest.approx(3.0)
    assert cleared(told.steps(91, 30)) == [alerts.LOSS_RISE]


def test_that_a_single_bad_loss_raises_nothing() -> None:
    told = Told()
    told.steps(1, 60)
    assert told.steps(61, 1, loss=6.0) == []


def test_that_the_last_epochs_mean_is_a_level_too() -> None:
    told = Told()
    told.steps(1, 50, loss=3.0)
    told.steps(51, 100, loss=1.0)
    found = told.steps(151, 40, loss=1.6)
    assert alerts.LOSS_RISE in raised(found)


def test_that_gradient_spikes_are_silent_for_a_while_after_one() -> None:
    told = Told()
    told.steps(1, 30)
    assert raised(told.steps(31, 1, gradient_norm=50.0)) == [alerts.GRADIENT_SPIKE]
    told.steps(32, 1)
    assert raised(told.steps(33, 1, gradient_norm=50.0)) == []
    told.steps(34, 60)
    assert raised(told.steps(94, 1, gradient_norm=50.0)) == [alerts.GRADIENT_SPIKE]


def evaluation(step: int, loss: float) -> Evaluated:
    return Evaluated(1, step, loss, math.exp(loss), 100, 10, 1.0)


def test_that_a_rising_held_out_loss_counts_only_while_the_training_loss_falls() -> None:
    falling, flat = Told(), Told()
    for told, slope in ((falling, 0.1), (flat, 0.0)):
        found: list[Alert] = []
        for turn, held_out in enumerate((2.0, 1.8, 1.9, 2.0, 2.1)):
            told.steps(1 + 10 * turn, 10, loss=2.0 - slope * turn)
            found += told.tell(evaluation(10 * (turn + 1), held_out))
        assert raised(found) == ([alerts.OVERFITTING] if told is falling else [])


def test_that_a_stall_is_measured_in_median_steps_and_is_over_with_the_next_update() -> None:
    told = Told()
    told.steps(1, 30, step_time_s=20.0)
    last = told.now
    assert told.rules.tick(last + 199.0) == []
    found = told.rules.tick(last + 201.0)
    assert raised(found) == [alerts.STALL]
    assert told.rules.tick(last + 300.0) == []
    assert cleared(told.steps(31, 1)) == [alerts.STALL]


def test_that_evaluating_and_saving_are_no_stall() -> None:
    told = Told()
    told.steps(1, 30, step_time_s=0.1)
    told.now += 50.0
    told.tell(evaluation(30, 1.0))
    told.now += 50.0
    told.tell(CheckpointCommitted(1, 30, "step-30", True, 10, 1.0))
    assert told.rules.tick(told.now + 50.0) == []


def test_that_throughput_below_half_of_the_usual_is_told() -> None:
    told = Told()
    told.steps(1, 60)
    assert raised(told.steps(61, 10, tokens_per_s=400.0)) == [alerts.THROUGHPUT_DROP]
    assert cleared(told.steps(71, 12)) == [alerts.THROUGHPUT_DROP]


def test_that_a_learning_rate_unlike_the_plan_is_told() -> None:
    told = Told(lr_plan=lambda start, amendments: lambda update: 1e-5 if update < 5 else 5e-6)
    assert told.steps(1, 5) == []
    assert raised(told.steps(6, 1)) == [alerts.LR_PLAN]


def test_that_a_group_with_a_factor_of_its_own_is_held_to_the_plan_times_it() -> None:
    spec = JobSpec(optimizer=OptimizerSpec(layer_decay=0.5))
    told = Told(spec, lr_plan=lambda start, amendments: lambda update: 4e-5 if update < 5 else 8e-5)
    assert told.steps(1, 5) == []
    assert raised(told.steps(6, 1)) == [alerts.LR_PLAN]


def test_that_where_a_run_is_holds_step_loss_and_the_time_left() -> None:
    told = Told()
    assert told.rules.where == alerts.Where(0, 1000, None, None)
    told.steps(1, 10, step_time_s=2.0)
    assert told.rules.where == alerts.Where(10, 1000, 2.0, 1980.0)


def gpu(index: int, celsius: float, used: int) -> dict[str, Any]:
    return {"index": index, "temperature_c": celsius, "memory_used_bytes": used, "memory_total_bytes": 80 * GIB}


def test_that_a_hot_and_a_full_gpu_are_told_apart_and_by_number() -> None:
    told = Told()
    cool = NodeSampled(1.0, 1, 100, 10**12, (gpu(0, 60.0, GIB), gpu(1, 60.0, GIB)))
    assert told.tell(cool) == []
    found = told.tell(NodeSampled(1.0, 1, 100, 10**12, (gpu(0, 91.0, GIB), gpu(1, 60.0, 79 * GIB))))
    assert [(alert.rule, alert.rank) for alert in found] == [(alerts.GPU_HOT, 0), (alerts.GPU_MEMORY, 1)]
    assert sorted(cleared(told.tell(cool))) == [alerts.GPU_HOT, alerts.GPU_MEMORY]


def test_that_a_gpu_that_slows_itself_down_is_told_with_the_reason_until_it_no_longer_does() -> None:
    told = Told()
    slow = {**gpu(1, 80.0, GIB), "slowed_by": "heat, power brake"}
    (found,) = told.tell(NodeSampled(1.0, 1, 100, 10**12, (gpu(0, 60.0, GIB), slow)))
    assert isinstance(found, AlertRaised) and (found.rule, found.rank) == (alerts.GPU_SLOWED, 1)
    assert found.sentence == "GPU 1 slows itself down: heat, power brake."
    assert cleared(told.tell(NodeSampled(1.0, 1, 100, 10**12, (gpu(0, 60.0, GIB), gpu(1, 60.0, GIB))))) == [
        alerts.GPU_SLOWED
    ]
    off = Told(JobSpec(alerts=AlertSpec(gpu_slows=False)))
    assert off.tell(NodeSampled(1.0, 1, 100, 10**12, (slow,))) == []


def test_that_a_disk_without_room_for_the_next_checkpoint_is_told_before_it_is_due() -> None:
    told = Told()
    assert told.tell(NodeSampled(1.0, 1, 100, 5)) == []
    told.tell(CheckpointCommitted(1, 10, "step-10", True, 10 * GIB, 1.0))
    assert raised(told.tell(NodeSampled(1.0, 1, 100, 9 * GIB))) == [alerts.DISK]
    assert cleared(told.tell(NodeSampled(1.0, 1, 100, 11 * GIB))) == [alerts.DISK]


def test_that_a_full_memory_of_the_node_is_told() -> None:
    assert raised(Told().tell(NodeSampled(1.0, 96, 100, 10**12))) == [alerts.HOST_MEMORY]


def test_that_every_rule_can_be_turned_off() -> None:
    off = AlertSpec(0.0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, False, 0.0)
    told = Told(JobSpec(alerts=off))
    told.steps(1, 60)
    told.tell(CheckpointCommitted(1, 10, "step-10", True, 10 * GIB, 1.0))
    found = told.steps(61, 30, loss=9.0, gradient_norm=99.0, tokens_per_s=1.0)
    found += told.tell(*(evaluation(90 + turn, 1.0 + turn) for turn in range(5)))
    found += told.tell(NodeSampled(1.0, 100, 100, 1, (gpu(0, 99.0, 80 * GIB),)))
    assert found + told.rules.tick(told.now + 10**6) == []


def test_that_a_fold_that_goes_on_from_what_was_journalled_says_nothing_twice() -> None:
    events: list[Event] = [
        *(a_step(step) for step in range(1, 61)),
        *(a_step(step, loss=5.0) for step in range(61, 90)),
    ]
    first, again = Told(), Told()
    said = first.tell(*events)
    again.tell(*events)
    assert again.rules.reconcile(said) == []
    assert again.rules.reconcile([]) == list(first.rules.open_alerts)
    quiet = Told()
    quiet.steps(1, 200)
    assert cleared(quiet.rules.reconcile(said)) == [alerts.LOSS_RISE]


def test_that_the_end_of_a_run_closes_what_was_open_and_names_state_step_and_reason() -> None:
    told = Told()
    told.steps(1, 10)
    told.steps(11, 1, loss=math.nan)
    found = told.tell(StateChanged("failed", 1, "Rank 1 was killed."))
    assert cleared(found) == [alerts.NONFINITE_LOSS]
    assert isinstance(found[-1], AlertRaised)
    assert found[-1].sentence == "The run failed at step 11 of 1000. Rank 1 was killed."
    assert found[-1].severity == "error"


def test_that_a_rank_that_is_slow_ten_updates_long_is_named_and_one_that_is_slow_in_turn_is_not() -> None:
    told = Told()
    for step in range(1, 31):
        assert told.steps(step, 1, slowest_rank=step % 2, slowest_share=4.0) == []
    found = told.steps(31, 12, slowest_rank=3, slowest_share=2.5)
    assert raised(found) == [alerts.SLOW_RANK]
    assert isinstance(found[0], AlertRaised)
    assert (found[0].rank, found[0].value) == (3, 2.5)
    assert "Rank 3 takes 2.5 times as long as the others" in found[0].sentence
    assert cleared(told.steps(43, 1, slowest_rank=1, slowest_share=1.1)) == [alerts.SLOW_RANK]


def test_that_an_alert_about_an_update_names_its_rows() -> None:
    told = Told()
    told.steps(1, 3)
    assert told.tell(StepRows(1, 4, (7, 11))) == []
    (found,) = told.steps(4, 1, loss=math.nan)
    assert isinstance(found, AlertRaised)
    assert found.rows == (7, 11)


def test_that_an_amended_rate_and_end_are_the_plan_from_then_on() -> None:
    spec = JobSpec()
    horizon = Horizon(10)

    def plan(start: TrainingStarted, amendments: Sequence[Amended]) -> Callable[[int], float]:
        return AmendedJob(spec, horizon, amendments).learning_rate

    told = Told(spec, lr_plan=plan)
    told.tell(TrainingStarted(1, 0, 10, 10, 1, 1, 1, 1))
    job = AmendedJob(spec, horizon)
    for step in range(1, 5):
        assert told.steps(step, 1, learning_rate=job.learning_rate(step - 1)) == []
    change = Amended(1, 4, LEARNING_RATE, 0.5 * spec.optimizer.learning_rate)
    longer = Amended(1, 4, MAX_STEPS, 20.0)
    told.tell(change, longer)
    assert told.rules.where.total_steps == 20
    job = job.with_more([change, longer])
    assert told.steps(5, 1, learning_rate=job.learning_rate(4)) == []
    assert raised(told.steps(6, 1, learning_rate=2 * job.learning_rate(5))) == [alerts.LR_PLAN]
