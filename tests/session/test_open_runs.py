"""Runs that are followed on the real local agent, from a run directory that the test writes."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import FAILED, FINISHED, QUEUED, AttemptStarted, MemoryMeasured
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.reshaping import Shape
from remote_agent.contract.run_dir import RANK0_WRITER
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.remote.agent import Agent
from studio.remote.transport import LocalTransport
from studio.session.expected_memory import keep_measured, run_of_row
from studio.session.following import Following
from studio.session.reach import LOCAL_NODE
from studio.session.resuming import resumable_checkpoint, resume_shapes
from studio.session.session import Session
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.supervisor.conftest import Node, Run
from tests.support.journals import RUN_ID
from tests.support.reports import cpu_report
from tests.support.run_folder import RunFolder

_LONG_MS = 60_000


@pytest.fixture
def folder(luthier_home: Path) -> RunFolder:
    folder = RunFolder(Path(places.agent_home()))
    row = RunRow(RUN_ID, "tiny", LOCAL_NODE, spec_to_json(JobSpec()), QUEUED, created_s=time.time())
    library = Library(places.library_path())
    library.save_run(row)
    library.close()
    return folder


def _steps(session: Session) -> list[int]:
    return [int(step) for step in session.run(RUN_ID).series("loss")[0]]


def test_that_a_run_fills_from_its_node_and_goes_on_after_the_window_was_closed(
    folder: RunFolder, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    first = make_session()
    first.take_up()
    qtbot.waitUntil(lambda: _steps(first) == [1, 2, 3, 4, 5], timeout=_LONG_MS)
    first.close()
    folder.steps(6, 9)
    second = make_session()
    qtbot.waitUntil(lambda: _steps(second) == list(range(1, 10)), timeout=_LONG_MS)
    folder.steps(10, 20)
    folder.end()
    qtbot.waitUntil(lambda: second.run(RUN_ID).state == FINISHED, timeout=_LONG_MS)
    qtbot.waitUntil(lambda: _row().state == FINISHED, timeout=_LONG_MS)
    assert _steps(second) == list(range(1, 21))
    entry = second.library.run(RUN_ID)
    assert entry is not None
    assert (entry.state, entry.step, entry.total_steps) == (FINISHED, 20, 20)
    assert entry.losses


def test_that_a_finished_run_opens_from_the_library_when_its_node_is_gone(
    folder: RunFolder, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    folder.steps(6, 20)
    folder.end()
    first = make_session()
    first.take_up()
    qtbot.waitUntil(lambda: _row().state == FINISHED, timeout=_LONG_MS)
    first.close()
    folder.folder.rename(folder.folder.with_name("elsewhere"))
    second = make_session()
    run = second.run(RUN_ID)
    qtbot.waitUntil(lambda: run.caught_up, timeout=_LONG_MS)
    assert _steps(second) == list(range(1, 21))
    assert run.link is None


def test_that_a_run_that_its_node_does_not_know_is_noted_and_not_asked_for_again(
    folder: RunFolder, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    folder.folder.rename(folder.folder.with_name("elsewhere"))
    session = make_session()
    session.take_up()
    qtbot.waitUntil(lambda: bool(_row().note), timeout=_LONG_MS)
    assert _row().note == "It was never started."


def test_that_a_deleted_run_is_gone_here_and_untouched_on_its_node(
    folder: RunFolder, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session = make_session()
    qtbot.waitUntil(lambda: len(_steps(session)) == 5, timeout=_LONG_MS)
    session.delete_run(RUN_ID)
    assert session.library.runs == ()
    with pytest.raises(KeyError):
        session.run(RUN_ID)
    assert folder.folder.is_dir()


@pytest.fixture
def failed(luthier_home: Path, tmp_path: Path) -> Iterator[Run]:
    """Return a run that died at step 10 of 14, whose ranks are a few lines long; the library knows of it."""
    node = Node(tmp_path)
    node.home = Path(places.agent_home())
    run = node.start(steps=14, state_every=4, die_rank=0, die_step=10, die_attempts=1)
    run.wait_for(FAILED)
    library = Library(places.library_path())
    library.save_run(RunRow(run.folder.name, "fake", LOCAL_NODE, spec_to_json(JobSpec()), QUEUED, created_s=1.0))
    library.close()
    yield run
    node.end()


def _stored(run_id: str) -> RunRow:
    library = Library(places.library_path())
    row = library.run(run_id)
    library.close()
    assert row is not None
    return row


@pytest.mark.parametrize("is_open", [True, False])
def test_that_a_failed_run_is_resumed_and_followed_to_its_end(
    failed: Run, make_session: Callable[[], Session], qtbot: QtBot, is_open: bool
) -> None:
    session, run_id = make_session(), failed.folder.name
    session.take_up()
    qtbot.waitUntil(lambda: _stored(run_id).state == FAILED, timeout=_LONG_MS)
    if not is_open:
        session.close_run(run_id)
    heard: list[str] = []
    session.notice.connect(lambda severity, sentence: heard.append(sentence))
    session.resume_run(run_id)
    qtbot.waitUntil(lambda: _stored(run_id).state == FINISHED, timeout=_LONG_MS)
    run = session.run(run_id)
    assert heard == [f"{run_id} goes on from step 8."]
    assert list(run.series("loss")[0]) == list(range(1, 15))
    assert (run.state, run.attempt) == (FINISHED, 2)
    assert _stored(run_id).ended_s > 0
    session.resume_run(run_id)
    qtbot.waitUntil(lambda: len(heard) == 2, timeout=_LONG_MS)
    assert heard[1].startswith("The run is complete;")


def test_that_a_run_is_resumed_with_the_ranks_and_the_stage_asked_for(
    failed: Run, make_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session, run_id = make_session(), failed.folder.name
    session.take_up()
    run = session.run(run_id)
    qtbot.waitUntil(lambda: resumable_checkpoint(run) is not None, timeout=_LONG_MS)
    shapes = resume_shapes(run, cpu_report())
    assert shapes is not None
    assert (shapes.now, shapes.step) == (Shape(1, 1), 8)
    assert shapes.all == (Shape(1, 1), Shape(1, 2), Shape(1, 3)), "one sequence an update is for one rank"
    session.resume_run(run_id, 1, 3)
    qtbot.waitUntil(lambda: _stored(run_id).state == FINISHED, timeout=_LONG_MS)
    assert run.amendments.shape(run.spec, run.attempt) == Shape(1, 3)
    assert failed.of(AttemptStarted)[-1] == AttemptStarted(2, 1, 8, "step-8", 3)
    assert resume_shapes(run, cpu_report()) is None


def test_that_following_without_qt_stores_the_same_and_ends_with_the_run(folder: RunFolder) -> None:
    library = Library(places.library_path())
    shown: list[int] = []

    def show(row: RunRow, batch: object) -> None:
        shown.append(row.step)
        if row.step == 5:
            folder.steps(6, 20)
            folder.end()

    following = Following(_row(), library, Agent(LocalTransport(), places.agent_home()))
    following.follow(show)
    assert (following.row.state, following.row.step, following.row.total_steps) == (FINISHED, 20, 20)
    kept = b"".join(block.body for block in library.blocks(RUN_ID) if block.writer == RANK0_WRITER)
    assert kept == folder.journal(RANK0_WRITER).read_bytes()
    library.close()


def _row() -> RunRow:
    library = Library(places.library_path())
    row = library.run(RUN_ID)
    library.close()
    assert row is not None
    return row


def test_that_following_without_qt_keeps_what_the_ranks_held_as_the_window_does(folder: RunFolder) -> None:
    library = Library(places.library_path())
    kept = {"predicted": {"peak": 2 << 30}, "config": {"model_type": "llama"}, "parameters": 9, "gpu": "H100"}
    row = dataclasses.replace(_row(), bundle=json.dumps({"memory": kept}))
    library.save_run(row)
    folder.write(RANK0_WRITER, MemoryMeasured(1, 5, True, 1, 2, 3, 3 << 30, 4 << 30, 5 << 30, 6, 7))
    folder.end()
    following = Following(row, library, Agent(LocalTransport(), places.agent_home()))
    following.follow(lambda _row, _batch: None)
    assert following.memory is not None
    followed = following.measured_row()
    for _ in range(2):
        keep_measured(library, followed, following.memory)
        (peak,) = library.peaks()
        found = run_of_row(peak)
        assert found is not None and found.ratio == 1.5 and found.tokens_per_s == followed.tokens_per_s > 0
        library.save_peak(dataclasses.replace(peak, corrects=False))
    assert not peak.corrects, "what was taken back stays so"
    library.close()
