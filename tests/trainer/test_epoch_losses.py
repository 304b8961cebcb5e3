"""The rows' losses over epochs: sums over micro batches, what a checkpoint keeps, what is learnt and forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from remote_agent.contract.run_dir import ROW_LOSSES, epoch_losses_file
from remote_agent.dataset.row_losses import RowLosses
from remote_agent.trainer.epoch_losses import EpochLosses, LossHistory, MicroLosses


def _micro(rows: list[int], labels: list[int], losses: list[float]) -> MicroLosses:
    return MicroLosses(torch.tensor(rows), torch.tensor(labels), torch.tensor(losses, dtype=torch.float32))


def test_that_losses_are_summed_for_each_document_and_updates_counted() -> None:
    epoch = EpochLosses()
    epoch.take([_micro([4, 9, 4], [2, 0, 1], [1.0, 2.0, 8.0]), _micro([], [], []), _micro([6], [1], [0.5])])
    epoch.take([_micro([3], [0], [])])
    state = epoch.state()
    assert state["rows"].tolist() == [4, 4, 6]
    assert state["sums"].tolist() == [3.0, 8.0, 0.5]
    assert state["tokens"].tolist() == [2, 1, 1]
    assert epoch.steps == 2


def test_that_a_checkpoints_state_goes_on_where_it_was() -> None:
    whole, first = EpochLosses(), EpochLosses()
    updates = [[_micro([1, 2], [1, 2], [0.1, 0.2, 0.3])], [_micro([3], [2], [0.7, 0.9])]]
    for update in updates:
        whole.take(update)
    first.take(updates[0])
    second = EpochLosses()
    second.restore(first.state())
    second.take(updates[1])
    assert second.steps == whole.steps
    for name, value in whole.state().items():
        assert torch.equal(second.state()[name], value), name


def _found(**means: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.array([int(name[1:]) for name in means], dtype=np.int64)
    return rows, np.array(list(means.values()), dtype=np.float32), np.full(len(rows), 5, dtype=np.int32)


def test_that_learnt_and_forgotten_are_counted_against_the_first_epochs_median(tmp_path: Path) -> None:
    history = LossHistory(tmp_path)
    assert history.go_on_after(0)
    first = history.add(_found(r1=1.0, r2=2.0, r3=3.0, r4=4.0, r5=5.0), 1, 10, 1, True)
    assert (first.threshold, first.never_learned, first.forgotten) == (3.0, 2, 0)
    assert first.hardest == (5, 4, 3, 2, 1) and first.hardest_losses[0] == 5.0
    second = history.add(_found(r1=0.5, r2=3.5, r3=2.0, r4=2.9, r5=4.5), 1, 20, 2, True)
    assert (second.threshold, second.never_learned, second.forgotten) == (3.0, 1, 1)
    third = history.add(_found(r1=3.1, r2=1.0, r3=2.0, r4=9.0, r5=4.5), 1, 30, 3, False)
    assert (third.never_learned, third.forgotten, third.complete) == (1, 2, False)
    assert third.file == f"{ROW_LOSSES}/epoch-000003.npz"
    learned = RowLosses.open(tmp_path / third.file).learned
    assert learned is not None and learned.tolist() == [True, True, True, True, False]


def test_that_a_resume_takes_up_the_history_and_drops_what_lies_beyond_it(tmp_path: Path) -> None:
    before = LossHistory(tmp_path)
    before.add(_found(r1=1.0, r2=2.0, r3=3.0), 1, 10, 1, True)
    kept = before.add(_found(r1=2.5, r2=1.0, r3=1.0), 1, 20, 2, True)
    history = LossHistory(tmp_path)
    assert history.go_on_after(1)
    assert not (tmp_path / ROW_LOSSES / epoch_losses_file(2)).exists()
    again = history.add(_found(r1=2.5, r2=1.0, r3=1.0), 2, 20, 2, True)
    assert (again.threshold, again.forgotten, again.never_learned) == (2.0, 1, 0)
    assert (again.threshold, again.forgotten, again.never_learned) == (
        kept.threshold, kept.forgotten, kept.never_learned,
    )  # fmt: skip


def test_that_a_history_whose_file_is_gone_or_cut_begins_anew_and_says_so(tmp_path: Path) -> None:
    history = LossHistory(tmp_path)
    assert not history.go_on_after(1)
    history.add(_found(r1=1.0, r2=2.0), 1, 10, 1, True)
    (tmp_path / ROW_LOSSES / epoch_losses_file(1)).write_bytes(b"cut")
    assert not history.go_on_after(1)
    assert history.add(_found(r1=8.0, r2=9.0), 1, 20, 2, True).threshold == 8.5


def test_that_a_row_that_was_in_no_earlier_epoch_cannot_be_forgotten(tmp_path: Path) -> None:
    history = LossHistory(tmp_path)
    history.add(_found(r1=1.0, r2=2.0), 1, 10, 1, True)
    event = history.add(_found(r1=1.0, r2=2.0, r7=8.0), 1, 20, 2, True)
    assert (event.rows, event.forgotten, event.never_learned) == (3, 0, 2)


def test_that_a_loss_that_is_no_number_is_written_and_not_named_among_the_hardest(tmp_path: Path) -> None:
    event = LossHistory(tmp_path).add(_found(r1=float("nan"), r2=2.0, r3=float("inf")), 1, 10, 1, True)
    assert event.hardest == (2,) and event.threshold == 2.0
    assert (event.rows, event.never_learned) == (3, 2)


def test_that_a_file_that_cannot_be_written_is_an_error_for_the_caller(tmp_path: Path) -> None:
    (tmp_path / ROW_LOSSES).write_text("a file where the folder belongs")
    with pytest.raises(OSError, match=ROW_LOSSES):
        LossHistory(tmp_path).add(_found(r1=1.0), 1, 10, 1, True)
