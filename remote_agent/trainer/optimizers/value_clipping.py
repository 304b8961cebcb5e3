"""Clipping of each element of the gradient, right before the optimizer's step."""

from __future__ import annotations

from typing import Any

import torch


def clip_values(optimizer: torch.optim.Optimizer, limit: float, norm: float = 0.0) -> None:
    """Let every step of the optimizer begin with a clamp of its gradients to plus and minus ``limit``.

    At that moment they are the global batch's mean, whole or this rank's part of it, and no longer scaled. DeepSpeed's
    own clipping has to be off, since it comes before. With ``norm`` the clamped gradients are then scaled down to that
    norm, as `torch.nn.utils.clip_grad_norm_` does: only where the optimizer holds all of them, so at ZeRO 0.
    """

    def before_step(stepping: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        parameters = [one for group in stepping.param_groups for one in group["params"] if one.grad is not None]
        if parameters:
            torch.nn.utils.clip_grad_value_(parameters, limit)
            if norm > 0.0:
                torch.nn.utils.clip_grad_norm_(parameters, norm)

    optimizer.register_step_pre_hook(before_step)
