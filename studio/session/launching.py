"""A launch from the first word with the node to the started run: which agent call follows which. No Qt.

The window and the command line both start runs through `Launching`, so that they cannot differ.
"""

from __future__ import annotations

import dataclasses
import datetime
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.bundle import BundleInput
from remote_agent.contract.data_report import ModelReport, PreparedData
from remote_agent.contract.data_spec import SourceSpec, all_sources, held_out_source
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.preflight import preflight_problems, uuids_to_take
from remote_agent.contract.problems import Known, Problem, blocking, problems
from remote_agent.contract.run_dir import run_id as new_run_id
from remote_agent.contract.wire import to_wire
from studio.remote.errors import Cancelled, LinkError, RemoteError
from studio.session.data_paths import InputError, Place, hub_secrets, is_pinned, local_input, path_on, pinned_revisions
from studio.session.expected_memory import expected_memory
from studio.session.inputs import model_path_on_node, place_of_node
from studio.session.tracker_keys import run_secrets

if TYPE_CHECKING:
    from studio.remote.agent import Agent, Prepared, Progress

WAITING, DOING, DONE, FAILED = "waiting", "doing", "done", "failed"
CONNECT, CHECK, MODEL, DATA, ENVIRONMENT, PREPARE, START = (
    "connect", "check", "model", "data", "environment", "prepare", "start",
)  # fmt: skip
START_TRIES = 3


@dataclasses.dataclass(frozen=True)
class LaunchStep:
    """One line of the launch. ``done`` and ``total`` count ``unit``; ``total`` is 0 where it is unknown."""

    key: str
    label: str
    state: str = WAITING
    detail: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""


@dataclasses.dataclass(frozen=True)
class Launched:
    """A run that was started, or is just about to be. ``bundle`` is what launch.json keeps for the export.

    ``environment`` is what environment.json says: packages, cores, threads, hardware. ``memory`` is what the ranks are
    estimated to hold, for comparing it with what they do.
    """

    run_id: str
    spec: JobSpec
    node: str
    node_report: NodeReport
    prepared: PreparedData
    total_steps: int
    created_s: float
    bundle: Mapping[str, Any]
    environment: Mapping[str, Any]
    memory: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class _Source(NamedTuple):
    """Rows of the job: their path on the node, and what a bundle says of them."""

    path: str
    about: BundleInput


class LaunchError(ValueError):
    """The launch ended before a run was started; the text is a sentence. ``problems`` where the job is at fault."""

    def __init__(self, sentence: str, found: tuple[Problem, ...] = ()) -> None:
        super().__init__(sentence)
        self.problems = found


class StartUnknownError(RemoteError):
    """The link broke while the run was being started; whether it runs can only be told by the node."""


class LaunchCancelledError(Exception):
    """A person cancelled the launch; nothing was started."""


