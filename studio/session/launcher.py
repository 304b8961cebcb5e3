"""The window's launch: runs `Launching` in the background and shows its steps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.problems import Known
from studio.background.tasks import Task, Tasks
from studio.remote.transport import NodeAddress
from studio.session.launching import (
    LaunchCancelledError,
    Launched,
    Launching,
    StartUnknownError,
)
from studio.session.reach import Reach
from studio.session.records import launched_row
from studio.session.stepwise import Stepwise
from studio.store.library import Library
from studio.store.rows import RunRow


class Launcher(Stepwise):
    """One launch at a time; ``failed`` carries the error of one. While the run is being started none is cancelled."""

    failed = Signal(object)

    def __init__(self, store: Library, reach: Reach, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._reach, self._tasks = store, reach, tasks

    @property
    def is_launching(self) -> bool:
        """Say whether a launch is under way."""
        return self._handle is not None

    def launch(self, spec: JobSpec, known: Known, address: NodeAddress, on_started: Callable[[RunRow], None]) -> None:
        """Start a job on a node; ``on_started`` gets the row of the run, also where it is not known whether it runs."""
        assert not self.is_launching
        kept: list[RunRow] = []

        def keep(launched: Launched) -> None:
            kept.append(launched_row(launched))
            self._store.save_run(kept[-1])

        def work(task: Task) -> None:
            Launching(
                spec,
                self._reach.agent(address),
                node=address.name,
                is_local=address.kind == "local",
                python=address.python,
                known=known,
                on_steps=task.report,
                keep=keep,
                discard=self._store.delete_run,
                cancelled=task.cancelled,
            ).run()

        def on_result(_: None) -> None:
            self._handle = None
            self.changed.emit()
            on_started(kept[-1])

        def on_error(error: Exception) -> None:
            self._handle = None
            self.changed.emit()
            if isinstance(error, StartUnknownError):
                on_started(kept[-1])
            if not isinstance(error, LaunchCancelledError):
                self.failed.emit(error)

        self.steps = ()
        self._handle = self._tasks.run(self, work, on_result, on_error, self._on_steps)
        self.changed.emit()
