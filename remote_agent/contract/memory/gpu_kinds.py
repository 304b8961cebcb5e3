"""The GPUs of the shipped table: memory as nvidia-smi tells it, bandwidth, bf16 peak, interconnect, and the source."""

from __future__ import annotations

import csv
import difflib
from typing import NamedTuple, Sequence, Tuple

FILE_NAME = "gpus.csv"


class GpuKind(NamedTuple):
    """One kind of GPU. Bandwidths in bytes a second, one direction; peaks dense, 0 where bf16 is not in hardware."""

    name: str
    memory_bytes: int
    bandwidth: float
    bf16_flops: float
    interconnect: str
    interconnect_bandwidth: float
    watts: float
    source: str


def gpu_kinds(text: str) -> Tuple[GpuKind, ...]:
    """Return the kinds in the table's text. Raises ValueError and KeyError where it is no such table."""
    return tuple(
        GpuKind(
            row["name"],
            int(row["memory_mib"]) << 20,
            float(row["bandwidth_gb_s"]) * 1e9,
            float(row["bf16_tflops"]) * 1e12,
            row["interconnect"],
            float(row["interconnect_gb_s"]) * 1e9,
            float(row["watts"]),
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def gpu_kind(kinds: Sequence[GpuKind], name: str) -> GpuKind:
    """Return a kind by its name, capitals aside. Raises ValueError, which names what is near."""
    by_name = {kind.name.lower(): kind for kind in kinds}
    if name.lower() in by_name:
        return by_name[name.lower()]
    near = difflib.get_close_matches(name.lower(), by_name, n=4, cutoff=0.3) or sorted(by_name)[:4]
    raise ValueError(
        "There is no GPU {} in the table; near are {}.".format(name, ", ".join(by_name[each].name for each in near))
    )
