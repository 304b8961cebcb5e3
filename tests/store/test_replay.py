from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.events import StateChanged
from studio.store.library import Library
from studio.store.live import Position
from studio.store.replay import missing_segments, replay
from studio.store.rows import Block, Cursor, LogBlock
from tests.support.journals import event_lines, header_line, step_line, step_segments

RUN = "r-261124-044500-abcdef"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.db")


def test_that_a_kept_run_is_read_back_whole_with_the_position_behind_it(library: Library) -> None:
    whole = next(iter(step_segments(3000)))
    at = 0
    while at < len(whole):
        end = whole.find(b"\n", min(at + 100_000, len(whole) - 1)) + 1
        library.store_blocks(RUN, [Block("rank0", 0, "i", at, whole[at:end])])
        at = end
    states = header_line(writer="supervisor") + event_lines([StateChanged("running", 1)])
    library.store_blocks(RUN, [Block("supervisor", 0, "j", 0, states)], [LogBlock(0, 0, b"a line\nhalf a li")])
    batches = list(replay(library, RUN))
    steps = [step for batch, _ in batches for step in batch.steps.column("step")]
    assert steps == [float(step) for step in range(1, 3001)]
    assert [event.event for batch, _ in batches for event in batch.events] == [StateChanged("running", 1)]
    last, position = batches[-1]
    assert last.caught_up and not any(batch.caught_up for batch, _ in batches[:-1])
    assert last.log == [(0, "a line")]
    assert position.cursors == library.cursors(RUN)
    assert position.logs == {0: 7}, "the follower begins where the half line begins"


def test_that_the_last_line_of_an_ended_run_needs_no_end(library: Library) -> None:
    states = header_line(writer="supervisor") + event_lines([StateChanged("failed", 1, "out of memory")])
    library.store_blocks(RUN, [Block("supervisor", 0, "j", 0, states)], [LogBlock(0, 0, b"Killed")])
    [(batch, _)] = list(replay(library, RUN))
    assert batch.log == [(0, "Killed")]


def test_that_a_run_of_which_nothing_is_kept_gives_one_empty_batch(library: Library) -> None:
    [(batch, position)] = list(replay(library, RUN))
    assert batch.caught_up and len(batch.steps) == 0 and position == Position()


def test_that_a_large_run_comes_in_pieces(library: Library) -> None:
    body = header_line() + b"".join(step_line(step, step) for step in range(1, 2001))
    for segment in range(20):
        library.store_blocks(RUN, [Block("rank0", segment, "i", 0, body)])
    batches = list(replay(library, RUN))
    assert len(batches) >= 3
    assert max(len(batch.steps) for batch, _ in batches) < (5 << 20) / len(body) * 2000
    assert batches[0][0].expected_lines > 0


def test_that_a_missing_segment_is_said() -> None:
    block = Block("rank0", 4, "i", 0, b"x\n")
    assert "segments 2 to 3" in missing_segments(block, Cursor(1, "i", 10))
    assert missing_segments(block, Cursor(3, "i", 10)) == ""
    assert missing_segments(block, Cursor(4, "i", 10)) == ""
