"""FLOPs against torch's own counter on real models, and by hand where it has no opinion."""

from __future__ import annotations

from typing import Any

import pytest

from remote_agent.contract.flops import flops_of, flops_per_token
from remote_agent.contract.memory.from_job import shape_of
from remote_agent.contract.memory.setup import Setup, Shape
from remote_agent.contract.model_facts import model_facts

SMALL: dict[str, Any] = {
    "vocab_size": 320, "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
EXPERTS = {"num_local_experts": 6, "num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 96,
           "shared_expert_intermediate_size": 160}  # fmt: skip
FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("llama", {"tie_word_embeddings": False}), ("llama", {"tie_word_embeddings": True, "head_dim": 48}),
    ("mistral", {"sliding_window": None}), ("qwen2", {}), ("qwen3", {"head_dim": 32}),
    ("gemma2", {"head_dim": 32, "query_pre_attn_scalar": 32}), ("gemma3_text", {"head_dim": 32}), ("phi3", {}),
    ("olmo2", {}), ("gpt2", {"n_embd": 128, "n_layer": 3, "n_head": 4, "n_positions": 256}), ("gpt_neox", {}),
    ("falcon", {}), ("falcon", {"new_decoder_architecture": True, "num_kv_heads": 2}), ("mixtral", EXPERTS),
    ("qwen2_moe", EXPERTS), ("qwen3_moe", {**EXPERTS, "mlp_only_layers": [0], "head_dim": 32}),
]  # fmt: skip
BATCH, LENGTH = 2, 64


def _counted(kind: str, extra: dict[str, Any]) -> tuple[dict[str, Any], float, float]:
    """Return the config, and what torch counts of a real model's forward and backward pass, a token."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **{**SMALL, **extra})
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", experts_implementation="eager")
    model.train()
    model.loss_type = "ForCausalLM"  # GPT-2's config leaves it to the class's name, with a warning
    ids = torch.randint(3, SMALL["vocab_size"], (BATCH, LENGTH))
    with FlopCounterMode(display=False) as forward:
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    tokens = BATCH * LENGTH
    return config.to_dict(), forward.get_total_flops() / tokens, backward.get_total_flops() / tokens


@pytest.mark.parametrize(("kind", "extra"), FAMILIES, ids=lambda value: value if isinstance(value, str) else "")
def test_that_forward_and_backward_are_what_torch_counts(kind: str, extra: dict[str, Any]) -> None:
    config, forward, backward = _counted(kind, extra)
    found = flops_per_token(shape_of(model_facts(config)), LENGTH)
    assert found.forward == pytest.approx(forward, rel=0.01)
    assert found.backward == pytest.approx(backward, rel=0.01)


SHAPE = Shape(1_000_000, 4, 64, 4, 2, 16, 256, 500, tied=True, linear=200_000)


def test_that_a_tied_head_counts_and_its_embedding_does_not_twice() -> None:
    tied, apart = SHAPE, SHAPE._replace(tied=False, parameters=SHAPE.parameters + SHAPE.embedding)
    assert flops_per_token(tied, 128) == flops_per_token(apart, 128)
    assert flops_per_token(tied, 128).forward == 2 * (200_000 + 500 * 64) + 4 * 4 * 64 * 128


def test_that_the_lean_head_counts_supervised_tokens_only() -> None:
    whole, half, none = (flops_per_token(SHAPE, 128, share) for share in (1.0, 0.5, 0.0))
    assert whole.model - half.model == pytest.approx(half.model - none.model) == pytest.approx(3 * 500 * 64)


def test_that_the_lean_head_computes_what_is_counted_for_it() -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode, mm_flop

    from remote_agent.trainer.lean_head import LeanHead

    tokens, supervised = 96, 24
    head = LeanHead(64, 500, bias=False)
    hidden = torch.randn(supervised, 64, requires_grad=True)
    in_place = {
        torch.ops.aten.addmm_: lambda into, left, right, **rest: mm_flop(left, right)
    }  # which the counter leaves out by itself
    with FlopCounterMode(display=False, custom_mapping=in_place) as counted:
        head(hidden, torch.randint(0, 500, (supervised,)))[0].backward()
    with_head, without = (flops_per_token(SHAPE, 128, share).model for share in (supervised / tokens, 0.0))
    assert counted.get_total_flops() / tokens == pytest.approx(with_head - without, rel=1e-6)


def test_that_frozen_weights_only_pass_gradients_on() -> None:
    whole, frozen = flops_per_token(SHAPE, 128), flops_per_token(SHAPE, 128, trained=0.0)
    assert whole.backward - frozen.backward == 2 * (200_000 + 500 * 64)
    assert whole.forward == frozen.forward


@pytest.mark.parametrize(
    ("checkpointing", "attention", "share"),
    [("none", "eager", 0.0), ("full", "eager", 1.0), ("offloaded", "eager", 1.0), ("submodules", "eager", 1.0),
     ("every_nth", "eager", 0.5), ("selective", "eager", 0.0), ("none", "flash", 0.0), ("full", "flash", 1.0)],
)  # fmt: skip
def test_that_recomputation_is_kept_apart(checkpointing: str, attention: str, share: float) -> None:
    setup = Setup(SHAPE, seq_len=128, checkpointing=checkpointing, checkpoint_every=2, attention=attention)
    found = flops_of(setup)
    positions = 4 * 4 * 64 * 128
    scores = positions / 2 if attention == "flash" else 0
    assert found.recomputed == share * (2 * 200_000 + positions) + scores
    assert found.model == flops_per_token(SHAPE, 128).model
    assert found.computed == found.model + found.recomputed


def test_that_the_flash_kernels_backward_is_what_torch_counts_for_it() -> None:
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    shape = (1, SHAPE.heads, 128, SHAPE.head_dim)
    backward = sdpa_backward_flop_count(shape, shape, shape, shape)  # type: ignore[no-untyped-call]
    forward = sdpa_flop_count(shape, shape, shape)  # type: ignore[no-untyped-call]
    found = flops_of(Setup(SHAPE, seq_len=128, checkpointing="none"))
    assert found.attention + found.recomputed == SHAPE.layers * (backward + forward) / 128


def test_that_an_unknown_architecture_gets_six_flops_a_parameter() -> None:
    assert flops_per_token(Shape(7_000_000, 1, 0, 0, 0, 0, 0, 0), 2048).model == 6 * 7_000_000


def test_that_a_mixture_counts_the_experts_a_token_passes() -> None:
    config = {"model_type": "mixtral", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336,
              "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
              "max_position_embeddings": 32768, "num_local_experts": 8, "num_experts_per_tok": 2}  # fmt: skip
    facts = model_facts(config)
    without_attention = flops_per_token(shape_of(facts), 1, attended=1e-9).model
    assert without_attention == pytest.approx(6 * (facts.active_parameters - 32000 * 4096), rel=1e-3)
