"""The largest model of another's proportions that fits, with the batch as it is."""

from __future__ import annotations

from typing import Optional

from remote_agent.contract.memory.estimate import HEADROOM, estimate_memory
from remote_agent.contract.memory.host import host_memory
from remote_agent.contract.memory.setup import Setup, Shape

MOST_HEADS = 1024


def largest_model(setup: Setup, capacity_bytes: int, host_bytes: int = 0) -> int:
    """Return the most parameters of a model of these proportions that fit with headroom; 0 where none does."""
    found = largest_shape(setup, capacity_bytes, host_bytes)
    return found.parameters if found is not None else 0


def largest_shape(setup: Setup, capacity_bytes: int, host_bytes: int = 0) -> Optional[Shape]:
    """Return the sizes of the largest model of these proportions that fits with headroom.

    Width and depth grow alike, in whole heads of the same width; everything else of the run stays. Memory grows with
    both, so bisection over the number of heads finds it. None where no model fits, or this one's sizes are not known.
    ``host_bytes`` is a node's host memory, which has to hold its part with headroom too; 0 where it is not known.
    """
    if setup.shape.hidden < 1 or setup.shape.heads < 1:
        return None
    low, high = 0, MOST_HEADS
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(setup._replace(shape=of_heads(setup.shape, middle)), capacity_bytes, host_bytes):
            low = middle
        else:
            high = middle - 1
    return of_heads(setup.shape, low) if low else None


def _fits(setup: Setup, capacity_bytes: int, host_bytes: int) -> bool:
    if estimate_memory(setup).card.likely > (1.0 - HEADROOM) * capacity_bytes:
        return False
    return not host_bytes or host_memory(setup).used.likely <= (1.0 - HEADROOM) * host_bytes


def of_heads(shape: Shape, heads: int) -> Shape:
    """Return the sizes of a model of these proportions with so many heads; the vocabulary stays."""
    factor = heads / shape.heads
    hidden = max(1, round(shape.hidden * factor))
    layers = max(1, round(shape.layers * factor))
    inside = factor * factor * layers / max(1, shape.layers)
    outside = shape.vocabulary * hidden * (1 if shape.tied else 2)
    return shape._replace(
        parameters=max(1, round((shape.parameters - shape.outside) * inside) + outside),
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=max(1, round(shape.kv_heads * factor)),
        intermediate=max(1, round(shape.intermediate * factor)),
        linear=round(shape.linear * inside),
    )
