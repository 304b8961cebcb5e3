"""Trackers of runs with real processes: fed beside the ranks, over a supervisor's death and a resume, keys unseen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from remote_agent.contract.events import StepCompleted
from remote_agent.contract.run_dir import TRACKERS
from tests.supervisor.conftest import Node, Run, wait_until
from tests.support.mlflow_server import MlflowServer

_KEY = "the-key-of-a-tracking-server"


@pytest.fixture
def server() -> Iterator[MlflowServer]:
    made = MlflowServer()
    yield made
    made.close()


def feeds(run: Run) -> list[int]:
    """Return the processes that feed a run's trackers."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"/remote_agent/trackers/" in line and Path(f"/proc/{pid}/cwd").resolve() == run.folder.resolve():
                found.append(int(pid))
        except OSError:
            continue
    return found


def told_steps(run: Run) -> list[int]:
    """Return the steps of the run's losses in its TensorBoard files."""
    return [
        event.step
        for path in sorted((run.folder / TRACKERS / "tensorboard").glob("events.*"))
        for event in EventFileLoader(str(path)).Load()
        if any(value.tag == "train/loss" for value in event.summary.value)
    ]


def test_that_a_runs_trackers_are_fed_and_its_keys_lie_nowhere(node: Node, server: MlflowServer) -> None:
    job = {"trackers.tensorboard": True, "trackers.mlflow": "online", "trackers.mlflow_server": server.address}
    arguments = node.start_arguments({"steps": 30, "hold_at": 20, "job": job}, ranks=1)
    assert node.ask("start", {**arguments, "secrets": {"MLFLOW_TRACKING_TOKEN": _KEY}}).result["created"] is True
    run = node.run(arguments["run_id"])
    run.wait_for("running")
    wait_until(lambda: len(server.steps("train/loss")) == 19, 90.0)
    assert told_steps(run) == list(range(1, 20))
    lines = b"".join(
        path.read_bytes() for pid in feeds(run) for path in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ"))
    )
    assert b"trackers" in lines and _KEY.encode() not in lines
    (run.folder / "go").touch()
    run.wait_for("finished")
    wait_until(lambda: not feeds(run), 90.0)
    assert told_steps(run) == server.steps("train/loss") == list(range(1, 31))
    assert server.authorizations == {f"Bearer {_KEY}"}
    for path in node.home.rglob("*"):
        assert not path.is_file() or _KEY.encode() not in path.read_bytes(), path


def test_that_feeds_outlive_their_supervisor_and_a_resume_doubles_no_point(node: Node) -> None:
    run = node.start(ranks=1, steps=40, state_every=10, hold_at=25, job={"trackers.tensorboard": True})
    run.wait_for("running")
    wait_until(lambda: told_steps(run) == list(range(1, 25)))
    before = feeds(run)
    run.kill_supervisor()
    node.ask("runs")
    run.command("stop", save=False)
    (run.folder / "go").touch()
    run.wait_for("stopped")
    wait_until(lambda: not feeds(run))
    assert len(before) == 1
    node.ask("resume", {"run_id": run.folder.name, "command_id": "c" * 16})
    run.wait_for("finished")
    wait_until(lambda: not feeds(run))
    steps = [event.step for event in run.of(StepCompleted, "rank0")]
    assert len(steps) > len(set(steps)) == 40
    assert told_steps(run) == list(range(1, 41))


def test_that_a_run_without_trackers_starts_no_further_process(node: Node) -> None:
    run = node.start(ranks=1, steps=3, hold_at=2)
    run.wait_for("running")
    assert feeds(run) == []
    assert not (run.folder / TRACKERS).exists()
    (run.folder / "go").touch()
    run.wait_for("finished")


def test_that_a_feed_which_hangs_or_is_killed_costs_its_run_nothing(node: Node) -> None:
    run = node.start(ranks=1, steps=40, hold_at=20, job={"trackers.tensorboard": True})
    run.wait_for("running")
    [feed] = wait_until(lambda: feeds(run))
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, feed) == 10)
    os.kill(feed, signal.SIGSTOP)
    (run.folder / "go").touch()
    run.wait_for("finished")
    assert [event.step for event in run.of(StepCompleted, "rank0")] == list(range(1, 41))
    os.kill(feed, signal.SIGKILL)
    wait_until(lambda: not feeds(run))
