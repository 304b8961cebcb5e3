"""A tracking server that comes and goes, keys that show nowhere, and libraries that are not there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.events import FINISHED, STARTING, STOPPED, Complained
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.tracker_spec import MLFLOW, WANDB, Tracker, recipe_of
from remote_agent.run_files.journal_segments import read_events
from tests.support.mlflow_server import MlflowServer
from tests.support.tracked_run import CHILD, RUN_ID, TrackedRun, first_attempt, second_attempt

_KEY = "a-token-that-nobody-may-read"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[TrackedRun]:
    made = TrackedRun(tmp_path)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[MlflowServer]:
    made = MlflowServer()
    yield made
    made.close()


def complaints(run: TrackedRun, kind: str) -> list[str]:
    events = [event for _, event in read_events(str(run.journal), f"tracker-{kind}")]
    return [event.sentence for event in events if isinstance(event, Complained)]


def test_that_a_server_which_is_away_for_a_while_gets_every_step_once_and_the_key_lies_nowhere(
    run: TrackedRun, server: MlflowServer
) -> None:
    tracker = Tracker(MLFLOW, True, "p", "a run", server.address)
    run.tell(first_attempt())
    child = run.start(tracker, {"MLFLOW_TRACKING_TOKEN": _KEY}, retry_s=[0.2])
    deadline = time.monotonic() + 60
    while len(server.steps("train/loss")) < 10:
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.02)
    run.feed(tracker)  # a second one leaves at once, since the first is at it
    assert child.poll() is None and len(server.runs) == 1
    shown = Path(f"/proc/{child.pid}/cmdline").read_bytes() + Path(f"/proc/{child.pid}/environ").read_bytes()
    server.refusals = 3
    run.tell(second_attempt(after=10), FINISHED)
    said = child.communicate(timeout=100)[0]
    assert child.returncode == 0, said
    assert server.refusals == 0
    assert server.steps("train/loss") == list(range(1, 16))
    assert [one["status"] for one in server.runs.values()] == ["FINISHED"]
    assert server.authorizations == {f"Bearer {_KEY}"}
    assert len(complaints(run, MLFLOW)) == 1
    assert complaints(run, MLFLOW)[0].startswith("MLflow was not fed: ")
    written = b"".join(path.read_bytes() for path in run.folder.rglob("*") if path.is_file())
    assert _KEY.encode() not in shown + said + written


def test_that_a_server_keeps_what_it_has_where_a_run_goes_back(run: TrackedRun, server: MlflowServer) -> None:
    tracker = Tracker(MLFLOW, True, "p", "a run", server.address)
    run.tell(first_attempt(), STOPPED)
    run.feed(tracker)
    run.tell([], STARTING)
    run.tell(second_attempt(after=6), FINISHED)
    run.feed(tracker)
    assert server.steps("train/loss") == list(range(1, 16))
    assert len(server.runs) == 1


def test_that_a_library_which_is_not_there_is_named_with_its_remedy(run: TrackedRun) -> None:
    run.tell(first_attempt(), FINISHED)
    request = {
        "tracker": Tracker(WANDB)._asdict(), "run_id": RUN_ID, "folder": str(run.place(WANDB)),
        "recipe": recipe_of(JobSpec()), "journal": str(run.journal),
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(CHILD)], input=json.dumps(request).encode() + b"\n", timeout=60,
        capture_output=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    [said] = complaints(run, WANDB)
    assert "lacks wandb" in said and "pip install wandb" in said and f"luthier track {RUN_ID} --to wandb" in said


def test_that_a_feed_ends_where_its_run_is_removed(run: TrackedRun, tmp_path: Path) -> None:
    run.tell(first_attempt())
    child = run.start(Tracker("tensorboard"))
    while not list(run.place("tensorboard").glob("events.*")):
        assert child.poll() is None
        time.sleep(0.02)
    run.close()
    run.folder.rename(tmp_path / "elsewhere")
    child.communicate(timeout=30)
    assert child.returncode == 0
