"""What the charts of a run's node draw: a line a GPU, or the node's own figures, at the places of their times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from studio.state.telemetry import gpu_name

if TYPE_CHECKING:
    from studio.state.run import RunState
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
        if key in GPU_CHARTS:
            field, factor = GPU_CHARTS[key]
            for number, index in enumerate(run.telemetry.gpus):
                name = self.tr("GPU {index}").format(index=index)
                self._line(key, run, axis, (gpu_name(field, index), name, factor), number % _COLOURS)
        else:
            for number, told in enumerate(self._own[key]):
                self._line(key, run, axis, told, number)

    def _line(self, key: str, run: RunState, axis: RunAxis, told: tuple[str, str, float], colour: int) -> None:
        metric, name, factor = told
        times, values = run.telemetry.series(metric)
        places = axis.of_times(times)
        if len(places) and values.any():
            self._charts[key].set_line(name, places, values[-len(places) :] * factor, color_index=colour)
