"""Micro batches: their tensors, and which rows they hold at which update."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import Sequence
from remote_agent.trainer.batches import (
    IGNORED,
    BatchShape,
    MicroBatches,
    collate,
    evaluation_batches,
    model_inputs,
    supervised_tokens,
    total_weight,
    train_loader,
)
from tests.trainer.run_folder import job

SHAPE = BatchShape(pad_id=9)


class Numbered:
    """A part whose sequence number i is i + 1 tokens with the id 100 + i."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def sequence(self, index: int) -> Sequence:
        ids = np.full(index + 1, 100 + index, dtype=np.int32)
        return Sequence(ids, ids, np.arange(index + 1, dtype=np.int32), np.array([index]))


def test_that_padding_is_on_the_right_unlabelled_and_no_row_of_its_own() -> None:
    part = Numbered(5)
    batch = collate([part.sequence(1), part.sequence(4)], SHAPE)
    assert batch["input_ids"].tolist() == [[101, 101, 9, 9, 9], [104] * 5]
    assert batch["labels"].tolist() == [[IGNORED, 101, IGNORED, IGNORED, IGNORED], [IGNORED, *[104] * 4]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4]] * 2
    assert batch["tokens"] == 7
    assert supervised_tokens(batch) == 5


def test_that_no_row_predicts_the_first_token_of_the_next() -> None:
    ids = np.array([11, 12, 21, 22], dtype=np.int32)
    packed = Sequence(ids, ids, np.array([0, 1, 0, 1], dtype=np.int32), np.array([0, 1]))
    batch = collate([packed], SHAPE)
    assert batch["labels"].tolist() == [[IGNORED, 12, IGNORED, 22]]
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1]]


def test_that_a_micro_batch_without_sequences_is_a_filler_without_labels() -> None:
    batch = collate([], SHAPE)
    assert batch["tokens"] == 0
    assert supervised_tokens(batch) == 0
    assert batch["input_ids"].shape == (1, 2)
    assert total_weight(batch) == 0.0
    assert batch["row_ids"].tolist() == batch["row_labels"].tolist() == []


def test_that_flattening_joins_a_micro_batch_into_one_row_without_padding() -> None:
    part = Numbered(5)
    batch = collate([part.sequence(1), part.sequence(2)], BatchShape(pad_id=9, flatten=True))
    assert batch["input_ids"].tolist() == [[101, 101, 102, 102, 102]]
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1, 2]]
    assert batch["labels"].tolist() == [[IGNORED, 101, IGNORED, 102, 102]]


@pytest.mark.parametrize("flatten", [False, True])
def test_that_weights_stand_beside_their_labels_and_weight_0_is_no_label(flatten: bool) -> None:
    ids = np.array([11, 12, 13, 21, 22], dtype=np.int32)
    weights = np.array([1.0, 0.5, 2.0, 1.0, 0.0], dtype=np.float32)
    weighted = Sequence(ids, ids, np.array([0, 1, 2, 0, 1], dtype=np.int32), np.array([7, 8]), weights)
    batch = collate([weighted, Numbered(3).sequence(2)], BatchShape(9, flatten))
    labels, beside = batch["labels"].flatten().tolist(), batch["weights"].flatten().tolist()
    assert beside[:4] == [1.0, 0.5, 2.0, 1.0] and beside[5:8] == [1.0] * 3
    assert labels[:8] == [IGNORED, 12, 13, IGNORED, IGNORED, IGNORED, 102, 102]
    assert batch["weights"].dtype == torch.float32
    assert batch["row_ids"].tolist() == [7, 8, 2] and batch["row_labels"].tolist() == [2, 0, 2]
    assert supervised_tokens(batch) == 4
    assert total_weight(batch) == 0.5 + 2.0 + 1.0 + 1.0
    assert sorted(model_inputs(batch)) == ["input_ids", "labels", "position_ids"]


def test_that_sequences_without_weights_give_a_batch_without() -> None:
    batch = collate([Numbered(3).sequence(2)], SHAPE)
    assert "weights" not in batch
    assert total_weight(batch) == supervised_tokens(batch) == 2


def test_that_row_labels_count_the_labels_in_the_order_the_model_sees_them() -> None:
    generator = np.random.default_rng(8)
    sequences = []
    for first in range(0, 12, 3):
        lengths = generator.integers(1, 9, 3)
        ids = np.arange(lengths.sum(), dtype=np.int32)
        labels = np.where(generator.random(len(ids)) < 0.4, IGNORED, ids + 1000 * first).astype(np.int32)
        positions = np.concatenate([np.arange(length) for length in lengths]).astype(np.int32)
        sequences.append(Sequence(ids, labels, positions, np.arange(first, first + 3)))
    batch = collate(sequences, SHAPE)
    chosen = batch["labels"][:, 1:]
    seen = chosen[chosen != IGNORED].tolist()
    expected = []
    for sequence in sequences:
        bounds = [*np.flatnonzero(sequence.positions == 0), len(sequence.ids)]
        for start, end in itertools.pairwise(bounds):
            expected.append([label for label in sequence.labels[start + 1 : end].tolist() if label != IGNORED])
    assert batch["row_labels"].tolist() == [len(one) for one in expected]
    assert seen == [label for one in expected for label in one]


def _trained(batch: dict[str, Any]) -> list[int]:
    firsts = batch["input_ids"][:, 0].tolist()
    return [first - 100 for first in firsts if first >= 100]


def test_that_the_loader_gives_the_order_of_the_contract_over_epochs_and_from_any_step() -> None:
    part = Numbered(11)
    spec = job(strategy__ranks=2, batch__micro_batch=2, batch__accumulation=2)
    loaders = [list(train_loader(MicroBatches(part, spec, rank, SHAPE), spec, 0, 6, pin=False)) for rank in range(2)]
    for step in range(6):
        expected = step_sequences(spec.seed, step, 11, 2, 2, 2)
        for micro in range(2):
            for rank in range(2):
                assert _trained(loaders[rank][2 * step + micro]) == expected[micro][rank]
    for epoch in range(3):
        batches = [batch for loader in loaders for batch in loader[4 * epoch : 4 * epoch + 4]]
        assert Counter(row for batch in batches for row in _trained(batch)) == Counter(range(11))
    late = list(train_loader(MicroBatches(part, spec, 1, SHAPE), spec, 4, 6, pin=False))
    assert [_trained(batch) for batch in late] == [_trained(batch) for batch in loaders[1][8:]]


def test_that_the_loader_leaves_the_global_random_state_alone() -> None:
    spec = job()
    before = torch.get_rng_state()
    list(train_loader(MicroBatches(Numbered(3), spec, 0, SHAPE), spec, 0, 3, pin=False))
    assert torch.equal(before, torch.get_rng_state())


def test_that_an_evaluation_takes_every_sequence_once_in_as_many_batches_on_each_rank() -> None:
    for count, micro_batch, ranks in ((7, 2, 2), (4, 4, 3), (1, 1, 2), (0, 1, 2), (9, 1, 1)):
        shares = [list(evaluation_batches(Numbered(count), micro_batch, rank, ranks, SHAPE)) for rank in range(ranks)]
        assert len({len(share) for share in shares}) == 1
        assert sorted(row for share in shares for batch in share for row in _trained(batch)) == list(range(count))
