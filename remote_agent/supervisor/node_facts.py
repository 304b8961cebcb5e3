"""What the node is made of: cores, memory, disk, GPUs and names, each read in milliseconds."""

from __future__ import annotations

import csv
import math
import os
import platform
import subprocess
from typing import Dict, List, Optional, Tuple

from remote_agent.contract.node_report import Gpu

NVIDIA_SMI_TIMEOUT_S = 15.0
_MIB = 1 << 20
_GPU_FIELDS = (
    "index",
    "uuid",
    "name",
    "memory.total",
    "memory.used",
    "utilization.gpu",
    "temperature.gpu",
    "power.draw",
    "compute_cap",
    "clocks_throttle_reasons.active",
)
GPU_FIELD_SETS = (_GPU_FIELDS, _GPU_FIELDS[:-1], _GPU_FIELDS[:-2])
"""What to ask for, most first: a driver refuses the whole query for the one field that it does not know."""
_SLOWDOWNS = ((0x08, "hardware slowdown"), (0x20, "heat"), (0x40, "heat"), (0x80, "power brake"))
"""Bits of NVML's clocks event reasons that cost speed; that the power limit is reached is usual under load."""


def cores() -> int:
    """Return the cores this process may use: the affinity mask, or less where a control group grants less."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = (_first_line("/sys/fs/cgroup/cpu.max") or "").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        count = min(count, max(1, math.ceil(int(quota) / int(period))))
    return max(1, count)


def memory_bytes() -> Tuple[int, int]:
    """Return total and available memory, within the control group's limit; zeros where the system tells none."""
    found: Dict[str, int] = {}
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                name, _, rest = line.partition(":")
                number = rest.split()
                if number and number[0].isdigit():
                    found[name] = int(number[0]) * 1024
    except OSError:
        return 0, 0
    total, available = found.get("MemTotal", 0), found.get("MemAvailable", 0)
    for limit_path, used_path in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        limit, used = _first_line(limit_path) or "", _first_line(used_path) or ""
        if limit.isdigit() and used.isdigit() and int(limit) < total:
            total, available = int(limit), min(available, max(0, int(limit) - int(used)))
    return total, available


def disk_free_bytes(folder: str) -> int:
    """Return what this user may still write on the folder's file system. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def cpu_model() -> str:
    """Return the processor's name as the kernel tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() in ("model name", "Model", "Hardware"):
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def system_name() -> str:
    """Return the operating system with its version, such as ``Debian GNU/Linux 12 (bookworm), x86_64``."""
    name = "{} {}".format(platform.system(), platform.release())
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("PRETTY_NAME="):
                    name = line.partition("=")[2].strip().strip('"')
    except OSError:
        pass
    return "{}, {}".format(name, platform.machine())


def gpu_query(fields: Tuple[str, ...] = _GPU_FIELDS) -> List[str]:
    """Return the command that lists the GPUs."""
    return ["nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits"]


def gpus() -> Tuple[Gpu, ...]:
    """Return the GPUs that nvidia-smi lists; empty where there is no such program or it fails."""
    for fields in GPU_FIELD_SETS:
        output = _output_of(gpu_query(fields))
        if output is None:
            return ()
        found = parse_gpus(output)
        if found:
            return found
    return ()


def driver_version() -> str:
    """Return the NVIDIA driver's version, empty where there is none."""
    first = (_first_line("/proc/driver/nvidia/version") or "").split()
    return next((word for word in first if word[:1].isdigit() and "." in word), "")


def parse_gpus(output: str) -> Tuple[Gpu, ...]:
    """Return the GPUs of nvidia-smi's CSV output; lines that are none are left out, figures it lacks are 0."""
    found = []
    for row in csv.reader(output.splitlines(), skipinitialspace=True):
        if len(row) < len(_GPU_FIELDS) - 2 or not row[0].strip().isdigit():
            continue
        figures = [_figure(text) for text in row[3:8]]
        found.append(
            Gpu(
                index=int(row[0]),
                uuid=row[1].strip(),
                name=row[2].strip(),
                memory_total_bytes=int(figures[0] * _MIB),
                memory_used_bytes=int(figures[1] * _MIB),
                utilization_percent=figures[2],
                temperature_c=figures[3],
                power_w=figures[4],
                compute_capability=row[8].strip() if len(row) > 8 and _figure(row[8]) > 0 else "",
                slowed_by=_slowdowns(row[9]) if len(row) > 9 else "",
            )
        )
    return tuple(found)


def _slowdowns(mask: str) -> str:
    """Return what makes a GPU slow itself down, from nvidia-smi's bit mask; empty where nothing does."""
    try:
        bits = int(mask.strip(), 16)
    except ValueError:
        return ""
    return ", ".join(dict.fromkeys(said for bit, said in _SLOWDOWNS if bits & bit))


def _figure(text: str) -> float:
    """Return a number; nvidia-smi writes [N/A] or [Not Supported] where it has none."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _output_of(command: List[str]) -> Optional[str]:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=NVIDIA_SMI_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace")


def _first_line(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return None
