"""W&B, MLflow and trackio by their own libraries, offline: written by a feed's own process and read back."""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import FAILED, FINISHED, STOPPED
from remote_agent.contract.run_dir import RANK0_WRITER
from remote_agent.contract.tracker_spec import MLFLOW, TRACKIO, WANDB, Tracker
from remote_agent.run_files.journal_segments import read_events
from tests.support.tracked_run import RUN_ID, TrackedRun, first_attempt, second_attempt, started, step

_NAMES = {
    "train/loss", "train/grad_norm", "train/learning_rate", "train/epoch", "train/tokens_per_second",
    "eval/loss", "eval/perplexity", "eval/runtime",
}  # fmt: skip
_RESUMED = [(number, pytest.approx((1 if number <= 6 else 2) + 1.0 / number)) for number in range(1, 16)]

_READ_MLFLOW = """
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("p")
runs = []
for run in client.search_runs([experiment.experiment_id]):
    series = {name: [(one.step, one.value, one.timestamp) for one in client.get_metric_history(run.info.run_id, name)]
              for name in run.data.metrics}
    runs.append([run.info.run_name, run.info.status, dict(run.data.params), dict(run.data.tags), series])
print(json.dumps(runs))
"""
_READ_TRACKIO = """
import json, sys
from trackio.sqlite_storage import SQLiteStorage
print(json.dumps([[name, SQLiteStorage.get_logs("p", name)] for name in SQLiteStorage.get_runs("p")]))
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[TrackedRun]:
    made = TrackedRun(tmp_path)
    yield made
    made.close()


def wandb_records(folder: Path) -> tuple[list[dict[str, Any]], Any]:
    """Return the rows of an offline run and its run record: a LevelDB log of protocol buffers behind 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    [path] = folder.glob("wandb/offline-run-*/run-*.wandb")
    data, at, held, rows, about = path.read_bytes(), 7, b"", [], None
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        size, kind = struct.unpack("<HB", data[at + 4 : at + 7])
        held += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):
            record = wandb_internal_pb2.Record.FromString(held)
            held = b""
            if record.WhichOneof("record_type") == "history":
                rows.append(
                    {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
                )
            elif record.WhichOneof("record_type") == "run":
                about = record.run
    return rows, about


def read_back(script: str, argument: str = "", **environment: str) -> Any:
    said = subprocess.run(
        [sys.executable, "-c", script, argument], capture_output=True, check=True, env={**os.environ, **environment}
    )
    return json.loads(said.stdout)


def read_mlflow(folder: Path) -> list[list[Any]]:
    found: list[list[Any]] = read_back(_READ_MLFLOW, folder.as_uri(), MLFLOW_ALLOW_FILE_STORE="true")
    return found


def test_that_wandb_keeps_an_offline_run_under_transformers_names_and_each_step_once(run: TrackedRun) -> None:
    tracker = Tracker(WANDB, project="p", run_name="a run")
    run.tell(first_attempt(), STOPPED)
    run.feed(tracker)
    rows, about = wandb_records(run.place(WANDB))
    assert (about.project, about.display_name, about.run_id) == ("p", "a run", RUN_ID)
    assert {name for row in rows for name in row if not name.startswith("_")} == {*_NAMES, "train/global_step"}
    told = {item.key or "/".join(item.nested_key): item.value_json for item in about.config.update}
    assert json.loads(told["optimizer.learning_rate"]) == 2e-5
    assert not [name for name in told if "path" in name or "prompt" in name]
    run.tell(second_attempt(), FINISHED)
    run.feed(tracker)
    rows, _ = wandb_records(run.place(WANDB))
    assert [(row["train/global_step"], row["train/loss"]) for row in rows if "train/loss" in row] == _RESUMED
    assert [row["train/global_step"] for row in rows if "eval/loss" in row] == [0, 15]


def test_that_mlflow_keeps_a_run_under_both_names_and_each_step_once(run: TrackedRun) -> None:
    tracker = Tracker(MLFLOW, project="p", run_name="a run")
    run.tell(first_attempt(), STOPPED)
    run.feed(tracker)
    [[name, status, params, tags, series]] = read_mlflow(run.place(MLFLOW))
    assert (name, status, tags["luthier.run"]) == ("a run", "KILLED", RUN_ID)
    assert params["optimizer.learning_rate"] == "2e-05"
    plain = {"loss", "grad_norm", "learning_rate", "epoch", "tokens_per_second"}
    assert set(series) == _NAMES | plain | {"eval_loss", "eval_perplexity", "eval_runtime"}
    assert series["loss"] == series["train/loss"]
    assert series["eval/loss"] == series["eval_loss"]
    run.tell(second_attempt(), FAILED)
    run.feed(tracker)
    [[_, status, _, _, series]] = read_mlflow(run.place(MLFLOW))
    assert status == "FAILED"
    assert [(at, value) for at, value, _ in series["train/loss"]] == _RESUMED
    [first] = [time_s for time_s, event in read_events(str(run.journal), RANK0_WRITER) if event == step(1, 1)]
    assert series["train/loss"][0][2] == round(first * 1000)


def test_that_trackio_keeps_a_run_and_each_step_once(run: TrackedRun) -> None:
    tracker = Tracker(TRACKIO, project="p", run_name="a run")
    run.tell(first_attempt(), STOPPED)
    run.feed(tracker)
    run.tell([*second_attempt(), step(2, 16, math.nan)], FINISHED)
    run.feed(tracker)
    [[name, rows]] = read_back(_READ_TRACKIO, TRACKIO_DIR=str(run.place(TRACKIO)))
    assert name == f"a run {RUN_ID}"
    told = [(row["train/global_step"], row["train/loss"]) for row in rows if "train/loss" in row]
    assert told[:-1] == _RESUMED
    assert math.isnan(told[-1][1])
    assert [row["step"] for row in rows if "eval/loss" in row] == [0, 15]
    assert {name for row in rows for name in row} - {"timestamp", "step"} == {*_NAMES, "train/global_step"}


def test_that_losses_that_are_no_numbers_stop_no_library(run: TrackedRun) -> None:
    run.tell([started(1, 0), step(1, 1, math.nan), step(1, 2, math.inf), step(1, 3)], FINISHED)
    children = [run.start(Tracker(kind, project="p", run_name="a run")) for kind in (WANDB, MLFLOW, TRACKIO)]
    assert [(child.communicate(timeout=100)[0], child.returncode)[1] for child in children] == [0, 0, 0]
    rows, _ = wandb_records(run.place(WANDB))
    assert [row["train/global_step"] for row in rows] == [1, 2, 3]
    [[_, _, _, _, series]] = read_mlflow(run.place(MLFLOW))
    assert [at for at, _, _ in series["train/loss"]] == [1, 2, 3]
