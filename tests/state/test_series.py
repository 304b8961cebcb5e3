from __future__ import annotations

import numpy as np

from studio.state.series import AttemptSeries, Column, GrowingColumns


def rows(attempt: int, *steps: int) -> tuple[Column, tuple[Column, Column]]:
    x = np.array(steps, dtype=np.float64)
    return np.full(len(steps), float(attempt)), (x, x * 10 + attempt)


def test_that_rows_are_appended_without_moving_the_ones_before() -> None:
    columns = GrowingColumns(2)
    columns.reserve(10_000)
    columns.append([np.arange(5.0), np.arange(5.0)])
    view = columns.view(0)
    columns.append([np.arange(5.0), np.arange(5.0)])
    assert np.shares_memory(view, columns.view(0))
    assert list(columns.view(1)) == [0.0, 1.0, 2.0, 3.0, 4.0] * 2


def test_that_a_column_grows_over_its_first_room() -> None:
    columns = GrowingColumns(1)
    for start in range(0, 5000, 7):
        columns.append([np.arange(start, start + 7, dtype=np.float64)])
    assert list(columns.view(0)) == [float(value) for value in range(len(columns))]


def test_that_the_newest_attempt_wins_from_its_resume_step_on() -> None:
    series = AttemptSeries(2)
    series.add(*rows(1, 1, 2, 3, 4, 5))
    series.add(*rows(2, 4, 5, 6))
    assert list(series.column(0)) == [1, 2, 3, 4, 5, 6]
    assert list(series.column(1)) == [11, 21, 31, 42, 52, 62]
    assert series.resume_steps == {1: 0.0, 2: 3.0}
    [ghost] = series.ghosts
    assert ghost.attempt == 1 and list(ghost.columns[0]) == [4, 5] and list(ghost.columns[1]) == [41, 51]


def test_that_a_change_of_attempt_within_one_batch_is_the_same() -> None:
    series = AttemptSeries(2)
    attempts = np.array([1.0, 1, 1, 2, 2])
    steps = np.array([1.0, 2, 3, 2, 3])
    series.add(attempts, (steps, steps * 10 + attempts))
    assert list(series.column(1)) == [11, 22, 32]


def test_that_rows_read_again_replace_themselves() -> None:
    series = AttemptSeries(2)
    series.add(*rows(1, 1, 2, 3))
    series.add(*rows(1, 2, 3, 4))
    assert list(series.column(0)) == [1, 2, 3, 4]
    assert series.ghosts == []


def test_that_rows_of_an_older_attempt_change_nothing() -> None:
    series = AttemptSeries(2)
    series.add(*rows(2, 5, 6))
    series.add(*rows(1, 1, 2, 3))
    assert list(series.column(0)) == [5, 6]


def test_that_a_sample_is_shown_ahead_until_true_rows_have_come() -> None:
    series, sample = AttemptSeries(2), AttemptSeries(2)
    sample.add(*rows(1, 1, 10, 20, 30))
    series.show_ahead(sample)
    assert list(series.column(0)) == [1, 10, 20, 30] and len(series) == 0
    series.add(*rows(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11))
    series.show_ahead(sample)
    assert list(series.column(0)) == [*range(1, 12), 20, 30]
    assert list(series.true_column(0)) == list(range(1, 12))
    series.show_ahead(None)
    assert list(series.column(0)) == list(range(1, 12))


def test_that_an_attempt_cuts_where_it_resumed_even_before_it_has_rows() -> None:
    series = AttemptSeries(2)
    series.add(*rows(1, 0, 10, 20, 30))
    series.begin(2, 15)
    assert list(series.column(0)) == [0, 10]
    series.begin(1, 0)
    assert list(series.column(0)) == [0, 10]
    series.add(*rows(2, 20))
    assert list(series.column(1)) == [1, 101, 202]
