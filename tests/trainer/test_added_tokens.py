"""Room for added tokens: rows that are the mean of the others, in embeddings and head, and a tokenizer with them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from remote_agent.contract.job_spec import with_value
from remote_agent.dataset.tokenizer_files import load_tokenizer
from remote_agent.trainer.added_tokens import make_room, write_tokenizer
from remote_agent.trainer.causal_model import has_plain_head, load_model
from tests.support.tiny import tiny_model
from tests.trainer.run_folder import job

TOKENS = 400
"""What the tiny tokenizer has."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


def _model(rows: int, tied: bool) -> Any:
    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=rows, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        tie_word_embeddings=tied,
    )  # fmt: skip
    return LlamaForCausalLM(config)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("spare", [0, 1, 64])
def test_that_new_rows_are_the_mean_and_old_ones_stay(folder: Path, tied: bool, spare: int) -> None:
    model = _model(TOKENS + spare, tied)
    before = [end.weight.detach().clone() for end in (model.get_input_embeddings(), model.get_output_embeddings())]
    make_room(model, folder, ("<|a|>", "<|im_end|>", "<|b|>"))
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    assert (ends[0].weight is ends[1].weight) == tied
    rows = max(TOKENS + spare, TOKENS + 2)
    assert model.config.vocab_size == model.vocab_size == ends[0].num_embeddings == ends[1].out_features == rows
    for old, end in zip(before, ends, strict=True):
        assert end.weight.shape == (rows, 8) and end.weight.requires_grad
        assert torch.equal(end.weight[:TOKENS], old[:TOKENS])
        assert torch.allclose(end.weight[TOKENS : TOKENS + 2], old[:TOKENS].mean(dim=0).expand(2, 8), atol=1e-7)
        assert torch.equal(end.weight[TOKENS + 2 :], old[TOKENS + 2 :])


def test_that_tokens_the_tokenizer_has_change_nothing(folder: Path) -> None:
    model = _model(TOKENS, True)
    before = model.get_input_embeddings().weight
    make_room(model, folder, ("<|im_end|>", "<|im_start|>"))
    assert model.get_input_embeddings().weight is before


def test_that_a_new_token_is_as_likely_as_the_others_on_average(folder: Path) -> None:
    model = load_model(folder, with_value(job(), "data.added_tokens", ("<|a|>",)))
    assert has_plain_head(model)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[5, 400, 7]])).logits
    assert torch.allclose(logits[..., TOKENS], logits[..., :TOKENS].mean(dim=-1), atol=1e-5)


def test_that_bf16_rows_take_the_mean_of_fp32_sums(folder: Path) -> None:
    spec = with_value(with_value(job(), "strategy.precision", "bf16"), "data.added_tokens", ("<|a|>",))
    weight = load_model(folder, spec).get_input_embeddings().weight
    assert weight.dtype == torch.bfloat16
    assert torch.equal(weight[TOKENS], weight[:TOKENS].float().mean(dim=0).bfloat16())


def test_that_a_written_tokenizer_reloads_with_the_tokens_special(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(folder, model)
    config = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    listed = {"content": "<|im_start|>", "lstrip": False, "normalized": False, "rstrip": False,
              "single_word": False, "special": True}  # fmt: skip
    config["added_tokens_decoder"] = {"1": listed, "2": {**listed, "content": "<|im_end|>"}}
    (model / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    out = tmp_path / "out"
    shutil.copytree(model, out)
    write_tokenizer(model, out, ("<|a|>", "<|im_end|>"))
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert tokenizer.convert_tokens_to_ids(["<|a|>", "<|im_end|>"]) == [TOKENS, 2]
    assert tokenizer("x<|a|>y", add_special_tokens=False).input_ids.count(TOKENS) == 1
    assert tokenizer.decode([TOKENS], skip_special_tokens=True) == ""
    ours = load_tokenizer(model, "", ("<|a|>", "<|im_end|>")).tokenizer
    text = "The cat <|a|> likes<|im_end|> a song"
    assert tokenizer(text, add_special_tokens=False).input_ids == ours.encode(text, add_special_tokens=False).ids
    decoder = json.loads((out / "tokenizer_config.json").read_text(encoding="utf-8"))["added_tokens_decoder"]
    assert decoder[str(TOKENS)]["content"] == "<|a|>" and decoder[str(TOKENS)]["special"] is True


def test_that_what_was_saved_reloads_with_its_new_row(folder: Path, tmp_path: Path) -> None:
    model = load_model(folder, with_value(job(), "data.added_tokens", ("<|a|>",)))
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert again.config.vocab_size == TOKENS + 1
    assert torch.equal(again.get_input_embeddings().weight, model.get_input_embeddings().weight)
