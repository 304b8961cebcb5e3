"""The loss of every row under the base model: taken on the node, kept here, and told to the session with the data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.data_spec import SourceSpec, all_sources
from remote_agent.contract.data_steps import MapLabelsStep, NormaliseStep, ReplaceStep, TruncateStep, step_kind
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_dict
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled
from studio.session.data_paths import lies_on_desktop
from studio.session.inputs import Inputs
from studio.session.live_data import LiveData
from studio.state.draft import Draft

if TYPE_CHECKING:
    from studio.remote.call import Progress

_FILE = "row_losses.npz"
_READ_AS = (
    "classification_prompt", "label_names", "system_prompt", "chat_template", "train_on", "added_tokens", "max_length",
    "over_length",
)  # fmt: skip
"""What decides how a row is read and how much of it is trained, and so its loss."""

_ROW_WISE = (TruncateStep, NormaliseStep, ReplaceStep, MapLabelsStep)
"""Steps that change what a row says. Losses outlive all others: hard rows are left out because of them."""

InputsMaker = Callable[[bool], Callable[[Task], Inputs]]


class RowLosses(QObject):
    """The losses of the draft's rows. ``changed`` follows progress, arrival and loss; ``failed`` carries an error.

    Attributes:
        progress: how far the taking is, None where none is under way.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(
        self, draft: Draft, tasks: Tasks, live: LiveData, make_inputs: InputsMaker, folder: Path, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.progress: Progress | None = None
        self._draft, self._tasks, self._live = draft, tasks, live
        self._make_inputs, self._folder = make_inputs, folder
        self._handle: TaskHandle | None = None
        self._told: Path | None = None
        live.opened.connect(self._tell)
        draft.changed.connect(self._on_draft_changed)

    @property
    def is_there(self) -> bool:
        """Say whether the losses of these rows under this model were taken."""
        return self._file(self._draft.spec).is_file()

    def take(self) -> None:
        """Take the losses on the chosen node, also again; nothing happens while that is under way."""
        from studio.remote.call import Progress  # brings what talks along, which the first paint does not wait for

        if self._handle is not None:
            return
        spec, inputs, file = self._draft.spec, self._make_inputs(True), self._file(self._draft.spec)
        self.progress = Progress("losses", 0.0, 0.0)

        def work(task: Task) -> None:
            file.parent.mkdir(parents=True, exist_ok=True)
            inputs(task).take_losses(spec, file.parent, on_progress=task.report, cancelled=task.cancelled)

        def on_result(_: None) -> None:
            self._handle, self.progress = None, None
            self.changed.emit()
            self._tell()

        def on_error(error: Exception) -> None:
            self._handle, self.progress = None, None
            self.changed.emit()
            if not isinstance(error, Cancelled):
                self.failed.emit(error)

        self._handle = self._tasks.run(self, work, on_result, on_error, self._on_progress)
        self.changed.emit()

    def cancel(self) -> None:
        """End the taking; losses that were taken before stay."""
        if self._handle is not None:
            self._handle.cancel()

    def _on_progress(self, progress: Progress) -> None:
        self.progress = progress
        self.changed.emit()

    def _on_draft_changed(self) -> None:
        if self._live.is_open and self._file(self._draft.spec) != self._told:
            self._tell()

    def _tell(self) -> None:
        """Let the session with the data use the losses, on whichever machine it is; or none, where they are others'."""
        spec, file = self._draft.spec, self._file(self._draft.spec)
        if not self._live.is_open:
            return
        self._told = file
        if not file.is_file():
            self._ask("")
            return
        if lies_on_desktop(spec.data):
            self._ask(str(file))
            return
        inputs = self._make_inputs(False)

        def work(task: Task) -> str:
            place = inputs(task).data_place(spec)
            return str(file) if place.is_local else place.agent.send_file("data", file, cancelled=task.cancelled)

        self._tasks.run(self, work, self._ask, self._on_not_told)

    def _ask(self, path: str) -> None:
        self._live.ask("losses", {"path": path}, dict, lambda _: self.changed.emit(), self._on_refused)

    def _on_refused(self, sentence: str) -> None:
        self.changed.emit()

    def _on_not_told(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def _file(self, spec: JobSpec) -> Path:
        read_as = {name: getattr(spec.data, name) for name in _READ_AS}
        model = (spec.model.source, spec.model.id, spec.model.revision)
        steps = [
            {"kind": step_kind(step), **spec_to_dict(step)} for step in spec.data.steps if isinstance(step, _ROW_WISE)
        ]
        told: list[Any] = [model, read_as, steps, [_identity(source) for source in all_sources(spec.data)]]
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]
        return self._folder / key / _FILE


def _identity(source: SourceSpec) -> list[Any]:
    """Return what tells rows from others: a file here that was changed has other rows under the same numbers."""
    stamp: list[int] = []
    if source.source == "desktop" and source.path:
        path = Path(source.path).expanduser()
        if path.is_file():
            found = path.stat()
            stamp = [found.st_size, found.st_mtime_ns]
    named = [source.source, source.path, source.revision, source.subset, source.split, source.shape, source.max_rows]
    return [*named, dataclasses.asdict(source.columns), stamp]
