"""The agent's commands as methods: every one a blocking call over a channel of its own, deployed where needed."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from remote_agent.contract.data_report import DataReport, ModelReport
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.frames import Frame
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory_probe import MemoryTrace
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.spec_json import spec_to_dict
from studio.remote.agent_calls import EnvironmentCalls
from studio.remote.answers import (
    BrowseEntry,
    HubModel,
    Listing,
    Prepared,
    Resumed,
    RowsMade,
    RunSummary,
    answer_as,
    answers_as,
)
from studio.remote.attach_stream import AttachStream
from studio.remote.call import OnProgress, Patience, Progress
from studio.remote.data_inputs import DataInputs
from studio.remote.data_stream import DataStream
from studio.remote.errors import AgentFailed
from studio.remote.receiving import FileTaker, is_inside
from studio.remote.sending import Meter, send_source

__all__ = [
    "Agent", "AttachStream", "BrowseEntry", "DataInputs", "DataStream", "HubModel", "Listing", "Patience", "Prepared",
    "Progress", "Resumed", "RowsMade", "RunSummary",
]  # fmt: skip

TOKENIZER_FILES = frozenset(
    (
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
    )
)
ROW_LOSSES = "row_losses.npz"


class Agent(EnvironmentCalls):
    """The agent of one node, as blocking calls that raise RemoteError; several threads may call at once.

    ``home`` is the agent's folder on the node. Every call takes ``on_progress``, called on the calling thread, and
    ``cancelled``, an event that ends the call with `Cancelled` within a few seconds.
    """

    def probe(
        self,
        python: str = "",
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
        wide: bool = False,
    ) -> NodeReport:
        """Return what the node has, in one round trip.

        ``wide`` also looks for other environments, the disks' speed and the ways out; it may take a second more.
        ``python`` is the interpreter to look at, empty to let the agent find the best.
        """
        value = self._ask("probe", {"python": python, "wide": wide}, on_progress, cancelled)
        report = answer_as(NodeReport, value.get("report"))
        return dataclasses.replace(report, clock_offset_s=report.time_s - time.time())

    def browse(
        self, path: str, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> Listing:
        """Return a folder's entries, at most 5,000."""
        return answer_as(Listing, self._ask("browse", {"path": path}, on_progress, cancelled))

    def inspect_model(
        self,
        path: str,
        python: str = "",
        files_to: Path | None = None,
        hashes: bool = False,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> ModelReport:
        """Return a model's report without moving its weights; its small files are copied into ``files_to``."""
        arguments = {
            "what": "model",
            "path": path,
            "python": python,
            "hashes": hashes,
            "with_files": files_to is not None,
        }
        if files_to is None:
            value = self._ask("inspect", arguments, on_progress, cancelled)
        else:
            with FileTaker(files_to, TOKENIZER_FILES) as taker:
                value = self._ask("inspect", arguments, on_progress, cancelled, taker.take)
                taker.finish()
        return answer_as(ModelReport, value.get("model"))

    def inspect_data(
        self, inputs: DataInputs, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> DataReport:
        """Return what the data comes to under the job's model and settings."""
        arguments = {"what": "data", **inputs.arguments()}
        return answer_as(DataReport, self._ask("inspect", arguments, on_progress, cancelled).get("report"))

    def data_session(self, inputs: DataInputs, cancelled: threading.Event | None = None) -> DataStream:
        """Open a session that looks at the data and answers what is asked of it; the caller closes it."""
        return self._session(inputs.arguments(), cancelled)

    def waiting_data_session(self, python: str, cancelled: threading.Event | None = None) -> DataStream:
        """Open a session that is ready and waits to be told its inputs by `DataStream.begin`; the caller closes it."""
        return self._session({"python": python}, cancelled)

    def _session(self, arguments: Mapping[str, Any], cancelled: threading.Event | None) -> DataStream:
        call = self._call(cancelled)
        try:
            call.begin("inspect", {"what": "session", **arguments})
        except BaseException:
            call.close()
            raise
        return DataStream(call)

    def take_losses(
        self,
        inputs: DataInputs,
        into: Path,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Take the loss of every row under the model, whose weights lie at ``model_path``, by the node's trainer.

        The losses come as ``row_losses.npz`` into a folder here; returns where they lie on the node.
        """
        arguments = {"what": "losses", **inputs.arguments()}
        with FileTaker(into, frozenset((ROW_LOSSES,))) as taker:
            value = self._ask("inspect", arguments, on_progress, cancelled, taker.take)
            taker.finish()
        if taker.taken != [ROW_LOSSES]:
            raise AgentFailed("The node took the losses and sent none of them.", "failed")
        return str(value.get("path", ""))

    def send_folder(
        self,
        kind: str,
        source: Path,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Send a folder or file as ``kind`` "models" or "data" and return its path on the node.

        What an earlier, interrupted call sent is not sent again; one that is under way is joined. Raises ValueError
        where there is nothing to send.
        """
        assert kind in ("models", "data"), kind

        def send(tell: OnProgress) -> str:
            with self._call(cancelled) as call:
                return send_source(call, kind, source, tell)

        return self._joins.run((kind, source), send, on_progress, cancelled)

    def send_file(
        self,
        kind: str,
        source: Path,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Send one file and return the path of the file itself on the node."""
        folder = self.send_folder(kind, source, on_progress, cancelled)
        return folder if folder.endswith("/" + source.name) else f"{folder}/{source.name}"

    def prepare(
        self, inputs: DataInputs, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> Prepared:
        """Make environment and data ready; quick where that was done before."""
        return answer_as(Prepared, self._ask("prepare", inputs.arguments(), on_progress, cancelled))

    def start(
        self,
        run_id: str,
        job: JobSpec,
        python: str,
        model_path: str,
        data_folder: str,
        bundle: Mapping[str, Any] | None = None,
        secrets_by_name: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
        gpus: Sequence[str] = (),
    ) -> bool:
        """Start a run and return True; False where a run of this id exists already, so that a repeat does no harm.

        ``gpus`` are the UUIDs of those it takes, one a rank; none leaves them to the node.
        """
        arguments = {
            "run_id": run_id,
            "job": spec_to_dict(job),
            "python": python,
            "model_path": model_path,
            "data_folder": data_folder,
            "secrets": dict(secrets_by_name or {}),
            "bundle": dict(bundle or {}),
            "gpus": list(gpus),
        }
        return self._ask("start", arguments, on_progress, cancelled).get("created") is True

    def resume(
        self,
        run_id: str,
        python: str = "",
        command_id: str = "",
        secrets_by_name: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
        ranks: int = 0,
        zero_stage: int | None = None,
    ) -> Resumed:
        """Let an ended run go on from its last checkpoint with full state, by its own interpreter or another one.

        ``ranks`` and ``zero_stage`` spread it anew with the same global batch; 0 and None leave them as they are.
        A repeat with the same ``command_id`` starts nothing more.
        """
        request = {
            "run_id": run_id,
            "command_id": command_id or secrets.token_hex(8),
            "python": python,
            "secrets": dict(secrets_by_name or {}),
            "ranks": ranks or None,
            "zero_stage": zero_stage,
        }
        return answer_as(Resumed, self._ask("resume", request, on_progress, cancelled))

    def hub(
        self,
        repo: str,
        revision: str = "",
        python: str = "",
        secrets_by_name: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> HubModel:
        """Have the node fetch a model of the Hub, unless that commit lies there; a branch is pinned to its commit."""
        request = {
            "repo": repo, "revision": revision, "python": python, "secrets": dict(secrets_by_name or {}),
        }  # fmt: skip
        return answer_as(HubModel, self._ask("hub", request, on_progress, cancelled))

    def hub_data(
        self,
        source: SourceSpec,
        python: str = "",
        secrets_by_name: Mapping[str, str] | None = None,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> HubModel:
        """Have the node stream rows of a Hub data set into a file, unless they lie there; ``path`` is that file."""
        request = {
            "what": "data", "repo": source.path, "revision": source.revision, "subset": source.subset,
            "split": source.split, "max_rows": source.max_rows, "python": python,
            "secrets": dict(secrets_by_name or {}),
        }  # fmt: skip
        return answer_as(HubModel, self._ask("hub", request, on_progress, cancelled))

    def make_rows(
        self, inputs: DataInputs, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> RowsMade:
        """Have the node make the rows of the job's augment steps; what was made before is not made again."""
        arguments = {"what": "augment", **inputs.arguments()}
        return answer_as(RowsMade, self._ask("inspect", arguments, on_progress, cancelled))

    def trace_memory(
        self, job: JobSpec, config: Mapping[str, Any], python: str = "", cancelled: threading.Event | None = None
    ) -> MemoryTrace:
        """Have torch count what a step of the job takes on one GPU, from the model's config alone."""
        arguments = {"what": "trace", "job": spec_to_dict(job), "config": dict(config), "python": python}
        return answer_as(MemoryTrace, self._ask("inspect", arguments, None, cancelled).get("trace"))

    def attach(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        follow: bool,
        overview: bool = False,
        cancelled: threading.Event | None = None,
    ) -> AttachStream:
        """Open the stream of the wanted runs: ``{run_id: {"cursors": {writer: [segment, incarnation, offset]},
        "logs": {rank: offset}}}``. The caller closes it."""
        call = self._call(cancelled)
        try:
            call.begin("attach", {"runs": dict(wanted), "follow": follow, "overview": overview})
        except BaseException:
            call.close()
            raise
        return AttachStream(call)

    def command(
        self,
        run_id: str,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        command_id: str = "",
        cancelled: threading.Event | None = None,
    ) -> str:
        """Put a command into a run's inbox and return its id; the journal tells what became of it.

        A repeat with the same ``command_id`` does nothing more.
        """
        command_id = command_id or secrets.token_hex(8)
        request = {"run_id": run_id, "command_id": command_id, "verb": verb, "arguments": dict(arguments or {})}
        self._ask("command", request, None, cancelled)
        return command_id

    def tell(self, secrets_by_name: Mapping[str, str], cancelled: threading.Event | None = None) -> dict[str, str]:
        """Have the node send a test message to the channels for alerts; return what went wrong by channel, or ""."""
        value = self._ask("tell", {"secrets": dict(secrets_by_name)}, None, cancelled)
        problems = value.get("problems")
        return {str(name): str(said) for name, said in problems.items()} if isinstance(problems, dict) else {}

    def runs(
        self, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> tuple[RunSummary, ...]:
        """Return the node's runs."""
        return answers_as(RunSummary, self._ask("runs", {}, on_progress, cancelled).get("runs"))

    def remove(self, run_id: str, cancelled: threading.Event | None = None) -> int:
        """Delete an ended run's folder with its checkpoints; return how many bytes that freed."""
        return int(self._ask("remove", {"run_id": run_id}, None, cancelled).get("freed_bytes", 0))

    def fetch(
        self,
        run_id: str,
        names: Sequence[str],
        into: Path,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[str]:
        """Copy files, and folders with all in them, of a run into a folder; return the names that do not exist there.

        Raises ValueError where a name leads out of the run's folder.
        """
        for name in names:
            if not is_inside(name):
                raise ValueError(f"{name!r} is not the name of a file in a run's folder.")
        meter = Meter(on_progress, "fetching", 0)
        done = 0

        def take(frame: Frame) -> None:
            nonlocal done
            taker.take(frame)
            done += len(frame.body)
            meter.tell(done)

        with FileTaker(into, frozenset(names)) as taker:
            value = self._ask("fetch", {"run_id": run_id, "names": list(names)}, None, cancelled, take)
            taker.finish()
        return [str(name) for name in value.get("missing", [])]