class Launching:
    """One launch. ``steps`` is what to show; ``run`` blocks until the run is started.

    Args:
        spec: the job; later edits do not reach it.
        agent: the agent of the chosen node.
        node: the node's name.
        is_local: whether that is this computer, so that nothing needs to be sent.
        python: the interpreter a person chose on the node, empty for what the probe finds.
        on_steps: called with all steps whenever one changes, on the launching thread.
        keep: called with the run that is about to be started, so that it is kept before it exists.
        discard: called with the id of a run that was kept and then certainly not started.
        cancelled: set by a person who changed their mind; from ``start`` on it is too late.
    """

    def __init__(
        self,
        spec: JobSpec,
        agent: Agent,
        *,
        node: str,
        is_local: bool,
        python: str = "",
        known: Known | None = None,
        on_steps: Callable[[tuple[LaunchStep, ...]], None] = lambda steps: None,
        keep: Callable[[Launched], None] = lambda launched: None,
        discard: Callable[[str], None] = lambda run_id: None,
        cancelled: threading.Event | None = None,
    ) -> None:
        self._spec, self._agent, self._node = spec, agent, node
        self._is_local, self._python = is_local, python
        self._known = known if known is not None else Known()
        self._on_steps, self._keep, self._discard = on_steps, keep, discard
        self._cancelled = cancelled if cancelled is not None else threading.Event()
        self._steps = {step.key: step for step in first_steps(spec, node, is_local)}
        self._current = ""

    @property
    def steps(self) -> tuple[LaunchStep, ...]:
        """Return the steps in order."""
        return tuple(self._steps.values())

    def run(self) -> Launched:
        """Go through all steps. A failure stands in its step and is raised again.

        Raises:
            LaunchError, InputError: the job cannot start as it is; RemoteError: the node did not do it;
            StartUnknownError: see there; LaunchCancelledError; OSError: a local file could not be read.
        """
        try:
            return self._run()
        except LaunchCancelledError:
            self._fail("Cancelled; nothing was started.")
            raise
        except Cancelled as error:
            self._fail("Cancelled; nothing was started.")
            raise LaunchCancelledError from error
        except RemoteError as error:
            self._fail(error.sentence)
            raise
        except (ValueError, OSError) as error:
            self._fail(str(error))
            raise

    def _run(self) -> Launched:
        place, report = self._connect()
        self._check(report)
        model_path, model = self._model(place)
        sources, held_out = self._data(place)
        prepared = self._prepare(place, model_path, sources, held_out)
        total_steps = self._check_again(report, model, prepared.prepared)
        data = dataclasses.replace(sources[0].about, content_hash=prepared.prepared.content_hash)
        bundle = {
            "name": self._spec.name,
            "model": to_wire(_model_input(self._spec, self._node, model_path, model)),
            "data": to_wire(data),
            "more_data": [to_wire(source.about) for source in sources[1:]],
            "held_out": to_wire(held_out.about) if held_out is not None else None,
        }
        launched = Launched(
            _fresh_run_id(), self._spec, self._node, report, prepared.prepared, total_steps, time.time(), bundle,
            prepared.environment, expected_memory(self._spec, model, report),
        )  # fmt: skip
        self._start(launched, place, model_path, prepared.data_folder)
        return launched

    def _connect(self) -> tuple[Place, NodeReport]:
        self._begin(CONNECT)
        report = self._agent.probe(self._python)
        place = place_of_node(self._agent, report, self._is_local, self._python)
        self._end(_node_words(report))
        return place, report

    def _check(self, report: NodeReport) -> None:
        self._begin(CHECK)
        self._known = dataclasses.replace(self._known, node=report)
        # all of this is told from the probe, so that nothing is sent or fetched before it holds
        against = [*problems(self._spec, self._known), *preflight_problems(self._spec, self._known)]
        found = tuple(blocking(against))
        if found:
            raise LaunchError(" ".join(problem.sentence for problem in found), found)
        if report.interpreter is None or report.interpreter.missing:
            raise LaunchError(_no_trainer(self._node, report))
        self._end("")

    def _check_again(self, report: NodeReport, model: ModelReport, prepared: PreparedData) -> int:
        """Hold the job against what is known only now. Returns the updates of the run."""
        sequences, tokens = prepared.train_sequences, prepared.train_tokens
        known = Known(model=model, node=report, train_sequences=sequences, train_tokens=tokens)
        found = tuple(blocking(problems(self._spec, known)))
        if prepared.train_sequences == 0:
            raise LaunchError("No row is left to train on; look at the findings of the data.", found)
        if found:
            raise LaunchError(" ".join(problem.sentence for problem in found), found)
        return batch_plan(self._spec, prepared.train_sequences).total_steps

    def _model(self, place: Place) -> tuple[str, ModelReport]:
        self._begin(MODEL)
        model = self._spec.model
        if model.source == "hub":
            fetched = self._agent.hub(
                model.id, model.revision, place.python, hub_secrets(),
                on_progress=self._progress, cancelled=self._cancelled,
            )  # fmt: skip
            path = fetched.path
            # the run is of that commit, wherever the branch moves
            self._spec = with_value(self._spec, "model.revision", fetched.revision)
        elif model.source != "desktop":
            path = model_path_on_node(model, place.home)
        elif place.is_local:
            path = str(local_input(model.id, "The model"))
        else:
            folder = local_input(model.id, "The model")
            path = self._agent.send_folder("models", folder, on_progress=self._progress, cancelled=self._cancelled)
        report = self._agent.inspect_model(
            path, place.python, files_to=None, hashes=True, on_progress=self._progress, cancelled=self._cancelled
        )
        if report.problems:
            raise LaunchError(" ".join(report.problems))
        self._end(path)
        return path, report

    def _data(self, place: Place) -> tuple[list[_Source], _Source | None]:
        """Bring every source and the held-out file within the node's reach."""
        self._begin(DATA)
        if not is_pinned(self._spec.data):
            for path, value in pinned_revisions(place, self._spec.data, self._progress, self._cancelled).items():
                self._spec = with_value(self._spec, path, value)
        data = self._spec.data
        sources = [self._source(place, source, "The data") for source in all_sources(data)]
        held_out = held_out_source(data)
        apart = self._source(place, held_out, "The held-out file") if held_out is not None else None
        self._end(sources[0].path if len(sources) == 1 else f"{len(sources)} sources, {sources[0].path} first")
        return sources, apart

    def _source(self, place: Place, source: SourceSpec, what: str) -> _Source:
        from studio.export import file_entries, hub_data_input  # bring YAML along, which the first paint waits not for

        if source.source == "hub":
            about = hub_data_input(source)
        elif source.source == "node":
            about = BundleInput(source.path, f"It lies on the node {self._node}.")
        else:
            local = local_input(source.path, what)
            files = file_entries(local)
            about = BundleInput(str(local), "It lay on the computer that launched the run.", "", files)
        return _Source(path_on(place, source, self._progress, self._cancelled, what), about)

    def _prepare(self, place: Place, model_path: str, sources: list[_Source], held_out: _Source | None) -> Prepared:
        from studio.remote.agent import DataInputs  # brings what talks along, which the first paint does not wait for

        self._begin(ENVIRONMENT)
        paths = tuple(source.path for source in sources)
        prepared = self._agent.prepare(
            DataInputs(self._spec, place.python, model_path, paths, held_out.path if held_out is not None else ""),
            on_progress=self._prepare_progress,
            cancelled=self._cancelled,
        )
        if self._current == ENVIRONMENT:
            self._end("")
            self._begin(PREPARE)
        rows = prepared.prepared
        if rows.problems:
            raise LaunchError(" ".join(rows.problems))
        self._end(f"{rows.train_sequences} sequences from {rows.train_rows} rows, {rows.held_out_rows} held out")
        return prepared

    def _start(self, launched: Launched, place: Place, model_path: str, data_folder: str) -> None:
        """Start the run. The id makes a repetition harmless, so a broken link is tried again before it is told."""
        self._begin(START)
        self._keep(launched)
        broken: LinkError | None = None
        gpus = uuids_to_take(launched.node_report, self._spec.strategy.ranks, self._known.gpus)
        for _ in range(START_TRIES):
            try:
                self._agent.start(
                    launched.run_id, self._spec, place.python, model_path, data_folder, dict(launched.bundle),
                    run_secrets(self._spec), gpus=gpus,
                )  # fmt: skip
                self._end(launched.run_id)
                return
            except LinkError as error:
                broken = error
            except RemoteError:
                if broken is None:
                    self._discard(launched.run_id)
                raise
        assert broken is not None
        raise StartUnknownError(
            f"The link to {self._node} broke while the run was being started. {broken.sentence} "
            f"Whether {launched.run_id} runs shows as soon as the link is back; nothing starts twice."
        ) from broken

    def _prepare_progress(self, progress: Progress) -> None:
        if progress.phase != "environment" and self._current == ENVIRONMENT:
            self._end("")
            self._begin(PREPARE)
        self._progress(progress)

    def _progress(self, progress: Progress) -> None:
        self._change(self._current, done=progress.done, total=progress.total, unit=progress.unit)

    def _begin(self, key: str) -> None:
        if self._cancelled.is_set():
            self._current = key
            raise LaunchCancelledError
        self._current = key
        self._change(key, state=DOING)

    def _end(self, detail: str) -> None:
        self._change(self._current, state=DONE, detail=detail)

    def _fail(self, sentence: str) -> None:
        if self._current:
            self._change(self._current, state=FAILED, detail=sentence)

    def _change(self, key: str, **changes: Any) -> None:
        self._steps[key] = dataclasses.replace(self._steps[key], **changes)
        self._on_steps(self.steps)


