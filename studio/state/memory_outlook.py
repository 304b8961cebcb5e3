"""The memory of the draft as it is looked at now: on its node or other GPUs, corrected by what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory.gpu_kinds import GpuKind
from studio.state.draft import Draft
from studio.state.measured_run import MeasuredRun, model_key
from studio.state.memory_figures import UNCORRECTED, Estimate, estimate
from studio.state.peaks import Peaks


class MemoryOutlook(QObject):
    """What every card of memory shows. ``changed`` follows the draft, the kind of GPU, and what was measured.

    Attributes:
        peaks: what runs were measured to hold.
        kind: GPUs to look at instead of the node's, None for the node's own.
        price_per_hour: what a GPU costs, in dollars an hour; NaN where nobody typed it.
    """

    changed = Signal()

    def __init__(self, draft: Draft, peaks: Peaks, node_name: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.draft, self.peaks = draft, peaks
        self.kind: GpuKind | None = None
        self.price_per_hour = math.nan
        self._node_name = node_name
        self._last: tuple[object, Estimate | None] = (None, None)
        draft.changed.connect(self.changed)
        peaks.changed.connect(self.changed)

    def choose(self, kind: GpuKind | None) -> None:
        """Look at another kind of GPU, or with None at the node's own."""
        if kind != self.kind:
            self.kind, self.price_per_hour = kind, math.nan
            self.changed.emit()

    def set_price(self, price_per_hour: float) -> None:
        """Take a price of a GPU and hour in dollars, NaN for the table's."""
        both_unknown = math.isnan(price_per_hour) and math.isnan(self.price_per_hour)
        if price_per_hour != self.price_per_hour and not both_unknown:
            self.price_per_hour = price_per_hour
            self.changed.emit()

    @property
    def node_name(self) -> str:
        """Return the node's name, empty where none is chosen or another kind of GPU is looked at."""
        return "" if self.kind is not None else self._node_name()

    @property
    def corrected_by(self) -> MeasuredRun | None:
        """Return the run that corrects the figures, None where none does."""
        if not self.node_name or not self.draft.spec.model.id:
            return None
        return self.peaks.correcting(self.node_name, model_key(self.draft.spec.model))

    @property
    def figures(self) -> Estimate | None:
        """Return the memory of the draft, None while its model is not known; worked out once for each change."""
        by = self.corrected_by
        key = (self.draft.spec, self.draft.known, self.kind, by)
        if self._last[0] != key:
            self._last = key, self.of(self.draft.spec)
        return self._last[1]

    def of(self, spec: JobSpec) -> Estimate | None:
        """Return the memory of the draft with other settings."""
        by = self.corrected_by
        return estimate(spec, self.draft.known, self.kind, by.correction if by is not None else UNCORRECTED)
