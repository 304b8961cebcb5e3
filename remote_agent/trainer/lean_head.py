"""The output head and its loss in one call: logits only where a label is, a chunk of them at a time.

Under ZeRO-3 the head's weight is gathered around a call of the module, so there is exactly one call a micro batch, also
on a rank that has no label there; another number of calls would give the ranks different collectives.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from remote_agent.trainer.head_gradients import HeadGradients, chunks
from remote_agent.trainer.liger_loss import liger_summed_loss
from remote_agent.trainer.r_drop import PairedLoss

LOGITS_AT_ONCE = 1 << 24
"""How many logits exist at a time: 64 MiB in fp32."""


class LeanHead(nn.Linear):
    """A linear head without bias that also computes the loss. Called with hidden states alone it gives logits."""

    fused = False
    """Whether the loss goes through Liger's kernel where that computes the same: without smoothing and weights."""

    def forward(
        self,
        input: torch.Tensor,
        targets: torch.Tensor | None = None,
        smoothing: float = 0.0,
        weights: torch.Tensor | None = None,
        divergence: float = 0.0,
    ) -> Any:
        """Return logits, or with ``targets`` the loss.

        Args:
            input: hidden states, [..., hidden]; with targets, [positions, hidden] where a label is, and with
                ``divergence`` [2 x positions, hidden], the first pass and then the second.
            targets: the token ids to predict, [positions].
            smoothing: the share of the target spread over the vocabulary.
            weights: how much each position counts in the sum, fp32 [positions]; None where each counts 1.
            divergence: R-Drop's alpha; with it the loss is that of `r_drop.PairedLoss`.

        Returns:
            Each position's own loss as fp32 [positions], without gradient, smoothing and weight; where gradients are on
            a pair, before it the weighted sum of the smoothed losses, an fp32 scalar that has them.
        """
        if targets is None:
            return super().forward(input)
        if not torch.is_grad_enabled():
            return _losses(input, self.weight, targets)
        if divergence > 0.0:
            parts = chunks(targets.numel(), 2 * self.weight.shape[0], LOGITS_AT_ONCE)
            return PairedLoss.apply(input, self.weight, targets, smoothing, weights, divergence, parts)  # type: ignore[no-untyped-call]
        if self.fused and input.is_cuda and smoothing == 0.0 and weights is None and targets.numel():
            return liger_summed_loss(input, self.weight, targets)
        return _SummedLoss.apply(input, self.weight, targets, smoothing, weights)  # type: ignore[no-untyped-call]


def _losses(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    found = hidden.new_zeros(targets.shape, dtype=torch.float32)
    for part in chunks(targets.numel(), weight.shape[0], LOGITS_AT_ONCE):
        found[part] = _of_logits((hidden[part] @ weight.T).float(), targets[part])[0]
    return found


def _of_logits(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each position's loss and the logarithm of its normalizer, [positions, 1]."""
    normalizer = torch.logsumexp(logits, dim=-1, keepdim=True)
    return (normalizer - logits.gather(1, targets[:, None])).squeeze(1), normalizer


class _SummedLoss(torch.autograd.Function):
    """The summed loss, whose gradients are computed along with it while the chunk's logits still exist."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        targets: torch.Tensor,
        smoothing: float,
        weights: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        total = hidden.new_zeros((), dtype=torch.float32)
        single = hidden.new_empty(targets.shape, dtype=torch.float32)
        gradients = HeadGradients(hidden, weight)
        for part in chunks(targets.numel(), weight.shape[0], LOGITS_AT_ONCE):
            logits = (hidden[part] @ weight.T).float()
            losses, normalizer = _of_logits(logits, targets[part])
            single[part] = losses
            if smoothing > 0.0:
                losses = (1.0 - smoothing) * losses + smoothing * (normalizer.squeeze(1) - logits.mean(dim=-1))
            total += losses.sum() if weights is None else (losses * weights[part]).sum()
            gradient = logits.sub_(normalizer).exp_()
            if smoothing > 0.0:
                gradient.sub_(smoothing / weight.shape[0])
            gradient.scatter_add_(1, targets[part][:, None], gradient.new_full((losses.numel(), 1), smoothing - 1.0))
            if weights is not None:
                gradient.mul_(weights[part][:, None])
            gradients.add(part, hidden[part], gradient)
        gradients.close()
        ctx.gradients = gradients
        ctx.mark_non_differentiable(single)
        return total, single

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        of_hidden, of_weight = ctx.gradients.scaled(upstream[0])
        # nobody else holds them
        ctx.gradients = None
        return of_hidden, of_weight, None, None, None
