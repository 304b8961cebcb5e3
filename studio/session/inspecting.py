"""Looking at model and data in the background whenever the draft names others, and at every change of the job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_spec import DataSpec, all_sources
from remote_agent.contract.job_spec import JobSpec
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled
from studio.remote.transport import NodeAddress
from studio.session.data_paths import Place, is_pinned, lies_on_desktop
from studio.session.inputs import Inputs, InspectedModel, Sent, place_of_node
from studio.session.live_data import CANCELLED, LiveData
from studio.session.nodes import sentence_of
from studio.session.reach import Reach
from studio.state.draft import LENGTH, TEMPLATE, Draft

if TYPE_CHECKING:
    from studio.remote.call import Progress
    from studio.remote.data_stream import DataStream

SETTLE_MS, JOB_SETTLE_MS = 400, 200
Found = TypeVar("Found")


class Inspecting(QObject):
    """Keeps the draft's knowledge of its inputs fresh. ``changed`` follows progress, result and failure.

    Attributes:
        live: the session with the data, for whoever asks for rows.
    """

    changed = Signal()
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
        self._draft, self._tasks, self._reach = draft, tasks, reach
        self._local, self._cache, self._chosen_node = local, cache, chosen_node
        self.live = LiveData(tasks, self)
        self._model: InspectedModel | None = None
        self._model_of: object = None
        self._looked_at: object = None
        self._handle: TaskHandle | None = None
        self._looking_at_model: object = None
        self._model_progress: Progress | None = None
        self._model_problem = ""
        self._shown: object = None
        self._pinning: object = None
        self._answered = ""
        self._sent: Sent = {}
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.look)
        draft.changed.connect(self._on_draft_changed)
        self.live.changed.connect(self.changed)
        self.live.failed.connect(self.failed)
        self.live.opened.connect(self._on_opened)
        self.live.reported.connect(self._on_reported)

    @property
    def progress(self) -> Progress | None:
        """Return what is being looked at, None where nothing is."""
        return self._model_progress or self.live.progress

    @property
    def model(self) -> InspectedModel | None:
        """Return the draft's model where it was looked at and is still the one that the draft names."""
        return self._model if self._model_of == self._model_key() else None

    @property
    def problem(self) -> str:
        """Return why the last look failed, a sentence; empty where it did not."""
        return self._model_problem or self.live.problem

    @property
    def is_failed(self) -> bool:
        """Say whether the last look failed, so that a launch would fail too; not where it was cancelled."""
        return self.problem not in ("", CANCELLED)

    def look(self) -> None:
        """Look at the inputs now, unless what is known of them is fresh or being found out."""
        self._timer.stop()
        key = self._key()
        if key == self._looked_at and (self.progress is not None or self.problem):
            return
        self._looked_at = key
        model, spec = self._model_key(), self._draft.spec
        if not spec.model.id:
            self._stop()
            self.changed.emit()
        elif self._draft.stale & {TEMPLATE, LENGTH} or self._model is None or self._model_of != model:
            if self._looking_at_model != model:
                self._stop()
                self._look_at_model(spec, model)
        else:
            self._show_data()

    def look_again(self) -> None:
        """Look at the inputs again whatever is known, for instance after a failure."""
        self._model = None
        self._sent.clear()
        self._stop()
        self.look_at_data_again()

    def look_at_data_again(self) -> None:
        """Look at the data again whatever is known of it; what is known of the model stays."""
        self._looked_at, self._model_problem = None, ""
        self.live.close()
        self.look()

    def cancel(self) -> None:
        """End the look that is under way."""
        if self._model_progress is not None:
            self._stop()
            self._model_problem = CANCELLED
            self.changed.emit()
        elif self.live.progress is not None:
            self.live.cancel()

    def inputs_maker(self, needs_node: bool = False) -> Callable[[Task], Inputs]:
        """Return what makes the `Inputs` on a thread of the pool, where reaching the node may take its time.

        The node is reached where the inputs lie on it, or where it is needed for something else.
        """
        spec, address = self._draft.spec, self._chosen_node()
        wants_node = needs_node or spec.model.source != "desktop" or not lies_on_desktop(spec.data)
        known = self._draft.known.node

        def make(task: Task) -> Inputs:
            node: Place | None = None
            if wants_node and address is not None:
                agent = self._reach.agent(address)
                report = known or agent.probe(address.python, cancelled=task.cancelled)
                node = place_of_node(agent, report, address.kind == "local", address.python)
            return Inputs(self._local(), node, self._cache, self._sent)

        return make

    def _look_at_model(self, spec: JobSpec, key: object) -> None:
        inputs = self.inputs_maker()
        self._looking_at_model = key

        def work(task: Task) -> InspectedModel:
            return inputs(task).inspect_model(spec.model, on_progress=task.report, cancelled=task.cancelled)

        def on_result(found: InspectedModel) -> None:
            if handle is self._handle:
                self._on_model(found)

        handle = self._run(work, on_result, "model")
        self._wait_for_data()

    def _run(self, work: Callable[[Task], Found], on_result: Callable[[Found], None], phase: str) -> TaskHandle:
        """Begin a look that comes before the session with the data."""
        from studio.remote.call import Progress  # brings what talks along, which the first paint does not wait for

        self._model_progress = Progress(phase, 0.0, 0.0)
        self.changed.emit()

        def on_progress(progress: Progress) -> None:
            if handle is self._handle:
                self._model_progress = progress
                self.changed.emit()

        def on_error(error: Exception) -> None:
            if handle is self._handle:
                self._on_model_failed(error)

        handle = self._handle = self._tasks.run(self, work, on_result, on_error, on_progress)
        return handle

    def _on_model(self, found: InspectedModel) -> None:
        self._handle, self._looking_at_model, self._model_progress = None, None, None
        if found.revision:
            self._draft.settle({"model.revision": found.revision})
        self._model, self._model_of = found, self._model_key()
        self._draft.set_known(model=found.report)
        # a reset of template or length by the draft is part of what is looked at next
        self._looked_at = self._key()
        self._timer.stop()
        self._show_data()
        self._send_ahead()

    def _on_model_failed(self, error: Exception) -> None:
        self._handle, self._looking_at_model, self._model_progress, self._pinning = None, None, None, None
        self._model_problem = CANCELLED if isinstance(error, Cancelled) else sentence_of(error)
        self.changed.emit()
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def _show_data(self) -> None:
        """Let the session with the data know of the job as it stands, or open one."""
        model, spec = self._model, self._draft.spec
        assert model is not None
        if not spec.data.path or model.report.problems:
            self.live.close()
            self.changed.emit()
            return
        if not is_pinned(spec.data):
            self._pin(spec)
            return
        make = self.inputs_maker()

        def opener(job: JobSpec, task: Task) -> DataStream:
            return make(task).data_stream(job, model, on_progress=task.report, cancelled=task.cancelled)

        def naming(job: JobSpec, task: Task) -> dict[str, Any]:
            inputs = self._inputs_here() if lies_on_desktop(job.data) else make(task)
            return inputs.data_arguments(job, model, cancelled=task.cancelled)

        self._shown = self._inputs_key()
        self.live.show((self._shown, str(model.tokenizer_folder)), spec, opener, naming, self._data_machine(spec.data))

    def wait_on_node(self) -> None:
        """Have a session wait on the chosen node too, which has just answered: nobody is asked for a login for it."""
        address = self._chosen_node()
        # on this computer as a node one waits once rows are named as lying there
        if address is not None and address.kind != "local":
            self._answered = address.name
        self._wait_for_data()
        self._send_ahead()

    def _on_opened(self) -> None:
        """Have a session wait on the machine that looks at the data too, which is reached."""
        self._answered = self._data_machine(self._draft.spec.data) or self._answered
        self._wait_for_data()

    def _send_ahead(self) -> None:
        """Bring the tokenizer to the node that answered, as long as nothing waits for it; what fails is tried again."""
        model, spec, make = self.model, self._draft.spec, self.inputs_maker(needs_node=True)
        if model is None or not self._answered or self._answered != self._node_name():
            return

        def work(task: Task) -> None:
            make(task).bring_tokenizer(spec, model, cancelled=task.cancelled)

        self._tasks.run(self, work, lambda _: None, lambda _: None)

    def _wait_for_data(self) -> None:
        """Have a session wait on this computer, and on the chosen node where that answered."""
        node = self._answered
        make = self.inputs_maker(needs_node=True)

        def here(task: Task) -> DataStream:
            return self._inputs_here().waiting_stream(on_node=False, cancelled=task.cancelled)

        def there(task: Task) -> DataStream:
            return make(task).waiting_stream(on_node=True, cancelled=task.cancelled)

        self.live.keep_spares({"": here, node: there} if node and node == self._node_name() else {"": here})

    def _inputs_here(self) -> Inputs:
        """Return what names inputs that lie on this computer, without asking a node anything."""
        return Inputs(self._local(), None, self._cache)

    def _data_machine(self, data: DataSpec) -> str:
        """Return the name of the node that looks at the data, empty for this computer."""
        return "" if lies_on_desktop(data) else self._node_name()

    def _pin(self, spec: JobSpec) -> None:
        """Fetch the Hub's data sets and pin them in the draft, which then is looked at again."""
        inputs, place = self.inputs_maker(), self._inputs_key()
        if place == self._pinning:
            return
        self.live.close()

        def work(task: Task) -> dict[str, Any]:
            return inputs(task).pinned(spec, on_progress=task.report, cancelled=task.cancelled)

        def on_result(changes: dict[str, Any]) -> None:
            if handle is self._handle:
                self._handle, self._model_progress, self._pinning = None, None, None
                if place == self._inputs_key():
                    self._draft.settle(changes)
                self.look()

        self._pinning = place
        handle = self._run(work, on_result, "data")

    def _on_reported(self, spec: JobSpec, report: DataReport) -> None:
        now = self._draft.spec
        if (spec.model, spec.data, spec.seed) == (now.model, now.data, now.seed):
            self._draft.set_known(data=report)

    def _stop(self) -> None:
        """End every look and forget how the last one went."""
        self._looking_at_model, self._model_progress, self._model_problem, self._pinning = None, None, "", None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self.live.close()

    def _on_draft_changed(self) -> None:
        if self._key() != self._looked_at:
            told_only = self.live.is_open and self._inputs_key() == self._shown
            self._timer.start(JOB_SETTLE_MS if told_only else SETTLE_MS)

    def _model_key(self) -> object:
        model = self._draft.spec.model
        node = "" if model.source == "desktop" else self._node_name()
        return (model.source, model.id, model.revision, node)

    def _inputs_key(self) -> object:
        """Return what a session is opened for; of everything else the open one is told."""
        data = self._draft.spec.data
        node = self._data_machine(data)
        places = tuple((one.source, one.path, one.revision, one.subset, one.split) for one in all_sources(data))
        return (self._model_key(), places, data.held_out_path, node)

    def _key(self) -> object:
        spec = self._draft.spec
        return (self._inputs_key(), spec.data, spec.seed, spec.batch, spec.strategy.ranks)

    def _node_name(self) -> str:
        address = self._chosen_node()
        return address.name if address is not None else ""
