"""Trackers of other tools: what their files say becomes the job's, offline, and comes back in an export."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.tracker_spec import TrackersSpec
from studio.exchange.exporting import exported
from studio.exchange.importing import imported

_HEAD = "stage: sft\nfinetuning_type: full\nmodel_name_or_path: /m\ndataset: a\n"


def trackers(text: str) -> TrackersSpec:
    return imported(text, "x.yaml").spec.trackers


def job(**values: Any) -> JobSpec:
    spec: Any = JobSpec()
    for path, value in {"model.id": "/m", "data.path": "/d.json", "data.shape": "alpaca", **values}.items():
        spec = with_value(spec, path.replace("__", "."), value)
    return spec  # type: ignore[no-any-return]


def test_that_report_to_becomes_offline_trackers() -> None:
    found = imported(_HEAD + "report_to: [wandb, tensorboard]\nrun_name: one\n", "x.yaml")
    assert found.spec.trackers == TrackersSpec(tensorboard=True, wandb="offline", run_name="one")
    assert "offline" in next(entry.sentence for entry in found.converted if entry.path == "trackers.wandb")
    assert trackers(_HEAD + "report_to: none\n") == trackers(_HEAD) == TrackersSpec()
    left = imported(_HEAD + "report_to: swanlab\nrun_name: one\n", "x.yaml")
    assert left.spec.trackers == TrackersSpec()
    assert "report_to" in [entry.their_key for entry in left.dropped]


def test_that_axolotls_switches_become_offline_trackers() -> None:
    head = "base_model: /m\ndatasets:\n  - path: /d.json\n    type: alpaca\nmicro_batch_size: 1\nnum_epochs: 1\n"
    assert trackers(head + "wandb_project: p\nwandb_name: one\n") == TrackersSpec(
        wandb="offline", project="p", run_name="one"
    )
    assert trackers(head + "wandb_project: p\nwandb_mode: disabled\n") == TrackersSpec()
    text = head + "use_mlflow: true\nmlflow_tracking_uri: https://ml.example\nmlflow_experiment_name: e\n"
    assert trackers(text) == TrackersSpec(mlflow="offline", project="e", mlflow_server="https://ml.example")
    secret = head + "use_mlflow: true\nmlflow_tracking_uri: https://me:secret@ml.example\n"
    assert "secret" not in str(trackers(secret))


@pytest.mark.parametrize("target", ["llamafactory", "axolotl"])
def test_that_trackers_come_back_from_an_export(target: str) -> None:
    spec = job(
        trackers__tensorboard=True, trackers__wandb="offline", trackers__trackio="offline", trackers__run_name="n",
    )  # fmt: skip
    made = exported(spec, target)
    assert not [lost for lost in made.lost if lost.path.startswith("trackers.")]
    back = trackers(made.files[f"{target}.yaml"])
    assert (back.tensorboard, back.wandb, back.trackio, back.run_name) == (True, "offline", "offline", "n")
    if target == "llamafactory":
        assert made.start.startswith("WANDB_PROJECT=luthier WANDB_MODE=offline TRACKIO_PROJECT_NAME=luthier ")


def test_that_a_job_without_trackers_reports_to_none() -> None:
    assert yaml.safe_load(exported(job(), "llamafactory").files["llamafactory.yaml"])["report_to"] == "none"
    assert "wandb" not in exported(job(), "axolotl").files["axolotl.yaml"]


def test_that_the_script_reports_with_servers_in_its_environment() -> None:
    made = exported(job(trackers__mlflow="online", trackers__mlflow_server="https://ml.example"), "transformers")
    assert "MLFLOW_TRACKING_URI=https://ml.example " in made.start
    script = made.files["train.py"]
    ast.parse(script)
    assert "'report_to': ['mlflow']" in script
