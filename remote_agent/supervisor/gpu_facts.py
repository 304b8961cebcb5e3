"""What nvidia-smi tells beside the list of GPUs: who uses them, how they are joined, driver and CUDA."""

from __future__ import annotations

import csv
import os
import pwd
import re
from typing import List, Tuple

from remote_agent.contract.node_report import GpuLink, GpuProcess

_MIB = 1 << 20
_DRIVER = re.compile(r"Driver Version:\s*([0-9.]+)")
_CUDA = re.compile(r"CUDA Version:\s*([0-9.]+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_GPU_NAME = re.compile(r"GPU(\d+)\Z")


def parse_driver(output: str) -> Tuple[str, str]:
    """Return the versions of driver and CUDA in the head of nvidia-smi's table, empty where it names none."""
    driver, cuda = _DRIVER.search(output), _CUDA.search(output)
    return driver.group(1) if driver else "", cuda.group(1) if cuda else ""


def gpu_processes(output: str) -> Tuple[GpuProcess, ...]:
    """Return who holds memory of which GPU, from the CSV of the compute processes.

    In a container nvidia-smi lists other containers' processes without a name; their users are not known here.
    """
    found = []
    for row in csv.reader(output.splitlines(), skipinitialspace=True):
        if len(row) < 4 or not row[1].strip().isdigit():
            continue
        memory = row[3].strip()
        pid = int(row[1])
        found.append(
            GpuProcess(
                row[0].strip(), pid, os.path.basename(row[2].strip()), _user_of(pid),
                int(memory) * _MIB if memory.isdigit() else 0,
            )
        )  # fmt: skip
    return tuple(found)


def gpu_links(output: str) -> Tuple[GpuLink, ...]:
    """Return how each pair of GPUs is joined, from the matrix of ``nvidia-smi topo -m``."""
    lines = [_COLOUR.sub("", line).split("\t") for line in output.splitlines()]
    rows = [[cell.strip() for cell in line] for line in lines if len(line) > 1]
    head: List[str] = next((row for row in rows if row[0] == "" and "GPU0" in row), [])
    found = []
    for row in rows:
        first = _GPU_NAME.match(row[0])
        if first is None or not head:
            continue
        for title, kind in zip(head[1:], row[1:]):  # noqa: B905 Python 3.8 has no strict
            second = _GPU_NAME.match(title)
            if second is not None and int(first.group(1)) < int(second.group(1)) and kind:
                found.append(GpuLink(int(first.group(1)), int(second.group(1)), kind))
    return tuple(found)


def _user_of(pid: int) -> str:
    try:
        owner = os.stat("/proc/{}".format(pid)).st_uid
    except OSError:
        return ""
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)
