"""The user's verbs: what the window's buttons, menus and shortcuts call."""

from __future__ import annotations

import dataclasses
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.problems import blocking
from studio import places
from studio.background.tasks import Tasks
from studio.remote.errors import NeedsPerson
from studio.remote.transport import NodeAddress
from studio.session.adopting import Adopting
from studio.session.ahead import Ahead, AheadServices
from studio.session.collective_tests import CollectiveTests
from studio.session.data_paths import Place
from studio.session.environments import Environments
from studio.session.files import Files, short_name
from studio.session.inspecting import Inspecting
from studio.session.last_places import LastPlaces
from studio.session.launcher import Launcher
from studio.session.launching import LaunchStep
from studio.session.memory_runs import MemoryRuns, MemoryServices
from studio.session.node_setup import NodeSetup
from studio.session.node_verbs import NodeVerbs
from studio.session.nodes import Nodes, sentence_of
from studio.session.open_runs import OpenRuns
from studio.session.range_tests import RangeTests
from studio.session.reach import LOCAL_NODE, Reach
from studio.session.shelf import Shelf
from studio.session.tracked_runs import TrackedRuns
from studio.session.writing import Writing
from studio.state.draft import Draft
from studio.state.hosts import Hosts
from studio.state.library import LibraryState
from studio.state.memory_outlook import MemoryOutlook
from studio.state.node import NodeState, adapted_to_node
from studio.state.peaks import Peaks
from studio.state.preset import Preset
from studio.store.library import Library
from studio.store.rows import RunRow

if TYPE_CHECKING:
    from studio.state.run import RunState

SAVE_JOB_MS = 800


