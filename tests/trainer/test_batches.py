"""Micro batches: their tensors, and which rows they hold at which update."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch

from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import Sequence
from remote_agent.trainer.batches import (
    IGNORED,
    BatchShape,
    MicroBatches,
    collate,
    evaluation_batches,
    supervised_tokens,
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


def test_that_flattening_joins_a_micro_batch_into_one_row_without_padding() -> None:
    part = Numbered(5)
    batch = collate([part.sequence(1), part.sequence(2)], BatchShape(pad_id=9, flatten=True))
    assert batch["input_ids"].tolist() == [[101, 101, 102, 102, 102]]
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1, 2]]
    assert batch["labels"].tolist() == [[IGNORED, 101, IGNORED, 102, 102]]


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
