"""The order of a launch, and what each failure leaves behind; the agent is scripted so that links break on cue."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from remote_agent.contract.data_report import FileEntry, ModelReport, PreparedData
from remote_agent.contract.data_spec import SourceSpec, all_sources
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import TRAINER_PACKAGES, Interpreter, NodeReport, PackageVersion
from remote_agent.contract.run_dir import is_run_id
from studio.remote.agent import Agent, DataInputs, HubModel, Prepared
from studio.remote.call import Progress
from studio.remote.errors import AgentFailed, LinkError, NodeRefused, RemoteError
from studio.remote.transport import LocalTransport
from studio.session.data_paths import InputError
from studio.session.launching import (
    LaunchCancelledError,
    Launched,
    LaunchError,
    Launching,
    LaunchStep,
    StartUnknownError,
)
from tests.support.hub_server import HubModel as HubRepo
from tests.support.hub_server import hub_for_test

_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PREPARED = PreparedData("k", 128, True, 36, 30, 3000, 600, 4, 4, 300, 60, "content", "", 2, 2, 0.1)


def _report(versions: str = "1") -> NodeReport:
    packages = tuple(PackageVersion(name, versions) for name in TRAINER_PACKAGES)
    return NodeReport(
        "box", "me", "Linux", "/home/me/.luthier", "3.11", 8, 1 << 35, 1 << 35, 1 << 40, (),
        Interpreter("/env/bin/python", "3.11.2", packages), "c++", "ninja", "b", 0.0,
    )  # fmt: skip


class _ScriptedAgent:
    """Answers like an agent and remembers what it was asked; ``failures`` are raised, in order, by the named call."""

    def __init__(self, failures: Mapping[str, list[RemoteError | None]] | None = None) -> None:
        self.calls: list[str] = []
        self.paths: dict[str, str] = {}
        self.inputs = DataInputs(JobSpec(), "", "", ())
        self.run_ids: list[str] = []
        self.report = _report()
        self.started = JobSpec()
        self.prepared = _PREPARED
        self.real: Agent | None = None
        self._failures = {name: list(errors) for name, errors in (failures or {}).items()}

    def _called(self, name: str) -> None:
        self.calls.append(name)
        errors = self._failures.get(name)
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error

    def probe(self, python: str = "", **_: Any) -> NodeReport:
        self._called("probe")
        return self.report

    def send_folder(self, kind: str, source: Path, **_: Any) -> str:
        self._called(f"send {kind}")
        return f"/home/me/.luthier/{kind}/sent"

    def send_file(self, kind: str, source: Path, **_: Any) -> str:
        return f"{self.send_folder(kind, source)}/{source.name}"

    def inspect_model(self, path: str, python: str = "", **_: Any) -> ModelReport:
        self._called("inspect_model")
        self.paths["model"] = path
        return ModelReport(path, {}, "t", "h", 10, (FileEntry("model.safetensors", 32, "ab"),), "f")

    def prepare(self, inputs: DataInputs, **options: Any) -> Prepared:
        self._called("prepare")
        self.inputs = inputs
        self.paths["data"] = inputs.data_paths[0]
        options["on_progress"](Progress("environment", 1, 2))
        options["on_progress"](Progress("data", 1, 2))
        return Prepared(self.prepared, "/home/me/.luthier/data/k", {"cores": 8})

    def hub(self, repo: str, revision: str, *_: Any, **__: Any) -> HubModel:
        self._called(f"hub {repo}@{revision}")
        return HubModel(repo, _COMMIT, "/home/me/.luthier/models/hub-org--name-0123456789ab")

    def hub_data(self, source: SourceSpec, *_: Any, **__: Any) -> HubModel:
        """Have a real agent fetch the rows."""
        self._called(f"hub_data {source.path}@{source.revision}")
        assert self.real is not None
        return self.real.hub_data(source, sys.executable)

    def start(self, run_id: str, job: JobSpec, *_: Any, **named: Any) -> bool:
        self.run_ids.append(run_id)
        self.started = job
        self.gpus = named["gpus"]
        self._called("start")
        return True


@dataclasses.dataclass
class _Launch:
    """A launch on a scripted agent and what it left."""

    agent: _ScriptedAgent
    kept: list[Launched] = dataclasses.field(default_factory=list)
    discarded: list[str] = dataclasses.field(default_factory=list)
    steps: tuple[LaunchStep, ...] = ()
    cancelled: threading.Event = dataclasses.field(default_factory=threading.Event)

    def run(self, spec: JobSpec, is_local: bool = False) -> Launched:
        return Launching(
            spec,
            cast(Agent, self.agent),
            node="box",
            is_local=is_local,
            on_steps=self._show,
            keep=self.kept.append,
            discard=self.discarded.append,
            cancelled=self.cancelled,
        ).run()

    def _show(self, steps: tuple[LaunchStep, ...]) -> None:
        self.steps = steps

    @property
    def states(self) -> dict[str, str]:
        return {step.key: step.state for step in self.steps}

    @property
    def failed(self) -> LaunchStep:
        return next(step for step in self.steps if step.state == "failed")


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    (tmp_path / "model").mkdir()
    (tmp_path / "rows.json").write_text("[]", encoding="utf-8")
    spec = with_value(JobSpec(), "model.id", str(tmp_path / "model"))
    spec = with_value(spec, "data.path", str(tmp_path / "rows.json"))
    job: JobSpec = with_value(spec, "strategy.precision", "fp32")
    return job


def test_that_a_remote_launch_sends_both_inputs_and_every_step_is_done(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    launched = launch.run(spec)
    assert launch.agent.calls == ["probe", "send models", "inspect_model", "send data", "prepare", "start"]
    assert set(launch.states.values()) == {"done"}
    assert launch.kept == [launched]
    assert is_run_id(launched.run_id)
    assert launched.total_steps == 90
    assert launch.agent.paths["data"].endswith("/rows.json")


def test_that_a_local_launch_uses_the_paths_as_they_are(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    launch.run(spec, is_local=True)
    assert launch.agent.paths == {"model": spec.model.id, "data": spec.data.path}


def test_that_the_bundle_names_where_inputs_lay_with_their_hashes(spec: JobSpec) -> None:
    launched = _Launch(_ScriptedAgent()).run(spec)
    assert launched.bundle["model"]["path"] == spec.model.id
    assert launched.bundle["model"]["files"][0]["sha256"] == "ab"
    assert launched.bundle["data"]["content_hash"] == "content"
    assert len(launched.bundle["data"]["files"][0]["sha256"]) == 64


def _with_sources(spec: JobSpec, folder: Path) -> JobSpec:
    """Return the job with a folder of the desktop and a file of the node beside its data, and a held-out file."""
    (folder / "more").mkdir()
    (folder / "more" / "rows.jsonl").write_text("{}", encoding="utf-8")
    (folder / "apart.json").write_text("[]", encoding="utf-8")
    more = (SourceSpec(path=str(folder / "more")), SourceSpec(source="node", path="/srv/rows.parquet"))
    spec = with_value(spec, "data.held_out_path", str(folder / "apart.json"))
    job: JobSpec = with_value(spec, "data.more", more)
    return job


def test_that_every_source_of_the_desktop_is_sent_and_those_of_the_node_stay(spec: JobSpec, tmp_path: Path) -> None:
    launch = _Launch(_ScriptedAgent())
    launched = launch.run(_with_sources(spec, tmp_path))
    sent = "/home/me/.luthier/data/sent"
    assert launch.agent.inputs.data_paths == (f"{sent}/rows.json", sent, "/srv/rows.parquet")
    assert launch.agent.inputs.held_out_path == f"{sent}/apart.json"
    assert launch.agent.calls.count("send data") == 3
    more = launched.bundle["more_data"]
    assert [one["path"] for one in more] == [str(tmp_path / "more"), "/srv/rows.parquet"]
    assert [[file["name"] for file in one["files"]] for one in more] == [["rows.jsonl"], []]
    assert more[1]["how"] == "It lies on the node box."
    assert launched.bundle["held_out"]["path"] == str(tmp_path / "apart.json")


def test_that_a_local_launch_of_several_sources_sends_none(spec: JobSpec, tmp_path: Path) -> None:
    launch = _Launch(_ScriptedAgent())
    launch.run(_with_sources(spec, tmp_path), is_local=True)
    assert launch.agent.inputs.data_paths == (spec.data.path, str(tmp_path / "more"), "/srv/rows.parquet")
    assert "send data" not in launch.agent.calls


def test_that_a_source_that_is_gone_is_told_by_its_path(spec: JobSpec, tmp_path: Path) -> None:
    launch = _Launch(_ScriptedAgent())
    gone = with_value(spec, "data.more", (SourceSpec(path=str(tmp_path / "gone.csv")),))
    with pytest.raises(InputError, match=r"gone\.csv is not on this computer"):
        launch.run(gone)
    assert launch.failed.key == "data"


def test_that_a_checkpoint_of_a_run_is_found_below_the_nodes_home(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    spec = with_value(with_value(spec, "model.source", "run"), "model.id", "r-260101-000000-abcdef/40")
    launch.run(spec)
    assert launch.agent.paths["model"] == "/home/me/.luthier/runs/r-260101-000000-abcdef/checkpoints/step-40"
    with pytest.raises(InputError, match="RUN_ID/step"):
        launch.run(with_value(spec, "model.id", "../../etc"))


def test_that_problems_end_the_launch_before_anything_is_sent(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    with pytest.raises(LaunchError, match="no GPU") as caught:
        launch.run(with_value(spec, "strategy.precision", "bf16"))
    assert [problem.field for problem in caught.value.problems] == ["strategy.precision"]
    assert launch.agent.calls == ["probe"]
    assert launch.failed.key == "check"
    assert launch.kept == []


def test_that_a_node_without_the_trainer_is_told_which_packages_it_lacks(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    launch.agent.report = _report(versions="")
    with pytest.raises(LaunchError, match="lacks torch"):
        launch.run(spec)


def test_that_what_only_the_prepared_data_shows_ends_the_launch_before_the_start(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    spec = with_value(spec, "evaluation.every_steps", 1000)
    with pytest.raises(LaunchError, match="never happens in a run of 90"):
        launch.run(spec)
    launch.agent.prepared = dataclasses.replace(_PREPARED, train_sequences=0)
    with pytest.raises(LaunchError, match="No row is left"):
        launch.run(spec)
    assert "start" not in launch.agent.calls
    assert launch.states["start"] == "waiting"


@pytest.mark.parametrize(
    ("call", "step"),
    [("probe", "connect"), ("send models", "model"), ("send data", "data"), ("prepare", "environment")],
)
def test_that_each_failure_stands_as_a_sentence_in_its_step(spec: JobSpec, call: str, step: str) -> None:
    launch = _Launch(_ScriptedAgent({call: [NodeRefused("There is no space left.")]}))
    with pytest.raises(NodeRefused):
        launch.run(spec)
    assert (launch.failed.key, launch.failed.detail) == (step, "There is no space left.")
    assert launch.kept == []


def test_that_a_link_that_breaks_at_the_start_is_tried_again_with_the_same_id(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent({"start": [LinkError("cut"), LinkError("cut"), None]}))
    launched = launch.run(spec)
    assert launch.agent.run_ids == [launched.run_id] * 3
    assert launch.states["start"] == "done"


def test_that_a_link_that_stays_broken_keeps_the_run_so_that_the_node_can_tell(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent({"start": [LinkError("cut")] * 3}))
    with pytest.raises(StartUnknownError, match="nothing starts twice"):
        launch.run(spec)
    assert len(launch.kept) == 1
    assert launch.discarded == []


def test_that_a_start_that_is_refused_leaves_no_run(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent({"start": [AgentFailed("The disk is full.", "disk_full")]}))
    with pytest.raises(AgentFailed):
        launch.run(spec)
    assert launch.discarded == [launch.kept[0].run_id]


def test_that_a_cancelled_launch_starts_nothing(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    launch.cancelled.set()
    with pytest.raises(LaunchCancelledError):
        launch.run(spec)
    assert launch.agent.calls == []
    assert "nothing was started" in launch.failed.detail


def test_that_an_input_that_is_gone_is_told(spec: JobSpec, tmp_path: Path) -> None:
    launch = _Launch(_ScriptedAgent())
    with pytest.raises(InputError, match="choose it again"):
        launch.run(with_value(spec, "data.path", str(tmp_path / "gone.json")))
    assert launch.failed.key == "data"


def test_that_a_hub_model_is_fetched_by_the_node_and_the_run_is_pinned_to_its_commit(spec: JobSpec) -> None:
    launch = _Launch(_ScriptedAgent())
    launched = launch.run(with_value(with_value(spec, "model.source", "hub"), "model.id", "org/name"))
    assert launch.agent.calls[:3] == ["probe", "hub org/name@", "inspect_model"]
    assert launch.agent.paths["model"] == "/home/me/.luthier/models/hub-org--name-0123456789ab"
    assert launched.spec.model.revision == launch.agent.started.model.revision == _COMMIT
    assert f"hf download org/name --revision {_COMMIT}" in launched.bundle["model"]["how"]
    assert next(step.label for step in launch.steps if step.key == "model") == "Fetch the model from the Hub"


def test_that_hub_data_is_pinned_and_the_node_gets_the_rows_of_that_commit(
    spec: JobSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, more = (f'{{"instruction": "Who {name}?", "output": "You."}}\n'.encode() for name in ("sings", "reads"))
    repos = {"org/rows": HubRepo({"data/train.jsonl": rows}), "org/more": HubRepo({"data/train.jsonl": more})}
    spec = with_value(with_value(spec, "data.source", "hub"), "data.path", "org/rows")
    spec = with_value(spec, "data.more", (SourceSpec(source="hub", path="org/more", revision="main"),))
    launch, transport = _Launch(_ScriptedAgent()), LocalTransport()
    launch.agent.real = Agent(transport, str(tmp_path / "home"))
    with hub_for_test(repos, tmp_path / "hf", monkeypatch):
        launched = launch.run(spec)
    pinned = [f"hub_data org/{name}@{_COMMIT}" for name in ("rows", "more")]
    assert [call for call in launch.agent.calls if call.startswith("hub")] == [
        "hub_data org/rows@", "hub_data org/more@main", *pinned,
    ]  # fmt: skip
    for job in (launched.spec, launch.agent.inputs.job, launch.agent.started):
        assert [source.revision for source in all_sources(job.data)] == [_COMMIT, _COMMIT]
    paths = [Path(path) for path in launch.agent.inputs.data_paths]
    assert [path.read_text(encoding="utf-8") for path in paths] == [rows.decode(), more.decode()]
    # What is pinned lies on the node already: the Hub, which is gone, is not asked.
    again = launch.run(launched.spec)
    assert again.spec == launched.spec and launch.agent.inputs.data_paths == tuple(map(str, paths))
    transport.close()


def test_that_the_launch_and_the_following_are_free_of_qt() -> None:
    program = "import sys, studio.session.launching, studio.session.following; print('PySide6' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "False"
