"""Records come back as they were added, whether they stayed in memory or went to disk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.dataset.findings.array_file import ArrayFile


@pytest.mark.parametrize("in_memory_bytes", [0, 100, 1 << 20])
def test_that_records_come_back_in_their_order(in_memory_bytes: int) -> None:
    kept = ArrayFile(np.uint32, 3, in_memory_bytes)
    parts = [np.arange(3 * count, dtype=np.uint32).reshape(-1, 3) for count in (2, 0, 5, 1)]
    for part in parts:
        kept.append(part)
        np.testing.assert_array_equal(np.concatenate(list(kept.chunks()))[-len(part) or kept.records :], part)
    whole = np.concatenate(parts)
    assert kept.records == len(whole)
    np.testing.assert_array_equal(kept.array(), whole)
    np.testing.assert_array_equal(np.concatenate(list(kept.chunks())), whole)


@pytest.mark.parametrize("in_memory_bytes", [0, 1 << 20])
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9)), max_size=12))
def test_that_ranges_come_one_after_the_other(in_memory_bytes: int, steps: list[tuple[int, int]]) -> None:
    kept = ArrayFile(np.uint16, 2, in_memory_bytes)
    values = np.arange(12_000, dtype=np.uint16).reshape(-1, 2)
    kept.append(values)
    starts, ends, at = [], [], 0
    for gap, size in steps:
        starts.append(at + gap)
        ends.append(at := at + gap + size)
    found = kept.at(np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64))
    expected = [values[start:end] for start, end in zip(starts, ends, strict=True)]
    np.testing.assert_array_equal(found, np.concatenate([values[:0], *expected]))


@pytest.mark.parametrize("in_memory_bytes", [0, 1 << 20])
def test_that_nothing_gives_an_empty_array(in_memory_bytes: int) -> None:
    kept = ArrayFile(np.uint8, 2, in_memory_bytes)
    kept.append(np.empty((0, 2), dtype=np.uint8))
    assert kept.array().shape == (0, 2)
    assert sum(map(len, kept.chunks())) == 0
