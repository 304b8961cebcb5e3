"""The seeded order is the one it was on the first day, on every machine; mixtures keep their weights and caps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.mixing import (
    first_of,
    largest_remainder,
    mixed,
    mixture_rows,
    replayed_rows,
    seeded_permutation,
    times_taken,
)

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


def test_that_many_numbers_are_the_same_as_few() -> None:
    many = mixed(17, 1, (1 << 20) + 5)
    assert many[: 1 << 10].tolist() == mixed(17, 1, 1 << 10).tolist()
    assert [int(value) for value in many[-2:]] == [
        scramble(scramble((scramble(17) + 1) & MASK) ^ scramble((1 << 20) + place)) for place in (3, 4)
    ]


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(-1, 40))
def test_that_the_first_ones_are_those_of_a_stable_sort(numbers: list[int], wanted: int) -> None:
    array = np.array(numbers, dtype=np.uint64)
    expected = np.argsort(array, kind="stable")[: max(wanted, 0)]
    assert first_of(array, wanted).tolist() == expected.tolist()


WEIGHTS = st.lists(
    st.tuples(
        st.integers(0, 200), st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0, 2.5]), st.sampled_from([0.1, 0.7, 1.0, 3.0])
    ),
    min_size=1,
    max_size=5,
)


@given(WEIGHTS)
def test_that_a_mixture_keeps_its_shares_and_takes_as_much_as_its_caps_let_it(
    sources: list[tuple[int, float, float]],
) -> None:
    rows = mixture_rows(*(list(values) for values in zip(*sources, strict=True)))
    weights = [Fraction(str(weight)) for _, weight, _ in sources]
    if not any(weights):
        assert rows == [available for available, _, _ in sources]
        return
    most = [available * Fraction(str(epochs)) for available, _, epochs in sources]
    for taken, weight, cap in zip(rows, weights, most, strict=True):
        assert taken <= cap and (taken == 0 or weight > 0)
    # The greatest whole pass N whose shares no cap stops, searched for and not computed.
    scale = max(taken / weight for taken, weight in zip(rows, weights, strict=True) if weight)
    for taken, weight in zip(rows, weights, strict=True):
        assert taken <= scale * weight < taken + 1 or scale * weight - taken < 1
    # Some source gives all that it may, or its share of one more row would be over that.
    assert any(weight and cap - taken < 1 for taken, weight, cap in zip(rows, weights, most, strict=True))


def test_that_no_rounding_of_a_machine_takes_a_row_away() -> None:
    assert mixture_rows([10, 10, 10], [0.1, 0.1, 0.1], [1.0, 1.0, 1.0]) == [10, 10, 10]
    assert mixture_rows([10], [0.3], [0.7]) == [7]
    assert mixture_rows([30, 70], [0.3, 0.7], [1.0, 1.0]) == [30, 70]
    assert mixture_rows([100, 10], [1.0, 3.0], [1.0, 2.0]) == [6, 20]
    assert mixture_rows([100, 0], [1.0, 3.0], [1.0, 2.0]) == [0, 0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(0, 90), st.integers(0, 9))
def test_that_rows_are_taken_in_whole_passes_and_a_seeded_rest(times: list[int], wanted: int, seed: int) -> None:
    before = np.array(times, dtype=np.int32)
    taken = times_taken(before, mixed(seed, 7, len(times)), wanted)
    total = sum(times)
    assert int(taken.sum()) == (wanted if total else 0)
    if total:
        whole = wanted // total
        assert (taken >= whole * before).all() and (taken <= (whole + 1) * before).all()
        rest = taken - whole * before
        for round_of in range(1, 4):
            # Nobody has a further turn of the broken pass while another who has one coming waits for the one before.
            if (rest > round_of).any():
                assert (rest >= np.minimum(before, round_of)).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.data())
def test_that_shares_are_whole_and_within_one_of_their_proportion(sizes: list[int], data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, sum(sizes)))
    shares = largest_remainder(sizes, wanted)
    assert sum(shares) == wanted
    for share, size in zip(shares, sizes, strict=True):
        assert 0 <= share <= size
        assert abs(Fraction(share) - Fraction(size * wanted, max(sum(sizes), 1))) < 1


@given(
    st.integers(0, 5000), st.sampled_from([0.0, 0.01, 0.05, 0.25, 0.9]),
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0.0, 0.3, 1.0])), min_size=1, max_size=4),
)  # fmt: skip
def test_that_replayed_rows_make_up_their_share_however_few_they_are(
    main: int, share: float, sources: list[tuple[int, float]]
) -> None:
    available, weights = [rows for rows, _ in sources], [weight for _, weight in sources]
    added = replayed_rows(main, share, available, weights)
    parts = [weight if any(weights) else 1 for weight in weights]
    if not any(rows and part for rows, part in zip(available, parts, strict=True)):
        assert not any(added)
        return
    # The share of the nearest whole number of rows: one row more or less would be further from it.
    exact = main * Fraction(str(share)) / (1 - Fraction(str(share)))
    assert abs(sum(added) - exact) <= Fraction(1, 2)
    assert all(taken == 0 for taken, rows, part in zip(added, available, parts, strict=True) if not rows or not part)


def test_that_replay_is_shared_by_weights_or_by_rows() -> None:
    assert replayed_rows(95, 0.05, [40], [0.0]) == [5]
    assert replayed_rows(900, 0.1, [30, 10], [0.0, 0.0]) == [75, 25]
    assert replayed_rows(900, 0.1, [30, 10], [1.0, 3.0]) == [25, 75]
    assert replayed_rows(900, 0.1, [30, 0], [1.0, 3.0]) == [100, 0]
