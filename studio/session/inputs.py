"""Which agent looks at a job's model and data, wherever they lie. Rows travel for it only where places are mixed."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote_agent.contract.data_report import DataReport, ModelReport
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
from studio.session.data_paths import (
    Cancelled,
    InputError,
    OnProgress,
    Place,
    hub_secrets,
    lies_on_desktop,
    local_input,
    paths_on,
    pinned_revisions,
)

if TYPE_CHECKING:
    from studio.remote.agent import Agent, DataInputs, DataStream, RowsMade

Sent = dict[tuple["Agent", Path], str]
"""Where folders of this computer lie on the nodes of agents."""

_RUN_CHECKPOINT = re.compile(r"([^/]+)/(?:step-)?(\d{1,12})\Z")


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


class Inputs:
    """Looks at the inputs of one job. ``local`` is this computer, ``node`` the chosen node where it is known.

    ``sent`` remembers where tokenizers lie on nodes, so that a look there asks for none a second time; a folder here
    never changes, as its name is the hash of what is in it.
    """

    def __init__(self, local: Place, node: Place | None, cache: Path, sent: Sent | None = None) -> None:
        self._local, self._node, self._cache = local, node, cache
        self._sent: Sent = {} if sent is None else sent

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
        place = self.data_place(spec)
        inputs = self._data_inputs(spec, model, place, on_progress, cancelled)
        return place.agent.inspect_data(inputs, on_progress=on_progress, cancelled=cancelled)

    def data_stream(
        self, spec: JobSpec, model: InspectedModel, on_progress: OnProgress = None, cancelled: Cancelled = None
    ) -> DataStream:
        """Open a session with the data under the model's tokenizer; close it at the end. Raises as `inspect_model`."""
        place = self.data_place(spec)
        inputs = self._data_inputs(spec, model, place, on_progress, cancelled)
        return place.agent.data_session(inputs, cancelled=cancelled)

    def waiting_stream(self, on_node: bool, cancelled: Cancelled = None) -> DataStream:
        """Open a session on the node or here that is told its inputs later. Raises as `inspect_model`."""
        place = self._needed_node("The data") if on_node else self._local
        return place.agent.waiting_data_session(place.python, cancelled=cancelled)

    def data_arguments(
        self, spec: JobSpec, model: InspectedModel, on_progress: OnProgress = None, cancelled: Cancelled = None
    ) -> dict[str, Any]:
        """Return what a session that waits on the data's machine has to be told. Raises as `inspect_model`."""
        return self._data_inputs(spec, model, self.data_place(spec), on_progress, cancelled).arguments()

    def bring_tokenizer(self, spec: JobSpec, model: InspectedModel, cancelled: Cancelled = None) -> None:
        """Bring the tokenizer to the node before anything there is looked at with it. Raises as `inspect_model`."""
        self._tokenizer_path(spec, model, self._needed_node("The data"), cancelled)

    def pinned(self, spec: JobSpec, on_progress: OnProgress = None, cancelled: Cancelled = None) -> dict[str, Any]:
        """Fetch what the Hub has of the data and return the changes that pin it. Raises as `inspect_model`."""
        return pinned_revisions(self._needed_node("The data"), spec.data, on_progress, cancelled)

    def make_rows(
        self, spec: JobSpec, model: InspectedModel, on_progress: OnProgress = None, cancelled: Cancelled = None
    ) -> RowsMade:
        """Make the rows of the job's augment steps on the machine that looks at the data. Raises as `inspect_model`."""
        place = self.data_place(spec)
        inputs = self._data_inputs(spec, model, place, on_progress, cancelled)
        return place.agent.make_rows(inputs, on_progress=on_progress, cancelled=cancelled)

    def take_losses(
        self, spec: JobSpec, into: Path, on_progress: OnProgress = None, cancelled: Cancelled = None
    ) -> None:
        """Have the node take the loss of every row under the model and copy them into a folder here.

        Model and data are sent where they do not lie on the node. Raises as `inspect_model`.
        """
        place = self._needed_node("The model")
        if spec.model.source != "desktop":
            model_path = model_path_on_node(spec.model, place.home)
        else:
            folder = local_input(spec.model.id, "The model")
            model_path = (
                str(folder)
                if place.is_local
                else place.agent.send_folder("models", folder, on_progress=on_progress, cancelled=cancelled)
            )
        inputs = _with_paths(spec, place, model_path, on_progress, cancelled)
        place.agent.take_losses(inputs, into, on_progress=on_progress, cancelled=cancelled)

    def data_place(self, spec: JobSpec) -> Place:
        """Return the machine that looks at the data: this computer where all of it lies here, else the node.

        Raises InputError where the node is needed and not known.
        """
        return self._local if lies_on_desktop(spec.data) else self._needed_node("The data")

    def _data_inputs(
        self, spec: JobSpec, model: InspectedModel, place: Place, on_progress: OnProgress, cancelled: Cancelled
    ) -> DataInputs:
        return _with_paths(spec, place, self._tokenizer_path(spec, model, place, cancelled), on_progress, cancelled)

    def _tokenizer_path(self, spec: JobSpec, model: InspectedModel, place: Place, cancelled: Cancelled) -> str:
        """Bring the tokenizer within reach of a machine and return its folder there."""
        folder = model.tokenizer_folder
        if place.is_local:
            return str(folder)
        if spec.model.source != "desktop":
            return model_path_on_node(spec.model, place.home)
        key = (place.agent, folder)
        if key not in self._sent:
            self._sent[key] = place.agent.send_folder("models", folder, cancelled=cancelled)
        return self._sent[key]

    def _needed_node(self, what: str) -> Place:
        if self._node is None:
            raise InputError(f"{what} lies on the node, and the node has not been reached yet; choose or probe one.")
        return self._node


def _with_paths(
    spec: JobSpec, place: Place, model_path: str, on_progress: OnProgress, cancelled: Cancelled
) -> DataInputs:
    from studio.remote.agent import DataInputs  # brings what talks along, which the first paint does not wait for

    paths = paths_on(place, spec.data, on_progress, cancelled)
    return DataInputs(spec, place.python, model_path, paths.data, paths.held_out)


def _folder_hash(folder: Path) -> str:
    """Return a hash of the names and contents of a small folder: models share a tokenizer but not a template."""
    summed = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        summed.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return summed.hexdigest()
