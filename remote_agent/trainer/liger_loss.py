"""Liger's fused linear cross entropy, where a GPU and its package are there. No CPU can run it, so no test here has.

Source: Hsu et al., Liger Kernel: Efficient Triton Kernels for LLM Training, 2024, arXiv:2410.10989.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import torch

_KERNEL = "liger_kernel.ops.fused_linear_cross_entropy"


def liger_is_there() -> bool:
    """Say whether the kernel can run: on CUDA, with its package."""
    return torch.cuda.is_available() and importlib.util.find_spec("liger_kernel") is not None


def liger_summed_loss(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> Any:
    """Return the summed loss with its gradients, and each position's loss, as `lean_head.LeanHead` does."""
    return _FusedLoss.apply(hidden, weight, targets)  # type: ignore[no-untyped-call]


class _FusedLoss(torch.autograd.Function):
    """The kernel's own forward, which computes the gradients too; its "none" keeps each position's loss."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        kernel = importlib.import_module(_KERNEL).fused_linear_cross_entropy_forward
        # versions differ in what they return between the losses and the three gradients
        single, *_, of_hidden, of_weight, _ = kernel(
            hidden, weight, targets, reduction="none", accum_dtype=torch.float32
        )
        ctx.gradients = (of_hidden, of_weight)
        ctx.mark_non_differentiable(single)
        return single.float().sum(), single.float()

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        of_hidden, of_weight = ctx.gradients
        ctx.gradients = None
        scaled = None if of_weight is None else of_weight.mul_(upstream[0]).to(of_hidden.dtype)
        return of_hidden.mul_(upstream[0]), scaled, None
