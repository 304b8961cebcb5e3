"""Models that end in the loss, against the loss transformers computes itself, packed and alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from remote_agent.contract.job_spec import with_value
from remote_agent.dataset.prepared import Sequence
from remote_agent.trainer.batches import IGNORED, BatchShape, collate, model_inputs
from remote_agent.trainer.causal_model import end_in_loss, has_plain_head, load_model
from remote_agent.trainer.lean_head import LeanHead
from tests.support.tiny import tiny_model
from tests.trainer.run_folder import job

SHAPE = BatchShape(pad_id=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


def _row(length: int, seed: int) -> Sequence:
    ids = np.random.default_rng(seed).integers(3, 300, length).astype(np.int32)
    labels = np.where(np.arange(length) < length // 3, IGNORED, ids).astype(np.int32)
    return Sequence(ids, labels, np.arange(length, dtype=np.int32), np.array([seed]))


def _packed(rows: list[Sequence]) -> Sequence:
    return Sequence(*(np.concatenate([row[field] for row in rows]) for field in range(4)))


def _inputs(sequences: list[Sequence]) -> dict[str, torch.Tensor]:
    return model_inputs(collate(sequences, SHAPE))


def _token_losses(model: Any, sequences: list[Sequence]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(**_inputs(sequences))["token_losses"]
    return found


def test_that_the_lean_loss_is_transformers_own_with_its_gradients(folder: Path) -> None:
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    lean = load_model(folder, job())
    assert has_plain_head(lean)
    batch = _inputs([_row(30, 1), _row(21, 2)])
    items = int((batch["labels"][:, 1:] != IGNORED).sum())
    expected = plain(**batch, use_cache=False).loss
    found = lean(**batch, num_items_in_batch=torch.tensor(float(items)))["loss"]
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)
    expected.backward()
    found.backward()
    for (name, mine), theirs in zip(lean.named_parameters(), plain.parameters(), strict=True):
        assert mine.grad is not None, name
        assert theirs.grad is not None, name
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-6), name


def test_that_without_labels_the_model_gives_its_logits(folder: Path) -> None:
    plain, lean = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), load_model(folder, job())
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        assert torch.equal(plain(ids).logits, lean(input_ids=ids).logits)


def test_that_smoothing_is_in_the_training_loss_alone(folder: Path) -> None:
    smoothed = load_model(folder, with_value(job(), "regularization.label_smoothing", 0.2))
    plain = load_model(folder, job())
    batch = _inputs([_row(24, 4)])
    one = torch.tensor(1.0)
    assert smoothed.train()(**batch, num_items_in_batch=one)["loss"] > 0
    assert (
        smoothed(**batch, num_items_in_batch=one)["loss"].item()
        != plain.train()(**batch, num_items_in_batch=one)["loss"].item()
    )
    assert torch.equal(_token_losses(smoothed.eval(), [_row(24, 4)]), _token_losses(plain.eval(), [_row(24, 4)]))


def test_that_a_model_with_another_head_goes_through_its_logits() -> None:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=300, n_positions=64, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=2)
    model = GPT2LMHeadModel(config).eval()
    batch = _inputs([_row(20, 7), _row(11, 8)])
    targets = batch["labels"][:, 1:].flatten()
    with torch.no_grad():
        logits = model(input_ids=batch["input_ids"]).logits[:, :-1].flatten(0, 1)
        end_in_loss(model)
        assert not has_plain_head(model)
        found = model(**batch)["token_losses"]
    expected = torch.nn.functional.cross_entropy(logits, targets, reduction="none")[targets != IGNORED]
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_that_packed_rows_are_blind_to_each_other(folder: Path, attention: str) -> None:
    model = load_model(folder, with_value(job(), "strategy.attention", attention)).eval()
    assert model.config._attn_implementation == attention
    rows = [_row(length, length) for length in (17, 30, 9, 25)]
    alone = torch.cat([_token_losses(model, [row]) for row in rows])
    packed = _token_losses(model, [_packed(rows)])
    beside_padding = _token_losses(model, [_packed(rows[:3]), rows[3]])
    assert torch.allclose(packed, alone, atol=1e-4, rtol=0)
    assert torch.allclose(beside_padding, alone, atol=1e-4, rtol=0)
    assert torch.allclose(_token_losses(model, rows), alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_that_an_attention_mask_of_ones_would_have_let_them_see(folder: Path, attention: str) -> None:
    model = load_model(folder, with_value(job(), "strategy.attention", attention)).eval()
    rows = [_row(17, 1), _row(30, 2)]
    batch = _inputs([_packed(rows)])
    with torch.no_grad():
        masked = model(**batch, attention_mask=torch.ones_like(batch["input_ids"]))["token_losses"]
    alone = torch.cat([_token_losses(model, [row]) for row in rows])
    assert (masked - alone).abs().max() > 1e-3


def test_that_activation_checkpointing_changes_no_gradient(folder: Path) -> None:
    gradients = []
    for enabled in (False, True):
        model = load_model(folder, with_value(job(), "strategy.activation_checkpointing", enabled)).train()
        model(**_inputs([_row(20, 3)]), num_items_in_batch=torch.tensor(3.0))["loss"].backward()
        gradients.append([one.grad for one in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_that_the_loss_is_the_same_however_the_head_computes_it(folder: Path) -> None:
    batch = _inputs([_row(30, 1), _row(21, 2)])
    results = []
    for kernel in ("auto", "lean", "plain"):
        model = load_model(folder, with_value(job(), "strategy.loss_kernel", kernel)).train()
        found = model(**batch, num_items_in_batch=torch.tensor(20.0))
        found["loss"].backward()
        assert isinstance(model.lm_head, LeanHead) == (kernel != "plain")
        results.append((found["loss"].item(), found["token_losses"], [one.grad for one in model.parameters()]))
    for loss, single, gradients in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-6)
        assert torch.allclose(single, results[0][1], atol=1e-5, rtol=0)
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(gradients, results[0][2], strict=True))
