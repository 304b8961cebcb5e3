"""Which agent looks at a job's model and data, wherever they lie; tokenizers travel, never weights or rows. No Qt."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from remote_agent.contract.data_report import DataReport, ModelReport, RowView
from remote_agent.contract.job_spec import JobSpec, ModelSpec
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.run_dir import (
    CHECKPOINTS,
    MODELS,
    RUNS,
    checkpoint_folder,
    hub_model_folder,
    is_commit,
    is_run_id,
)

if TYPE_CHECKING:
    from studio.remote.agent import Agent, Progress

OnProgress = Callable[["Progress"], None] | None
Cancelled = threading.Event | None

_RUN_CHECKPOINT = re.compile(r"([^/]+)/(?:step-)?(\d{1,12})\Z")
HUB_TOKEN = "HF_TOKEN"  # noqa: S105 the name of a variable
"""The environment variable whose token goes with what a node asks of the Hub."""


class InputError(ValueError):
    """A model or data set cannot be used as it is named; the text is a sentence for people."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A machine as far as inputs need it: its agent, the trainer's interpreter there, the agent's home."""

    agent: Agent
    python: str
    home: str
    is_local: bool


@dataclasses.dataclass(frozen=True)
class InspectedModel:
    """A model's report and the local folder that holds its tokenizer files. ``revision``: the commit of a Hub model."""

    report: ModelReport
    tokenizer_folder: Path
    revision: str = ""


def place_of_node(agent: Agent, report: NodeReport, is_local: bool, python: str = "") -> Place:
    """Return the place that a probe found. ``python`` overrules the interpreter of the report."""
    found = report.interpreter.path if report.interpreter else ""
    return Place(agent, python or found, report.home, is_local)


def model_path_on_node(model: ModelSpec, home: str) -> str:
    """Return the path of a model that lies on the node already.

    Raises:
        InputError: it is a Hub model that was not fetched yet, or a checkpoint that is not named as RUN_ID/step.
    """
    if model.source == "hub":
        if not is_commit(model.revision):
            raise InputError(f"{model.id} was not fetched from the Hub yet; look at the model first.")
        return "/".join((home, MODELS, hub_model_folder(model.id, model.revision)))
    if model.source == "node":
        return model.id
    assert model.source == "run", model.source
    found = _RUN_CHECKPOINT.match(model.id)
    if found is None or not is_run_id(found.group(1)):
        raise InputError(f"{model.id} names no checkpoint of a run; write RUN_ID/step, for instance r-…/step-100.")
    return "/".join((home, RUNS, found.group(1), CHECKPOINTS, checkpoint_folder(int(found.group(2)))))


def hub_secrets() -> dict[str, str]:
    """Return the token of the Hub that this process was started with, for a node's one call."""
    token = os.environ.get(HUB_TOKEN, "").strip()
    return {HUB_TOKEN: token} if token else {}


def local_input(text: str, what: str) -> Path:
    """Return the absolute path of an input on this computer. Raises InputError where nothing lies there."""
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise InputError(f"{what} {path} is not on this computer (any more); choose it again.")
    return path


class Inputs:
    """Looks at the inputs of one job. ``local`` is this computer, ``node`` the chosen node where it is known."""

    def __init__(self, local: Place, node: Place | None, cache: Path) -> None:
        self._local, self._node, self._cache = local, node, cache

    def inspect_model(
        self, model: ModelSpec, on_progress: OnProgress = None, cancelled: Cancelled = None
    ) -> InspectedModel:
        """Return what a model is; its tokenizer then lies in the cache, its weights stay where they are.

        A model of the Hub is first fetched by the node, unless it lies there.

        Raises:
            InputError: the model cannot be named on a machine; RemoteError: the machine did not answer well.
        """
        revision = ""
        if model.source == "desktop":
            place, path = self._local, str(local_input(model.id, "The model"))
        elif model.source == "hub":
            place = self._needed_node("The model")
            fetched = place.agent.hub(
                model.id, model.revision, place.python, hub_secrets(), on_progress=on_progress, cancelled=cancelled
            )
            path, revision = fetched.path, fetched.revision
        else:
            place = self._needed_node("The model")
            path = model_path_on_node(model, place.home)
        self._cache.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".model-", dir=self._cache))
        try:
            report = place.agent.inspect_model(
                path, place.python, files_to=aside, on_progress=on_progress, cancelled=cancelled
            )
            folder = self._cache / f"{report.tokenizer_hash[:16] or 'none'}-{_folder_hash(aside)[:16]}"
            if not folder.exists():
                aside.replace(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return InspectedModel(report, folder, revision)

    def inspect_data(
        self, spec: JobSpec, model: InspectedModel, on_progress: OnProgress = None, cancelled: Cancelled = None
    ) -> DataReport:
        """Return what the data is under the model's tokenizer. Raises as `inspect_model`."""
        place, model_path, data, held_out = self._data_place(spec, model)
        return place.agent.inspect_data(
            spec, place.python, model_path, data, held_out, on_progress=on_progress, cancelled=cancelled
        )

    def rows(
        self, spec: JobSpec, model: InspectedModel, start: int, count: int, cancelled: Cancelled = None
    ) -> tuple[RowView, ...]:
        """Return rows of the data in file order, tokens as they will be trained. Raises as `inspect_model`."""
        place, model_path, data, held_out = self._data_place(spec, model)
        return place.agent.rows(
            spec, place.python, model_path, data, held_out, start=start, count=count, cancelled=cancelled
        )

    def _data_place(self, spec: JobSpec, model: InspectedModel) -> tuple[Place, str, str, str]:
        data = spec.data
        if data.source == "desktop":
            held_out = str(local_input(data.held_out_path, "The held-out file")) if data.held_out_path else ""
            return self._local, str(model.tokenizer_folder), str(local_input(data.path, "The data")), held_out
        place = self._needed_node("The data")
        if place.is_local:
            model_path = str(model.tokenizer_folder)
        elif spec.model.source == "desktop":
            model_path = place.agent.send_folder("models", model.tokenizer_folder)
        else:
            model_path = model_path_on_node(spec.model, place.home)
        return place, model_path, data.path, data.held_out_path

    def _needed_node(self, what: str) -> Place:
        if self._node is None:
            raise InputError(f"{what} lies on the node, and the node has not been reached yet; choose or probe one.")
        return self._node


def _folder_hash(folder: Path) -> str:
    """Return a hash of the names and contents of a small folder: models share a tokenizer but not a template."""
    summed = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        summed.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return summed.hexdigest()