class Session(NodeVerbs):
    """Everything a person can do, one method a verb. Nothing here blocks; what takes time ends in a signal.

    Attributes:
        library: the jobs and runs. hosts: the nodes. draft: the job being edited. tasks: the pool.
        job_id: the job being edited. node_name: the node chosen for it, empty where none is. environments: builds
            them. collective_tests: try the ranks. ahead: prepares the node while the job is edited.
        range_tests: of the draft's learning rate. memory: estimated and measured, of the draft and of runs.
    """

    run_opened = Signal(str)  # run id: show its monitor
    host_key_question = Signal(object, str)  # HostKeyUnknown, node name
    launch_changed = Signal()  # launch_progress, is_launching
    job_opened = Signal(str)  # job id

    def __init__(
        self, store: Library, reach: Reach, last_places: LastPlaces, cache: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._reach, self._last = store, reach, last_places
        self.job_id, self.node_name = "", ""
        self._adapts_to = ""
        self.tasks = Tasks(self)
        self.library, self.hosts, self.draft = LibraryState(self), Hosts(self), Draft(parent=self)
        self._writing = Writing(self.tasks, self)
        self._shelf = Shelf(store, self.library, self._writing)
        self._complaints = [sentence for sentence in (store.notice, *self._shelf.fill()) if sentence]
        self._nodes = Nodes(self.hosts, store, reach, self.tasks, self)
        self.node_setup = NodeSetup(reach, self.tasks, self)
        self.collective_tests = CollectiveTests(self.draft, self._nodes, reach, self.tasks, self)
        self.environments = Environments(self.hosts, self._nodes, reach, self.tasks, self)
        self._look_with(
            Inspecting(self.draft, self.tasks, reach, self._local_place, cache / "models", self._chosen_address, self),
            cache / "losses",
            self._on_node_failed,
        )
        self._runs = OpenRuns(self._shelf, store, reach, self.tasks, self._nodes, self)
        self._adopting = Adopting(self._shelf, store, reach, self.tasks, self._runs, self)
        self._files, self._tracked = Files(store, self.tasks, self), TrackedRuns(store, self.tasks, self)
        self._launcher = Launcher(store, reach, self.tasks, self)
        self.memory = MemoryRuns(
            MemoryOutlook(self.draft, Peaks(self), lambda: self.node_name, self),
            MemoryServices(
                store, self.library, self._writing, self._launcher, self._shelf, self._runs, reach, self.tasks
            ),
            self._chosen_address,
            self,
        )
        self.range_tests = RangeTests(self.draft, self._launcher, self._shelf, self._runs, self._chosen_address, self)
        self.ahead = Ahead(
            AheadServices(
                self.draft, self.hosts, reach, self.tasks, last_places, self.environments, self._chosen_address
            ),
            self,
        )
        self._save_timer = QTimer(self, singleShot=True, interval=SAVE_JOB_MS)
        self._connect()
        self._open_last_job()

    def _connect(self) -> None:
        self.draft.notice.connect(self.notice)
        self.draft.changed.connect(self._save_timer.start)
        self._save_timer.timeout.connect(self.save_job)
        self._nodes.probed.connect(self._on_probed)
        self._nodes.host_key_question.connect(self.host_key_question)
        self._runs.notice.connect(self.notice)
        self._runs.alert_raised.connect(self.alert_raised)
        self._adopting.notice.connect(self.notice)
        self._files.notice.connect(self.notice)
        self._tracked.notice.connect(self.notice)
        self._writing.failed.connect(lambda sentence: self.notice.emit("error", sentence))
        self._launcher.changed.connect(self.launch_changed)
        self._launcher.failed.connect(self._on_launch_failed)

    def take_up(self) -> None:
        """Go on where the last window ended: look at the open job's inputs and node, follow the runs that go on.

        Called once, after the window is up.
        """
        self.memory.fill()
        for sentence in self._complaints:
            self.notice.emit("warning", sentence)
        self._inspecting.look()
        if self.node_name in self.hosts:
            self._nodes.probe(self.node_name)
        for row in self._shelf.unended():
            self._runs.run(row.run_id)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """The published recipes that a job can start from."""
        from studio.presets import load_presets  # only who opens them pays for reading them

        return load_presets(places.resources_dir() / "presets")

    # -- jobs

    def new_job(self) -> str:
        """Make a job for this computer's node, open it and return its id."""
        self.save_job()
        name = self._shelf.free_name("untitled")
        job_id = self._shelf.add_job(dataclasses.replace(JobSpec(), name=name))
        self.open_job(job_id)
        if LOCAL_NODE in self.hosts:
            self.choose_node(LOCAL_NODE)
        return job_id

    def open_job(self, job_id: str) -> None:
        """Open a job of the library; one that is not there is passed over."""
        entry = self.library.job(job_id)
        if entry is None:
            return
        self.save_job()
        self.job_id = job_id
        self._last.remember_job(job_id)
        node = self._last.node_of(job_id)
        self.node_name = node if node in self.hosts else ""
        known = self.hosts[self.node_name].report if self.node_name else None
        self.draft.set_known(node=known, gpus=tuple(gpu.uuid for gpu in self._chosen_gpus(known)))
        self.draft.replace_spec(entry.spec)
        self._shelf.save_job(job_id, entry.spec, opened=True)
        self.ahead.disarm()
        self._inspecting.look()
        self.job_opened.emit(job_id)
        self.inputs_changed.emit()

    def open_job_file(self, path: Path) -> None:
        """Add a job file to the library and open it; what is wrong with it is a notice."""
        spec = self._files.read_job(path)
        if spec is not None:
            self.open_spec(spec)

    def open_spec(self, spec: JobSpec) -> str:
        """Add a job to the library, open it and return its id."""
        job_id = self._shelf.add_job(spec)
        self.open_job(job_id)
        return job_id

    def duplicate_run(self, run_id: str) -> str:
        """Make a job of the settings that a run was launched with, open it and return its id; empty after a notice."""
        spec = self.spec_of_run(run_id)
        if spec is None:
            self.notice.emit("error", f"The job of {run_id} cannot be read.")
            return ""
        return self.open_spec(dataclasses.replace(spec, name=self._shelf.free_name(spec.name)))

    def duplicate_job(self, job_id: str) -> str:
        """Copy a job, open the copy and return its id; empty where there is no such job."""
        self.save_job()
        entry = self.library.job(job_id)
        if entry is None:
            return ""
        copy = self._shelf.add_job(dataclasses.replace(entry.spec, name=self._shelf.free_name(entry.name)))
        self._last.remember_node(copy, self._last.node_of(job_id))
        self.open_job(copy)
        return copy

    def delete_job(self, job_id: str) -> None:
        """Forget a job; its runs stay. Another one is opened where it was the open one."""
        self._shelf.delete_job(job_id)
        self._last.forget_job(job_id)
        if job_id == self.job_id:
            self.job_id = ""
            rest = self.library.jobs
            if rest:
                self.open_job(rest[0].job_id)
            else:
                self.new_job()

    def rename_job(self, name: str) -> None:
        """Give the open job another name."""
        self.draft.set_value("name", name.strip() or "untitled")

    def save_job(self) -> None:
        """Keep the draft in the library now; it happens by itself a moment after each edit."""
        self._save_timer.stop()
        if self.job_id:
            self._shelf.save_job(self.job_id, self.draft.spec)

    # -- inputs

    def choose_model(self, source: str, id: str) -> None:
        """Choose the model: ``source`` as `ModelSpec.source`, ``id`` a folder, Hub id or RUN_ID/step."""
        self.draft.edit({"model.source": source, "model.id": id, "model.revision": ""})
        self._inspecting.look_again()
        self.ahead.arm()

    def choose_node(self, name: str) -> None:
        """Choose the node; ranks and precision follow it and the global batch stays."""
        if name not in self.hosts:
            return
        self.node_name = name
        self._last.remember_node(self.job_id, name)
        report = self.hosts[name].report
        self._adapts_to = name
        if report is not None:
            self._adapt(report)
        self.draft.set_known(node=report, gpus=tuple(gpu.uuid for gpu in self._chosen_gpus(report)))
        self._nodes.probe(name)
        self._inspecting.look()
        self.ahead.arm()
        self.inputs_changed.emit()

    @property
    def node(self) -> NodeState | None:
        """Return the chosen node, None where none is."""
        return self.hosts.get(self.node_name)

    @property
    def model_name(self) -> str:
        """Return the short name of the chosen model, empty where none is."""
        model = self.draft.spec.model
        return model.id if model.source in ("hub", "run") else short_name(model.id)

    # -- nodes

    def remove_node(self, name: str) -> None:
        """Forget a node; nothing on it is touched. Raises ValueError for this computer."""
        self._nodes.remove(name)
        if name == self.node_name:
            self.node_name = ""
            self._last.remember_node(self.job_id, "")
            self.draft.set_known(node=None)
            self.inputs_changed.emit()

    # -- runs

    @property
    def launch_progress(self) -> tuple[LaunchStep, ...]:
        """Return the steps of the launch that is under way, or of the last one."""
        return self._launcher.steps

    @property
    def is_launching(self) -> bool:
        """Say whether a launch is under way."""
        return self._launcher.is_launching

    def launch(self) -> None:
        """Start the draft on the chosen node. Later edits do not reach the run."""
        found = blocking(list(self.draft.problems))
        address = self._chosen_address()
        if self.is_launching:
            return
        if address is None:
            self.notice.emit("error", "No node is chosen; choose one to launch on.")
        elif found:
            self.notice.emit("error", f"The job cannot start yet. {found[0].sentence}")
        elif self.inspection_failed:
            self.notice.emit("error", f"The job cannot start yet. {self.inspection_problem}")
            self.inspect()  # what stood in the way may be gone by now; the next launch knows
        else:
            self.save_job()
            on_started = functools.partial(self._on_started, self.job_id)
            self.ahead.begin()  # model and data travel at the same time; the launch joins them
            self._launcher.launch(self.draft.spec, self.draft.known, address, on_started)

    def cancel_launch(self) -> None:
        """End the launch before the run is started."""
        self._launcher.cancel()
        self.ahead.cancel()

    def run(self, run_id: str) -> RunState:
        """Return a run, read back from the library and followed if it goes on. Raises KeyError for an unknown id."""
        return self._runs.run(run_id)

    def open_run(self, run_id: str) -> None:
        """Show a run."""
        self._runs.run(run_id)
        self.run_opened.emit(run_id)

    def close_run(self, run_id: str) -> None:
        """Let go of a run that is not shown any more; one that goes on stays followed."""
        self._runs.close_run(run_id)

    def retry_link(self, node: str) -> None:
        """Try the link to a node now instead of waiting for the next try."""
        self._runs.retry(node)

    def close(self) -> None:
        """Keep everything and let go of nodes and library; runs go on. Raises StoreError where the disk is full."""
        self._writing.hold()
        self.save_job()
        self.node_setup.asking.close()
        self.tasks.close()
        self._tracked.close()
        self._runs.close()
        try:
            self._writing.finish()
        finally:
            self._reach.close()
            self._store.close()

    # -- what follows by itself

    def _local_place(self) -> Place:
        return Place(self._reach.local(), sys.executable, self._reach.local_address.home, True)

    def _chosen_address(self) -> NodeAddress | None:
        return self._nodes.address(self.node_name) if self.node_name in self.hosts else None

    def _open_last_job(self) -> None:
        if self.library.job(self._last.job_id) is not None:
            self.open_job(self._last.job_id)
        elif self.library.jobs:
            self.open_job(self.library.jobs[0].job_id)
        else:
            self.job_id = self._shelf.add_job(self.draft.spec)
            self._last.remember_job(self.job_id)

    def _adapt(self, report: NodeReport) -> None:
        self._adapts_to = ""
        chosen = self._chosen_gpus(report)
        adaptation = adapted_to_node(self.draft.spec, dataclasses.replace(report, gpus=chosen) if chosen else report)
        if adaptation.changes:
            self.draft.edit(adaptation.changes)
        if adaptation.sentence:
            self.notice.emit("info", adaptation.sentence)

    def _on_probed(self, name: str, report: NodeReport) -> None:
        self._adopting.look(self._nodes.address(name))
        if name == self.node_name:
            if self._adapts_to == name:
                self._adapt(report)
            self.draft.set_known(node=report, gpus=tuple(gpu.uuid for gpu in self._chosen_gpus(report)))
            self._inspecting.wait_on_node()
            self.inputs_changed.emit()

    def _on_node_failed(self, error: Exception) -> None:
        if isinstance(error, NeedsPerson) and self.node_name in self.hosts:
            self._nodes.failed(self.node_name, error)

    def _on_launch_failed(self, error: Exception) -> None:
        self._on_node_failed(error)
        self.notice.emit("error", sentence_of(error))

    def _on_started(self, job_id: str, row: RunRow) -> None:
        self._shelf.update_run(dataclasses.replace(row, job_id=job_id))
        self.open_run(row.run_id)
