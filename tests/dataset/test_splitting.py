"""Rows are held out by seed and index, class or group; a cap leaves rows out of both parts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.mixing import seeded_permutation
from remote_agent.dataset.splitting import RowMarks, capped, split


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
    usable = np.array([False] * 6 + [True] * 4)
    assert capped(10, DataSpec(held_out_rows=3), 1, usable)[:6].sum() == 0
    assert int(capped(10, DataSpec(held_out_rows=3), 1, usable).sum()) == 3


def test_that_rows_held_out_by_row_are_those_of_the_first_day() -> None:
    train, held_out = split(30, DataSpec(held_out_fraction=0.2, held_out_rows=4), 17)
    order = seeded_permutation(17, 1, 30)
    assert np.flatnonzero(~train).tolist() == sorted(order[:6].tolist()) == [5, 6, 13, 16, 19, 27]
    assert np.flatnonzero(held_out).tolist() == sorted(order[:4].tolist())
    used = np.ones(30, dtype=np.bool_)
    used[seeded_permutation(17, 2, 30)[4:]] = False
    assert (capped(30, DataSpec(held_out_rows=4), 17) == used).all()


LABELS = st.lists(st.integers(-1, 4), min_size=2, max_size=120)


@given(labels=LABELS, fraction=st.floats(0.01, 0.9), cap=st.integers(0, 20), seed=st.integers(0, 99))
def test_that_every_class_gives_the_same_share_to_within_a_row(
    labels: list[int], fraction: float, cap: int, seed: int
) -> None:
    classes = np.array(labels, dtype=np.int32)
    spec = DataSpec(held_out_fraction=fraction, held_out_by="class")
    train, held_out = split(len(labels), spec, seed, RowMarks(classes=classes))
    wanted = min(max(round(len(labels) * fraction), 1), len(labels) - 1)
    assert int(held_out.sum()) == wanted and (train ^ held_out).all()
    for label in set(labels):
        exact = labels.count(label) * wanted / len(labels)
        assert abs(int(held_out[classes == label].sum()) - exact) < 1
    few = split(
        len(labels), DataSpec(held_out_fraction=fraction, held_out_by="class", held_out_rows=cap), seed,
        RowMarks(classes=classes),
    )  # fmt: skip
    assert (few.train == train).all() and not (few.held_out & ~held_out).any()
    assert int(few.held_out.sum()) == (min(cap, wanted) if cap else wanted)
    for label in set(labels):
        own = int(held_out[classes == label].sum())
        assert abs(int(few.held_out[classes == label].sum()) - own * int(few.held_out.sum()) / wanted) < 1


@given(groups=st.lists(st.integers(0, 12), min_size=2, max_size=80), fraction=st.floats(0.01, 0.9),
       seed=st.integers(0, 99))  # fmt: skip
def test_that_no_group_stands_in_both_parts_and_the_share_is_near(
    groups: list[int], fraction: float, seed: int
) -> None:
    marks = RowMarks(groups=np.array(groups, dtype=np.uint64))
    spec = DataSpec(held_out_fraction=fraction, held_out_by="group")
    train, held_out = split(len(groups), spec, seed, marks)
    array = np.array(groups)
    assert not set(array[train]) & set(array[held_out])
    assert train.any()
    if len(set(groups)) > 1:
        assert held_out.any()
        wanted = min(max(round(len(groups) * fraction), 1), len(groups) - 1)
        assert abs(int(held_out.sum()) - wanted) <= max(groups.count(group) for group in groups)


def test_that_groups_are_chosen_by_their_value_and_not_by_their_place() -> None:
    groups = np.repeat(np.arange(20, dtype=np.uint64), 5)
    spec = DataSpec(held_out_fraction=0.2, held_out_by="group")
    forth = split(100, spec, 17, RowMarks(groups=groups)).held_out
    back = split(100, spec, 17, RowMarks(groups=groups[::-1].copy())).held_out
    assert set(groups[forth].tolist()) == set(groups[::-1][back].tolist())
    assert len(set(groups[forth].tolist())) == 4


def test_that_every_group_is_set_aside_about_equally_often_whatever_its_size() -> None:
    groups = np.repeat(np.arange(20, dtype=np.uint64), [1] * 10 + [9] * 10)
    spec = DataSpec(held_out_fraction=0.3, held_out_by="group")
    counts = np.zeros(20)
    for seed in range(400):
        counts[np.unique(groups[split(100, spec, seed, RowMarks(groups=groups)).held_out])] += 1
    # About 120 expected of a small group; large ones that would pass the share by far are left where they are.
    assert counts.min() > 70 and counts.max() < 170
