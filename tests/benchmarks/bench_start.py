"""From `start` to the first update in the journal, against torch.distributed.run on the same trainer by hand.

Two ranks on a tiny model, both ways in turns, on run directories that are made the same way.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from remote_agent.contract.events import ENDED, FINISHED, Progressed, Stamped, StateChanged, StepCompleted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import ENVIRONMENT, JOURNAL, RANK0_WRITER, RUNS, SCRATCH, SUPERVISOR_WRITER
from remote_agent.run_files.journal_segments import read_events
from remote_agent.supervisor.launch import read_launch, trainer_command
from remote_agent.supervisor.new_run import make_run_dir
from studio.remote.agent import Agent, DataInputs
from studio.remote.transport import LocalTransport
from tests.support.agent_home import with_shared_operators
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.run_folder import job

pytestmark = pytest.mark.benchmark

GOAL = 1.1
ROUNDS = 2
PATIENCE_S = 300.0
_LOOK_S = 0.05


class Start(NamedTuple):
    """Seconds from the first word to each point on the way; the last is the first update."""

    points: dict[str, float]

    @property
    def seconds(self) -> float:
        """Return the seconds to the first update."""
        return self.points["first update"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("inputs")
    return tiny_model(root / "model"), tiny_rows(root)


def test_that_a_start_is_hardly_later_than_one_by_hand(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    model, rows = inputs
    home = with_shared_operators(tmp_path / "home")
    spec = job(
        model__id=str(model), data__path=str(rows), strategy__ranks=2, strategy__threads_per_rank=1, batch__max_steps=2
    )  # fmt: skip
    transport = LocalTransport(sys.executable)
    agent = Agent(transport, str(home))
    data_folder = agent.prepare(DataInputs(spec, sys.executable, str(model), (str(rows),))).data_folder
    started, by_hand = [], []
    for turn in range(ROUNDS):
        run_id = f"r-261124-10111{turn}-abcdef"
        started.append(start_by_agent(agent, home, run_id, spec, model, data_folder))
        by_hand.append(start_by_hand(home / RUNS / run_id, home / RUNS / f"r-261124-10121{turn}-abcdef", spec))
    transport.close()
    ours, theirs = (statistics.median(one.seconds for one in starts) for starts in (started, by_hand))
    print(
        f"\nstart to first update: {ours:.1f} s, by hand {theirs:.1f} s, {ours / theirs:.2f} x (goal {GOAL:g} x; "
        f"by turns {', '.join(f'{a.seconds / b.seconds:.2f}' for a, b in zip(started, by_hand, strict=True))}; "
        f"load {os.getloadavg()[0]:.1f})"
    )
    for name, start in (("by the agent", started[-1]), ("by hand", by_hand[-1])):
        print(f"  {name}: " + ", ".join(f"{point} {seconds:.1f} s" for point, seconds in start.points.items()))


def start_by_agent(agent: Agent, home: Path, run_id: str, spec: JobSpec, model: Path, data_folder: str) -> Start:
    """Start a run through the agent; return once it has ended."""
    run_dir = home / RUNS / run_id
    began = time.time()
    assert agent.start(run_id, spec, sys.executable, str(model), data_folder)
    answered = time.time()
    wait_until(lambda: state(run_dir) in ENDED)
    assert state(run_dir) == FINISHED
    return Start({"answered": answered - began, **points(run_dir, began)})


def start_by_hand(like: Path, run_dir: Path, spec: JobSpec) -> Start:
    """Run the launcher on a directory made like another run's; return once it has ended."""
    launch = read_launch(str(like))
    made = make_run_dir(str(run_dir), spec, launch, json.loads((like / ENVIRONMENT).read_text(encoding="utf-8")))
    assert made
    command, environment = trainer_command(str(run_dir), launch, 1, "")
    began = time.time()
    done = subprocess.run(
        command, env=environment, cwd=run_dir / SCRATCH, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return Start(points(run_dir, began))


def points(run_dir: Path, began: float) -> dict[str, float]:
    """Return when rank 0 told of each phase for the first time, and of the first update, from ``began`` on."""
    found: dict[str, float] = {}
    for time_s, event in journal(run_dir, RANK0_WRITER):
        if isinstance(event, StepCompleted):
            found["first update"] = time_s - began
            break
        if isinstance(event, Progressed):
            found.setdefault(event.phase, time_s - began)
    return found


def state(run_dir: Path) -> str:
    """Return the run's state as its supervisor has told it."""
    states = [s.event.state for s in journal(run_dir, SUPERVISOR_WRITER) if isinstance(s.event, StateChanged)]
    return states[-1] if states else ""


def journal(run_dir: Path, writer: str) -> list[Stamped]:
    """Return what a writer has told so far."""
    return read_events(str(run_dir / JOURNAL), writer)


def wait_until(condition: Callable[[], bool]) -> None:
    """Look at the condition from time to time until it holds."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(_LOOK_S)
