"""Model facts are transformers' own to the tensor, and what cannot be counted is named."""

from __future__ import annotations

from typing import Any

import pytest

from remote_agent.contract.further_shapes import ALL_TYPES
from remote_agent.contract.model_facts import ModelFacts, UnknownModelError, model_facts, model_tensors

SMALL: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
EXPERTS: dict[str, Any] = {
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 24,
    "shared_expert_intermediate_size": 40,
}
CASES: list[tuple[str, dict[str, Any]]] = [
    *[
        (kind, {"tie_word_embeddings": tied})
        for kind in ("llama", "mistral", "qwen2", "qwen3")
        for tied in (True, False)
    ],
    ("llama", {"attention_bias": True, "mlp_bias": True, "head_dim": 16}),
    ("gemma2", {"head_dim": 16}),
    ("gemma3_text", {"head_dim": 16}),
    ("phi3", {}),
    ("olmo2", {}),
    ("gpt2", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}),
    ("gpt_neox", {}),
    ("falcon", {}),
    ("falcon", {"new_decoder_architecture": True, "num_kv_heads": 2}),
    ("falcon", {"new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1}),
    ("falcon", {"multi_query": False, "bias": True, "parallel_attn": False, "tie_word_embeddings": False}),
    ("mixtral", EXPERTS),
    ("qwen2_moe", EXPERTS),
    ("qwen3_moe", EXPERTS),
    ("qwen3_moe", {**EXPERTS, "mlp_only_layers": [0], "head_dim": 16}),
]


@pytest.mark.parametrize(("kind", "extra"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_that_every_tensor_is_the_one_transformers_builds(kind: str, extra: dict[str, Any]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **{**SMALL, **extra})
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    theirs = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert {tensor.name: tensor.shape for tensor in model_tensors(config.to_dict())} == theirs
    facts = model_facts(config.to_dict())
    assert facts.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert facts.largest_parameter == max(parameter.numel() for parameter in model.parameters())
    assert facts.tied_embeddings == config.tie_word_embeddings


def _llama(**changes: Any) -> dict[str, Any]:
    return {"model_type": "llama", **SMALL, **changes}


def test_that_the_published_counts_come_out() -> None:
    eight = _llama(
        vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=8,
    )  # fmt: skip
    assert model_facts(eight).parameters == 8_030_261_248
    seventy = {**eight, "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
               "num_attention_heads": 64}  # fmt: skip
    assert model_facts(seventy).parameters == 70_553_706_496
    mixture = {**eight, "model_type": "mixtral", "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2}
    facts = model_facts(mixture)
    assert (facts.parameters, facts.active_parameters) == (46_702_792_704, 12_879_925_248)


def test_that_heads_and_widths_are_read_where_the_config_leaves_them_out() -> None:
    facts: ModelFacts = model_facts(_llama())
    assert (facts.heads, facts.kv_heads, facts.head_dim, facts.intermediate) == (4, 2, 8, 48)
    falcon = model_facts({"model_type": "falcon", **SMALL})
    assert (falcon.kv_heads, falcon.head_dim, falcon.intermediate) == (1, 8, 128)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model_type": "mamba"}, "mamba"), ({"model_type": None}, "none"), ({"hidden_size": None}, "hidden_size"),
        ({"vocab_size": 0}, "vocab_size"), ({"num_hidden_layers": "many"}, "num_hidden_layers"),
        ({"model_type": "mixtral"}, "num_local_experts"), ({"num_attention_heads": 1000000}, "num_attention_heads"),
    ],
)  # fmt: skip
def test_that_what_cannot_be_counted_is_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(UnknownModelError, match=word):
        model_facts(_llama(**change))


def test_that_an_unknown_type_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match="qwen3_moe"):
        model_facts(_llama(model_type="mamba"))
    assert len(ALL_TYPES) == len(set(ALL_TYPES))
