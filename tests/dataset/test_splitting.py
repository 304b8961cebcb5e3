"""Rows are held out by seed and index; a cap leaves rows out of both parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.splitting import capped, split


@given(rows=st.integers(1, 300), fraction=st.floats(0, 0.9), cap=st.integers(0, 50), seed=st.integers(0, 2**31 - 1))
def test_that_no_row_is_in_both_parts_and_some_row_is_trained(rows: int, fraction: float, cap: int, seed: int) -> None:
    spec = DataSpec(held_out_fraction=fraction, held_out_rows=cap)
    train, held_out = split(rows, spec, seed)
    assert not (train & held_out).any()
    assert train.any()
    aside = rows - int(train.sum())
    assert aside == (min(max(round(rows * fraction), 1), rows - 1) if fraction > 0 else 0)
    assert int(held_out.sum()) == (min(cap, aside) if cap else aside)


def test_that_a_cap_does_not_move_rows_into_training() -> None:
    free, limited = split(100, DataSpec(), 17), split(100, DataSpec(held_out_rows=3), 17)
    assert (free.train == limited.train).all()
    assert int(limited.held_out.sum()) == 3
    assert not (limited.held_out & ~free.held_out).any()


def test_that_the_seed_decides() -> None:
    assert (split(100, DataSpec(), 1).train == split(100, DataSpec(), 1).train).all()
    assert not (split(100, DataSpec(), 1).train == split(100, DataSpec(), 2).train).all()


def test_that_a_held_out_file_is_capped_by_the_seed() -> None:
    assert capped(10, DataSpec(), 1).all()
    assert int(capped(10, DataSpec(held_out_rows=4), 1).sum()) == 4
    assert capped(3, DataSpec(held_out_rows=4), 1).all()
