"""What the node's hardware does, sampled without ever waiting for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import Optional, Tuple

from remote_agent.contract.events import NodeSampled
from remote_agent.contract.node_report import Gpu
from remote_agent.contract.wire import to_wire
from remote_agent.supervisor.node_facts import (
    GPU_FIELD_SETS,
    disk_free_bytes,
    gpu_query,
    memory_bytes,
    parse_gpus,
)


class NodeSampler:
    """Takes a `NodeSampled` at each call; CPU use and GPU figures are those since, and of, the call before."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._last_ticks = _cpu_ticks()
        self._last_network = (time.monotonic(), *network_bytes())
        self._query: "Optional[subprocess.Popen[bytes]]" = None
        self._has_gpus = shutil.which("nvidia-smi") is not None
        self._gpus: Tuple[Gpu, ...] = ()
        self._asked = 0

    def sample(self) -> NodeSampled:
        """Return the present figures. Raises OSError where the folder is gone."""
        self._collect_gpus()
        total, available = memory_bytes()
        received, sent = self._network_rates()
        return NodeSampled(
            cpu_percent=self._cpu_percent(),
            memory_used_bytes=total - available,
            memory_total_bytes=total,
            disk_free_bytes=disk_free_bytes(self._folder),
            gpus=tuple(to_wire(gpu) for gpu in self._gpus),
            received_bytes_per_s=received,
            sent_bytes_per_s=sent,
        )

    def close(self) -> None:
        """End a query that still runs."""
        if self._query is not None:
            self._query.kill()
            self._query.communicate()
            self._query = None

    def _cpu_percent(self) -> float:
        before, self._last_ticks = self._last_ticks, _cpu_ticks()
        total = self._last_ticks[0] - before[0]
        busy = self._last_ticks[1] - before[1]
        return round(100.0 * busy / total, 1) if total > 0 else 0.0

    def _network_rates(self) -> Tuple[float, float]:
        before, self._last_network = self._last_network, (time.monotonic(), *network_bytes())
        seconds = max(1e-3, self._last_network[0] - before[0])
        # an interface that is gone takes its count along
        received, sent = (max(0.0, self._last_network[at] - before[at]) / seconds for at in (1, 2))
        return round(received), round(sent)

    def _collect_gpus(self) -> None:
        """Take the answer of the last query and ask again; a driver that hangs costs the figures alone."""
        if not self._has_gpus:
            return
        if self._query is not None:
            if self._query.poll() is None:
                return
            output = self._query.communicate()[0]
            found = parse_gpus(output.decode("utf-8", "replace"))
            if not found and not self._gpus:
                # an old driver: ask for less, and go round again where that was not it
                self._asked = (self._asked + 1) % len(GPU_FIELD_SETS)
            self._gpus = found or self._gpus
        try:
            self._query = subprocess.Popen(
                gpu_query(GPU_FIELD_SETS[self._asked]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._query, self._has_gpus = None, False


def _cpu_ticks() -> Tuple[int, int]:
    """Return all ticks and busy ticks of all cores since the boot."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(word) for word in file.readline().split()[1 : 1 + 8]]
    except (OSError, ValueError):
        return 0, 0
    if len(fields) < 5:
        return 0, 0
    total = sum(fields)
    return total, total - fields[3] - fields[4]


def network_bytes(table: str = "/proc/net/dev") -> Tuple[int, int]:
    """Return the bytes that all interfaces but the loopback have received and sent since the boot; 0 if not told."""
    received, sent = 0, 0
    try:
        with open(table, encoding="ascii") as file:
            for line in file.readlines()[2:]:
                name, _, counts = line.partition(":")
                fields = counts.split()
                if name.strip() != "lo" and len(fields) > 8:
                    received, sent = received + int(fields[0]), sent + int(fields[8])
    except (OSError, ValueError):
        return 0, 0
    return received, sent


def own_memory_bytes() -> int:
    """Return the resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
