"""Memory as it is measured: probes and traces of the open job on its node, and what every run said of its ranks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory.gpu_kinds import FILE_NAME, GpuKind, gpu_kinds
from remote_agent.contract.memory_probe import MemoryTrace, is_memory_probe, memory_probe_job
from remote_agent.contract.problems import blocking, problems
from remote_agent.contract.throughput import Throughput
from studio import places
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled
from studio.remote.transport import NodeAddress
from studio.session.expected_memory import measured_run, peak_row, run_of_row
from studio.session.launcher import Launcher
from studio.session.nodes import sentence_of
from studio.session.open_runs import OpenRuns
from studio.session.reach import Reach
from studio.session.shelf import Shelf
from studio.session.writing import Writing
from studio.state.library import LibraryState
from studio.state.measured_run import MeasuredRun
from studio.state.memory_outlook import MemoryOutlook
from studio.state.run_rate import RunRates
from studio.store.library import Library
from studio.store.rows import RunRow, StoreError

if TYPE_CHECKING:
    from studio.state.run import RunState


class MemoryServices(NamedTuple):
    """What memory is measured with: the database, the library as shown, writes, launches, runs, agents and the pool."""

    store: Library
    library: LibraryState
    writing: Writing
    launcher: Launcher
    shelf: Shelf
    runs: OpenRuns
    reach: Reach
    tasks: Tasks


class MemoryRuns(QObject):
    """Measures the memory of the draft on its node. ``changed`` follows a probe's launch and a trace.

    Attributes:
        peaks: what runs were measured to hold. outlook: what the cards show.
        is_tracing: a trace is under way.
        trace_problem: why the last trace failed, a sentence; empty where it did not.
    """

    changed = Signal()

    def __init__(
        self,
        outlook: MemoryOutlook,
        services: MemoryServices,
        address: Callable[[], NodeAddress | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.outlook, self.peaks = outlook, outlook.peaks
        self._with, self._address = services, address
        self._kinds: tuple[GpuKind, ...] = ()
        self._rates = RunRates(lambda: self.gpu_kinds)
        self._handle: TaskHandle | None = None
        self._trace: tuple[object, MemoryTrace] | None = None
        self.trace_problem = ""
        services.runs.memory_told.connect(self._on_told)
        services.launcher.changed.connect(self.changed)

    def fill(self) -> None:
        """Read what the library holds."""
        try:
            rows = self._with.store.peaks()
        except StoreError:
            rows = []
        self.peaks.fill(run for row in rows if (run := run_of_row(row)) is not None)

    @property
    def gpu_kinds(self) -> tuple[GpuKind, ...]:
        """Return the kinds of GPU in the shipped table."""
        if not self._kinds:
            self._kinds = gpu_kinds((places.resources_dir() / FILE_NAME).read_text(encoding="utf-8"))
        return self._kinds

    def rate(self, run_id: str, tokens_per_s: float) -> Throughput | None:
        """Return what a run's tokens a second, of all ranks, come to; None where its model or GPU was never told."""
        return self._rates.of(self.peaks.run(run_id), tokens_per_s)

    # -- probe

    def start_probe(self) -> None:
        """Start a memory probe of the draft on its node. Raises ValueError with a sentence where it cannot."""
        draft, address = self.outlook.draft, self._address()
        if self._with.launcher.is_launching:
            raise ValueError("A launch is under way; the probe can start after it.")
        if address is None:
            raise ValueError("No node is chosen; choose one on the Launch page.")
        spec = memory_probe_job(draft.spec)
        found = blocking(problems(spec, draft.known))
        if found:
            raise ValueError(f"The job cannot start yet. {found[0].sentence}")
        self._with.launcher.launch(spec, draft.known, address, self._on_started)

    @property
    def is_launching(self) -> bool:
        """Say whether a launch is under way."""
        return self._with.launcher.is_launching

    def probe_run(self) -> RunState | None:
        """Return the newest probe of the open job's name, None where there is none."""
        wanted = memory_probe_job(self.outlook.draft.spec).name
        entry = next((run for run in self._with.library.runs if run.name == wanted), None)
        if entry is None:
            return None
        state = self._with.runs.run(entry.run_id)
        return state if is_memory_probe(state.spec) else None

    def drop_correction(self) -> None:
        """Let no probe that was run so far correct the draft's figures."""
        by = self.outlook.corrected_by
        if by is None:
            return
        for run in self.peaks.of(by.node, by.model):
            if run.corrects:
                self._keep(dataclasses.replace(run, corrects=False))

    # -- trace

    @property
    def is_tracing(self) -> bool:
        """Say whether a trace is under way."""
        return self._handle is not None

    @property
    def trace(self) -> MemoryTrace | None:
        """Return what torch counted of the draft as it is, None where it was not traced."""
        return self._trace[1] if self._trace is not None and self._trace[0] == self._trace_key() else None

    def take_trace(self) -> None:
        """Trace the draft on its node. Raises ValueError with a sentence where it cannot."""
        draft, address = self.outlook.draft, self._address()
        if address is None:
            raise ValueError("No node is chosen; a trace is taken on one, this computer or another.")
        if draft.known.model is None:
            raise ValueError("The model is not known yet; choose one.")
        if self._handle is not None:
            return
        spec, config, key = draft.spec, dict(draft.known.model.config), self._trace_key()
        agent = self._with.reach.agent(address)

        def work(task: Task) -> MemoryTrace:
            return agent.trace_memory(spec, config, address.python, cancelled=task.cancelled)

        def on_result(found: MemoryTrace) -> None:
            self._handle, self._trace = None, (key, found)
            self.changed.emit()

        def on_error(error: Exception) -> None:
            self._handle = None
            self.trace_problem = "" if isinstance(error, Cancelled) else sentence_of(error)
            self.changed.emit()

        self.trace_problem = ""
        self._handle = self._with.tasks.run(self, work, on_result, on_error)
        self.changed.emit()

    def cancel_trace(self) -> None:
        """End a trace that is under way."""
        if self._handle is not None:
            self._handle.cancel()

    def _trace_key(self) -> object:
        spec, known = self.outlook.draft.spec, self.outlook.draft.known
        config: Mapping[str, Any] | None = known.model.config if known.model is not None else None
        return (repr(config), *_traced(spec))

    # -- what runs say

    def _on_started(self, row: RunRow) -> None:
        self._with.shelf.show_run(row)
        self._with.runs.run(row.run_id)
        self.changed.emit()

    def _on_told(self, run_id: str) -> None:
        row, memory = self._with.shelf.run(run_id), self._with.runs.run(run_id).memory
        found = measured_run(row, memory) if memory is not None else None
        known = self.peaks.run(run_id)
        if found is None or (known is not None and dataclasses.replace(known, corrects=True) == found):
            return
        self._keep(found if known is None else dataclasses.replace(found, corrects=known.corrects))

    def _keep(self, run: MeasuredRun) -> None:
        row = peak_row(run)
        self._with.writing.put(f"peak {run.run_id}", lambda: self._with.store.save_peak(row))
        self.peaks.put(run)


def _traced(spec: JobSpec) -> tuple[object, ...]:
    """Return what of a job decides its trace."""
    strategy = spec.strategy
    return (
        spec.batch.micro_batch, spec.data.max_length, strategy.activation_checkpointing, strategy.loss_kernel,
        strategy.precision, strategy.attention,
    )  # fmt: skip
