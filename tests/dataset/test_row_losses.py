"""Losses of rows in a file: they come back as they went, in the order that shows the hardest first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.row_losses import RowLosses

NAN = float("nan")


def _losses(surprise: list[float] | None = None) -> RowLosses:
    return RowLosses(
        np.array([2, 5, 9], dtype=np.int64),
        np.array([1.0, 3.0, 2.0], dtype=np.float32),
        np.array([4, 2, 7], dtype=np.int32),
        None if surprise is None else np.array(surprise, dtype=np.float32),
        token_losses={5: np.array([NAN, 1.5, 4.5], np.float16), 2: np.array([0.5], np.float16)},
    )


def test_that_losses_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "row_losses.npz"
    _losses([-1.0, 0.5, NAN]).save(path)
    found = RowLosses.open(path)
    assert found.rows.tolist() == [2, 5, 9] and found.rows.dtype == np.int64
    assert found.mean.tolist() == [1.0, 3.0, 2.0] and found.mean.dtype == np.float32
    assert found.tokens.tolist() == [4, 2, 7]
    assert found.surprise is not None and found.surprise[:2].tolist() == [-1.0, 0.5]
    assert found.learned is None and np.isnan(found.threshold)
    kept = found.tokens_of(5)
    assert kept is not None and kept.dtype == np.float16
    assert np.isnan(kept[0]) and kept[1:].tolist() == [1.5, 4.5]
    assert found.tokens_of(9) is None and found.tokens_of(3) is None
    assert [path.name for path in path.parent.iterdir()] == ["row_losses.npz"]


def test_that_the_file_of_an_epoch_keeps_what_was_learnt(tmp_path: Path) -> None:
    path = tmp_path / "epoch.npz"
    given = _losses()
    RowLosses(given.rows, given.mean, given.tokens, learned=np.array([True, False, True]), threshold=2.0).save(path)
    found = RowLosses.open(path)
    assert found.learned is not None and found.learned.tolist() == [True, False, True]
    assert found.threshold == 2.0 and found.tokens_of(5) is None


def test_that_rows_are_ordered_by_surprise_and_without_one_by_their_mean() -> None:
    assert _losses().hardest.tolist() == [5, 9, 2]
    assert _losses([0.5, -3.0, 0.25]).hardest.tolist() == [2, 9, 5]


def test_that_a_row_without_a_figure_comes_last_and_equals_keep_their_order() -> None:
    assert _losses([NAN, -3.0, -3.0]).hardest.tolist() == [5, 9, 2]


def test_that_a_rows_mean_is_found_by_its_number() -> None:
    losses = _losses()
    assert [losses.mean_of(row) for row in (2, 5, 9)] == [1.0, 3.0, 2.0]
    assert [losses.mean_of(row) for row in (0, 3, 10)] == [None] * 3


def test_that_an_absent_or_damaged_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match=r"Take them again\."):
        RowLosses.open(tmp_path / "none.npz")
    path = tmp_path / "cut.npz"
    _losses().save(path)
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"rows,mean\n1,2\n", whole.replace(b"mean.npy", b"mine.npy")):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"cut\.npz: cannot be read as losses of rows"):
            RowLosses.open(path)


def test_that_no_row_at_all_is_a_file_too(tmp_path: Path) -> None:
    nothing = RowLosses(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int32))
    nothing.save(tmp_path / "nothing.npz")
    found = RowLosses.open(tmp_path / "nothing.npz")
    assert len(found) == 0 and found.hardest.tolist() == [] and found.mean_of(0) is None
