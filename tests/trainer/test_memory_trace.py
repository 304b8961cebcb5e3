"""The memory model is held to torch's own count of a training step of the real transformers models, without a GPU."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from remote_agent.contract.data_spec import DataSpec
from remote_agent.contract.job_spec import JobSpec, StrategySpec
from remote_agent.contract.memory import Setup, estimate_memory, from_job
from remote_agent.contract.memory.from_job import LOGITS_AT_ONCE, shape_of
from remote_agent.contract.model_facts import UnknownModelError, model_facts
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.dataset.answers import Answer
from remote_agent.trainer import causal_model, lean_head
from remote_agent.trainer.memory_trace import trace
from remote_agent.trainer.trace_child import traced

VOCABULARY = 2048
SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 3,
    "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 1024, "bos_token_id": 1,
    "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
GPT2 = {"n_embd": 256, "n_layer": 3, "n_head": 8, "n_positions": 1024, "resid_pdrop": 0.0, "embd_pdrop": 0.0,
        "attn_pdrop": 0.0, "layer_norm_epsilon": 1e-5}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "llama": {}, "qwen3": {"head_dim": 32}, "gpt2": GPT2, "gpt_neox": {}, "phi3": {},
}  # fmt: skip
CASES = [("bf16", "lean", False), ("bf16", "lean", True), ("fp32", "full", False), ("fp32", "full", True)]
TOLERANCE = 0.05


@pytest.mark.parametrize(("dtype", "loss", "checkpointing"), CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_that_a_step_on_one_gpu_takes_what_torch_counts(kind: str, dtype: str, loss: str, checkpointing: bool) -> None:
    config = {"model_type": kind, **SMALL, **KINDS[kind]}
    traced = trace(config, 2, 512, checkpointing, loss, dtype)
    facts = model_facts(config)
    assert traced.parameters == facts.parameters
    setup = Setup(
        shape_of(facts),
        precision="all_bf16" if dtype == "bf16" else "fp32",
        micro_batch=2,
        seq_len=512,
        checkpointing="full" if checkpointing else "none",
        loss="full_fp32_upcast" if loss == "full" else "fused_linear_ce",
        loss_chunk_tokens=LOGITS_AT_ONCE // VOCABULARY,
        head_gradient_bytes=6 if dtype == "bf16" else 4,
    )
    assert estimate_memory(setup).allocated.likely == pytest.approx(traced.peak, rel=TOLERANCE)


def test_that_the_contract_takes_the_loss_for_what_the_trainer_does() -> None:
    assert from_job.LOGITS_AT_ONCE == lean_head.LOGITS_AT_ONCE
    assert from_job.PLAIN_HEADS == causal_model._PLAIN_HEADS


@pytest.mark.parametrize(
    ("kind", "own"), [("stablelm", {}), ("gpt_neo", {"attention_types": [[["global"], 2]], "num_layers": 2})]
)
def test_that_a_node_traces_a_model_whose_type_has_no_formula(kind: str, own: dict[str, Any]) -> None:
    """GPT-Neo has no SDPA in transformers and is traced with the attention it has."""
    config = {**SMALL, "model_type": kind, "num_hidden_layers": 2, "num_key_value_heads": 8, **own}
    with pytest.raises(UnknownModelError, match=kind):
        model_facts(config)
    job = JobSpec(data=DataSpec(max_length=128), strategy=StrategySpec(precision="fp32"))
    found = traced({"job": spec_to_dict(job), "config": config}, Answer(io.BytesIO()), lambda: False)["trace"]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert found["parameters"] == parameters
    assert found["terms"]["Parameter"] == 4 * parameters
    assert found["terms"]["Optstate"] == pytest.approx(8 * parameters, rel=0.01)
    assert found["peak"] == sum(found["terms"].values()) > 12 * parameters


def test_that_the_trace_runs_as_a_program_and_says_what_it_cannot_do(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "no_such_model"}), encoding="utf-8")
    command = [sys.executable, "-m", "remote_agent.trainer.memory_trace", str(config)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert answer.returncode == 2
    assert "no_such_model" in answer.stderr
