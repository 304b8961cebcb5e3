"""TensorBoard's files, read back by tensorboard itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c as reference_crc32c

from remote_agent.contract.events import FINISHED, STARTING, STOPPED
from remote_agent.contract.run_dir import RANK0_WRITER
from remote_agent.contract.tensorboard_events import crc32c
from remote_agent.contract.tracker_spec import TENSORBOARD, Tracker
from remote_agent.run_files.journal_segments import read_events
from tests.support.tracked_run import TrackedRun, evaluated, first_attempt, second_attempt, started, step

TRACKER = Tracker(TENSORBOARD, project="p", run_name="a run")
NAMES = {
    "train/loss", "train/grad_norm", "train/learning_rate", "train/epoch", "train/tokens_per_second",
    "eval/loss", "eval/perplexity", "eval/runtime",
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Iterator[TrackedRun]:
    made = TrackedRun(tmp_path)
    yield made
    made.close()


def series(folder: Path, name: str) -> list[tuple[int, Any]]:
    """Return a series as TensorBoard's own reader gives it."""
    reader = EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0})
    reader.Reload()
    return [(event.step, event.value) for event in reader.Scalars(name)]


@given(st.binary(max_size=200))
def test_that_the_checksum_is_tensorboards(data: bytes) -> None:
    assert crc32c(data) == reference_crc32c(data)


def test_that_tensorboard_reads_every_value_under_transformers_names(run: TrackedRun) -> None:
    run.tell(first_attempt(), FINISHED)
    run.feed(TRACKER)
    reader = EventAccumulator(str(run.place(TENSORBOARD)))
    reader.Reload()
    assert set(reader.Tags()["scalars"]) == NAMES
    assert "job/text_summary" in reader.Tags()["tensors"] or "job" in reader.Tags()["tensors"]
    losses = series(run.place(TENSORBOARD), "train/loss")
    assert losses == [(number, pytest.approx(1.0 + 1.0 / number)) for number in range(1, 11)]
    rates = series(run.place(TENSORBOARD), "train/learning_rate")
    assert rates == [(number, pytest.approx(1e-4 * number)) for number in range(1, 11)]
    assert [at for at, _ in series(run.place(TENSORBOARD), "eval/loss")] == [0, 10]
    [first] = [time_s for time_s, event in read_events(str(run.journal), RANK0_WRITER) if event == step(1, 1)]
    assert reader.Scalars("train/loss")[0].wall_time == first


def test_that_losses_that_are_no_numbers_or_too_great_arrive_as_such(run: TrackedRun) -> None:
    run.tell([started(1, 0), step(1, 1, math.nan), step(1, 2, -math.inf), step(1, 3, 1e300)], FINISHED)
    run.feed(TRACKER)
    values = [value for _, value in series(run.place(TENSORBOARD), "train/loss")]
    assert math.isnan(values[0])
    assert values[1:] == [-math.inf, math.inf]


def test_that_a_resumed_run_has_each_step_once_and_the_later_attempts_value(
    run: TrackedRun, caplog: pytest.LogCaptureFixture
) -> None:
    run.tell(first_attempt(), STOPPED)
    run.feed(TRACKER)
    before = EventAccumulator(str(run.place(TENSORBOARD)))
    before.Reload()
    run.tell(second_attempt(), FINISHED)
    run.feed(TRACKER)
    expected = [(number, pytest.approx((1 if number <= 6 else 2) + 1.0 / number)) for number in range(1, 16)]
    assert series(run.place(TENSORBOARD), "train/loss") == expected
    before.Reload()  # one that was open all the while
    assert [(event.step, event.value) for event in before.Scalars("train/loss")] == expected
    assert "Purging expired events" in caplog.text  # which is what TensorBoard says of a session's start
    caplog.clear()
    emptied, file = sorted(run.place(TENSORBOARD).glob("events.*"))
    assert emptied.stat().st_size == 0
    steps = [event.step for event in EventFileLoader(str(file)).Load() if event.summary.value][1:]
    assert steps == [0, *range(1, 16), 15]


def test_that_a_run_that_goes_back_by_itself_is_told_anew_while_it_is_followed(run: TrackedRun) -> None:
    run.tell(first_attempt())
    child = run.start(TRACKER)
    while not (run.place(TENSORBOARD).is_dir() and _has_steps(run.place(TENSORBOARD), 10)):
        assert child.poll() is None
    run.tell(second_attempt(), STARTING)
    run.tell([step(2, 16)], FINISHED)
    child.communicate(timeout=60)
    assert child.returncode == 0
    found = series(run.place(TENSORBOARD), "train/loss")
    assert found == [(number, pytest.approx((1 if number <= 6 else 2) + 1.0 / number)) for number in range(1, 17)]


def _has_steps(folder: Path, number: int) -> bool:
    return any(event.step == number for file in folder.glob("events.*") for event in EventFileLoader(str(file)).Load())


def test_that_what_was_cut_off_within_an_attempt_stays_where_nothing_took_its_place(run: TrackedRun) -> None:
    run.tell([*first_attempt(), started(2, 10), step(2, 11), evaluated(2, 11)], FINISHED)
    run.feed(TRACKER)
    assert [at for at, _ in series(run.place(TENSORBOARD), "train/loss")] == list(range(1, 12))
