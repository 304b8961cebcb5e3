"""Looking at model and data in the background whenever the draft names others, and the rows that the page shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from remote_agent.contract.data_report import DataReport, RowView
from remote_agent.contract.job_spec import JobSpec
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled
from studio.remote.transport import NodeAddress
from studio.session.inputs import Inputs, InspectedModel, Place, place_of_node
from studio.session.nodes import sentence_of
from studio.session.reach import Reach
from studio.state.draft import LENGTH, TEMPLATE, TOKENS, Draft

if TYPE_CHECKING:
    from studio.remote.call import Progress

SETTLE_MS = 400
CANCELLED = "Cancelled."
Found = TypeVar("Found")


class Inspecting(QObject):
    """Keeps the draft's knowledge of its inputs fresh. ``changed`` follows progress, result and failure.

    Attributes:
        progress: what is being looked at, None where nothing is.
        problem: why the last look failed, a sentence; empty where it did not.
    """

    changed = Signal()
    rows_loaded = Signal(int, object)
    rows_failed = Signal(str)
    failed = Signal(object)

    def __init__(
        self,
        draft: Draft,
        tasks: Tasks,
        reach: Reach,
        local: Callable[[], Place],
        cache: Path,
        chosen_node: Callable[[], NodeAddress | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.progress: Progress | None = None
        self.problem = ""
        self._draft, self._tasks, self._reach = draft, tasks, reach
        self._local, self._cache, self._chosen_node = local, cache, chosen_node
        self._model: InspectedModel | None = None
        self._model_of: object = None
        self._looked_at: object = None
        self._handle: TaskHandle | None = None
        self._rows_handle: TaskHandle | None = None
        self._round = 0
        self._timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._timer.timeout.connect(self.look)
        draft.changed.connect(self._on_draft_changed)

    def look(self) -> None:
        """Look at the inputs now, unless what is known of them is fresh or being found out."""
        self._timer.stop()
        key = self._key()
        if key == self._looked_at and (self.progress is not None or self.problem):
            return
        self._stop()
        self._looked_at, self.problem = key, ""
        stale, spec = self._draft.stale, self._draft.spec
        if spec.model.id and (stale & {TEMPLATE, LENGTH} or self._model is None or self._model_of != self._model_key()):
            self._look_at_model(spec)
        elif spec.model.id and TOKENS in stale:
            self._look_at_data(spec)
        else:
            self.changed.emit()

    def look_again(self) -> None:
        """Look at the inputs again whatever is known, for instance after a failure."""
        self._looked_at, self._model = None, None
        self.look()

    def cancel(self) -> None:
        """End the look that is under way."""
        if self.progress is not None:
            self._stop()
            self.problem = CANCELLED
            self.changed.emit()

    def load_rows(self, start: int, count: int) -> None:
        """Fetch rows of the data; ``rows_loaded`` or ``rows_failed`` follows."""
        spec, model = self._draft.spec, self._model
        if model is None or self._model_of != self._model_key():
            self.rows_failed.emit(self.problem or "The rows show as soon as a model is chosen and has been looked at.")
            return
        if self._rows_handle is not None:
            self._rows_handle.cancel()
        inputs = self._inputs_maker()

        def work(task: Task) -> tuple[RowView, ...]:
            return inputs(task).rows(spec, model, start, count, cancelled=task.cancelled)

        self._rows_handle = self._tasks.run(
            self, work, lambda rows: self.rows_loaded.emit(start, rows), self._on_rows_failed
        )

    def _look_at_model(self, spec: JobSpec) -> None:
        inputs, number = self._inputs_maker(), self._round

        def work(task: Task) -> InspectedModel:
            return inputs(task).inspect_model(spec.model, on_progress=task.report, cancelled=task.cancelled)

        def on_result(found: InspectedModel) -> None:
            if number != self._round:
                return
            if found.revision:
                self._draft.settle({"model.revision": found.revision})
            self._model, self._model_of = found, self._model_key()
            self._draft.set_known(model=found.report)
            self.progress = None
            # a reset of template or length by the draft is part of what is looked at next
            self._looked_at = self._key()
            self._timer.stop()
            if self._draft.spec.data.path and not found.report.problems:
                self._look_at_data(self._draft.spec)
            else:
                self.changed.emit()

        self._begin("model", work, on_result)

    def _look_at_data(self, spec: JobSpec) -> None:
        model, inputs, number = self._model, self._inputs_maker(), self._round
        assert model is not None
        if not spec.data.path:
            self.changed.emit()
            return

        def work(task: Task) -> DataReport:
            return inputs(task).inspect_data(spec, model, on_progress=task.report, cancelled=task.cancelled)

        def on_result(report: DataReport) -> None:
            if number != self._round:
                return
            self.progress = None
            self._draft.set_known(data=report)
            self.changed.emit()

        self._begin("data", work, on_result)

    def _begin(self, phase: str, work: Callable[[Task], Found], on_result: Callable[[Found], None]) -> None:
        from studio.remote.call import Progress  # brings what talks along, which the first paint does not wait for

        number = self._round
        self.progress = Progress(phase, 0.0, 0.0)
        self.changed.emit()

        def on_progress(progress: Progress) -> None:
            if number == self._round and self.progress is not None:
                self.progress = progress
                self.changed.emit()

        def on_error(error: Exception) -> None:
            if number == self._round:
                self._on_failed(error)

        self._handle = self._tasks.run(self, work, on_result, on_error, on_progress)

    def _on_failed(self, error: Exception) -> None:
        self.progress = None
        self.problem = CANCELLED if isinstance(error, Cancelled) else sentence_of(error)
        self.changed.emit()
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def _on_rows_failed(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            self.rows_failed.emit(sentence_of(error))

    def _stop(self) -> None:
        self._round += 1
        self.progress = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _on_draft_changed(self) -> None:
        if self._key() != self._looked_at:
            self._timer.start()

    def _model_key(self) -> object:
        model = self._draft.spec.model
        node = "" if model.source == "desktop" else self._node_name()
        return (model.source, model.id, model.revision, node)

    def _key(self) -> object:
        spec = self._draft.spec
        node = "" if spec.data.source == "desktop" else self._node_name()
        return (self._model_key(), spec.data, spec.seed, node)

    def _node_name(self) -> str:
        address = self._chosen_node()
        return address.name if address is not None else ""

    def _inputs_maker(self) -> Callable[[Task], Inputs]:
        """Return what makes the `Inputs` on a thread of the pool, where reaching the node may take its time."""
        spec, address = self._draft.spec, self._chosen_node()
        needs_node = spec.model.source != "desktop" or spec.data.source == "node"
        known = self._draft.known.node

        def make(task: Task) -> Inputs:
            node: Place | None = None
            if needs_node and address is not None:
                agent = self._reach.agent(address)
                report = known or agent.probe(address.python, cancelled=task.cancelled)
                node = place_of_node(agent, report, address.kind == "local", address.python)
            return Inputs(self._local(), node, self._cache)

        return make
