"""The fp32 weights that the optimizer updates: this rank's part of them under ZeRO 1 to 3, all of them at ZeRO 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

# Where DeepSpeed's optimizers keep them: ZeRO 3, ZeRO 1 and 2, bf16 at ZeRO 1, and the two of 16 bits at ZeRO 0.
_PLACES = (
    "fp32_partitioned_groups_flat", "single_partition_of_fp32_groups", "fp32_groups_flat_partition",
    "fp32_groups_flat", "fp32_groups",
)  # fmt: skip

_AT_ONCE = 1 << 24
"""Elements of which a further copy is made at a time: 64 MiB."""


def master_weights(engine: Any) -> list[torch.Tensor]:
    """Return the trained weights as the optimizer holds them, fp32, always in the same order.

    They are whole tensors or flat parts with padding, on the GPU or, offloaded, in host memory.
    """
    optimizer = engine.optimizer
    for place in _PLACES:
        held = getattr(optimizer, place, None)
        if held is not None:
            return [one.detach() for group in held for one in (group if isinstance(group, list) else [group])]
    return [one.detach() for group in optimizer.param_groups for one in group["params"]]


def pieces(*tensors: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield tensors of one shape piece by piece along their first dimension: a part under ZeRO is one long tensor."""
    first = tensors[0]
    if first.dim() == 0 or first.numel() <= _AT_ONCE:
        yield tensors
        return
    rows = max(1, _AT_ONCE * len(first) // first.numel())
    yield from zip(*(torch.split(one, rows) for one in tensors), strict=True)


def write_back(engine: Any) -> None:
    """Let the model hold what its master weights have become; every rank calls this."""
    optimizer = engine.optimizer
    if hasattr(optimizer, "fp32_partitioned_groups_flat"):
        for number in range(len(optimizer.fp32_partitioned_groups_flat)):
            optimizer._reassign_or_swap_out_partitioned_parameters(number)
        # small parameters stay whole on every rank, as after a step
        if optimizer.persistent_parameters:
            optimizer.persistent_parameters[0].all_gather(optimizer.persistent_parameters)
    elif hasattr(optimizer, "update_lp_params"):
        optimizer.update_lp_params()
    else:
        for narrow, wide in _pairs_of_16_bits(optimizer):
            narrow.data.copy_(wide.detach().view_as(narrow))


def _pairs_of_16_bits(optimizer: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield each parameter of 16 bits at ZeRO 0 with its fp32 weights; an fp32 model has none but its own."""
    for number, narrow in enumerate(getattr(optimizer, "fp16_groups", ())):
        flat = getattr(optimizer, "fp32_groups_flat", None)
        parts = optimizer.fp32_groups[number] if flat is None else flat[number].split([one.numel() for one in narrow])
        yield from zip(narrow, parts, strict=True)
