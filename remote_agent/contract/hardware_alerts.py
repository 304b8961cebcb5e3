"""What is wrong with a run's node by one sample of it: heat, memory, the disk."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from remote_agent.contract.alert_spec import AlertSpec
from remote_agent.contract.events import NodeSampled

ERROR, WARNING = "error", "warning"
GPU_HOT, GPU_MEMORY, HOST_MEMORY, DISK = "gpu_hot", "gpu_memory", "host_memory", "disk"
GPU_SLOWED = "gpu_slowed"


class Finding(NamedTuple):
    """Whether a rule ``holds`` for one GPU (``rank``) or the node (-1), and what it says then."""

    holds: bool
    rule: str
    severity: str
    said: str
    value: float
    limit: float
    rank: int


def hardware_findings(event: NodeSampled, limits: AlertSpec, checkpoint_bytes: int) -> Iterator[Finding]:
    """Yield every rule with whether it holds; ``checkpoint_bytes`` is what the next checkpoint takes, 0 for none."""
    hot, share = limits.gpu_temperature_c, limits.memory_share
    for gpu in event.gpus:
        index = int(gpu.get("index", 0))
        degrees = float(gpu.get("temperature_c", 0.0))
        said = "GPU {} is at {:.0f} °C.".format(index, degrees)
        yield Finding(0 < hot <= degrees, GPU_HOT, WARNING, said, degrees, hot, index)
        why = str(gpu.get("slowed_by", ""))[:80]
        said = "GPU {} slows itself down: {}.".format(index, why)
        yield Finding(limits.gpu_slows and bool(why), GPU_SLOWED, WARNING, said, degrees, hot, index)
        used, total = float(gpu.get("memory_used_bytes", 0)), float(gpu.get("memory_total_bytes", 0))
        said = "GPU {} holds {:.1f} of {:.1f} GiB.".format(index, used / 2**30, total / 2**30)
        yield Finding(_is_full(used, total, share), GPU_MEMORY, WARNING, said, used, share * total, index)
    used, total = float(event.memory_used_bytes), float(event.memory_total_bytes)
    said = "The node's memory holds {:.1f} of {:.1f} GiB.".format(used / 2**30, total / 2**30)
    yield Finding(_is_full(used, total, share), HOST_MEMORY, WARNING, said, used, share * total, -1)
    free, needed = float(event.disk_free_bytes), float(checkpoint_bytes)
    said = "The disk has {:.1f} GiB left; the last checkpoint took {:.1f} GiB.".format(free / 2**30, needed / 2**30)
    yield Finding(limits.disk_fills and needed > 0 and free < needed, DISK, ERROR, said, free, needed, -1)


def _is_full(used: float, total: float, share: float) -> bool:
    return share > 0 and total > 0 and used >= share * total
