"""What a run's node has been doing: recent samples as they came, older ones averaged, in little memory for any run."""

from __future__ import annotations

import math
from array import array

import numpy as np
import numpy.typing as npt

from remote_agent.contract.events import NodeSampled

Column = npt.NDArray[np.float64]

MOST_SAMPLES = 4096
"""Where so many are held, all but the newest `WHOLE_SAMPLES` become means of so many that `_OLD_ROWS` are left."""
WHOLE_SAMPLES, _OLD_ROWS = 1800, 1500
GPU_FIELDS = ("utilization_percent", "memory_used_bytes", "temperature_c", "power_w")
_MOST_GPUS = 64
_TIME, _COUNT = "time_s", "count"


class Telemetry:
    """Samples of a node by name, each at a time in seconds of the writer's clock.

    Names are cpu_percent, memory_percent, disk_free_bytes, received_bytes_per_s, sent_bytes_per_s, and for each GPU
    one of `GPU_FIELDS` and its index, as `gpu_name` joins them.
    """

    def __init__(self) -> None:
        self._columns: dict[str, array[float]] = {_TIME: array("d")}
        self._each = 1
        self.gpus: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self._columns[_TIME])

    def add(self, time_s: float, sample: NodeSampled) -> None:
        """Take a sample; one that is not newer than the last, as after a second reading, is passed over."""
        times = self._columns[_TIME]
        if time_s <= (times[-1] if times else 0.0):
            return
        total = sample.memory_total_bytes
        values = {
            _TIME: time_s,
            _COUNT: 1.0,
            "cpu_percent": sample.cpu_percent,
            "memory_percent": 100.0 * sample.memory_used_bytes / total if total > 0 else math.nan,
            "disk_free_bytes": float(sample.disk_free_bytes),
            "received_bytes_per_s": sample.received_bytes_per_s,
            "sent_bytes_per_s": sample.sent_bytes_per_s,
        }
        for gpu in sample.gpus:
            index = gpu.get("index")
            if isinstance(index, int) and 0 <= index < _MOST_GPUS:
                values |= {gpu_name(name, index): _number(gpu.get(name)) for name in GPU_FIELDS}
                if index not in self.gpus:
                    self.gpus = tuple(sorted((*self.gpus, index)))
        rows = len(times)
        for name in values.keys() - self._columns.keys():
            self._columns[name] = array("d", [math.nan]) * rows
        for name, column in self._columns.items():
            column.append(values.get(name, math.nan))
        if rows + 1 >= MOST_SAMPLES:
            self._thin()

    def series(self, name: str) -> tuple[Column, Column]:
        """Return the times and the values of a name, copies; both empty where nothing of it was told."""
        found = self._columns.get(name, array("d"))
        return np.array(self._columns[_TIME][: len(found)]), np.array(found)

    def _thin(self) -> None:
        counts = np.array(self._columns[_COUNT][:-WHOLE_SAMPLES])
        while counts.sum() / self._each > _OLD_ROWS:
            self._each *= 2
        groups = (np.cumsum(counts) - 1) // self._each
        starts = np.flatnonzero(np.diff(groups, prepend=-1.0))
        for name, column in self._columns.items():
            values = np.array(column[:-WHOLE_SAMPLES])
            known = np.isfinite(values)
            weights = np.add.reduceat(np.where(known, counts, 0.0), starts)
            sums = np.add.reduceat(np.where(known, values * counts, 0.0), starts)
            means = np.divide(sums, weights, out=np.full(len(starts), math.nan), where=weights > 0)
            kept = np.add.reduceat(counts, starts) if name == _COUNT else means
            self._columns[name] = array("d", kept) + column[-WHOLE_SAMPLES:]


def gpu_name(field: str, index: int) -> str:
    """Return the name of a GPU's figure."""
    return f"{field} {index}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
