"""The GPUs of the shipped table: memory as nvidia-smi tells it, bandwidth, bf16 peak, interconnect, and the source."""

from __future__ import annotations

import csv
import difflib
import re
from typing import List, NamedTuple, Optional, Sequence, Tuple

FILE_NAME = "gpus.csv"


class GpuKind(NamedTuple):
    """One kind of GPU. Bandwidths in bytes a second, one direction; peaks dense, 0 where it is not in hardware.

    Attributes:
        fp32_flops: the peak of PyTorch's fp32 products, which use no TF32 unless told to.
        usd_per_hour: what one costs to rent, 0 where the table does not say.
        price_source: whose price it is and of which month; "unsourced" where nobody published it.
    """

    name: str
    memory_bytes: int
    bandwidth: float
    bf16_flops: float
    interconnect: str
    interconnect_bandwidth: float
    watts: float
    source: str
    fp16_flops: float = 0.0
    fp32_flops: float = 0.0
    usd_per_hour: float = 0.0
    price_source: str = ""

    def peak(self, precision: str) -> float:
        """Return the dense peak in FLOP/s for a job's precision ("bf16", "fp16", "fp32"), 0 where there is none."""
        return {"bf16": self.bf16_flops, "fp16": self.fp16_flops, "fp32": self.fp32_flops}[precision]


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
            float(row["fp16_tflops"]) * 1e12,
            float(row["fp32_tflops"]) * 1e12,
            float(row["usd_per_hour"] or 0),
            row["price_source"],
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


def kind_of_device(kinds: Sequence[GpuKind], device: str, memory_bytes: int = 0) -> Optional[GpuKind]:
    """Return the kind that nvidia-smi's or rocm-smi's name of a device means, None where the table has none.

    Args:
        kinds: of the shipped table.
        device: such as "NVIDIA H100 80GB HBM3" or "NVIDIA A100-PCIE-40GB".
        memory_bytes: as the device reports it, which tells a model's sizes apart; 0: not known.
    """
    said = set(_words(device))
    best, best_rank = None, (0, 0.0)
    for kind in kinds:
        words = _words(kind.name)
        model = {word for word in words if not _is_size(word)}
        off = abs(kind.memory_bytes - memory_bytes) / kind.memory_bytes if memory_bytes else 0.0
        if not model <= said or off > _SAME_SIZE or (said - model) & _VARIANTS:
            continue
        sized = any(word in said for word in words if _is_size(word))
        rank = (2 * len(model) + int(sized), -off)
        if best is None or rank > best_rank:
            best, best_rank = kind, rank
    return best


_SAME_SIZE = 0.08
_VARIANTS = {"TI", "SUPER", "LAPTOP", "MOBILE", "MAX", "D"}
"""Words that make another GPU of a known name."""
_SIZE = re.compile(r"\d+GB")


def _words(name: str) -> List[str]:
    return re.findall(r"[A-Z0-9]+", name.upper())


def _is_size(word: str) -> bool:
    return _SIZE.fullmatch(word) is not None
