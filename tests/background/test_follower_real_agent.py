"""The follower with the real agent, started through the real local transport, on journals of the real writer."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import StateChanged
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, LOG, RUNS
from remote_agent.run_files.journal import JournalWriter
from studio.background import follower as follower_module
from studio.background.follower import Follower
from studio.remote.agent import Agent
from studio.remote.transport import LocalTransport
from studio.state.run import RunState
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.replay import replay
from tests.support.journals import RUN_ID, START_S, step_event

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the agent's process in /proc")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    run_dir = home / RUNS / RUN_ID
    (run_dir / JOURNAL).mkdir(parents=True)
    (run_dir / LOG).mkdir()
    with JournalWriter(str(run_dir / JOURNAL), "supervisor", RUN_ID, lambda: START_S) as writer:
        # an ended run is not given a new supervisor by the agent
        writer.write(StateChanged("finished", 1))
    return run_dir


@pytest.fixture
def rank0(run_dir: Path) -> Iterator[JournalWriter]:
    with JournalWriter(str(run_dir / JOURNAL), "rank0", RUN_ID, lambda: START_S, segment_bytes=64 << 10) as writer:
        yield writer


def children() -> list[int]:
    """Return the processes that this one started and that still run."""
    return [int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


def is_at(run: RunState, step: int) -> bool:
    return run.step == step


def test_that_killing_the_agent_again_and_again_leaves_no_gap_and_no_repeat(
    run_dir: Path, rank0: JournalWriter, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "FIRST_DELAY_S", 0.01)
    library = Library(tmp_path / "library.db")
    run = RunState(RUN_ID, "try", "this computer", JobSpec())
    transport = LocalTransport(sys.executable)
    follower = Follower(Agent(transport, str(run_dir.parent.parent)), library, lambda: 0.5)
    follower.batch.connect(lambda batch: run.fold_batch(batch[RUN_ID]))
    follower.link_changed.connect(run.set_link)
    before = set(children())
    step = 0
    follower.follow(RUN_ID)
    follower.start()
    for _ in range(4):
        for _ in range(700):
            step += 1
            rank0.write(step_event(step))
        qtbot.waitUntil(partial(is_at, run, step), timeout=20_000)
        for pid in set(children()) - before:
            os.kill(pid, signal.SIGKILL)
    for _ in range(10):
        step += 1
        rank0.write(step_event(step))
    qtbot.waitUntil(partial(is_at, run, step), timeout=20_000)
    assert follower.stop()
    transport.close()
    steps, losses = run.series("loss")
    assert list(steps) == list(range(1, step + 1))
    assert list(losses) == [step_event(number).loss for number in range(1, step + 1)]
    assert run.state == "finished" and run.damaged == 0 and run.notes == []
    written = b"".join(path.read_bytes() for path in sorted((run_dir / JOURNAL).glob("rank0.*")))
    assert b"".join(block.body for block in library.blocks(RUN_ID) if block.writer == "rank0") == written
    again = RunState(RUN_ID, "try", "this computer", JobSpec())
    batches: list[RunBatch] = [batch for batch, _ in replay(library, RUN_ID)]
    for batch in batches:
        again.fold_batch(batch)
    assert list(again.series("loss")[1]) == list(losses) and again.state == run.state
    library.close()
