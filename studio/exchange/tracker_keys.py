"""Trackers in other tools' configurations: report_to and run_name of transformers, and Axolotl's own keys."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.tracker_spec import (
    MLFLOW,
    OFF,
    OFFLINE,
    ONLINE,
    TENSORBOARD,
    TRACKIO,
    WANDB,
    address_problem,
    trackers_of,
)
from studio.exchange.exported import Writer
from studio.exchange.reader import Reader

_OFFLINE_FIRST = "It is kept offline on the node; put it online to send it."
_NOT_HERE = "Luthier feeds TensorBoard, W&B, MLflow and trackio, and journals every metric of every update anyway."


def read_trackers(reader: Reader) -> None:
    """Set the trackers from report_to, or from the switches that Axolotl has for each."""
    names = [str(name).lower() for name in reader.items("report_to")]
    known = [name for name in names if name in (TENSORBOARD, WANDB, MLFLOW, TRACKIO)]
    for name in known:
        if name == TENSORBOARD:
            reader.put("report_to", "trackers.tensorboard", True)
        else:
            reader.put("report_to", f"trackers.{name}", OFFLINE, _OFFLINE_FIRST)
    others = [name for name in names if name not in known and name != "none"]
    if names == ["none"]:
        reader.put("report_to", "trackers.tensorboard", False)
    elif others and not known:
        reader.drop("report_to", _NOT_HERE)
    if (known or _switches(reader)) and reader.has("run_name"):
        reader.put("run_name", "trackers.run_name", reader.text("run_name"))


def _switches(reader: Reader) -> bool:
    """Read Axolotl's keys; say whether one turned a tracker on."""
    on = reader.flag("use_tensorboard")
    if on:
        reader.put("use_tensorboard", "trackers.tensorboard", True)
    for kind, project, name in (
        (WANDB, "wandb_project", "wandb_name"), (MLFLOW, "mlflow_experiment_name", "mlflow_run_name"),
        (TRACKIO, "trackio_project_name", "trackio_run_name"),
    ):  # fmt: skip
        switch = f"use_{kind}"
        key = switch if reader.flag(switch) else project if kind == WANDB and reader.has(project) else ""
        if not key or (kind == WANDB and reader.text("wandb_mode") == "disabled"):
            continue
        on = True
        reader.put(key, f"trackers.{kind}", OFFLINE, _OFFLINE_FIRST)
        for theirs, ours in ((project, "trackers.project"), (name, "trackers.run_name")):
            if reader.has(theirs):
                reader.put(theirs, ours, reader.text(theirs))
    uri = reader.text("mlflow_tracking_uri")
    if uri and not address_problem(MLFLOW, uri):
        reader.put("mlflow_tracking_uri", "trackers.mlflow_server", uri)
    return on


def report_keys(writer: Writer) -> dict[str, Any]:
    """Return report_to and run_name as transformers reads them."""
    kinds, name = _wanted(writer)
    return {"report_to": kinds or "none", **({"run_name": name} if kinds else {})}


def report_environment(writer: Writer) -> str:
    """Return the variables in front of a command by which the trackers' libraries learn project, server and mode."""
    said = writer.spec.trackers
    variables: dict[str, str] = {}
    if said.wandb != OFF:
        variables |= {"WANDB_PROJECT": said.project, "WANDB_MODE": said.wandb}
        if said.wandb == ONLINE and said.wandb_server:
            variables["WANDB_BASE_URL"] = said.wandb_server
    if said.mlflow != OFF:
        variables["MLFLOW_EXPERIMENT_NAME"] = said.project
        variables["MLFLOW_TRACKING_URI"] = said.mlflow_server if said.mlflow == ONLINE else "sqlite:///mlflow.db"
    if said.trackio != OFF:
        variables["TRACKIO_PROJECT_NAME"] = said.project
        if said.trackio == ONLINE:
            variables["TRACKIO_SPACE_ID"] = said.trackio_space
    return "".join(f"{name}={shlex.quote(value)} " for name, value in variables.items())


def axolotl_keys(writer: Writer) -> dict[str, Any]:
    """Return the trackers as Axolotl's keys."""
    said = writer.spec.trackers
    kinds, name = _wanted(writer)
    by_kind: Mapping[str, dict[str, Any]] = {
        TENSORBOARD: {"use_tensorboard": True},
        WANDB: {"use_wandb": True, "wandb_project": said.project, "wandb_name": name, "wandb_mode": said.wandb},
        MLFLOW: {
            "use_mlflow": True, "mlflow_experiment_name": said.project, "mlflow_run_name": name,
            "mlflow_tracking_uri": said.mlflow_server if said.mlflow == ONLINE else "sqlite:///mlflow.db",
        },
        TRACKIO: {
            "use_trackio": True, "trackio_project_name": said.project, "trackio_run_name": name,
            **({"trackio_space_id": said.trackio_space} if said.trackio == ONLINE else {}),
        },
    }  # fmt: skip
    if said.wandb == ONLINE and said.wandb_server:
        writer.lose("trackers.wandb_server", "Set WANDB_BASE_URL where it runs.")
    return {key: value for kind in kinds for key, value in by_kind[kind].items()}


def _wanted(writer: Writer) -> tuple[list[str], str]:
    for field in vars(writer.spec.trackers):
        writer.take(f"trackers.{field}")
    wanted = trackers_of(writer.spec)
    return [tracker.kind for tracker in wanted], wanted[0].run_name if wanted else ""
