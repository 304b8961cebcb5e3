"""What is spared of the engine's work at ZeRO 0 leaves every gradient as PyTorch's own clipping does."""

from __future__ import annotations

import types

import pytest
import torch

from remote_agent.trainer.spared_work import clip_by_known_norm


def _module(size: float) -> torch.nn.Module:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    for number, parameter in enumerate(module.parameters()):
        values = torch.arange(parameter.numel(), dtype=torch.float32).reshape(parameter.shape) + number
        parameter.grad = values * size if number else None
    return module


@pytest.mark.parametrize("size", [1e-3, 10.0, float("nan"), float("inf")])
def test_that_a_known_norm_clips_as_pytorch_does(size: float) -> None:
    ours, plain = _module(size), _module(size)
    norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    engine = types.SimpleNamespace(module=ours, gradient_clipping=lambda: 1.0)
    clip_by_known_norm(engine, norm)
    engine.clip_fp32_gradients()
    for left, right in zip(ours.parameters(), plain.parameters(), strict=True):
        assert (left.grad is None) == (right.grad is None)
        if left.grad is not None and right.grad is not None:
            assert torch.equal(torch.nan_to_num(left.grad, 7.0), torch.nan_to_num(right.grad, 7.0))
