"""What the engine would do for nothing at ZeRO 0: average over one rank, and compute the gradient's norm once more."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist


def average_over_nobody(engine: Any) -> None:
    """Let a single rank's gradients at ZeRO 0 be as they are; does nothing with more ranks or at another stage.

    The engine would copy them into one flat piece, average that over one rank, and copy it back: several passes over
    all gradients for the same numbers. A parameter without a gradient still gets one of zeros, as with several ranks.
    """
    if engine.zero_optimization_stage() == 0 and dist.get_world_size() == 1:
        engine._reduce_non_expert_gradients = _leave


def _leave(gradients: Any, elements_per_buffer: int) -> None:
    """Stand where the engine averages."""


def clip_by_known_norm(engine: Any, norm: torch.Tensor) -> None:
    """Let the engine's next clipping at ZeRO 0 in fp32 go by a norm of the averaged gradients that is known already.

    The rule is PyTorch's. On the CPU nothing is touched where it would multiply by one; a GPU is not asked, since that
    would wait for it. In 16 bits the engine clips elsewhere.
    """
    largest = engine.gradient_clipping()

    def clip() -> None:
        if norm.is_cpu and largest / (float(norm) + 1e-6) >= 1.0:
            return
        torch.nn.utils.clip_grads_with_norm_(engine.module.parameters(), largest, norm)

    engine.clip_fp32_gradients = clip
