"""Linear layers through oneDNN: PyTorch's own values and gradients, the same bits every time."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from remote_agent.trainer.wide_linear import WideLinear, widen_linears

pytestmark = pytest.mark.skipif(not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this PyTorch has no oneDNN")


def pair(bias: bool, inputs: int = 24, outputs: int = 40) -> tuple[nn.Linear, nn.Linear]:
    """Return a plain layer and a wide one with the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        plain, wide = (nn.Linear(inputs, outputs, bias=bias) for _ in range(2))
    wide.load_state_dict(plain.state_dict())
    assert widen_linears(nn.ModuleList([wide])) == 1
    return plain, wide


def results(layer: nn.Linear, rows: torch.Tensor) -> list[torch.Tensor]:
    """Return a layer's output and all gradients of a sum that weighs its outputs differently."""
    rows = rows.clone().requires_grad_()
    output = layer(rows)
    (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
    gradients = [rows.grad, *(parameter.grad for parameter in layer.parameters())]
    layer.zero_grad()
    assert all(gradient is not None for gradient in gradients)
    return [output.detach(), *(gradient for gradient in gradients if gradient is not None)]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(24,), (1, 24), (7, 24), (3, 5, 24), (0, 24)], ids=str)
def test_that_values_and_gradients_are_those_of_a_plain_layer(shape: tuple[int, ...], bias: bool) -> None:
    plain, wide = pair(bias)
    rows = torch.sin(torch.arange(24.0 * max(1, *shape))[: torch.Size(shape).numel()]).view(shape)
    for ours, theirs in zip(results(wide, rows), results(plain, rows), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_that_the_same_rows_give_the_same_bits() -> None:
    _, wide = pair(bias=True)
    rows = torch.randn(130, 24, generator=torch.Generator().manual_seed(1))
    first = results(wide, rows)
    for _ in range(5):
        held = [torch.empty(997 + len(first)) for _ in range(3)]  # other addresses for what follows
        assert all(torch.equal(one, other) for one, other in zip(results(wide, rows), first, strict=True))
        del held


def test_that_only_plain_fp32_layers_are_changed() -> None:
    half, other = nn.Linear(4, 4, dtype=torch.bfloat16), nn.Embedding(4, 4)
    wide = nn.Linear(4, 4)
    assert widen_linears(nn.ModuleList([half, other, wide])) == 1
    assert (type(half), type(wide)) == (nn.Linear, WideLinear)
