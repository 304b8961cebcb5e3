"""The lean head against PyTorch's own cross entropy, values and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from remote_agent.trainer import lean_head
from remote_agent.trainer.lean_head import LeanHead

VOCABULARY, HIDDEN, POSITIONS = 211, 16, 37


def _head_and_input(dtype: torch.dtype = torch.float32) -> tuple[LeanHead, torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    head = LeanHead(HIDDEN, VOCABULARY, bias=False, dtype=dtype)
    hidden = torch.randn(POSITIONS, HIDDEN, dtype=dtype, requires_grad=True)
    return head, hidden, torch.randint(0, VOCABULARY, (POSITIONS,))


@pytest.fixture(params=[1 << 24, 5 * VOCABULARY, 1], ids=["one chunk", "chunks of 5", "chunks of 1"])
def chunked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_head, "LOGITS_AT_ONCE", request.param)


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_that_each_positions_loss_is_the_plain_one(smoothing: float) -> None:
    head, hidden, targets = _head_and_input()
    with torch.no_grad():
        found = head(hidden, targets, smoothing)
    plain = nn.functional.cross_entropy(head(hidden), targets, reduction="none")
    assert torch.allclose(found, plain, atol=1e-5, rtol=0)
    assert torch.equal(head(hidden, targets, smoothing)[1], found)


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_that_the_gradients_are_autograds(smoothing: float, weighted: bool) -> None:
    head, hidden, targets = _head_and_input()
    leaves = [hidden, head.weight]
    weights = torch.rand(POSITIONS) + 0.1 if weighted else None
    total, _ = head(hidden, targets, smoothing, weights)
    found = torch.autograd.grad(total / 7.0, leaves)
    each = nn.functional.cross_entropy(head(hidden), targets, reduction="none", label_smoothing=smoothing)
    plain = (each if weights is None else each * weights).sum() / 7.0
    assert total.item() / 7.0 == pytest.approx(plain.item(), rel=1e-6)
    for mine, expected in zip(found, torch.autograd.grad(plain, leaves), strict=True):
        assert torch.allclose(mine, expected, atol=1e-6)


def test_that_a_call_without_a_label_gives_zero_loss_and_zero_gradients() -> None:
    head, hidden, targets = _head_and_input()
    loss, single = head(hidden[:0], targets[:0])
    (gradient,) = torch.autograd.grad(loss, [head.weight])
    assert loss.item() == 0.0
    assert single.shape == (0,)
    assert gradient.shape == head.weight.shape
    assert not gradient.any()


def test_that_weights_of_one_change_no_bit() -> None:
    head, hidden, targets = _head_and_input()
    leaves = [hidden, head.weight]
    plain = torch.autograd.grad(head(hidden, targets)[0], leaves)
    ones = torch.autograd.grad(head(hidden, targets, 0.0, torch.ones(POSITIONS))[0], leaves)
    assert all(torch.equal(a, b) for a, b in zip(plain, ones, strict=True))


def test_that_bf16_weights_sum_their_gradient_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    head, hidden, targets = _head_and_input(torch.bfloat16)
    (whole,) = torch.autograd.grad(head(hidden, targets)[0], [head.weight])
    assert whole.dtype == torch.bfloat16
    monkeypatch.setattr(lean_head, "LOGITS_AT_ONCE", VOCABULARY)
    (chunked,) = torch.autograd.grad(head(hidden, targets)[0], [head.weight])
    assert torch.allclose(chunked.float(), whole.float(), atol=2e-2)


def test_that_hidden_states_alone_give_logits() -> None:
    head, hidden, _ = _head_and_input()
    assert torch.equal(head(hidden), nn.functional.linear(hidden, head.weight))


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_that_two_passes_have_autograds_gradients_however_they_are_cut(smoothing: float, weighted: bool) -> None:
    head, _, targets = _head_and_input()
    hidden = torch.randn(2 * POSITIONS, HIDDEN, requires_grad=True)
    leaves = [hidden, head.weight]
    weights = torch.rand(POSITIONS) + 0.1 if weighted else None
    total, single = head(hidden, targets, smoothing, weights, 1.5)
    found = torch.autograd.grad(total / 7.0, leaves)
    passes = head(hidden).chunk(2)
    p, q = (torch.distributions.Categorical(logits=one) for one in passes)
    divergence = torch.distributions.kl_divergence(p, q) + torch.distributions.kl_divergence(q, p)
    entropies = [
        nn.functional.cross_entropy(one, targets, reduction="none", label_smoothing=smoothing) for one in passes
    ]
    each = (entropies[0] + entropies[1]) / 2 + 1.5 * divergence / 2
    plain = (each if weights is None else each * weights).sum() / 7.0
    assert total.item() / 7.0 == pytest.approx(plain.item(), rel=1e-6)
    unsmoothed = [nn.functional.cross_entropy(one, targets, reduction="none") for one in passes]
    assert torch.allclose(single, (unsmoothed[0] + unsmoothed[1]) / 2, atol=1e-5)
    for mine, expected in zip(found, torch.autograd.grad(plain, leaves), strict=True):
        assert torch.allclose(mine, expected, atol=1e-6)


def test_that_two_passes_without_a_label_give_zero_loss_and_zero_gradients() -> None:
    head, hidden, targets = _head_and_input()
    loss, single = head(hidden[:0], targets[:0], 0.0, None, 2.0)
    (gradient,) = torch.autograd.grad(loss, [head.weight])
    assert loss.item() == 0.0
    assert single.shape == (0,)
    assert not gradient.any()


def test_that_fp16_keeps_small_gradients_and_survives_a_large_sum() -> None:
    torch.manual_seed(3)
    narrow = LeanHead(HIDDEN, VOCABULARY, bias=False, dtype=torch.float16)
    wide = LeanHead(HIDDEN, VOCABULARY, bias=False)
    wide.load_state_dict({"weight": narrow.weight.float()})
    # one token's state over and over: the unscaled sum is over fp16's greatest number of 65,504
    hidden = torch.full((4096, HIDDEN), 24.0)
    targets = torch.zeros(4096, dtype=torch.int64)
    found, expected = (
        torch.autograd.grad(head(hidden.to(head.weight.dtype), targets)[0] / 4096.0, [head.weight])[0]
        for head in (narrow, wide)
    )
    assert float((expected * 4096.0).abs().max()) > 65504.0
    assert found.dtype == torch.float16
    assert torch.allclose(found.float(), expected, rtol=2e-2, atol=1e-3)


def test_that_fp16_gradients_of_states_follow_fp32s() -> None:
    head, hidden, targets = _head_and_input(torch.float16)
    wide = LeanHead(HIDDEN, VOCABULARY, bias=False)
    wide.load_state_dict({"weight": head.weight.float()})
    states = hidden.detach().float().requires_grad_()
    (mine,) = torch.autograd.grad(head(hidden, targets)[0] / POSITIONS, [hidden])
    (theirs,) = torch.autograd.grad(wide(states, targets)[0] / POSITIONS, [states])
    assert torch.allclose(mine.float(), theirs, atol=1e-4, rtol=2e-2)
