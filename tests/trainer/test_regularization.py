"""Noise, mixup, R-Drop and dropout of a single forward pass, and early stopping, beside plain computations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.dataset.prepared import Sequence
from remote_agent.trainer import master_weights
from remote_agent.trainer.batches import BatchShape, MicroBatch, collate, model_inputs
from remote_agent.trainer.causal_model import load_model
from remote_agent.trainer.draws import draw_seed, generator
from remote_agent.trainer.dropout import add_residual_dropout, override_dropout
from remote_agent.trainer.early_stopping import Patience
from remote_agent.trainer.mixup import Mixing, draw_mixing, mixed
from remote_agent.trainer.neftune import with_noise
from remote_agent.trainer.r_drop import paired_losses
from tests.support.tiny import tiny_model
from tests.trainer.run_folder import job

SHAPE = BatchShape(pad_id=2)
KERNELS = ("lean", "plain")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


def _row(length: int, seed: int) -> Sequence:
    ids = np.random.default_rng(seed).integers(3, 300, length).astype(np.int32)
    labels = np.where(np.arange(length) < length // 3, -100, ids).astype(np.int32)
    return Sequence(ids, labels, np.arange(length, dtype=np.int32), np.array([seed]))


def _packed(rows: list[Sequence]) -> Sequence:
    return Sequence(*(np.concatenate([row[field] for row in rows]) for field in range(4)))


def _spec(kernel: str = "auto", **rules: Any) -> JobSpec:
    spec: JobSpec = with_value(job(), "strategy.loss_kernel", kernel)
    for name, value in rules.items():
        spec = with_value(spec, "regularization." + name, value)
    return spec


def _loss(model: Any, batch: MicroBatch, draw: int, **more: Any) -> Any:
    one = torch.tensor(1.0)
    torch.manual_seed(draw)
    return model(**model_inputs(batch), num_items_in_batch=one, draw=draw, row_tokens=batch["row_tokens"], **more)


def _gradients(model: Any) -> list[torch.Tensor]:
    return [one.grad for one in model.parameters()]


def _summed(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")


def test_that_draws_differ_by_seed_step_micro_batch_and_rank_and_come_again() -> None:
    seeds = {draw_seed(*where) for where in np.ndindex(2, 3, 3, 2)}
    assert len(seeds) == 36
    assert all(0 <= seed < 1 << 63 for seed in seeds)
    cpu = torch.device("cpu")
    numbers = [torch.rand(3, generator=generator(7, purpose, cpu)).tolist() for purpose in ("a", "b", "a")]
    assert numbers[0] == numbers[2] != numbers[1]


def test_that_noise_is_uniform_within_alpha_over_the_root_of_tokens_and_width() -> None:
    rows = [_row(64, 1), _row(16, 2)]
    batch = collate(rows, SHAPE)
    still = torch.zeros(2, 64, 32)
    noise = with_noise(still, batch["position_ids"], batch["row_tokens"], 5.0, draw=11)
    for row, length in ((0, 64), (1, 16)):
        limit = 5.0 / math.sqrt(length * 32)
        own = noise[row, :length]
        assert float(own.abs().max()) <= limit
        # of a uniform distribution: its mean is 0 and its deviation limit / sqrt(3)
        assert abs(float(own.mean())) < 0.1 * limit
        assert float(own.std()) == pytest.approx(limit / math.sqrt(3), rel=0.1)
    again = with_noise(still, batch["position_ids"], batch["row_tokens"], 5.0, draw=11)
    other = with_noise(still, batch["position_ids"], batch["row_tokens"], 5.0, draw=12)
    assert torch.equal(noise, again)
    assert not torch.equal(noise, other)


def test_that_packing_leaves_each_rows_noise_level() -> None:
    rows = [_row(60, 1), _row(15, 2)]
    batch = collate([_packed(rows)], SHAPE)
    noise = with_noise(torch.zeros(1, 75, 512), batch["position_ids"], batch["row_tokens"], 5.0, draw=3)[0]
    for own, length in ((noise[:60], 60), (noise[60:], 15)):
        assert float(own.abs().max()) == pytest.approx(5.0 / math.sqrt(length * 512), rel=1e-3)


def test_that_a_filler_gets_no_noise_and_no_mixing(folder: Path) -> None:
    model = load_model(folder, _spec(neftune_alpha=5.0, mixup_alpha=0.5)).train()
    loss = _loss(model, collate([], SHAPE), draw=1)
    loss["loss"].backward()
    assert loss["loss"].item() == 0.0
    assert loss["token_losses"].shape == (0,)


@pytest.mark.parametrize("name", ["neftune_alpha", "mixup_alpha", "r_drop_alpha", "residual_dropout"])
def test_that_held_out_loss_is_always_plain(folder: Path, name: str) -> None:
    batch = model_inputs(collate([_row(20, 1), _row(12, 2)], SHAPE))
    changed = load_model(folder, _spec("auto", **{name: 0.5})).eval()
    plain = load_model(folder, job()).eval()
    with torch.no_grad():
        assert torch.equal(changed(**batch)["token_losses"], plain(**batch)["token_losses"])


def test_that_a_mixing_is_a_permutation_and_one_share_of_a_beta_distribution() -> None:
    mixings = [draw_mixing(0.4, 5, draw) for draw in range(400)]
    assert all(sorted(one.order) == [0, 1, 2, 3, 4] for one in mixings)
    shares = np.array([one.share for one in mixings])
    # the variance of Beta(a, a) is 1 / (4 (2a + 1))
    assert shares.mean() == pytest.approx(0.5, abs=0.06)
    assert shares.var() == pytest.approx(1 / (4 * 1.8), rel=0.2)
    assert mixings[7] == draw_mixing(0.4, 5, 7)


def test_that_mixed_embeddings_are_the_weighted_sum_of_two_rows() -> None:
    rows = torch.randn(3, 4, 2)
    found = mixed(rows, Mixing(0.25, [2, 0, 1]))
    assert torch.allclose(found[1], 0.25 * rows[1] + 0.75 * rows[0])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_that_mixup_is_the_mixed_loss_of_mixed_embeddings(folder: Path, kernel: str, weighted: bool) -> None:
    rows = [_row(30, 1), _row(12, 2), _row(21, 3)]
    batch, draw = collate(rows, SHAPE), 5
    weights = torch.rand(batch["labels"].shape) if weighted else None
    model = load_model(folder, _spec(kernel, mixup_alpha=1.0)).train()
    found = _loss(model, batch, draw, weights=weights)
    found["loss"].backward()

    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    share, order = draw_mixing(1.0, 3, draw)
    assert order != [0, 1, 2]
    embedded = plain.get_input_embeddings()(batch["input_ids"])
    logits = plain(inputs_embeds=share * embedded + (1 - share) * embedded[order]).logits

    def weighed(labels: torch.Tensor, counts: torch.Tensor | None) -> torch.Tensor:
        each = nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="none", ignore_index=-100
        )
        return (each if counts is None else each * counts[:, 1:].flatten()).sum()

    expected = share * weighed(batch["labels"], weights)
    expected = expected + (1 - share) * weighed(batch["labels"][order], None if weights is None else weights[order])
    torch.autograd.backward(expected)
    assert found["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert found["token_losses"].sum().item() == pytest.approx(_summed(logits, batch["labels"]).item(), rel=1e-5)
    for mine, theirs in zip(_gradients(model), _gradients(plain), strict=True):
        assert torch.allclose(mine, theirs, atol=2e-5)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_that_r_drop_is_the_mean_loss_of_two_passes_and_their_divergence(
    folder: Path, kernel: str, smoothing: float
) -> None:
    batch, draw = collate([_row(30, 1), _row(12, 2)], SHAPE), 9
    rules = {"r_drop_alpha": 3.0, "override_dropout": True, "dropout": 0.2, "label_smoothing": smoothing}
    model = load_model(folder, _spec(kernel, **rules)).train()
    found = _loss(model, batch, draw)
    found["loss"].backward()

    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attention_dropout=0.2).train()
    torch.manual_seed(draw)
    first, second = plain(input_ids=torch.cat([batch["input_ids"]] * 2)).logits[:, :-1].chunk(2)
    assert not torch.allclose(first, second, atol=1e-3)
    labels = batch["labels"][:, 1:]
    kept = labels != -100
    entropy = sum(
        nn.functional.cross_entropy(one[kept], labels[kept], reduction="sum", label_smoothing=smoothing) / 2
        for one in (first, second)
    )
    p, q = (torch.distributions.Categorical(logits=one[kept]) for one in (first, second))
    divergence = torch.distributions.kl_divergence(p, q) + torch.distributions.kl_divergence(q, p)
    expected = entropy + 3.0 * divergence.sum() / 2
    torch.autograd.backward(expected)
    assert found["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    for mine, theirs in zip(_gradients(model), _gradients(plain), strict=True):
        assert torch.allclose(mine, theirs, atol=2e-5)


def test_that_two_equal_passes_have_the_plain_loss() -> None:
    logits = torch.randn(6, 11, requires_grad=True)
    targets = torch.randint(0, 11, (6,))
    losses, single = paired_losses(logits, logits, targets, 0.0, 4.0)
    expected = nn.functional.cross_entropy(logits, targets, reduction="none")
    assert torch.allclose(losses, expected)
    assert torch.allclose(single, expected)


def test_that_residual_dropout_is_gpt2s_own_after_attention_and_mlp() -> None:
    sizes = {"vocab_size": 99, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    settings = {**sizes, "attn_pdrop": 0.0, "embd_pdrop": 0.0, "bos_token_id": 1, "eos_token_id": 2}
    theirs = GPT2LMHeadModel(GPT2Config(**settings, resid_pdrop=0.3)).train()
    ours = GPT2LMHeadModel(GPT2Config(**settings, resid_pdrop=0.0)).train()
    ours.load_state_dict(theirs.state_dict())
    assert add_residual_dropout(ours, 0.3) == 4
    ids = torch.randint(0, 99, (2, 9))
    logits = []
    for model in (theirs, ours):
        torch.manual_seed(3)
        logits.append(model(input_ids=ids).logits)
    assert torch.equal(logits[0], logits[1])
    ours.eval()
    theirs.eval()
    assert torch.equal(theirs(input_ids=ids).logits, ours(input_ids=ids).logits)


def test_that_residual_dropout_is_the_same_when_activations_are_computed_again(folder: Path) -> None:
    batch = collate([_row(20, 3)], SHAPE)
    gradients = []
    for again in (False, True):
        spec = with_value(_spec(residual_dropout=0.3), "strategy.activation_checkpointing", again)
        model = load_model(folder, spec).train()
        _loss(model, batch, 4)["loss"].backward()
        gradients.append(_gradients(model))
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_that_a_model_without_such_modules_is_refused() -> None:
    with pytest.raises(ValueError, match="found neither attention nor MLP modules in Sequential"):
        add_residual_dropout(nn.Sequential(nn.Linear(2, 2)), 0.1)


def test_that_every_dropout_of_the_config_is_set(folder: Path) -> None:
    config = GPT2Config()
    assert override_dropout(config, 0.25) == ("attn_pdrop", "embd_pdrop", "resid_pdrop")
    assert (config.attn_pdrop, config.embd_pdrop, config.resid_pdrop) == (0.25, 0.25, 0.25)
    model = load_model(folder, _spec(override_dropout=True, dropout=0.4))
    assert model.config.attention_dropout == 0.4
    assert {layer.self_attn.attention_dropout for layer in model.model.layers} == {0.4}
    assert load_model(folder, _spec(dropout=0.4)).config.attention_dropout == 0.0


def test_that_patience_runs_out_after_so_many_evaluations_in_a_row_without_a_better_one() -> None:
    patience = Patience(2, 0.1)
    said = [patience.take(step, loss) for step, loss in enumerate((2.0, 1.95, 1.7, 1.65, math.nan))]
    assert said[:4] == ["", "", "", ""]
    assert said[4] == (
        "Stopped early at step 4: the held-out loss has not become better than 1.7000 (step 2) in 2 evaluations."
    )


def test_that_patience_goes_on_from_what_was_kept() -> None:
    whole, first = Patience(3, 0.0), Patience(3, 0.0)
    losses = [1.0, 1.1, 0.9, 1.0, 1.0, 1.0]
    for step, loss in enumerate(losses[:4]):
        whole.take(step, loss)
        first.take(step, loss)
    second = Patience(3, 0.0)
    second.restore(first.state())
    assert [second.take(5, loss) for loss in losses[4:]] == [whole.take(5, loss) for loss in losses[4:]]
    assert second.state()["patience.best_step"] == 2


def test_that_pieces_cover_their_tensors_once_and_change_them_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_weights, "_AT_ONCE", 12)
    for whole in (torch.zeros(7, 5), torch.zeros(5, 7).T, torch.zeros(100), torch.zeros(3), torch.zeros(())):
        found = list(master_weights.pieces(whole, torch.ones(whole.shape)))
        for part, ones in found:
            part.add_(ones)
        assert torch.equal(whole, torch.ones(whole.shape))
        assert len(found) == max(1, -(-whole.numel() // 12)) or whole.dim() == 2
