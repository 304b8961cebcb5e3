"""Preparing a node while a person still edits: model and data travel at the same time, the environment is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from remote_agent.contract.data_spec import DataSpec, SourceSpec, all_sources, held_out_source
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.preflight import preflight_problems
from remote_agent.contract.problems import blocking
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled, LinkError
from studio.remote.transport import NodeAddress
from studio.session.data_paths import local_input, path_on
from studio.session.environments import Environments
from studio.session.inputs import place_of_node
from studio.session.last_places import LastPlaces
from studio.session.launching import DATA, DOING, DONE, FAILED, MODEL, LaunchStep
from studio.session.nodes import sentence_of
from studio.session.reach import Reach
from studio.state.draft import Draft
from studio.state.hosts import Hosts
from studio.state.node import READY

if TYPE_CHECKING:
    from studio.remote.call import Progress

SETTLE_MS = 8000
"""How long a node and what would travel have to stand before anything does."""

_TRIES = 3


class AheadServices(NamedTuple):
    """What preparing ahead works with."""

    draft: Draft
    hosts: Hosts
    reach: Reach
    tasks: Tasks
    last: LastPlaces
    environments: Environments
    chosen_address: Callable[[], NodeAddress | None]


@dataclasses.dataclass
class _Part:
    """Model or data on the way; ``wanted`` names what and where to, and ``tries`` counts broken links."""

    wanted: Hashable
    step: LaunchStep
    handle: TaskHandle | None = None
    tries: int = 0


class Ahead(QObject):
    """Prepares the chosen node for the draft. ``changed`` follows its steps.

    Nothing happens for this computer, before a person chose a node or model (`arm`), while that choice is younger
    than `SETTLE_MS`, or while something stands against the job. A launch joins what is under way.
    """

    changed = Signal()

    def __init__(self, services: AheadServices, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._parts: dict[str, _Part] = {}
        self._seen: Hashable = None
        self._is_armed = False
        self._built_for: set[str] = set()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.begin)
        services.draft.changed.connect(self.consider)
        services.hosts.changed.connect(self.consider)

    @property
    def is_on(self) -> bool:
        """Say whether a person lets nodes be prepared ahead."""
        return self._services.last.prepares_ahead

    @property
    def is_under_way(self) -> bool:
        """Say whether model or data are on the way."""
        return any(part.handle is not None for part in self._parts.values())

    @property
    def is_settling(self) -> bool:
        """Say whether what was chosen has to stand a while longer before anything travels."""
        return self._settle.isActive()

    @property
    def steps(self) -> tuple[LaunchStep, ...]:
        """Return how far model and data are, of those that travel."""
        return tuple(part.step for part in self._parts.values())

    def turn(self, is_on: bool) -> None:
        """Let nodes be prepared ahead, or not; what is under way then ends."""
        self._services.last.remember_ahead(is_on)
        self.consider() if is_on else self.cancel()
        self.changed.emit()

    def arm(self) -> None:
        """Take note that a person chose a node or a model for the open job."""
        self._is_armed, self._seen = True, None
        self.consider()

    def disarm(self) -> None:
        """Take note that another job was opened; what is on the way for the one before ends."""
        self._is_armed = False
        self.consider()

    def consider(self, *_: object) -> None:
        """Begin, a while after what would travel has changed; at once where only a check was in the way."""
        seen = self._key()
        if seen != self._seen:
            self._seen = seen
            self._drop_others()
            self._settle.start() if seen is not None else self._settle.stop()
        elif seen is not None and not self._settle.isActive():
            self.begin()

    def begin(self) -> None:
        """Begin now what is not under way or done, where nothing stands against it."""
        self._settle.stop()
        address, spec, report = self._services.chosen_address(), self._services.draft.spec, self._report()
        if address is None or report is None or not self.is_on or address.kind == "local":
            return
        wanted = {name: what for name, what in _wanted(address, spec).items() if self._is_new(name, what)}
        needs_environment = self._needs_environment(address.name, report)
        if not (wanted or needs_environment) or not self._holds():
            return
        if needs_environment:
            self._built_for.add(address.name)
            self._services.environments.build(address.name)
        for name, what in wanted.items():
            self._start(name, what, address, report, spec)

    def cancel(self) -> None:
        """End what is on the way until something else is chosen; what was sent is kept."""
        self._settle.stop()
        for part in self._parts.values():
            if part.handle is not None:
                part.handle.cancel()

    def _key(self) -> Hashable:
        address = self._services.chosen_address()
        if not (self.is_on and self._is_armed and address is not None and address.kind != "local"):
            return None
        return (address, *sorted(_wanted(address, self._services.draft.spec).items(), key=lambda item: item[0]))

    def _report(self) -> NodeReport | None:
        address = self._services.chosen_address()
        node = self._services.hosts.get(address.name) if address is not None else None
        return node.report if node is not None and node.link == READY else None

    def _holds(self) -> bool:
        """Say whether the inputs were looked at and the cheap checks hold."""
        draft = self._services.draft
        found = [*draft.problems, *preflight_problems(draft.spec, draft.known)]
        return draft.known.model is not None and draft.known.data is not None and not blocking(found)

    def _needs_environment(self, name: str, report: NodeReport) -> bool:
        environments = self._services.environments
        if (report.interpreter is not None and not report.interpreter.missing) or environments.is_building:
            return False
        plan = environments.plan(report)
        return name not in self._built_for and plan is not None and plan.lock is not None

    def _is_new(self, name: str, what: Hashable) -> bool:
        part = self._parts.get(name)
        return part is None or part.wanted != what

    def _drop_others(self) -> None:
        """End and forget what travels for a choice that is no more."""
        address = self._services.chosen_address()
        wanted = _wanted(address, self._services.draft.spec) if address is not None and self._seen is not None else {}
        for name, part in list(self._parts.items()):
            if wanted.get(name) != part.wanted:
                if part.handle is not None:
                    part.handle.cancel()
                del self._parts[name]
                self.changed.emit()

    def _start(self, name: str, what: Hashable, address: NodeAddress, report: NodeReport, spec: JobSpec) -> None:
        label = "Send the model" if name == MODEL else "Send the data"
        key = f"ahead_{name}"
        part = self._parts[name] = _Part(what, LaunchStep(key, label, DOING))

        def work(task: Task) -> None:
            place = place_of_node(self._services.reach.agent(address), report, False, address.python)
            if name == MODEL:
                folder = local_input(spec.model.id, "The model")
                place.agent.send_folder("models", folder, on_progress=task.report, cancelled=task.cancelled)
                return
            for source in _travelling(spec.data):
                path_on(place, source, task.report, task.cancelled)

        self._run(part, work)
        self.changed.emit()

    def _run(self, part: _Part, work: Callable[[Task], None]) -> None:
        def on_progress(progress: Progress) -> None:
            self._show(part, done=progress.done, total=progress.total, unit=progress.unit)

        def on_result(_: None) -> None:
            part.handle = None
            self._show(part, state=DONE)

        def on_error(error: Exception) -> None:
            part.handle, part.tries = None, part.tries + 1
            if isinstance(error, LinkError) and part.tries < _TRIES and part in self._parts.values():
                self._run(part, work)
                return
            said = "Cancelled; what was sent is kept." if isinstance(error, Cancelled) else sentence_of(error)
            self._show(part, state=FAILED, detail=said)

        part.handle = self._services.tasks.run(self, work, on_result, on_error, on_progress)

    def _show(self, part: _Part, **changes: Any) -> None:
        part.step = dataclasses.replace(part.step, **changes)
        self.changed.emit()


def _wanted(address: NodeAddress, spec: JobSpec) -> dict[str, Hashable]:
    """Return what would travel to a node for a job: a name of what and where to, by the step of the launch."""
    wanted: dict[str, Hashable] = {}
    if spec.model.source == "desktop" and spec.model.id:
        wanted[MODEL] = (address, spec.model.id)
    sources = _travelling(spec.data)
    if sources:
        wanted[DATA] = (address, *(source.path for source in sources))
    return wanted


def _travelling(data: DataSpec) -> list[SourceSpec]:
    """Return the sources that lie on this computer."""
    held_out = held_out_source(data)
    sources = [*all_sources(data), *([held_out] if held_out is not None else [])]
    return [source for source in sources if source.source == "desktop" and source.path]
