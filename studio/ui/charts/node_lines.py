"""What the charts of a run's node draw: a line a GPU, or the node's own figures, at the places of their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from studio.state.telemetry import gpu_name

if TYPE_CHECKING:
    from studio.state.run import RunState
    from studio.ui.charts.columns import Column
    from studio.ui.charts.line_chart import LineChart
    from studio.ui.charts.run_axis import RunAxis

_GIB, _MB = 1024.0**3, 1e6
GPU_CHARTS = {
    "gpu_utilization": ("utilization_percent", 1.0),
    "gpu_memory": ("memory_used_bytes", 1 / _GIB),
    "gpu_temperature": ("temperature_c", 1.0),
    "gpu_power": ("power_w", 1.0),
}
_COLOURS = 6
MOST_GPUS = 16
"""More GPUs than so many are drawn as their highest, mean and lowest."""


class NodeLines(QObject):
    """Draws the charts of the node by key."""

    def __init__(self, charts: Mapping[str, LineChart], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._charts = charts
        self._own = {
            "node_load": (("cpu_percent", self.tr("CPU"), 1.0), ("memory_percent", self.tr("memory"), 1.0)),
            "node_disk": (("disk_free_bytes", self.tr("free"), 1 / _GIB),),
            "node_network": (
                ("received_bytes_per_s", self.tr("received"), 1 / _MB),
                ("sent_bytes_per_s", self.tr("sent"), 1 / _MB),
            ),
        }

    def draw(self, key: str, run: RunState, axis: RunAxis) -> None:
        """Bring a chart up to date; what the node did before the first update has no place there."""
        places = axis.of_times(run.telemetry.times())
        if key not in GPU_CHARTS:
            for number, (metric, name, factor) in enumerate(self._own[key]):
                self._line(key, name, places, run.telemetry.values(metric) * factor, number)
            return
        field, factor = GPU_CHARTS[key]
        gpus = [(index, run.telemetry.values(gpu_name(field, index)) * factor) for index in run.telemetry.gpus]
        if len(gpus) > MOST_GPUS:
            self._draw_reach(key, places, [values for _, values in gpus])
            return
        for number, (index, values) in enumerate(gpus):
            name = self.tr("GPU {index}").format(index=index)
            self._line(key, name, places, values, number % _COLOURS)

    def _draw_reach(self, key: str, places: Column, gpus: Sequence[Column]) -> None:
        """Draw the highest, the mean and the lowest of many GPUs, of which nobody could tell the lines apart."""
        import numpy

        for index in range(MOST_GPUS):
            self._charts[key].remove_line(self.tr("GPU {index}").format(index=index))
        told = numpy.stack(gpus)[:, len(gpus[0]) - len(places) :]
        known = numpy.isfinite(told)
        count = known.sum(axis=0)
        mean = numpy.divide(numpy.where(known, told, 0.0).sum(axis=0), count, out=told[0] * numpy.nan, where=count > 0)
        lines = (
            (self.tr("highest of {count} GPUs"), numpy.fmax.reduce(told)),
            (self.tr("mean of {count} GPUs"), mean),
            (self.tr("lowest of {count} GPUs"), numpy.fmin.reduce(told)),
        )
        for number, (name, values) in enumerate(lines):
            self._line(key, name.format(count=len(gpus)), places, values, number)

    def _line(self, key: str, name: str, places: Column, values: Column, colour: int) -> None:
        if len(places) and values.any():
            self._charts[key].set_line(name, places, values[-len(places) :], color_index=colour)
