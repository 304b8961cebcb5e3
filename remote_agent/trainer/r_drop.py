"""R-Drop: a batch passes the model twice under different dropout, and the two predictions are drawn together.

Of each supervised token with the passes' distributions p and q the loss is

    (CE(p) + CE(q)) / 2 + alpha x (KL(p || q) + KL(q || p)) / 2,

the mean where the paper has the sum of the two cross entropies, so that the loss is as large as one without R-Drop and
its alpha counts twice the paper's.

Source: Liang et al., R-Drop: Regularized Dropout for Neural Networks, NeurIPS 2021, arXiv:2106.14448, equation 4.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from remote_agent.trainer.head_gradients import HeadGradients


class PairedLoss(torch.autograd.Function):
    """The summed loss of two passes through a linear head, whose gradients are computed along with it in chunks."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        targets: torch.Tensor,
        smoothing: float,
        weights: torch.Tensor | None,
        alpha: float,
        parts: list[slice],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weighted sum, fp32, and each position's plain loss, the mean of the two passes.

        Args:
            ctx: autograd's.
            hidden: [2 x positions, hidden], the first pass and then the second.
            weight: the head's, [vocabulary, hidden].
            targets: [positions].
            smoothing: the share of the target spread over the vocabulary.
            weights: fp32 [positions], None where each counts 1.
            alpha: how much the divergence counts.
            parts: the positions whose logits exist at a time.
        """
        positions = targets.numel()
        total = hidden.new_zeros((), dtype=torch.float32)
        single = hidden.new_empty(targets.shape, dtype=torch.float32)
        gradients = HeadGradients(hidden, weight)
        for part in parts:
            rows = (part, slice(part.start + positions, part.stop + positions))
            logs = [(hidden[one] @ weight.T).float() for one in rows]
            with torch.enable_grad():
                leaves = [one.requires_grad_() for one in logs]
                losses, single[part] = paired_losses(leaves[0], leaves[1], targets[part], smoothing, alpha)
                summed = losses.sum() if weights is None else (losses * weights[part]).sum()
            total += summed.detach()
            for one, gradient in zip(rows, torch.autograd.grad(summed, leaves), strict=True):
                gradients.add(one, hidden[one], gradient)
        gradients.close()
        ctx.gradients = gradients
        ctx.mark_non_differentiable(single)
        return total, single

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of hidden states and weight."""
        of_hidden, of_weight = ctx.gradients.scaled(upstream[0])
        ctx.gradients = None
        return of_hidden, of_weight, None, None, None, None, None


def paired_losses(
    first: torch.Tensor, second: torch.Tensor, targets: torch.Tensor, smoothing: float, alpha: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each position's loss, and without gradient its plain loss, of two passes' fp32 logits [positions, V]."""
    p, q = first.log_softmax(dim=-1), second.log_softmax(dim=-1)
    first_loss, second_loss = (nn.functional.nll_loss(one, targets, reduction="none") for one in (p, q))
    single = (first_loss + second_loss) / 2.0
    losses = single
    if smoothing > 0.0:
        losses = (1.0 - smoothing) * single - smoothing * (p.mean(dim=-1) + q.mean(dim=-1)) / 2.0
    # KL(p || q) + KL(q || p) in one product
    divergence = ((p.exp() - q.exp()) * (p - q)).sum(dim=-1)
    return losses + alpha / 2.0 * divergence, single.detach()
