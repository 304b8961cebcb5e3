"""The few numbers that no arithmetic gives: what allocator, driver and communication add to the tensors themselves.

They were fitted to published peaks; `luthier estimate --table` fits them again on all sources but one and says how far
the estimate is off on that one.
"""

from __future__ import annotations

from typing import NamedTuple

GIB = 1 << 30


class Calibration(NamedTuple):
    """What comes on top of the tensors.

    Attributes:
        rounding: reserved over allocated where nothing else is known: blocks rounded to 512 bytes and 2 MiB, their
            unused ends, and small tensors (masks, rotary tables, norms' statistics) that no term counts.
        pooled_zero: DeepSpeed's step works on flat pieces of up to 4 GiB, for which no block that the backward pass
            left is large enough, and the other way round: this share of what the phases could not share stays cached.
        pooled_fsdp: the same for FSDP, whose units are hundreds of MiB.
        pooled_single: the same for one GPU and DDP, where all tensors are one by one and blocks are reused.
        stale_load: without zero.Init the whole model was on the GPU; this share of its blocks fits nothing later.
        context_bytes: a process's CUDA context with cuBLAS and the loaded kernels, on the card but not torch's.
        nccl_bytes: NCCL's channels and buffers where several GPUs talk.
    """

    rounding: float = 1.05
    pooled_zero: float = 1.0
    pooled_fsdp: float = 0.4
    pooled_single: float = 0.2
    stale_load: float = 0.5
    context_bytes: int = 3 * GIB // 2
    nccl_bytes: int = 3 * GIB // 2


CALIBRATION = Calibration()

CHOICES = {
    "context_bytes": (GIB // 2, 3 * GIB // 4, GIB, 3 * GIB // 2),
    "nccl_bytes": (GIB // 2, GIB, 3 * GIB // 2),
    "rounding": (1.02, 1.03, 1.04, 1.05, 1.06),
    "pooled_zero": (0.5, 0.7, 0.85, 1.0, 1.15),
    "pooled_fsdp": (0.2, 0.3, 0.4, 0.5, 0.65, 0.8),
    "pooled_single": (0.0, 0.1, 0.2, 0.3, 0.5),
    "stale_load": (0.3, 0.4, 0.5, 0.6),
}
"""The values that fitting tries; few and coarse, so that a handful of rows cannot bend them far."""

SPREAD = {"allocated": (0.06, 0.08), "reserved": (0.10, 0.15), "card": (0.12, 0.18)}
"""How far below and above the likely figure the interval reaches.

Of the published rows 24 of 26 lie inside for allocated, 21 of 25 for reserved, 12 of 13 for the card.
"""
