"""Repeats are left out after the first, and classes come to the ratio that was asked."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.data_steps import BalanceStep
from remote_agent.dataset.steps.set_steps import State, balanced, repeats

LABELS = st.lists(st.integers(-1, 3), min_size=1, max_size=60)


def fresh(rows: int, trained: list[int] | None = None) -> State:
    mask = np.ones(rows, dtype=np.bool_) if trained is None else np.isin(np.arange(rows), trained)
    return State(np.ones(rows, dtype=np.bool_), np.ones(rows, dtype=np.int32), mask)


@given(st.lists(st.integers(0, 5), max_size=40), st.sets(st.integers(0, 39)))
def test_that_only_the_first_kept_row_of_equal_ones_stays(keys: list[int], gone: set[int]) -> None:
    state = fresh(len(keys)).without(np.array([row for row in sorted(gone) if row < len(keys)], dtype=np.int64))
    seen: set[int] = set()
    expected = []
    for row, key in enumerate(keys):
        if row not in gone:
            expected += [row] if key in seen else []
            seen.add(key)
    assert repeats(np.array(keys, dtype=np.uint64), state).tolist() == expected


@given(labels=LABELS, ratio=st.floats(1, 5), seed=st.integers(0, 9), method=st.sampled_from(("down", "up")))
def test_that_classes_come_to_the_ratio_and_rows_of_a_class_equally_often(
    labels: list[int], ratio: float, seed: int, method: str
) -> None:
    classes = np.array(labels, dtype=np.int32)
    step = BalanceStep(method, ratio)
    state = fresh(len(labels))
    after = balanced(step, classes, state, seed, 0)
    again = balanced(step, classes, state, seed, 0)
    assert (after.times == again.times).all() and (after.kept == again.kept).all()
    times = np.where(after.kept, after.times, 0)
    assert (times[classes < 0] == 1).all()
    before = {label: labels.count(label) for label in set(labels) - {-1}}
    sizes = {label: int(times[classes == label].sum()) for label in before}
    if len(before) < 2:
        assert (after.times == state.times).all() and after.kept.all()
        return
    if method == "down":
        most = int(ratio * min(before.values()))
        assert sizes == {label: min(count, most) for label, count in before.items()}
        assert times.max() == 1
    else:
        least = math.ceil(max(before.values()) / ratio)
        assert sizes == {label: max(count, least) for label, count in before.items()}
        assert after.kept.all()
    for label in before:
        own = times[classes == label]
        assert own.max() - own.min() <= 1


def test_that_the_held_out_part_keeps_its_classes() -> None:
    classes = np.array([0] * 30 + [1] * 3 + [0] * 20, dtype=np.int32)
    after = balanced(BalanceStep("down"), classes, fresh(53, list(range(33))), 17, 2)
    assert after.kept[33:].all() and (after.times[33:] == 1).all()
    assert int(after.kept[:30].sum()) == 3


def test_that_another_row_that_is_left_out_does_not_reshuffle_the_choice() -> None:
    classes = np.array([0] * 50 + [1] * 10, dtype=np.int32)
    chosen = balanced(BalanceStep("down"), classes, fresh(60), 17, 0).kept[:50]
    gone = int(np.flatnonzero(~chosen)[0])
    without = balanced(BalanceStep("down"), classes, fresh(60).without(np.array([gone])), 17, 0).kept[:50]
    assert (without == chosen).all()


def test_that_a_row_that_comes_twice_has_its_second_turn_after_all_firsts() -> None:
    classes = np.array([0] * 4 + [1] * 10, dtype=np.int32)
    up = balanced(BalanceStep("up"), classes, fresh(14), 17, 0)
    assert sorted(up.times[:4].tolist()) == [2, 2, 3, 3]
    down = balanced(BalanceStep("down", 1.0), classes, up._replace(times=np.array([1] * 4 + [3] * 10, np.int32)), 3, 1)
    assert int(down.times[down.kept][4:].max()) == 1 and int(down.kept[4:].sum()) == 4
