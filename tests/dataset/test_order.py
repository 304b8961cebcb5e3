"""Each epoch trains every sequence once, whatever the ranks and wherever the run was resumed."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.job_spec import BatchSpec, DataSpec, JobSpec, StrategySpec
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.order import SequenceLengths, step_sequences
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import HELD_OUT, TRAIN, open_prepared
from tests.support.tiny import tiny_rows, tiny_tokenizer_files


def flat(step: list[list[list[int]]]) -> list[int]:
    return [sequence for micro_batches in step for micro_batch in micro_batches for sequence in micro_batch]


@given(
    seed=st.integers(0, 2**31 - 1),
    n=st.integers(1, 60),
    micro_batch=st.integers(1, 5),
    accumulation=st.integers(1, 4),
    ranks=st.integers(1, 8),
)
def test_that_an_epoch_holds_every_sequence_once(
    seed: int, n: int, micro_batch: int, accumulation: int, ranks: int
) -> None:
    steps = -(-n // (micro_batch * accumulation * ranks))
    for epoch in range(3):
        trained: list[int] = []
        for step in range(epoch * steps, (epoch + 1) * steps):
            update = step_sequences(seed, step, n, micro_batch, accumulation, ranks)
            assert len(update) == accumulation
            assert all(len(turn) == ranks for turn in update)
            assert all(len(batch) <= micro_batch for turn in update for batch in turn)
            assert flat(update)
            trained += flat(update)
        assert sorted(trained) == list(range(n))


@pytest.mark.parametrize(
    ("micro_batch", "accumulation", "ranks"), [(8, 1, 1), (4, 1, 2), (1, 8, 1), (2, 2, 2), (1, 1, 8)]
)
def test_that_an_update_is_the_same_sequences_in_the_same_order_however_it_is_divided(
    micro_batch: int, accumulation: int, ranks: int
) -> None:
    for step in range(12):
        assert flat(step_sequences(5, step, 37, micro_batch, accumulation, ranks)) == flat(
            step_sequences(5, step, 37, 8, 1, 1)
        )


def test_that_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(flat(step_sequences(seed, epoch, 40, 40, 1, 1))) for seed in (1, 2) for epoch in (0, 1, 2)}
    assert len(orders) == 6


def test_that_the_plan_counts_as_many_updates_as_there_are_slices() -> None:
    job = JobSpec(batch=BatchSpec(micro_batch=3, accumulation=2), strategy=StrategySpec(ranks=2))
    plan = batch_plan(job, 37)
    last = step_sequences(job.seed, plan.steps_per_epoch - 1, 37, 3, 2, 2)
    assert len(flat(last)) == 37 - (plan.steps_per_epoch - 1) * plan.global_batch
    assert last == [[[*last[0][0]], []], [[], []]]


@pytest.mark.parametrize("packing", [True, False])
def test_that_an_epoch_trains_every_row_once_at_any_rank_count_and_across_any_resume(
    tmp_path: Path, packing: bool
) -> None:
    job = JobSpec(data=DataSpec(max_length=200, packing=packing))
    model, data = tiny_tokenizer_files(tmp_path / "model"), tiny_rows(tmp_path)
    _, folder = prepare(job, model, DataPaths((data,)), tmp_path / "data")
    part = open_prepared(folder).train
    for micro_batch, ranks in ((1, 1), (2, 1), (1, 2), (1, 3), (2, 4)):
        steps = -(-len(part) // (micro_batch * ranks))
        for resumed_at in range(steps + 1):
            # What was trained before the interruption and what the next process trains after it.
            visited = chain(range(resumed_at), range(resumed_at, steps))
            rows = [
                int(row)
                for step in visited
                for sequence in flat(step_sequences(job.seed, step, len(part), micro_batch, 1, ranks))
                for row in part.sequence(sequence).row_ids
            ]
            assert sorted(rows) == sorted(part.row_ids.tolist())


@given(
    seed=st.integers(0, 2**31 - 1),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=80),
    micro_batch=st.integers(1, 4),
    accumulation=st.integers(1, 3),
    ranks=st.integers(1, 4),
)
def test_that_grouping_by_length_trains_every_sequence_once_whatever_the_ranks(
    seed: int, lengths: list[int], micro_batch: int, accumulation: int, ranks: int
) -> None:
    known = SequenceLengths(np.array(lengths, dtype=np.int64))
    size = micro_batch * accumulation * ranks
    steps = -(-len(lengths) // size)
    for epoch in range(2):
        trained: list[int] = []
        for step in range(epoch * steps, (epoch + 1) * steps):
            update = flat(step_sequences(seed, step, len(lengths), micro_batch, accumulation, ranks, known))
            assert update == flat(step_sequences(seed, step, len(lengths), size, 1, 1, known))
            assert len(update) == size or step == (epoch + 1) * steps - 1
            trained += update
        assert sorted(trained) == list(range(len(lengths)))


def test_that_grouped_batches_hold_like_lengths_in_no_order_of_length() -> None:
    lengths = np.random.default_rng(3).integers(1, 1000, 4096)
    known = SequenceLengths(lengths)
    batches = [lengths[flat(step_sequences(5, step, 4096, 4, 1, 2, known))] for step in range(512)]
    spread = np.array([batch.max() - batch.min() for batch in batches])
    plain = [lengths[flat(step_sequences(5, step, 4096, 4, 1, 2))] for step in range(512)]
    assert np.median(spread) < 0.1 * np.median([batch.max() - batch.min() for batch in plain])
    means = np.array([batch.mean() for batch in batches])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.15
    assert batches[0].max() == lengths.max(), "memory that is too small would show late"
    epochs = {tuple(flat(step_sequences(5, 512 * epoch, 4096, 4, 1, 2, known))) for epoch in range(3)}
    assert len(epochs) == 3


@pytest.mark.parametrize("packing", [True, False])
def test_that_lengths_are_those_of_the_prepared_sequences(tmp_path: Path, packing: bool) -> None:
    job = JobSpec(data=DataSpec(max_length=200, packing=packing))
    model, data = tiny_tokenizer_files(tmp_path / "model"), tiny_rows(tmp_path)
    _, folder = prepare(job, model, DataPaths((data,)), tmp_path / "data")
    prepared = open_prepared(folder)
    for part, name in ((prepared.train, TRAIN), (prepared.held_out, HELD_OUT)):
        found = SequenceLengths.of(folder, name).values.tolist()
        assert found == [len(part.sequence(number).ids) for number in range(len(part))]
