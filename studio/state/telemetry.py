"""What a run's node has been doing: recent samples as they came, older ones averaged, in little memory for any run."""

from __future__ import annotations

import math
import operator

import numpy as np
import numpy.typing as npt

from remote_agent.contract.events import NodeSampled

Column = npt.NDArray[np.float64]

MOST_SAMPLES = 4096
"""Where so many are held, all but the newest `WHOLE_SAMPLES` become means of so many that `_OLD_ROWS` are left."""
WHOLE_SAMPLES, _OLD_ROWS = 1800, 1500
GPU_FIELDS = ("utilization_percent", "memory_used_bytes", "temperature_c", "power_w")
_MOST_GPUS = 64
_OWN = (
    "time_s",
    "count",
    "cpu_percent",
    "memory_percent",
    "disk_free_bytes",
    "received_bytes_per_s",
    "sent_bytes_per_s",
)
_TIME, _COUNT = range(2)
_INDEX, _fields = operator.itemgetter("index"), operator.itemgetter(*GPU_FIELDS)
_NUMBERS = {float, int}


class Telemetry:
    """Samples of a node by name, each at a time in seconds of the writer's clock.

    Names are cpu_percent, memory_percent, disk_free_bytes, received_bytes_per_s, sent_bytes_per_s, and for each GPU
    one of `GPU_FIELDS` and its index, as `gpu_name` joins them.
    """

    def __init__(self) -> None:
        self._rows = {name: row for row, name in enumerate(_OWN)}
        self._table = np.empty((len(_OWN), MOST_SAMPLES))
        self._samples = 0
        self._each = 1
        self._layout: list[object] | None = None
        self.gpus: tuple[int, ...] = ()

    def __len__(self) -> int:
        return self._samples

    def add(self, time_s: float, sample: NodeSampled) -> None:
        """Take a sample; one that is not newer than the last, as after a second reading, is passed over."""
        if time_s <= (self._table[_TIME, self._samples - 1] if self._samples else 0.0):
            return
        total = sample.memory_total_bytes
        own = [
            time_s, 1.0, sample.cpu_percent, 100.0 * sample.memory_used_bytes / total if total > 0 else math.nan,
            sample.disk_free_bytes, sample.received_bytes_per_s, sample.sent_bytes_per_s,
        ]  # fmt: skip
        at = self._samples
        told = self._told_alike(sample)
        if told is not None:
            # 64 GPUs are 256 numbers, which one by one take as long as all else of a sample together
            self._table[:, at] = own + told
        else:
            self._add_by_name(at, own, sample)
        self._samples += 1
        if self._samples >= MOST_SAMPLES:
            self._thin()

    def series(self, name: str) -> tuple[Column, Column]:
        """Return the times and the values of a name, copies; both empty where nothing of it was told."""
        values = self.values(name)
        return self.times()[: len(values)], values

    def times(self) -> Column:
        """Return when the samples were taken, a copy; `series` of what was ever told has as many values."""
        return self._table[_TIME, : self._samples].copy()

    def values(self, name: str) -> Column:
        """Return the values of a name, a copy; empty where nothing of it was told."""
        row = self._rows.get(name)
        return self._table[row, : self._samples].copy() if row is not None else np.empty(0)

    def _told_alike(self, sample: NodeSampled) -> list[float] | None:
        """Return what the GPUs do, in the order of the table, None where it is not the same GPUs with all numbers."""
        told: list[float] = []
        try:
            if self._layout != list(map(_INDEX, sample.gpus)):
                return None
            for gpu in sample.gpus:
                told += _fields(gpu)
        except KeyError:
            return None
        return told if _NUMBERS.issuperset(map(type, told)) else None

    def _add_by_name(self, at: int, own: list[float], sample: NodeSampled) -> None:
        values = dict(zip(_OWN, own, strict=True))
        indices: list[object] = []
        for gpu in sample.gpus:
            index = gpu.get("index")
            indices.append(index)
            if isinstance(index, int) and 0 <= index < _MOST_GPUS:
                values |= {gpu_name(field, index): _number(gpu.get(field)) for field in GPU_FIELDS}
                if index not in self.gpus:
                    self.gpus = tuple(sorted((*self.gpus, index)))
        new = [name for name in values if name not in self._rows]
        self._rows |= {name: len(self._rows) + row for row, name in enumerate(new)}
        if new:
            self._table = np.vstack((self._table, np.full((len(new), MOST_SAMPLES), math.nan)))
        self._table[:, at] = [values.get(name, math.nan) for name in self._rows]
        # all that the table has, and in its order: the next sample may come by place
        in_order = list(values) == list(self._rows) and len(values) == len(own) + len(indices) * len(GPU_FIELDS)
        self._layout = indices if in_order else None

    def _thin(self) -> None:
        old = self._table[:, : self._samples - WHOLE_SAMPLES]
        counts = old[_COUNT]
        while counts.sum() / self._each > _OLD_ROWS:
            self._each *= 2
        groups = (np.cumsum(counts) - 1) // self._each
        starts = np.flatnonzero(np.diff(groups, prepend=-1.0))
        known = np.isfinite(old)
        weights = np.add.reduceat(np.where(known, counts, 0.0), starts, axis=1)
        sums = np.add.reduceat(np.where(known, old * counts, 0.0), starts, axis=1)
        means = np.divide(sums, weights, out=np.full(sums.shape, math.nan), where=weights > 0)
        means[_COUNT] = np.add.reduceat(counts, starts)
        whole = self._table[:, self._samples - WHOLE_SAMPLES : self._samples].copy()
        rows = len(starts)
        self._table[:, :rows], self._table[:, rows : rows + WHOLE_SAMPLES] = means, whole
        self._samples = rows + WHOLE_SAMPLES


def gpu_name(field: str, index: int) -> str:
    """Return the name of a GPU's figure."""
    return f"{field} {index}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
