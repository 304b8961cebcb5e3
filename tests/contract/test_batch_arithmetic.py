"""Batch arithmetic in whole sequences and steps."""

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.job_spec import BatchSpec, DataSpec, JobSpec, StrategySpec


def _spec(micro: int, accumulation: int, ranks: int, epochs: float = 3.0, max_steps: int = 0) -> JobSpec:
    return JobSpec(
        data=DataSpec(max_length=512),
        batch=BatchSpec(micro, accumulation, epochs, max_steps),
        strategy=StrategySpec(ranks=ranks),
    )


def test_that_four_by_sixteen_on_thirty_two_gpus_is_2048_and_not_512() -> None:
    plan = batch_plan(_spec(4, 16, 32), 46_584)
    assert plan.global_batch == 2048
    assert plan.steps_per_epoch == 23
    assert plan.total_steps == 69
    assert plan.global_batch_tokens == 2048 * 512


def test_that_the_rest_of_an_epoch_is_an_update_of_its_own() -> None:
    assert batch_plan(_spec(1, 1, 2), 5).steps_per_epoch == 3


def test_that_a_fraction_of_an_epoch_is_rounded_up() -> None:
    assert batch_plan(_spec(1, 1, 1, epochs=0.5), 5).total_steps == 3
    assert batch_plan(_spec(1, 1, 1, epochs=0.1), 30).total_steps == 3


def test_that_a_number_of_steps_overrules_the_epochs() -> None:
    assert batch_plan(_spec(1, 1, 1, max_steps=7), 1000).total_steps == 7


def test_that_nothing_is_claimed_while_the_sequences_are_unknown() -> None:
    assert batch_plan(_spec(4, 4, 4), 0).total_steps == 0