def first_steps(spec: JobSpec, node: str, is_local: bool) -> tuple[LaunchStep, ...]:
    """Return the steps of a launch that has not begun."""
    model = "Send the model" if spec.model.source == "desktop" and not is_local else "Check the model's files"
    if spec.model.source == "hub":
        model = "Fetch the model from the Hub"
    sends_data = not is_local and any(source.source == "desktop" for source in all_sources(spec.data))
    return (
        LaunchStep(CONNECT, f"Reach {node}"),
        LaunchStep(CHECK, "Check the job against the node"),
        LaunchStep(MODEL, model),
        LaunchStep(DATA, "Send the data" if sends_data else "Find the data"),
        LaunchStep(ENVIRONMENT, "Prepare the environment"),
        LaunchStep(PREPARE, "Prepare the data"),
        LaunchStep(START, "Start the run"),
    )


def _model_input(spec: JobSpec, node: str, path: str, report: ModelReport) -> BundleInput:
    model = spec.model
    if model.source == "desktop":
        original = str(Path(model.id).expanduser().absolute())
        sent = "" if path == original else f" On {node} it lies at {path}."
        return BundleInput(original, f"It lay on the computer that launched the run.{sent}", "", report.files)
    how = f"It lies on the node {node}."
    if model.source == "hub":
        how = (
            f"Download it from the Hub: hf download {model.id} --revision {model.revision} --local-dir FOLDER. "
            f"On the node {node} it lies at {path}."
        )
    if model.source == "run":
        how = f"It is the checkpoint {model.id} of an earlier run on the node {node}."
    return BundleInput(path, how, "", report.files)


def _fresh_run_id() -> str:
    now = datetime.datetime.now(datetime.UTC)
    return new_run_id(now.strftime("%y%m%d-%H%M%S"), secrets.token_bytes(6))


def _node_words(report: NodeReport) -> str:
    hardware = f"{len(report.gpus)} × {report.gpus[0].name}" if report.gpus else f"{report.cores} cores, no GPU"
    return f"{report.hostname}: {hardware}"


def _no_trainer(node: str, report: NodeReport) -> str:
    if report.interpreter is None:
        return (
            f"{node} has no Python with the trainer's packages. Build an environment there on the Launch page, or "
            "name the python of one in the node's settings."
        )
    missing = ", ".join(report.interpreter.missing)
    return (
        f"{report.interpreter.path} on {node} lacks {missing}. Build an environment there on the Launch page, or name "
        "another python in the node's settings."
    )


__all__ = ["InputError", "LaunchError", "LaunchStep", "Launched", "Launching", "first_steps"]
