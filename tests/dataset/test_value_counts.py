"""Counts of numbers say what the numbers themselves would: distributions, excess, and packed sequences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.packing import pack
from remote_agent.dataset.value_counts import ValueCounts, packed_sequences, token_counts

numbers = st.lists(st.integers(0, 60) | st.integers(0, 3_000_000), max_size=60)


def counted(values: list[int]) -> ValueCounts:
    return ValueCounts.of([(np.array(values[:7], np.int64), None), (np.array(values[7:], np.int32), None)])


@given(values=numbers, bounds=st.lists(st.integers(0, 3_000_001), min_size=1, max_size=9))
def test_that_counts_are_those_of_the_numbers(values: list[int], bounds: list[int]) -> None:
    found = counted(values)
    assert np.repeat(found.values, found.counts).tolist() == sorted(values)
    assert (found.count, found.total) == (len(values), sum(values))
    assert [found.at(place) for place in range(len(values))] == sorted(values)
    over, excess = found.beyond(np.array(bounds))
    assert over.tolist() == [sum(value > bound for value in values) for bound in bounds]
    assert excess.tolist() == [sum(max(value - bound, 0) for value in values) for bound in bounds]


@given(values=numbers, seed=st.integers(0, 99))
def test_that_numbers_may_come_several_times_or_never(values: list[int], seed: int) -> None:
    times = np.random.default_rng(seed).integers(0, 4, len(values))
    found = ValueCounts.of([(np.array(values, np.int64), times)])
    assert np.repeat(found.values, found.counts).tolist() == sorted(np.repeat(values, times).tolist())
    assert (found.counts > 0).all()


@given(values=st.lists(st.integers(1, 70), max_size=200), capacity=st.sampled_from([70, 71, 96, 128, 500]))
def test_that_sequences_are_as_many_as_the_packer_makes(values: list[int], capacity: int) -> None:
    lengths = np.array(values, dtype=np.int64)
    assert packed_sequences(counted(values), capacity) == pack(lengths, capacity).sequences


def test_that_sequences_of_very_many_documents_are_counted_as_packed() -> None:
    lengths = np.random.default_rng(4).lognormal(5, 0.7, 50_000).astype(np.int64).clip(1, 2048)
    found = ValueCounts.of([(lengths, None)])
    assert packed_sequences(found, 2048) == pack(lengths, 2048).sequences


@pytest.mark.parametrize("values", [[], [0], [5, 5, 5], list(range(1000)), [1, 100_000], [3, 4], [2, 2_000_000]])
def test_that_a_distribution_loses_no_row(values: list[int]) -> None:
    counts = token_counts(counted(values))
    assert sum(counts.histogram) == counts.count == len(values)
    assert len(counts.histogram) <= 40
    if values:
        assert len(counts.edges) == len(counts.histogram) + 1
        assert counts.edges[0] <= min(values) and max(values) < counts.edges[-1]
        assert (counts.minimum, counts.maximum, counts.total) == (min(values), max(values), sum(values))
        assert (counts.mean, counts.median) == (float(np.mean(values)), float(np.median(values)))
        expected, _ = np.histogram(values, bins=counts.edges)
        assert counts.histogram == tuple(expected.tolist())
