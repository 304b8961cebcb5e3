"""Real runs that are stopped, killed and go on, as they were or in another shape: the losses of one left alone."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from remote_agent.contract.events import FAILED, FINISHED, QUEUED, STOPPED
from remote_agent.contract.job_spec import (
    BatchSpec,
    CheckpointingSpec,
    DataSpec,
    EvaluationSpec,
    JobSpec,
    ModelSpec,
    StrategySpec,
)
from remote_agent.contract.reshaping import Shape
from remote_agent.contract.run_dir import CHECKPOINTS, INBOX, RUNS, run_id
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.run_files.inbox import Command, put_command
from remote_agent.run_files.process import marked_processes
from studio.remote.agent import Agent, DataInputs, Prepared
from studio.remote.errors import AgentFailed
from studio.remote.transport import LocalTransport
from studio.session.following import Following
from studio.session.resuming import resume_run, resumed_row
from studio.state.run import RunState
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.rows import RunRow
from tests.support.agent_home import with_shared_operators
from tests.support.tiny import tiny_model, tiny_rows

pytestmark = pytest.mark.slow

STEPS = 12


class _Node:
    """The real agent on this computer, with inputs prepared once for all runs."""

    def __init__(self, folder: Path) -> None:
        self.home = with_shared_operators(folder / "home")
        self.library = Library(folder / "library.db")
        self.transport = LocalTransport()
        self.agent = Agent(self.transport, str(self.home))
        self.model = tiny_model(folder / "model", hidden=64)
        self.spec = JobSpec(
            name="small",
            model=ModelSpec(id=str(self.model)),
            data=DataSpec(path=str(tiny_rows(folder, rows=200)), max_length=128, packing=False),
            batch=BatchSpec(micro_batch=1, accumulation=40, max_steps=STEPS),
            strategy=StrategySpec(precision="fp32", threads_per_rank=1, activation_checkpointing=False),
            checkpointing=CheckpointingSpec(state_every_steps=4),
            evaluation=EvaluationSpec(every_steps=0, sample_prompts=()),
        )
        self.prepared: Prepared = self.agent.prepare(
            DataInputs(self.spec, sys.executable, str(self.model), (self.spec.data.path,))
        )

    def start(self, number: int) -> _Watched:
        name = run_id("260101-000000", bytes([number] * 6))
        assert self.agent.start(name, self.spec, sys.executable, str(self.model), self.prepared.data_folder)
        return _Watched(self, name)


class _Watched:
    """A run as the desktop sees it: its journal kept in a library and folded into a `RunState`."""

    def __init__(self, node: _Node, name: str) -> None:
        self.run_id = name
        self.state = RunState(name, "small", "here", node.spec)
        self._node = node
        self._row = RunRow(name, "small", "here", spec_to_json(node.spec), QUEUED)
        self.stop_from = self.kill_from = STEPS + 1

    def follow(self) -> None:
        """Follow until it has ended; on the way do what ``stop_from`` and ``kill_from`` say, once."""
        following = Following(self._row, self._node.library, self._node.agent)
        following.follow(self._take)
        self._row = following.row

    def resume(self, ranks: int = 0, zero_stage: int | None = None) -> int:
        resumed = resume_run(self._node.agent, self.run_id, ranks=ranks, zero_stage=zero_stage)
        self._row = resumed_row(self._row)
        return resumed.step

    def _take(self, row: RunRow, batch: RunBatch) -> None:
        self.state.fold_batch(batch)
        if self.state.is_ended:
            return
        if self.state.step >= self.stop_from:
            self.stop_from = STEPS + 1
            # into the inbox without a process in between, so that it is there before the run is over
            inbox = self._node.home / RUNS / self.run_id / INBOX
            put_command(str(inbox), Command("stop-and-save", "stop", {"save": True}))
        if self.state.step >= self.kill_from:
            self.kill_from = STEPS + 1
            for identity in marked_processes(self.run_id):
                os.kill(identity.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Node]:
    made = _Node(tmp_path_factory.mktemp("resume"))
    yield made
    made.library.close()
    made.transport.close()


@pytest.fixture(scope="module")
def whole(node: _Node) -> _Watched:
    """Return the run that is left alone."""
    run = node.start(1)
    run.follow()
    assert run.state.state == FINISHED, run.state.reason
    return run


def test_that_a_run_stopped_and_then_killed_ends_with_the_losses_of_one_left_alone(
    node: _Node, whole: _Watched
) -> None:
    with pytest.raises(AgentFailed, match="The run is complete"):
        whole.resume()

    broken = node.start(2)
    broken.stop_from = 1
    broken.follow()
    assert broken.state.state == STOPPED, broken.state.reason
    stopped_at = broken.state.step
    assert 0 < stopped_at < STEPS
    assert broken.resume() == stopped_at
    broken.kill_from = stopped_at + 1
    broken.follow()
    assert broken.state.state == FAILED, "it was over before it could be killed"
    resumed_from = broken.resume()
    assert resumed_from in (stopped_at, 4, 8) and resumed_from >= stopped_at
    broken.follow()
    assert broken.state.state == FINISHED, broken.state.reason
    assert broken.state.attempt == 3

    for name in ("loss", "gradient_norm", "learning_rate"):
        steps, values = broken.state.series(name)
        assert list(steps) == list(range(1, STEPS + 1)), "a gap or a repeat"
        assert numpy.array_equal(values, whole.state.series(name)[1]), name
    assert broken.state.best_held_out == whole.state.best_held_out
    weights = [
        (node.home / RUNS / run.run_id / CHECKPOINTS / f"step-{STEPS}" / "model.safetensors").read_bytes()
        for run in (whole, broken)
    ]
    assert weights[0] == weights[1]


def test_that_a_run_of_one_rank_goes_on_with_two_at_another_stage_and_its_losses_stay_continuous(
    node: _Node, whole: _Watched
) -> None:
    spread = node.start(3)
    spread.stop_from = 1
    spread.follow()
    stopped_at = spread.state.step
    assert 0 < stopped_at < STEPS
    assert spread.resume(ranks=2, zero_stage=2) == stopped_at
    spread.follow()
    assert spread.state.state == FINISHED, spread.state.reason
    assert spread.state.amendments.shape(spread.state.spec, spread.state.attempt) == Shape(2, 2)
    for name, tolerance in (("loss", 1e-3), ("learning_rate", 0.0), ("tokens", 0.0)):
        steps, values = spread.state.series(name)
        assert list(steps) == list(range(1, STEPS + 1)), "a gap or a repeat"
        assert values == pytest.approx(whole.state.series(name)[1], rel=0, abs=tolerance), name
