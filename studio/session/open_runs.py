"""The runs that are open or still going on: read back from the library, then followed on their nodes."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from remote_agent.contract.events import QUEUED, AlertRaised
from remote_agent.contract.spec_json import spec_from_json
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import HostKeyUnknown
from studio.remote.transport import NodeAddress, Transport
from studio.session.nodes import Nodes, sentence_of
from studio.session.reach import Reach
from studio.session.resuming import resume_run, resumed_row
from studio.session.shelf import Shelf
from studio.store.library import Library
from studio.store.live import NEEDS_PERSON, LinkState, Position, RunBatch
from studio.store.rows import RunRow, StoreError

if TYPE_CHECKING:
    from studio.background.follower import Follower, FollowerBatch
    from studio.remote.agent import Resumed
    from studio.state.run import RunState

KEEP_EVERY_MS = 1000
_CONDENSE_STEPS = 5_000
SPARKLINE_POINTS = 32


@dataclasses.dataclass
class _Open:
    """An open run. ``is_final``: it is over and its journal was read to the end once more after that.

    ``condensed`` is the update up to which what is kept of it was condensed last.
    """

    state: RunState
    reading: TaskHandle | None = None
    rereads: bool = False
    is_final: bool = False
    is_live: bool = False
    condensed: int = 0


@dataclasses.dataclass
class _Followed:
    """A followed node: its thread, and the connection that is its own."""

    follower: Follower
    transport: Transport


class OpenRuns(QObject):
    """Holds a `RunState` for every open run and a `Follower` for every node with one that goes on.

    ``notice`` carries (severity, sentence), ``memory_told`` the id of a run whose ranks said what they hold,
    ``alert_raised`` a run's id and an alert that came while the run was followed up to its newest line.
    """

    notice = Signal(str, str)
    memory_told = Signal(str)
    alert_raised = Signal(str, object)

    def __init__(self, shelf: Shelf, store: Library, reach: Reach, tasks: Tasks, nodes: Nodes, parent: QObject) -> None:
        super().__init__(parent)
        self._shelf, self._store, self._reach, self._tasks, self._nodes = shelf, store, reach, tasks, nodes
        self._open: dict[str, _Open] = {}
        self._followed: dict[str, _Followed] = {}
        self._changed: set[str] = set()
        self._resuming: set[str] = set()
        self._timer = QTimer(self, singleShot=True, interval=KEEP_EVERY_MS)
        self._timer.timeout.connect(self.keep)
        nodes.reachable_again.connect(self.retry)

    def run(self, run_id: str) -> RunState:
        """Return a run; it fills from the library and is then followed if it goes on. Raises KeyError."""
        from studio.background.opening import open_run  # these bring numpy and msgspec along, which the first
        from studio.state.run import RunState  # paint does not wait for

        if run_id in self._open:
            return self._open[run_id].state
        row = self._shelf.run(run_id)
        state = RunState(run_id, row.name, row.node, spec_from_json(row.job), self)
        state.total_steps = row.total_steps
        opened = self._open[run_id] = _Open(state)
        opened.reading = open_run(
            self._tasks,
            state,
            self._store,
            run_id,
            lambda batch: self._take(run_id, batch),
            lambda position: self._on_read(run_id, position),
            lambda error: self.notice.emit("error", sentence_of(error)),
        )
        return state

    def retry(self, node: str) -> None:
        """Try a node's link now."""
        if node in self._followed:
            self._followed[node].follower.retry()

    def command(self, run_id: str, verb: str, arguments: Mapping[str, Any]) -> None:
        """Put a command into a run's inbox; its journal tells what became of it. Raises KeyError."""
        node = self._shelf.run(run_id).node
        try:
            agent = self._reach.agent(self._nodes.address(node))
        except KeyError:
            self.notice.emit("error", f"The node {node} of this run is not in the list any more; add it first.")
            return

        def work(task: Task) -> str:
            return agent.command(run_id, verb, arguments, cancelled=task.cancelled)

        def on_error(error: Exception) -> None:
            self._nodes.failed(node, error)
            self.notice.emit("error", sentence_of(error))

        self._tasks.run(self, work, lambda _: None, on_error)

    def resume(self, run_id: str, ranks: int = 0, zero_stage: int | None = None) -> None:
        """Let an ended run go on from its last checkpoint and follow it again. Raises KeyError for an unknown id.

        0 ``ranks`` and no ``zero_stage`` leave them as they are.
        """
        row = self._shelf.run(run_id)
        node = row.node
        if run_id in self._resuming:
            return
        try:
            agent = self._reach.agent(self._nodes.address(node))
        except KeyError:
            self.notice.emit("error", f"The node {node} of this run is not in the list any more; add it first.")
            return

        def on_result(resumed: Resumed) -> None:
            self._resuming.discard(run_id)
            self.notice.emit("info", f"{run_id} goes on from step {resumed.step}.")
            self._goes_on(run_id)

        def on_error(error: Exception) -> None:
            self._resuming.discard(run_id)
            self._nodes.failed(node, error)
            self.notice.emit("error", sentence_of(error))

        def work(task: Task) -> Resumed:
            return resume_run(agent, run_id, "", task.cancelled, ranks, zero_stage, row.job)

        self._resuming.add(run_id)
        self._tasks.run(self, work, on_result, on_error)

    def _goes_on(self, run_id: str) -> None:
        """Follow a run again that was over."""
        row = resumed_row(self._shelf.run(run_id))
        self._shelf.update_run(row)
        opened = self._open.get(run_id)
        if opened is None:
            self.run(run_id)
        elif opened.reading is None:
            opened.rereads = opened.is_final = False
            self._follow(run_id, row.node, None)

    def close_run(self, run_id: str) -> None:
        """Let go of a run that is over; one that goes on stays followed."""
        opened = self._open.get(run_id)
        if opened is not None and opened.is_final:
            self._let_go(run_id)

    def forget(self, run_id: str) -> None:
        """Let go of a run in any state, because the library is about to."""
        if run_id in self._open:
            self._unfollow(run_id)
            self._let_go(run_id)

    def close(self) -> None:
        """Stop following. What was read is kept; what goes on is taken up the next time."""
        self._timer.stop()
        for followed in self._followed.values():
            followed.follower.stop()
            followed.transport.close()
        self._followed.clear()
        self.keep()

    @Slot()
    def keep(self) -> None:
        """Write what is new of the runs to library and sidebar."""
        changed, self._changed = self._changed, set()
        for run_id in changed:
            opened = self._open.get(run_id)
            if opened is None:
                continue
            row = _updated(self._shelf.run(run_id), opened.state)
            if opened.is_final or not opened.state.is_ended:
                self._shelf.update_run(row)
            else:
                # kept as going on until its journal was read to the end, so that a restart reads the rest
                self._shelf.show_run(row)
            if opened.state.step - opened.condensed >= _CONDENSE_STEPS or opened.is_final:
                self._condense(run_id)
            if opened.state.memory is not None:
                self.memory_told.emit(run_id)

    def _on_read(self, run_id: str, position: Position) -> None:
        opened = self._open.get(run_id)
        if opened is None:
            return
        opened.reading = None
        row = self._shelf.run(run_id)
        opened.is_final = bool(row.note) or (opened.state.is_ended and row.ended_s > 0)
        self._condense(run_id)
        if not opened.is_final:
            self._follow(run_id, row.node, position)

    def _condense(self, run_id: str) -> None:
        from studio.background.opening import condense_run

        opened = self._open[run_id]
        opened.condensed = opened.state.step
        condense_run(self._tasks, self, self._store, run_id, opened.is_final)

    def _follow(self, run_id: str, node: str, position: Position | None) -> None:
        try:
            address = self._nodes.address(node)
        except KeyError:
            self.notice.emit(
                "warning", f"The run {run_id} is on {node}, which is not among the nodes any more; add it to follow."
            )
            return
        try:
            self._follower(node, address).follow(run_id, position)
        except StoreError as error:
            self.notice.emit("error", error.sentence)

    def _follower(self, node: str, address: NodeAddress) -> Follower:
        from studio.background.follower import Follower

        if node not in self._followed:
            reached = self._reach.another(address)
            follower = Follower(reached.agent, self._store, random.random, parent=self)
            follower.batch.connect(self._on_batch)
            follower.trouble.connect(self._on_trouble)
            follower.link_changed.connect(self._on_link_changed)
            follower.setObjectName(node)
            follower.start()
            self._followed[node] = _Followed(follower, reached.transport)
        return self._followed[node].follower

    @Slot(object)
    def _on_batch(self, batches: FollowerBatch) -> None:
        for run_id, batch in batches.items():
            self._take(run_id, batch)

    def _take(self, run_id: str, batch: RunBatch) -> None:
        opened = self._open.get(run_id)
        if opened is None:
            return
        state = opened.state
        before = state.state
        known = state.all_alerts
        state.fold_batch(batch)
        if opened.is_live and _has_alerts(batch):
            for alert in state.all_alerts:
                if alert not in known:
                    self.alert_raised.emit(run_id, alert)
        opened.is_live = opened.is_live or (batch.caught_up and opened.reading is None)
        # what was read once more may be that the run goes on
        opened.rereads = opened.rereads and state.is_ended
        opened.is_final = opened.is_final or batch.gone or (opened.rereads and batch.caught_up)
        if opened.reading is not None:
            return
        self._changed.add(run_id)
        if opened.is_final:
            self._unfollow(run_id)
            self.keep()
        elif state.is_ended and not opened.rereads:
            # the last lines of the ranks may still be under way: read once more from the cursor to the end
            opened.rereads = True
            self._unfollow(run_id)
            self._follow(run_id, state.node, None)
        if state.state != before:
            self.keep()
        elif not self._timer.isActive():
            self._timer.start()

    @Slot(str)
    def _on_trouble(self, sentence: str) -> None:
        if sentence:
            self.notice.emit("warning", sentence)

    @Slot(object)
    def _on_link_changed(self, link: LinkState) -> None:
        sender = self.sender()
        node = sender.objectName() if sender is not None else ""
        for opened in self._open.values():
            if opened.state.node == node:
                opened.state.set_link(link)
        if link.kind == NEEDS_PERSON and isinstance(link.error, HostKeyUnknown):
            self._nodes.ask_host_key(node, link.error)

    def _unfollow(self, run_id: str) -> None:
        followed = self._followed.get(self._open[run_id].state.node)
        if followed is not None:
            followed.follower.unfollow(run_id)

    def _let_go(self, run_id: str) -> None:
        opened = self._open.pop(run_id)
        self._changed.discard(run_id)
        if opened.reading is not None:
            opened.reading.cancel()
        opened.state.deleteLater()


def _has_alerts(batch: RunBatch) -> bool:
    return any(isinstance(stamped.event, AlertRaised) for stamped in batch.events)


def _updated(row: RunRow, state: RunState) -> RunRow:
    """Return the row with what the run knows now."""
    _, losses = state.series("loss")
    stride = max(1, -(-len(losses) // SPARKLINE_POINTS))
    best, rate = state.best_held_out, state.median("tokens_per_s")
    note = row.note
    if state.gone:
        note = "It was never started." if state.state == QUEUED else "Its folder on the node is gone."
    return dataclasses.replace(
        row,
        state=state.state,
        step=state.step,
        total_steps=state.total_steps or row.total_steps,
        loss=state.loss if state.loss is not None else math.nan,
        ended_s=state.ended_s,
        losses=tuple(float(loss) for loss in losses[::stride]),
        note=note,
        best_held_out=best[1] if best is not None else math.nan,
        tokens_per_s=rate if math.isfinite(rate) else math.nan,
    )
