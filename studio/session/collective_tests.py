"""Trying before a launch whether the job's ranks find each other on the chosen node, and how fast they sum."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.node_report import CollectiveReport
from remote_agent.contract.preflight import uuids_to_take
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled, NeedsPerson
from studio.session.nodes import Nodes, sentence_of
from studio.session.reach import Reach
from studio.state.draft import Draft


class CollectiveTests(QObject):
    """One test at a time. ``changed`` follows its beginning and end.

    Attributes:
        node_name: the node of the test that runs, or of the last one.
        report: what the last one came to, None before it or where it failed. problem: then why, in a sentence.
    """

    changed = Signal()

    def __init__(self, draft: Draft, nodes: Nodes, reach: Reach, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._draft, self._nodes, self._reach, self._tasks = draft, nodes, reach, tasks
        self.node_name, self.problem = "", ""
        self.report: CollectiveReport | None = None
        self._handle: TaskHandle | None = None

    @property
    def is_running(self) -> bool:
        """Say whether a test is under way."""
        return self._handle is not None

    def run(self, name: str) -> None:
        """Test the draft's ranks on a node that was looked at; nothing where a test is under way."""
        node = self._draft.known.node
        if node is None or self.is_running:
            return
        address, ranks = self._nodes.address(name), self._draft.spec.strategy.ranks
        gpus = uuids_to_take(node, ranks, self._draft.known.gpus)
        python = address.python or (node.interpreter.path if node.interpreter is not None else "")
        self.node_name, self.report, self.problem = name, None, ""

        def work(task: Task) -> CollectiveReport:
            return self._reach.agent(address).collective(ranks, python, gpus, cancelled=task.cancelled)

        def on_result(report: CollectiveReport) -> None:
            self._handle, self.report = None, report
            self.changed.emit()

        def on_error(error: Exception) -> None:
            self._handle = None
            self.problem = "" if isinstance(error, Cancelled) else sentence_of(error)
            if isinstance(error, NeedsPerson):
                self._nodes.failed(name, error)
            self.changed.emit()

        self._handle = self._tasks.run(self, work, on_result, on_error)
        self.changed.emit()

    def cancel(self) -> None:
        """End the test."""
        if self._handle is not None:
            self._handle.cancel()
