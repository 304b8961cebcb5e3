"""L2-SP: the pull of every trained weight back to where the training started.

The loss gains penalty / 2 x the squared distance from the base weights. Its gradient, penalty x (w - w0), is added to
the gradient of the global batch right before the optimizer uses it: unscaled, after clipping by norm and by value, on
the fp32 master weights. So it is the same under every ZeRO stage, accumulation and number of ranks, clipping never
weakens it, and the loss and the gradient norm that are shown are those of the data alone.

Source: Li et al., Explicit Inductive Bias for Transfer Learning with Convolutional Networks, ICML 2018,
arXiv:1802.01483.
"""

from __future__ import annotations

from typing import Any

import torch

from remote_agent.trainer.master_weights import master_weights, pieces


def pull_to_base(engine: Any, penalty: float) -> None:
    """Take the weights as they are now for the base ones and let every step of the optimizer pull toward them.

    So this comes before a resume restores the weights of later; the copy is never part of a checkpoint.
    """
    base = {one.data_ptr(): one.clone() for one in master_weights(engine)}

    def before_step(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        for group in optimizer.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    for gradient, now, before in pieces(weight.grad, weight.detach(), base[weight.data_ptr()]):
                        gradient.add_(now - before, alpha=penalty)

    engine.basic_optimizer.register_step_pre_hook(before_step)
