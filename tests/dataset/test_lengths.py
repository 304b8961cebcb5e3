"""The curve over sequence lengths is exact where it is given, and batches hold what plain counting says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.data_report import BatchingReport, LengthCurve
from remote_agent.dataset.lengths import batching_at, curve_lengths, fitted, length_curve, padded_tokens
from remote_agent.dataset.order import SequenceLengths, grouped_order

ROWS = st.lists(st.lists(st.booleans(), min_size=1, max_size=300), min_size=1, max_size=12)


def runs_of(row: list[bool]) -> list[tuple[int, int]]:
    """Return the stretches of trained tokens of a row, token by token."""
    runs: list[tuple[int, int]] = []
    for place, trained in enumerate(row):
        if trained and runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        elif trained:
            runs.append((place, place + 1))
    return runs


@given(ROWS)
def test_that_each_length_of_the_curve_counts_what_lies_beyond_it(rows: list[list[bool]]) -> None:
    runs = [run for row in rows for run in runs_of(row)]
    curve = length_curve(
        np.array([len(row) for row in rows], dtype=np.int32),
        np.array(runs, dtype=np.int32).reshape(-1, 2),
        np.array([row.index(True) for row in rows if any(row)], dtype=np.int64),
    )
    assert curve.lengths[-1] == max(len(row) for row in rows)
    for at, length in enumerate(curve.lengths):
        assert curve.rows_over[at] == sum(len(row) > length for row in rows)
        assert curve.tokens_over[at] == sum(max(0, len(row) - length) for row in rows)
        assert curve.supervised_over[at] == sum(sum(row[length:]) for row in rows)
        assert curve.rows_untrained[at] == sum(any(row) and not any(row[:length]) for row in rows)


def test_that_no_rows_give_no_curve() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert length_curve(nothing, nothing.reshape(0, 2), nothing) == LengthCurve()


@pytest.mark.parametrize("longest", [0, 1, 2, 63, 64, 65, 100, 2048, 2049, 131_072, 10**6, 10**9])
def test_that_a_curve_has_at_most_512_lengths_with_the_usual_ones_among_them(longest: int) -> None:
    lengths = curve_lengths(longest).tolist()
    assert lengths == sorted(set(lengths)) and 0 < len(lengths) <= 512
    assert lengths[-1] == max(longest, 1)
    for also in (17, 1999, longest, longest + 1):
        assert curve_lengths(longest, also).tolist() == sorted({*lengths, *([also] if also < longest else [])})
    if 64 <= longest <= 10**6:
        usual = {64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16384, 32768}
        assert {length for length in usual if length < longest} <= set(lengths)


LENGTHS = st.lists(st.integers(0, 40), max_size=40)


@given(LENGTHS, st.integers(1, 30), st.sampled_from(("truncate", "drop", "split")))
def test_that_rows_become_the_documents_that_cutting_dropping_and_splitting_leave(
    lengths: list[int], length: int, over_length: str
) -> None:
    expected = []
    for row in lengths:
        if over_length == "split":
            expected += [min(length, row - start) for start in range(0, row, length)]
        elif row and (row <= length or over_length == "truncate"):
            expected.append(min(row, length))
    assert fitted(np.array(lengths, dtype=np.int32), length, over_length).tolist() == expected


@given(LENGTHS, st.integers(1, 30), st.integers(1, 5), st.sampled_from(("truncate", "drop", "split")))
def test_that_every_way_of_batching_holds_all_tokens_and_padding_free_no_more(
    lengths: list[int], length: int, micro_batch: int, over_length: str
) -> None:
    array = np.array(lengths, dtype=np.int64)
    reports = {report.kind: report for report in batching_at(array, length, micro_batch, over_length)}
    assert list(reports) == ["packed", "padding_free", "padded"]
    documents = fitted(array, length, over_length)
    for report in reports.values():
        assert (report.length, report.tokens) == (length, documents.sum())
        assert report.held_tokens >= report.tokens
    assert reports["padding_free"].held_tokens == reports["padding_free"].tokens
    assert reports["packed"].held_tokens == reports["packed"].sequences * length
    assert reports["padded"].sequences == reports["padding_free"].sequences == len(documents)
    if micro_batch == 1:
        assert reports["padded"].held_tokens == reports["padded"].tokens


def test_that_grouping_by_length_pads_less_than_any_order_and_no_less_than_sorting() -> None:
    lengths = np.random.default_rng(3).integers(1, 500, 4000)
    grouped = padded_tokens(lengths, 8)

    def padded(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
        return sum(8 * int(values[start : start + 8].max()) for start in range(0, 4000, 8))

    assert padded(np.sort(lengths)) <= grouped < 0.65 * padded(lengths)
    assert grouped < 1.1 * lengths.sum()


@given(st.lists(st.integers(1, 40), max_size=700), st.integers(1, 5))
def test_that_padding_is_that_of_the_trainers_grouped_micro_batches(lengths: list[int], micro_batch: int) -> None:
    array = np.array(lengths, dtype=np.int64)
    grouped = array[grouped_order(0, 0, SequenceLengths(array), micro_batch)].tolist() if lengths else []
    batches = [grouped[start : start + micro_batch] for start in range(0, len(grouped), micro_batch)]
    assert padded_tokens(array, micro_batch) == sum(len(batch) * max(batch) for batch in batches)


def test_that_batching_reports_are_plain_numbers() -> None:
    report = batching_at(np.array([3, 5, 9], dtype=np.int32), 8, 2)[0]
    assert report == BatchingReport("packed", 8, 2, 16, 16)
    assert type(report.tokens) is type(report.held_tokens) is type(report.sequences) is int
