"""Linear layers whose products oneDNN computes, on processors where PyTorch's own library leaves half the speed unused.

PyTorch multiplies fp32 matrices on a CPU with MKL, which takes its AVX2 path on any processor that is not Intel's. With
AVX-512 oneDNN, which is part of PyTorch too, is 2.2 times as fast there (AMD EPYC, Zen 5: 257 against 115 GFLOP/s a
core at 256 x 576 x 1536). Both compute in fp32 and both give the same bits every time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

_CPU_FACTS = Path("/proc/cpuinfo")


def widen_linears(model: Any) -> int:
    """Let every plain fp32 linear layer use oneDNN where its input lies on the CPU, and say how many there are."""
    plain = [one for one in model.modules() if type(one) is nn.Linear and one.weight.dtype == torch.float32]
    for one in plain:
        one.__class__ = WideLinear
    return len(plain)


def is_worth_it() -> bool:
    """Say whether this processor has AVX-512 that MKL does not use."""
    return (
        torch.backends.mkl.is_available()  # type: ignore[no-untyped-call, unused-ignore]
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call, unused-ignore]
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and _CPU_FACTS.is_file()
        and "GenuineIntel" not in _CPU_FACTS.read_text(encoding="utf-8", errors="replace")
    )


class WideLinear(nn.Linear):
    """A linear layer as PyTorch's, computed by oneDNN."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Return ``input`` [..., inputs] times the weight, plus the bias: [..., outputs]."""
        if input.dtype != torch.float32 or input.device.type != "cpu" or input.dim() < 2 or not input.numel():
            return super().forward(input)
        product: torch.Tensor = _Product.apply(input, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return product


class _Product(torch.autograd.Function):
    """``rows @ weight.T + bias`` with both of its gradients."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        ctx.save_for_backward(rows, weight)
        ctx.has_bias = bias is not None
        return wide_product(rows, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        gradient = gradients[0]
        flat = gradient.flatten(0, -2)
        of_rows = wide_product(gradient, weight.t()) if ctx.needs_input_grad[0] else None
        of_weight = wide_product(flat.t(), rows.flatten(0, -2).t()) if ctx.needs_input_grad[1] else None
        return of_rows, of_weight, flat.sum(0) if ctx.has_bias else None


def wide_product(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """Return ``rows @ weight.T + bias`` by oneDNN, without a gradient; fp32 on a CPU."""
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return product
