"""The three numbers of a GPU's memory (allocated, reserved, on the card), which phase binds, and whether it fits."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

from remote_agent.contract.memory.calibration import CALIBRATION, SPREAD, Calibration
from remote_agent.contract.memory.phases import (
    Phase,
    gathered_bytes,
    gradient_bytes,
    phases,
    resident,
    step_bytes,
    weight_bytes,
)
from remote_agent.contract.memory.setup import Setup

FITS, TIGHT, DOES_NOT_FIT, UNKNOWN = "fits", "tight", "does not fit", "unknown"
HEADROOM = 0.1
"""Below this share of the capacity left it is tight."""


class Figure(NamedTuple):
    """Bytes: the likely figure and the interval around it."""

    likely: int
    low: int
    high: int


class MemoryEstimate(NamedTuple):
    """What the fullest GPU will hold.

    Attributes:
        phases: every phase with its terms; tensors alone.
        binding: the name of the phase with the most.
        allocated: what torch.cuda.max_memory_allocated will say.
        reserved: what torch.cuda.max_memory_reserved will say, the allocator's cache included.
        card: what nvidia-smi will say, CUDA context and NCCL included.
        outside: bytes on the card that are not torch's.
    """

    phases: Tuple[Phase, ...]
    binding: str
    allocated: Figure
    reserved: Figure
    card: Figure
    outside: int

    @property
    def bound(self) -> Phase:
        """Return the binding phase."""
        return next(phase for phase in self.phases if phase.name == self.binding)

    @property
    def slack(self) -> int:
        """Return what the allocator keeps beside the tensors, likely."""
        return self.reserved.likely - self.allocated.likely


class Pools(NamedTuple):
    """What the allocator's cache depends on, in bytes: all but the calibration.

    ``loading`` and ``training`` are the tensors' peaks, ``unshared`` what training would take beyond its peak if no
    phase could use another's blocks, ``left_of_loading`` what loading took beyond the weights that stay.
    """

    strategy: str
    several: bool
    loading: float
    training: float
    unshared: float
    left_of_loading: float


def estimate_memory(setup: Setup, calibration: Calibration = CALIBRATION) -> MemoryEstimate:
    """Return what one GPU of this run will hold. The arithmetic takes well under a millisecond."""
    made = phases(setup)
    bound = max(made, key=lambda phase: phase.total)
    pools = pools_of(setup, made)
    reserved, outside = reserved_bytes(pools, calibration), outside_bytes(pools, calibration)
    return MemoryEstimate(
        made,
        bound.name,
        _figure("allocated", bound.total),
        _figure("reserved", reserved),
        _figure("card", reserved + outside),
        int(outside),
    )


def verdict(estimate: MemoryEstimate, capacity_bytes: int) -> str:
    """Say whether it fits a GPU of so many bytes: `FITS`, `TIGHT`, `DOES_NOT_FIT`, or `UNKNOWN` for a capacity of 0.

    What the allocator caches is given back before torch says "out of memory", so only the tensors themselves decide
    that it does not fit; below a tenth of headroom on the card it is tight.
    """
    if capacity_bytes <= 0:
        return UNKNOWN
    if estimate.allocated.likely + estimate.outside > capacity_bytes:
        return DOES_NOT_FIT
    return FITS if estimate.card.likely <= (1.0 - HEADROOM) * capacity_bytes else TIGHT


def pools_of(setup: Setup, made: Tuple[Phase, ...]) -> Pools:
    """Return what the allocator's cache depends on, from the phases' tensors."""
    by_name: Dict[str, int] = {phase.name: phase.total for phase in made}
    loading = by_name.pop("load")
    peak = max(by_name.values())
    always = resident(setup)
    kept = sum(always.values())
    passes = max(by_name["loss"], by_name["backward_top"]) - kept
    gradients = max(0.0, gradient_bytes(setup) - always.get("gradients", 0.0))
    together = kept + passes + gradients + step_bytes(setup)
    left = 0.0
    if setup.strategy == "zero" and setup.zero_stage == 3 and not setup.zero_init:
        left = max(0.0, loading - weight_bytes(setup) - gathered_bytes(setup))
    return Pools(setup.strategy, setup.gpus > 1, loading, peak, max(0.0, together - peak), left)


def reserved_bytes(pools: Pools, calibration: Calibration = CALIBRATION) -> float:
    """Return the tensors' peak, the blocks that phases cannot share, and what is left of loading."""
    share = {"zero": calibration.pooled_zero, "fsdp": calibration.pooled_fsdp}.get(
        pools.strategy, calibration.pooled_single
    )
    training = pools.training * calibration.rounding + share * pools.unshared
    return max(pools.loading * calibration.rounding, training + calibration.stale_load * pools.left_of_loading)


def outside_bytes(pools: Pools, calibration: Calibration = CALIBRATION) -> float:
    """Return what lies on the card outside torch: the CUDA context, and NCCL where several GPUs talk."""
    return float(calibration.context_bytes + (calibration.nccl_bytes if pools.several else 0))


def _figure(kind: str, likely: float) -> Figure:
    below, above = SPREAD[kind]
    return Figure(int(likely), int(likely * (1.0 - below)), int(likely * (1.0 + above)))
