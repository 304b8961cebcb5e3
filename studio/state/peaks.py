"""The measured runs, as the window keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from studio.state.measured_run import MeasuredRun


class Peaks(QObject):
    """The measured runs, newest first; ``changed`` follows every change."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: dict[str, MeasuredRun] = {}

    def fill(self, runs: Iterable[MeasuredRun]) -> None:
        """Replace everything."""
        self._runs = {run.run_id: run for run in runs}
        self.changed.emit()

    def put(self, run: MeasuredRun) -> None:
        """Add or replace a run."""
        if self._runs.get(run.run_id) != run:
            self._runs[run.run_id] = run
            self.changed.emit()

    def run(self, run_id: str) -> MeasuredRun | None:
        """Return what was measured of a run, None where nothing was."""
        return self._runs.get(run_id)

    def of(self, node: str, model: str = "") -> tuple[MeasuredRun, ...]:
        """Return the runs of a node, and of a model where one is named, newest first."""
        found = [run for run in self._runs.values() if run.node == node and model in ("", run.model)]
        return tuple(sorted(found, key=lambda run: -run.time_s))

    def correcting(self, node: str, model: str) -> MeasuredRun | None:
        """Return the newest probe whose peak corrects estimates of a model on a node, None where there is none."""
        return next((run for run in self.of(node, model) if run.probe and run.corrects), None)
