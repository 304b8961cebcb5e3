"""A session without a node behind it: real draft, hosts and library; verbs are noted, answers given by the test."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.data_report import DataFix, TableQuery
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import Step
from remote_agent.contract.events import (
    AttemptStarted,
    CheckpointCommitted,
    Complained,
    Evaluated,
    Event,
    NodeSampled,
    Sampled,
    Stamped,
    StateChanged,
    StepCompleted,
    TrainingStarted,
)
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.schedule import lr_at
from studio import places
from studio.presets import load_presets
from studio.report.comparison import Table, write_comparison
from studio.session.addresses import NodeAddress
from studio.session.alert_channels import ChannelsError, parse_channels
from studio.state.draft import Draft
from studio.state.hosts import Hosts
from studio.state.library import LibraryState
from studio.state.node import READY, Labels, NodeState
from studio.state.run import RunState
from tests.support.reports import cpu_report, gpu_report, model_report
from tests.ui.data_samples import counts_of as counts_of
from tests.ui.data_samples import data_report as data_report
from tests.ui.data_samples import row_view as row_view
from tests.ui.page_memory import PageMemory
from tests.ui.page_parts import PageAhead, PageCollectiveTests, PageEnvironments, PageNodeSetup, PageRangeTests


class Work(NamedTuple):
    """What the session says it is doing."""

    phase: str
    done: float
    total: float
    unit: str = ""
    rate: float = 0.0


class PageSession(QObject):
    """The attributes, signals and verbs of `studio.session.session.Session` that the pages use."""

    notice = Signal(str, str)
    run_opened = Signal(str)
    host_key_question = Signal(object, str)
    table_loaded = Signal(object, object)
    table_failed = Signal(str)
    row_loaded = Signal(object)
    row_failed = Signal(int, str)
    batching_loaded = Signal(object)
    step_previewed = Signal(object, object)
    step_failed = Signal(str)
    losses_changed = Signal()
    making_changed = Signal()
    alert_raised = Signal(str, object)
    alert_channels_loaded = Signal(str, str)
    test_message_sent = Signal(str, object, str)
    tracker_keys_loaded = Signal(object, str)
    inputs_changed = Signal()
    launch_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.draft, self.hosts, self.library = Draft(parent=self), Hosts(self), LibraryState(self)
        self.calls: list[tuple[Any, ...]] = []
        self.inspection: Work | None = None
        self.inspection_problem = ""
        self.inspection_failed = False
        self.losses_progress: Work | None = None
        self.has_losses = False
        self.job_id = ""
        self.presets = load_presets(places.resources_dir() / "presets")
        self.making_progress: Work | None = None
        self.launch_progress: tuple[Any, ...] = ()
        self.is_launching = False
        self.node_name = ""
        self.runs: dict[str, RunState] = {}
        self.listings: dict[str, dict[str, Any]] = {}
        self.placing: tuple[Callable[[], None], Callable[[str], None]] | None = None
        self.node_setup = PageNodeSetup(self.calls, self)
        self.collective_tests = PageCollectiveTests(self.calls, self)
        self.environments = PageEnvironments(self.calls, self)
        self.ahead = PageAhead(self.calls, self)
        self.range_tests = PageRangeTests(self.calls, self)
        self.hosts.put(NodeAddress("This computer"))
        self.memory = PageMemory(self.draft, lambda: self.node_name, self.calls, self)

    @property
    def node(self) -> NodeState | None:
        return self.hosts.get(self.node_name) if self.node_name else None

    @property
    def model_name(self) -> str:
        return self.draft.spec.model.id.rsplit("/", 1)[-1]

    @property
    def data_name(self) -> str:
        return self.draft.spec.data.path.rsplit("/", 1)[-1]

    def choose_model(self, source: str, id: str) -> None:
        self.calls.append(("choose_model", source, id))
        self.draft.edit({"model.source": source, "model.id": id})

    def choose_gpus(self, uuids: Sequence[str]) -> None:
        self.calls.append(("choose_gpus", tuple(uuids)))
        self.draft.set_known(gpus=tuple(uuids))
        self.inputs_changed.emit()

    def choose_data(self, source: str, path: str, held_out_path: str = "") -> None:
        self.calls.append(("choose_data", source, path, held_out_path))
        self.draft.edit(
            {"data.source": source, "data.path": path, "data.revision": "", "data.held_out_path": held_out_path}
        )

    def choose_node(self, name: str) -> None:
        self.calls.append(("choose_node", name))
        self.node_name = name
        self.inputs_changed.emit()

    def add_node(self, address: NodeAddress) -> None:
        self.calls.append(("add_node", address))
        self.hosts.put(address)

    def label_node(self, name: str, labels: Labels) -> None:
        self.calls.append(("label_node", name, labels))
        self.hosts.update(name, labels=labels)

    def place_folders(
        self, name: str, folders: Mapping[str, str], on_done: Callable[[], None], on_error: Callable[[str], None]
    ) -> None:
        self.calls.append(("place_folders", name, dict(folders)))
        self.placing = (on_done, on_error)

    def browse(
        self, node: str, path: str, on_result: Callable[[dict[str, Any]], None], on_error: Callable[[str], None]
    ) -> None:
        self.calls.append(("browse", node, path))
        if path in self.listings:
            on_result(self.listings[path])
        else:
            on_error(f"There is no folder {path} on {node}.")

    def run(self, run_id: str) -> RunState:
        return self.runs[run_id]

    def load_table(self, query: TableQuery, start: int, count: int) -> None:
        self.calls.append(("load_table", query, start, count))

    def load_row(self, index: int) -> None:
        self.calls.append(("load_row", index))

    def load_batching(self, length: int) -> None:
        self.calls.append(("load_batching", length))

    def preview_step(self, step: Step) -> None:
        self.calls.append(("preview_step", step))

    def add_step(self, step: Step) -> None:
        self.calls.append(("add_step", step))
        self.draft.edit({"data.steps": (*self.draft.spec.data.steps, step)})

    def remove_step(self, number: int) -> None:
        self.calls.append(("remove_step", number))
        steps = self.draft.spec.data.steps
        self.draft.edit({"data.steps": steps[:number] + steps[number + 1 :]})

    def move_step(self, number: int, to: int) -> None:
        self.calls.append(("move_step", number, to))
        steps = list(self.draft.spec.data.steps)
        steps.insert(to, steps.pop(number))
        self.draft.edit({"data.steps": tuple(steps)})

    def apply_data_fix(self, fix: DataFix) -> None:
        self.calls.append(("apply_data_fix", fix))

    def add_source(self, source: SourceSpec) -> None:
        self.calls.append(("add_source", source))
        self.draft.edit({"data.more": (*self.draft.spec.data.more, source)})

    def remove_source(self, number: int) -> None:
        self.calls.append(("remove_source", number))
        more = self.draft.spec.data.more
        self.draft.edit({"data.more": more[:number] + more[number + 1 :]})

    def set_source(self, number: int, source: SourceSpec) -> None:
        self.calls.append(("set_source", number, source))
        more = list(self.draft.spec.data.more)
        more[number] = source
        self.draft.edit({"data.more": tuple(more)})

    def take_losses(self) -> None:
        self.calls.append(("take_losses",))

    def cancel_losses(self) -> None:
        self.calls.append(("cancel_losses",))

    def make_rows(self) -> None:
        self.calls.append(("make_rows",))

    def cancel_making(self) -> None:
        self.calls.append(("cancel_making",))

    def track_run(self, run_id: str, kind: str, online: bool, server: str, folder: Path) -> str:
        if kind == "mlflow" and online and not server:
            return "MLflow needs the address of its server."
        self.calls.append(("track_run", run_id, kind, online, server, folder))
        return ""

    def load_tracker_keys(self) -> None:
        self.tracker_keys_loaded.emit(("WANDB_API_KEY",), "Kept until Luthier ends.")

    def keep_tracker_keys(self, changes: Mapping[str, str]) -> None:
        self.calls.append(("keep_tracker_keys", dict(changes)))

    def load_alert_channels(self) -> None:
        self.alert_channels_loaded.emit("team: slack https://hooks.example/T0\n", "Kept until Luthier ends.")

    def keep_alert_channels(self, text: str) -> str:
        try:
            parse_channels(text)
        except ChannelsError as error:
            return str(error)
        self.calls.append(("keep_alert_channels", text))
        return ""

    def send_test_message(self, text: str) -> str:
        try:
            parse_channels(text)
        except ChannelsError as error:
            return str(error)
        self.calls.append(("send_test_message", text))
        return ""

    def save_comparison(
        self, path: Path, run_ids: Sequence[str], drawings: Sequence[bytes], tables: Sequence[Table]
    ) -> None:
        write_comparison(path, run_ids, drawings, tables)

    def save_data_report(self, path: Path) -> None:
        self.calls.append(("save_data_report", path))

    def export_run(self, run_id: str, folder: Path, pack_inputs: bool = False) -> None:
        self.calls.append(("export_run", run_id, folder, pack_inputs))

    def stop_run(self, run_id: str, save: bool = True) -> None:
        self.calls.append(("stop_run", run_id, save))

    def resume_run(self, run_id: str, ranks: int = 0, zero_stage: int | None = None) -> None:
        self.calls.append(("resume_run", run_id, *((ranks, zero_stage) if ranks else ())))

    def pause_run(self, run_id: str) -> None:
        self.calls.append(("pause_run", run_id))

    def sample_now(self, run_id: str) -> None:
        self.calls.append(("sample_now", run_id))

    def extend_run(self, run_id: str, steps: int) -> None:
        self.calls.append(("extend_run", run_id, steps))

    def change_rate(self, run_id: str, peak: float) -> None:
        self.calls.append(("change_rate", run_id, peak))

    def change_evaluation(self, run_id: str, every_steps: int) -> None:
        self.calls.append(("change_evaluation", run_id, every_steps))

    def roll_back(self, run_id: str, step: int, skip: bool) -> None:
        self.calls.append(("roll_back", run_id, step, skip))

    def save_now(self, run_id: str) -> None:
        self.calls.append(("save_now", run_id))

    def evaluate_now(self, run_id: str) -> None:
        self.calls.append(("evaluate_now", run_id))

    def accept_host_key(self, question: object) -> None:
        self.calls.append(("accept_host_key", question))

    def remove_node(self, name: str) -> None:
        self.calls.append(("remove_node", name))
        self.hosts.remove(name)

    def probe_node(self, name: str) -> None:
        self.calls.append(("probe_node", name))

    def launch(self) -> None:
        self.calls.append(("launch",))

    def cancel_launch(self) -> None:
        self.calls.append(("cancel_launch",))

    def retry_link(self, node: str) -> None:
        self.calls.append(("retry_link", node))

    def inspect(self) -> None:
        self.calls.append(("inspect",))

    def cancel_inspection(self) -> None:
        self.calls.append(("cancel_inspection",))


def filled_session() -> PageSession:
    """Return a session with model, data and a node that are all known."""
    session = PageSession()
    session.hosts.update("This computer", report=cpu_report(), link=READY)
    session.hosts.put(NodeAddress("gpu-box", "ssh", "10.0.3.7", 22022, "dana"))
    session.hosts.update("gpu-box", report=gpu_report(), link=READY)
    session.hosts.put(NodeAddress("lab-2", "ssh", "lab-2"))
    session.hosts.update("lab-2", link="unreachable", problem="lab-2 did not answer within 15 s; is it switched on?")
    session.node_name = "gpu-box"
    draft = session.draft
    draft.edit({
        "name": "docstrings", "model.id": "/models/SmolLM2-135M-Instruct", "data.path": "/data/docstrings.jsonl",
        "strategy.ranks": 8,
    })  # fmt: skip
    draft.set_known(model=model_report(), data=data_report(), node=gpu_report())
    return session


def run_spec() -> JobSpec:
    """Return the job of the run that `fold_steps` makes up."""
    spec: JobSpec = with_value(JobSpec(), "name", "docstrings")
    for path, value in (("model.id", "/models/SmolLM2-135M-Instruct"), ("data.path", "/data/docstrings.jsonl"),
                        ("optimizer.learning_rate", 5e-5), ("strategy.ranks", 8)):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


def new_run() -> RunState:
    """Return a run of which nothing is known but that it was launched."""
    return RunState("r-261124-081400-abcdef", "docstrings", "gpu-box", run_spec())


def fold_start(run: RunState, total: int) -> None:
    """Fold what comes before the first step."""
    events: list[Event] = [
        StateChanged("queued", 1), StateChanged("starting", 1), AttemptStarted(1, 8),
        TrainingStarted(1, 1, total, total // 3, 8, 134_515_008, total * 8, 24), StateChanged("running", 1),
    ]  # fmt: skip
    run.fold([Stamped(1000.0 + number, event) for number, event in enumerate(events)])


def fold_steps(run: RunState, first: int, last: int, total: int) -> None:
    """Fold noisy steps with evaluations every 25."""
    chance = random.Random(first)
    events: list[Event] = []
    for step in range(first, last + 1):
        if step == 1:
            events.append(Evaluated(1, 0, 2.41, math.exp(2.41), 4000, 24, 3.0))
        loss = 1.12 + 1.4 * math.exp(-step / 40) + chance.gauss(0, 0.07)
        norm = 0.62 + abs(chance.gauss(0, 0.22)) + 0.6 * math.exp(-step / 12)
        rate = lr_at(run.spec, step - 1, total)
        events.append(StepCompleted(1, step, loss, rate, norm, 8192, 5400, 43e3 + chance.gauss(0, 1200), 0.19, 2**36,
                                    3 * step / total))  # fmt: skip
        if step % 25 == 0:
            held_out = 1.18 + 1.23 * math.exp(-step / 42)
            events.append(Evaluated(1, step, held_out, math.exp(held_out), 4000, 24, 3.0))
    run.fold([Stamped(2000.0 + number, event) for number, event in enumerate(events)])


def fold_middle(run: RunState) -> None:
    """Fold a checkpoint, hardware, samples, a complaint and some log lines."""
    gib = 1024**3
    gpus = tuple(
        {"index": index, "memory_used_bytes": (60 + index / 10) * gib, "memory_total_bytes": 79.6 * gib,
         "utilization_percent": 97.0 - index, "temperature_c": 61.0 + index % 2}
        for index in range(8)
    )  # fmt: skip
    prompt = "What does str.partition do?"
    answer = "It splits the string at the first occurrence of sep and returns a tuple of three parts."
    events: list[Event] = [
        CheckpointCommitted(1, 100, "step-100", True, 2 * gib, 8.0),
        NodeSampled(38.0, 200 * gib, 512 * gib, 214 * gib, gpus),
        Sampled(1, 0, prompt, "str.partition is a function that is used to partition. It is a function that is used."),
        Sampled(1, 175, prompt, answer),
        Complained("warning", "The gradient norm was 4.1 at step 171, four times its running level; look at the rows "
                   "20 113 and 20 118.", 3),
    ]  # fmt: skip
    run.fold([Stamped(3000.0, event) for event in events])
    run.fold_log(0, [f"{step:>4}  loss 1.{300 - step % 90}  lr 3.1e-05  43.1 k tokens/s" for step in range(160, 187)])
    run.fold_log(1, ["NCCL INFO Channel 00/24 : 0 1 2 3 4 5 6 7"])
