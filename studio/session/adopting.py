"""What the window does once a node answers: the runs that others started there come into the library, one by one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.events import ENDED
from studio.background.tasks import Task, Tasks
from studio.remote.errors import RemoteError
from studio.remote.transport import NodeAddress
from studio.session.open_runs import OpenRuns
from studio.session.reach import Reach
from studio.session.shelf import Shelf
from studio.store.library import Library
from studio.store.rows import RunRow


class Adopting(QObject):
    """Looks for runs of others after each probe of a node, once at a time. ``notice`` carries (severity, sentence)."""

    notice = Signal(str, str)

    def __init__(
        self, shelf: Shelf, store: Library, reach: Reach, tasks: Tasks, runs: OpenRuns, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._shelf, self._store, self._reach, self._tasks, self._runs = shelf, store, reach, tasks, runs
        self._looking: set[str] = set()
        self._found: dict[str, int] = {}

    def look(self, address: NodeAddress) -> None:
        """Take in the runs of a node that this library never had; a node that does not answer is told elsewhere."""
        if address.name in self._looking:
            return
        self._looking.add(address.name)
        self._found[address.name] = 0
        self._tasks.run(
            self, lambda task: self._work(task, address), lambda _: self._end(address.name, None),
            lambda error: self._end(address.name, error), lambda told: self._on_row(address.name, *told),
        )  # fmt: skip

    def _work(self, task: Task, address: NodeAddress) -> None:
        from studio.session.adoption import TakingInStopped, found_on_node, take_in

        agent = self._reach.agent(address)
        ended = []
        for row in found_on_node(agent, address.name, self._store):
            if task.cancelled.is_set():
                return
            task.report((row, True))
            if row.state in ENDED:
                ended.append(row)
        for row in reversed(ended):  # the newest first: they are looked at first
            try:
                task.report((take_in(row, self._store, agent, task.cancelled), False))
            except TakingInStopped:
                return

    def _on_row(self, node: str, row: RunRow, is_new: bool) -> None:
        if is_new:
            adopted = self._shelf.adopt_runs([row])
            self._found[node] += len(adopted)
            if adopted and row.state not in ENDED:
                self._runs.run(row.run_id)
        elif self._shelf.has_run(row.run_id):
            self._shelf.update_run(row)

    def _end(self, node: str, error: Exception | None) -> None:
        self._looking.discard(node)
        count = self._found.pop(node)
        if count:
            runs = "A run that was" if count == 1 else f"{count} runs that were"
            self.notice.emit("info", f"{runs} started elsewhere on {node} came into the library.")
        if error is not None and not isinstance(error, RemoteError):
            self.notice.emit("warning", f"The runs of {node} could not be taken in. {error}")
