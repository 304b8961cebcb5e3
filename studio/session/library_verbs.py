"""What a person does with the runs of the library: label, archive, duplicate, delete here and there, look closer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import RUNS
from remote_agent.contract.spec_json import SpecError, spec_from_json
from studio.background.tasks import Task
from studio.remote.errors import RemoteError
from studio.session.file_verbs import FileVerbs
from studio.session.nodes import sentence_of
from studio.session.tracker_feed import asked_tracker

if TYPE_CHECKING:
    from studio.remote.agent import Agent
    from studio.remote.transport import NodeAddress
    from studio.session.memory_runs import MemoryRuns
    from studio.session.nodes import Nodes
    from studio.session.open_runs import OpenRuns
    from studio.session.reach import Reach
    from studio.session.tracked_runs import TrackedRuns
    from studio.state.library import LibraryState, RunEntry
    from studio.state.run_index import RunIndex
    from studio.store.library import Library
    from studio.store.rows import RunRow


@dataclasses.dataclass(frozen=True)
class Space:
    """What deleting runs frees: bytes here, and bytes on each node that said so; ``silent`` nodes did not answer."""

    here_bytes: int
    nodes: Mapping[str, int]
    silent: tuple[str, ...] = ()


class LibraryVerbs(FileVerbs):
    """The verbs about runs that are kept. Its `Session` sets the attributes."""

    library: LibraryState
    memory: MemoryRuns
    _store: Library
    _reach: Reach
    _nodes: Nodes
    _runs: OpenRuns
    _tracked: TrackedRuns

    def import_run(self, path: Path) -> None:
        """Take a run that lies in a folder into the library: Luthier's, TensorBoard's or W&B's; a notice follows."""

        def work(_: Task) -> RunRow:
            from studio.session.run_import import import_run

            return import_run(path, self._store)

        def on_result(row: RunRow) -> None:
            new = self._shelf.adopt_runs([row])
            said = f"{row.name} is in the library, with {row.step} steps." if new else f"{row.name} is here already."
            self.notice.emit("info", said)

        def on_error(error: Exception) -> None:
            is_system = isinstance(error, OSError)
            said = f"{path} cannot be read: {error.strerror}." if is_system else str(error)  # type: ignore[attr-defined]
            self.notice.emit("error", said)

        self.tasks.run(self, work, on_result, on_error)

    def load_index(self, on_result: Callable[[RunIndex], None]) -> None:
        """Read the settings of all runs in the background; ``on_result`` gets everything to search and sort them by."""
        runs = self.library.runs
        jobs = [self._shelf.run(run.run_id).job for run in runs]
        named = {job.job_id: job.name for job in self.library.jobs}

        def work(_: Task) -> RunIndex:
            from studio.state.run_index import RunIndex
            from studio.store.settings import settings_columns

            settings = settings_columns(jobs)
            launched = [str(name or "") for name in settings.get("name", [""] * len(runs))]
            names = [named.get(run.job_id, name) for run, name in zip(runs, launched, strict=True)]
            index = RunIndex(runs, settings, names, self.memory.rate)
            index.prepare()
            return index

        self.tasks.run(self, work, on_result, lambda error: self.notice.emit("error", sentence_of(error)))

    def label_runs(self, run_ids: Sequence[str], **changes: Any) -> None:
        """Change what is noted about runs: heading, tags, remark, archived."""
        self._shelf.label_runs(dataclasses.replace(self._shelf.label(run_id), **changes) for run_id in run_ids)

    def spec_of_run(self, run_id: str) -> JobSpec | None:
        """Return the job of a run as it was launched, None where it cannot be read. Raises KeyError."""
        try:
            return spec_from_json(self._shelf.run(run_id).job)
        except SpecError:
            return None

    def last_launch(self, job_id: str) -> RunEntry | None:
        """Return the newest run of a job, None where it was never launched."""
        entry = self.library.job(job_id)
        runs = self.library.runs
        own = next((run for run in runs if job_id and run.job_id == job_id), None)
        # runs of before it was noted from which job they came are known by the job's name
        named = next((run for run in runs if entry is not None and not run.job_id and run.name == entry.name), None)
        return own or named

    def space_of(self, run_ids: Sequence[str], on_result: Callable[[Space], None]) -> None:
        """Find out what deleting runs would free, here and on their nodes."""
        wanted = set(run_ids)
        agents = self._agents(run_ids)

        def work(task: Task) -> Space:
            found: dict[str, int] = {}
            silent = [node for node, agent in agents.items() if agent is None]
            for node, agent in agents.items():
                if agent is None:
                    continue
                try:
                    summaries = agent.runs(cancelled=task.cancelled)
                except RemoteError:
                    silent.append(node)
                else:
                    found[node] = sum(one.size_bytes for one in summaries if one.run_id in wanted)
            return Space(sum(self._store.kept_bytes(run_id) for run_id in run_ids), found, tuple(silent))

        self.tasks.run(self, work, on_result, lambda error: self.notice.emit("error", sentence_of(error)))

    def delete_runs(self, run_ids: Sequence[str], on_nodes: bool = False) -> None:
        """Forget runs here; with ``on_nodes`` their folders and checkpoints are deleted there first.

        A run whose node refuses or does not answer stays here too, and that is a notice.
        """
        if not on_nodes:
            for run_id in run_ids:
                self.delete_run(run_id)
            return
        places = {run_id: self._agent_of(self._shelf.run(run_id).node) for run_id in run_ids}

        def work(task: Task) -> tuple[int, list[str]]:
            freed, refused = 0, []
            for run_id, agent in places.items():
                try:
                    if agent is None:
                        raise ValueError("Its node is not in the list any more.")
                    freed += agent.remove(run_id, cancelled=task.cancelled)
                except (ValueError, RemoteError) as error:
                    refused.append(f"{run_id} stays. {sentence_of(error)}")
                else:
                    task.report(run_id)
            return freed, refused

        def on_result(done: tuple[int, list[str]]) -> None:
            freed, refused = done
            said = f"{freed / 2**30:.2f} GiB were freed on the nodes."
            self.notice.emit("warning" if refused else "info", "\n".join([said, *refused]))

        self.tasks.run(
            self, work, on_result, lambda error: self.notice.emit("error", sentence_of(error)), self.delete_run
        )

    def delete_run(self, run_id: str) -> None:
        """Forget a run and its journal here; its folder on the node stays."""
        self._runs.forget(run_id)
        self._shelf.delete_run(run_id)

    def open_terminal(self, run_id: str) -> None:
        """Open a terminal window in a run's folder on its node."""
        from studio.session.terminal import open_terminal

        try:
            address = self._nodes.address(self._shelf.run(run_id).node)
            open_terminal(address, f"{address.home.rstrip('/')}/{RUNS}/{run_id}")
        except KeyError:
            self.notice.emit("error", "The node of this run is not in the list any more; add it first.")
        except (ValueError, OSError) as error:
            self.notice.emit("error", str(error))

    def _agents(self, run_ids: Sequence[str]) -> dict[str, Agent | None]:
        return {node: self._agent_of(node) for node in {self._shelf.run(run_id).node for run_id in run_ids}}

    def _agent_of(self, node: str) -> Agent | None:
        try:
            address: NodeAddress = self._nodes.address(node)
        except KeyError:
            return None
        return self._reach.agent(address)

    def track_run(self, run_id: str, kind: str, online: bool, server: str, folder: Path) -> str:
        """Feed a tracker with what is kept of a run, and with what comes while it goes on; notices follow.

        Return what is wrong with what is asked, in a sentence, empty where nothing is.
        """
        row = self._shelf.run(run_id)
        try:
            tracker = asked_tracker(row, kind, online, server)
        except ValueError as error:
            return str(error)
        return self._tracked.track(row, tracker, folder)
