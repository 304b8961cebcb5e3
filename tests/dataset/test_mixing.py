"""The seeded order is the one it was on the first day, on every machine."""

from __future__ import annotations

import numpy as np
import pytest

from remote_agent.dataset.mixing import mixed, seeded_permutation

MASK = (1 << 64) - 1


def scramble(value: int) -> int:
    """SplitMix64 in plain whole numbers."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
    return value ^ value >> 31


def test_that_the_numbers_are_those_of_splitmix_in_plain_arithmetic() -> None:
    # The first output of the generator's reference implementation for the seed 1234567.
    assert scramble(1234567) == 6457827717110365317
    for seed, stream in ((0, 0), (17, 1), (2**31 - 1, (1 << 32) + 5)):
        key = scramble((scramble(seed) + stream) & MASK)
        assert mixed(seed, stream, 9).tolist() == [scramble(key ^ scramble(index)) for index in range(9)]


def test_that_the_order_never_changes_from_version_to_version() -> None:
    assert seeded_permutation(17, 1, 12).tolist() == [5, 6, 0, 1, 10, 2, 8, 11, 9, 3, 7, 4]


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_that_every_number_is_there_once(count: int) -> None:
    assert sorted(seeded_permutation(3, 9, count).tolist()) == list(range(count))


def test_that_seed_and_stream_give_other_orders() -> None:
    orders = {tuple(seeded_permutation(seed, stream, 50).tolist()) for seed in range(20) for stream in range(20)}
    assert len(orders) == 400


def test_that_every_row_is_set_aside_about_equally_often() -> None:
    firsts = np.concatenate([seeded_permutation(seed, 1, 100)[:10] for seed in range(2000)])
    counts = np.bincount(firsts, minlength=100)
    # 200 expected a row; 6 standard deviations are about 80.
    assert counts.min() > 120 and counts.max() < 280
