"""What the pages use of `studio.session.memory_runs.MemoryRuns`, with its verbs noted and nothing launched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.memory.gpu_kinds import FILE_NAME, gpu_kinds
from remote_agent.contract.throughput import Throughput
from studio import places
from studio.state.draft import Draft
from studio.state.memory_outlook import MemoryOutlook
from studio.state.peaks import Peaks
from studio.state.run import RunState
from studio.state.run_rate import RunRates


class PageMemory(QObject):
    """Outlook and measured runs, which are the real ones; probe and trace are the test's."""

    changed = Signal()

    def __init__(
        self, draft: Draft, node_name: Callable[[], str], calls: list[tuple[Any, ...]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._calls = calls
        self.peaks = Peaks(self)
        self.outlook = MemoryOutlook(draft, self.peaks, node_name, self)
        self.gpu_kinds = gpu_kinds((places.resources_dir() / FILE_NAME).read_text(encoding="utf-8"))
        self._rates = RunRates(lambda: self.gpu_kinds)
        self.is_launching = self.is_tracing = False
        self.trace: Any = None
        self.trace_problem = ""
        self.refusal = ""
        self.run: RunState | None = None

    def rate(self, run_id: str, tokens_per_s: float) -> Throughput | None:
        return self._rates.of(self.peaks.run(run_id), tokens_per_s)

    def probe_run(self) -> RunState | None:
        return self.run

    def start_probe(self) -> None:
        if self.refusal:
            raise ValueError(self.refusal)
        self._calls.append(("start_probe",))

    def take_trace(self) -> None:
        self._calls.append(("take_trace",))
        self.is_tracing = True
        self.changed.emit()

    def cancel_trace(self) -> None:
        self._calls.append(("cancel_trace",))
        self.is_tracing = False
        self.changed.emit()

    def drop_correction(self) -> None:
        self._calls.append(("drop_correction",))
