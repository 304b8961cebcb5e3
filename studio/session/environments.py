"""Building the trainer's environment on a node: which lock, who fetches its files, and how far it is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject

from remote_agent.contract.environment_lock import (
    FETCH,
    BuiltEnvironment,
    EnvironmentLock,
    NoLockError,
    choose_lock,
)
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.overlay import NO_OVERLAY, choose_overlay
from studio.background.tasks import Task, Tasks
from studio.remote.errors import AgentFailed, Cancelled, NeedsPerson
from studio.session.environment_locks import shipped_locks
from studio.session.launching import DOING, DONE, FAILED, LaunchStep
from studio.session.lock_addresses import addressed
from studio.session.nodes import Nodes, sentence_of
from studio.session.reach import Reach
from studio.session.stepwise import Stepwise
from studio.state.hosts import Hosts

if TYPE_CHECKING:
    from studio.remote.agent import Agent
    from studio.remote.call import Progress

COLLECT, SEND, GET, BUILD = "collect", "send", "get", "build"


class EnvironmentPlan(NamedTuple):
    """What a build on a node would do: ``sends`` says that this computer fetches the files; ``problem`` why not."""

    lock: EnvironmentLock | None
    sends: bool = False
    problem: str = ""


class Environments(Stepwise):
    """Builds one environment at a time; ``changed`` also follows the locks, which are read off this thread.

    What a cancelled or failed build fetched is kept for the next; a failure stands in the last of the steps.

    Attributes:
        node_name: the node of the build that is under way, or of the last one.
    """

    def __init__(self, hosts: Hosts, nodes: Nodes, reach: Reach, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._hosts, self._nodes, self._reach, self._tasks = hosts, nodes, reach, tasks
        self.node_name = ""
        self._locks: tuple[EnvironmentLock, ...] | None = None
        self._asked = False
        self._not_over: set[tuple[str, str]] = set()

    @property
    def is_building(self) -> bool:
        """Say whether a build is under way."""
        return self._handle is not None

    def plan(self, report: NodeReport) -> EnvironmentPlan | None:
        """Return what a build on a probed node would do; None while the locks are being read, `changed` then tells.

        A Python there that holds a fitting torch is built on, unless that was tried in vain.
        """
        if self._locks is None:
            self._read_locks()
            return None
        tried = {path for hostname, path in self._not_over if hostname == report.hostname}
        try:
            lock = choose_overlay(self._locks, report, tried) or choose_lock(self._locks, report)
        except NoLockError as error:
            return EnvironmentPlan(None, problem=str(error))
        return EnvironmentPlan(lock, _has_no_way_out(report))

    def build(self, name: str) -> None:
        """Build the environment that fits a node and make it the node's own; nothing where one is being built."""
        report = self._hosts[name].report if name in self._hosts else None
        plan = self.plan(report) if report is not None else None
        if report is None or plan is None or plan.lock is None or self.is_building:
            return
        lock, sends, address = plan.lock, plan.sends, self._nodes.address(name)
        self.node_name, self.steps = name, ()

        def work(task: Task) -> BuiltEnvironment:
            return Building(lock, sends, self._reach, task).run(self._reach.agent(address))

        def on_result(built: BuiltEnvironment) -> None:
            self._handle = None
            if name in self._hosts:
                self._nodes.set_python(name, built.path)
            self.changed.emit()

        def on_error(error: Exception) -> None:
            self._handle = None
            said = "Cancelled; what was fetched is kept." if isinstance(error, Cancelled) else sentence_of(error)
            self.steps = tuple(
                dataclasses.replace(step, state=FAILED, detail=said) if step.state == DOING else step
                for step in self.steps
            )
            if isinstance(error, NeedsPerson):
                self._nodes.failed(name, error)
            if isinstance(error, AgentFailed) and error.kind == NO_OVERLAY:
                self._not_over.add((report.hostname, lock.over))
            self.changed.emit()

        self._handle = self._tasks.run(self, work, on_result, on_error, self._on_steps)
        self.changed.emit()

    def _read_locks(self) -> None:
        if self._asked:
            return
        self._asked = True

        def on_result(locks: tuple[EnvironmentLock, ...]) -> None:
            self._locks = locks
            self.changed.emit()

        self._tasks.run(self, lambda task: shipped_locks(), on_result, lambda error: on_result(()))


class Building:
    """One build, on a worker's thread: the steps it goes through are reported whenever one changes."""

    def __init__(self, lock: EnvironmentLock, sends: bool, reach: Reach, task: Task) -> None:
        self._lock, self._sends, self._reach, self._task = lock, sends, reach, task
        labels = (
            ((COLLECT, "Fetch the packages to this computer"), (SEND, "Send the packages"))
            if sends
            else ((GET, "Fetch the packages to the node"),)
        )
        self._steps = {key: LaunchStep(key, label) for key, label in (*labels, (BUILD, "Build the environment"))}

    def run(self, agent: Agent) -> BuiltEnvironment:
        """Return what was built. Raises RemoteError; OSError where a file here cannot be read."""
        sent = ""
        self._begin(COLLECT if self._sends else GET)
        if self._sends or not agent.network.index:  # a node with an index of its own looks the files up there
            self._lock = addressed(self._lock, self._task.cancelled)
        if self._sends:
            folder = self._reach.local().collect_wheels(self._lock, self._on_progress, self._task.cancelled)
            self._begin(SEND)
            sent = agent.send_wheels(folder, self._on_progress, self._task.cancelled)
            self._begin(BUILD)
        built = agent.build_environment(self._lock, sent, self._on_progress, self._task.cancelled)
        self._begin("")
        return built

    def _on_progress(self, progress: Progress) -> None:
        if progress.phase != FETCH and GET in self._steps and progress.total:
            self._begin(BUILD)
        doing = next(key for key, step in self._steps.items() if step.state == DOING)
        changed = dataclasses.replace(self._steps[doing], done=progress.done, total=progress.total, unit=progress.unit)
        self._steps[doing] = changed
        self._tell()

    def _begin(self, key: str) -> None:
        """Let a step begin and those before it be done; "" where all are."""
        if key and self._steps[key].state == DOING:
            return
        for name, step in self._steps.items():
            if name == key:
                self._steps[name] = dataclasses.replace(step, state=DOING)
                break
            self._steps[name] = dataclasses.replace(step, state=DONE)
        self._tell()

    def _tell(self) -> None:
        self._task.report(tuple(self._steps.values()))


def _has_no_way_out(report: NodeReport) -> bool:
    """Say whether the probe found that the node does not get to the package index."""
    survey = report.survey
    return survey is not None and any(each.what == "index" and each.problem for each in survey.reached)
