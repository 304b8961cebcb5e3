"""Packing loses no row, overfills no sequence, and is the plain best-fit decreasing."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.packing import one_row_each, pack


def plain_best_fit(lengths: list[int], capacity: int) -> int:
    """Return the number of sequences by the textbook's loop over all open ones."""
    spaces: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [number for number, space in enumerate(spaces) if space >= length]
        if fitting:
            spaces[min(fitting, key=lambda number: spaces[number])] -= length
        else:
            spaces.append(capacity - length)
    return len(spaces)


@given(lengths=st.lists(st.integers(1, 64), max_size=80))
def test_that_every_row_is_packed_once_and_no_sequence_is_overfull(lengths: list[int]) -> None:
    array = np.array(lengths, dtype=np.int64)
    packed = pack(array, 64)
    assert sorted(packed.rows.tolist()) == list(range(len(lengths)))
    for start, end in zip(packed.starts, packed.starts[1:], strict=False):
        rows = packed.rows[start:end]
        assert 0 < array[rows].sum() <= 64
        assert rows.tolist() == sorted(rows.tolist())
    assert packed.sequences == plain_best_fit(lengths, 64)
    again = pack(array, 64)
    assert (again.rows == packed.rows).all() and (again.starts == packed.starts).all()


@given(lengths=st.lists(st.integers(1, 12), max_size=9), capacity=st.integers(12, 16))
def test_that_few_rows_take_no_more_than_johnsons_bound_over_the_fewest_sequences(
    lengths: list[int], capacity: int
) -> None:
    assert 9 * pack(np.array(lengths, dtype=np.int64), capacity).sequences <= 11 * fewest(lengths, capacity) + 36


def fewest(lengths: list[int], capacity: int) -> int:
    """Return the least number of sequences, by trying every one."""
    best = len(lengths)

    def place(number: int, spaces: list[int]) -> None:
        nonlocal best
        if len(spaces) >= best:
            return
        if number == len(lengths):
            best = len(spaces)
            return
        for at in sorted({space: at for at, space in enumerate(spaces) if space >= lengths[number]}.values()):
            place(number + 1, [*spaces[:at], spaces[at] - lengths[number], *spaces[at + 1 :]])
        place(number + 1, [*spaces, capacity - lengths[number]])

    place(0, [])
    return best


@given(
    lengths=st.lists(st.sampled_from([1, 5, 7, 8, 21, 32, 33, 64]), max_size=300),
    dtype=st.sampled_from([np.int32, np.int64, np.uint16]),
)
def test_that_many_rows_of_a_length_are_packed_as_tightly_as_one_by_one(
    lengths: list[int], dtype: type[np.integer]
) -> None:
    packed = pack(np.array(lengths, dtype=dtype), 64)
    assert packed.sequences == plain_best_fit(lengths, 64)
    assert sorted(packed.rows.tolist()) == list(range(len(lengths)))


def test_that_rows_longer_than_sixteen_bits_are_packed() -> None:
    lengths = np.array([70_000, 30_000, 99_999, 1, 70_000, 29_999])
    packed = pack(lengths, 100_000)
    sums = np.add.reduceat(lengths[packed.rows], packed.starts[:-1])
    assert sorted(sums.tolist()) == [99_999, 100_000, 100_000]


def test_that_a_hundred_thousand_rows_are_packed_in_a_moment() -> None:
    lengths = np.random.default_rng(1).integers(1, 2049, 100_000)
    started = time.process_time()
    packed = pack(lengths, 2048)
    assert time.process_time() - started < 1.0
    assert lengths.sum() / (packed.sequences * 2048) > 0.99


def test_that_unpacked_is_a_row_a_sequence() -> None:
    assert one_row_each(3).starts.tolist() == [0, 1, 2, 3]
    assert one_row_each(0).sequences == pack(np.array([], dtype=np.int64), 8).sequences == 0
