"""The gradients of an output head's input and weight, summed up chunk by chunk while the chunk's logits exist."""

from __future__ import annotations

import torch

_FP16_FACTOR = 64.0
"""Gradients of logits are at most about 1 before the loss is scaled; fp16 would lose what is below 6e-8."""


class HeadGradients:
    """Takes gradients of logits, gives those of hidden states and weight for a loss that is then scaled."""

    def __init__(self, hidden: torch.Tensor, weight: torch.Tensor) -> None:
        self._weight: torch.Tensor | None = weight
        self._factor = _FP16_FACTOR if weight.dtype == torch.float16 else 1.0
        self._of_hidden = torch.empty_like(hidden)
        # chunks add up in fp32, whatever the weights are in
        self._of_weight = torch.zeros_like(weight, dtype=torch.float32)

    def add(self, rows: slice, hidden: torch.Tensor, gradient: torch.Tensor) -> None:
        """Take a chunk: its rows of the hidden states, those rows, and the fp32 gradient of their logits."""
        weight = self._weight
        assert weight is not None
        own = (gradient if self._factor == 1.0 else gradient * self._factor).to(weight.dtype)
        self._of_hidden[rows] = own @ weight
        if weight.dtype == torch.float32:
            self._of_weight.addmm_(own.T, hidden)
        elif weight.dtype == torch.float16:
            self._of_weight += _wide_product(own.T, hidden)
        else:
            self._of_weight += own.T @ hidden

    def close(self) -> None:
        """Let go of the weight; under fp16 the sum stays fp32, for one that is not yet scaled down could overflow."""
        assert self._weight is not None
        if self._weight.dtype != torch.float16:
            self._of_weight = self._of_weight.to(self._weight.dtype)
        self._weight = None

    def scaled(self, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the gradients of hidden states and weight, in place: the head's is as large as the head."""
        scale = scale / self._factor
        return self._of_hidden.mul_(scale), self._of_weight.mul_(scale).to(self._of_hidden.dtype)


def _wide_product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return the fp32 product of fp16 matrices: summed over many tokens it may be over fp16's 65,504."""
    if left.is_cuda:
        return torch.mm(left, right, out_dtype=torch.float32)
    return left.float() @ right.float()


def chunks(positions: int, vocabulary: int, at_once: int) -> list[slice]:
    """Return the slices of positions of which at most ``at_once`` logits exist at a time, one position at least."""
    size = max(1, at_once // vocabulary)
    return [slice(start, min(start + size, positions)) for start in range(0, positions, size)]
