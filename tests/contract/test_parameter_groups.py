"""Groups and names of parameters against transformers' models and rules, states against PyTorch's optimizers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, Trainer

from remote_agent.contract.job_spec import OptimizerSpec
from remote_agent.contract.optimizer_states import (
    optimizer_state_bytes,
    state_bytes_per_parameter,
    tensor_state_bytes,
)
from remote_agent.contract.parameter_groups import (
    EMBEDDINGS,
    HEAD,
    idle_patterns,
    layer_of,
    name_families,
    parameter_groups,
    part_of,
)
from remote_agent.contract.parameter_names import KNOWN_TYPES, UnknownModelError, named_shapes
from remote_agent.trainer.optimizers.choice import build_optimizer

SIZES: dict[str, Any] = {
    "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 12, "max_position_embeddings": 64,
}  # fmt: skip
GPT2 = {"vocab_size": 96, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}


def _model(kind: str, **more: Any) -> Any:
    sizes = dict(GPT2 if kind == "gpt2" else SIZES)
    if kind == "phi3":
        sizes.update(pad_token_id=0, head_dim=8)
    if kind in ("mistral", "qwen2", "granite", "olmo2", "starcoder2", "gpt_neox", "llama"):
        sizes["head_dim"] = 8
    config = CONFIG_MAPPING[kind](**sizes, **more)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def _shapes(model: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(parameter.shape)) for name, parameter in model.named_parameters()]


@pytest.mark.parametrize("kind", KNOWN_TYPES)
@pytest.mark.parametrize("tied", [True, False])
def test_that_names_and_shapes_are_those_of_transformers(kind: str, tied: bool) -> None:
    model = _model(kind, tie_word_embeddings=tied)
    config = model.config.to_dict()
    assert dict(named_shapes(config)) == dict(_shapes(model))
    # as a config.json is written, which leaves out what is the default
    assert dict(named_shapes({**model.config.to_diff_dict(), **_sizes(model)})) == dict(_shapes(model))


def _sizes(model: Any) -> dict[str, Any]:
    keys = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
    return {} if model.config.model_type == "gpt2" else {key: getattr(model.config, key) for key in keys}


@pytest.mark.parametrize(("kind", "biases"), [("llama", {"attention_bias": True, "mlp_bias": True}),
                                              ("gpt_neox", {"attention_bias": False}),
                                              ("starcoder2", {"use_bias": False})])  # fmt: skip
def test_that_biases_are_there_where_the_config_says_so(kind: str, biases: dict[str, bool]) -> None:
    model = _model(kind, **biases)
    assert dict(named_shapes(model.config.to_dict())) == dict(_shapes(model))


def test_that_a_type_without_a_formula_is_named() -> None:
    with pytest.raises(UnknownModelError, match="mamba"):
        named_shapes({"model_type": "mamba"})


@pytest.mark.parametrize("kind", KNOWN_TYPES)
def test_that_decay_falls_where_transformers_lets_it_fall_apart_from_the_ends(kind: str) -> None:
    model = _model(kind, tie_word_embeddings=False)
    theirs = set(Trainer.get_decay_parameter_names(None, model))
    for chosen in (False, True):
        groups = parameter_groups(_shapes(model), OptimizerSpec(weight_decay=0.3, decay_embeddings=chosen))
        decayed = {name for group in groups if group.weight_decay for name in group.names}
        ends = set() if chosen else {name for name in theirs if part_of(name) in (EMBEDDINGS, HEAD)}
        assert decayed == theirs - ends


@pytest.mark.parametrize("kind", KNOWN_TYPES)
def test_that_embeddings_head_and_layers_are_told_by_their_names(kind: str) -> None:
    model = _model(kind, tie_word_embeddings=False)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    embedded = {names[id(one.weight)] for one in model.modules() if isinstance(one, torch.nn.Embedding)}
    assert {name for name in names.values() if part_of(name) == EMBEDDINGS} == embedded
    head = names[id(model.get_output_embeddings().weight)]
    assert {name for name in names.values() if part_of(name) == HEAD} == {head}
    assert {layer_of(name) for name in names.values()} == {-1, 0, 1, 2}


def test_that_each_layer_learns_a_factor_less_than_the_one_above() -> None:
    shapes = _shapes(_model("llama", tie_word_embeddings=False))
    spec = OptimizerSpec(layer_decay=0.5, embedding_factor=4.0, head_factor=3.0)
    factor = {name: group.lr_factor for group in parameter_groups(shapes, spec) for name in group.names}
    assert [factor[f"model.layers.{layer}.mlp.up_proj.weight"] for layer in range(3)] == [0.25, 0.5, 1.0]
    assert (factor["model.norm.weight"], factor["lm_head.weight"]) == (1.0, 3.0)
    assert factor["model.embed_tokens.weight"] == 0.125 * 4.0
    first = parameter_groups(shapes, spec)[0]
    assert (first.lr_factor, first.layers) == (1.0, (2, 2))


def test_that_muon_takes_the_matrices_of_the_layers_and_adamw_the_rest() -> None:
    groups = parameter_groups(_shapes(_model("qwen2", tie_word_embeddings=False)), OptimizerSpec(kind="muon"))
    by_rule = {rule: {n for g in groups if g.rule == rule for n in g.names} for rule in ("muon", "adamw")}
    assert all(layer_of(name) >= 0 and name.endswith("_proj.weight") for name in by_rule["muon"])
    assert {"model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"} < by_rule["adamw"]
    assert len(by_rule["muon"]) == 3 * 7


def test_that_a_pattern_freezes_and_one_that_matches_nothing_is_told_with_what_is_near() -> None:
    shapes = _shapes(_model("llama"))
    spec = OptimizerSpec(frozen=("model.layers.0.*", "model.embed_tokens.weight"))
    frozen = {name for group in parameter_groups(shapes, spec) if group.frozen for name in group.names}
    assert frozen == {name for name, _ in shapes if name.startswith("model.layers.0.") or "embed" in name}
    names = [name for name, _ in shapes]
    assert idle_patterns(names, spec.frozen) == ()
    ((pattern, near),) = idle_patterns(names, ("model.layers.*.mlp.down.weight", "lm_head.weight"))
    assert pattern == "model.layers.*.mlp.down.weight" and near[0] == "model.layers.*.mlp.down_proj.weight"


def test_that_families_of_names_are_written_once() -> None:
    names = ["a.0.w", "a.1.w", "b.w", "a.2.w", "c.7.w"]
    assert name_families(names) == (("a.*.w", 3), ("b.w", 1), ("c.7.w", 1))


@given(
    st.sampled_from(KNOWN_TYPES), st.sampled_from(["adamw", "muon", "sgd"]), st.floats(0.1, 1.0), st.floats(0.1, 2.0),
    st.booleans(), st.sampled_from([(), ("*.0.*",), ("*",), ("*norm*", "*bias")]),
)  # fmt: skip
def test_that_every_parameter_is_in_exactly_one_group(
    kind: str, rule: str, decay: float, factor: float, embeddings: bool, frozen: tuple[str, ...]
) -> None:
    shapes = MODELS[kind]
    spec = OptimizerSpec(kind=rule, layer_decay=decay, head_factor=factor, decay_embeddings=embeddings, frozen=frozen)
    groups = parameter_groups(shapes, spec)
    assert sorted(name for group in groups for name in group.names) == sorted(name for name, _ in shapes)
    assert sum(group.count for group in groups) == sum(torch.Size(shape).numel() for _, shape in shapes)
    kinds = [(g.lr_factor, g.weight_decay, g.rule, g.frozen) for g in groups]
    assert len(set(kinds)) == len(kinds)
    order = [name for name, _ in shapes]
    assert all(list(group.names) == sorted(group.names, key=order.index) for group in groups)


MODELS = {kind: _shapes(_model(kind, tie_word_embeddings=False)) for kind in KNOWN_TYPES}


@pytest.mark.parametrize("kind", ["adamw", "lion", "muon", "sgd", "adafactor"])
def test_that_the_bytes_stated_are_those_of_the_optimizers_states(kind: str) -> None:
    spec = OptimizerSpec(kind=kind, frozen=("*.2.*",))
    shapes = MODELS["qwen2"]
    weights = {name: torch.nn.Parameter(torch.ones(shape)) for name, shape in shapes}
    groups: list[dict[str, Any]] = [
        {"params": [weights[name] for name in group.names], "rule": group.rule}
        for group in parameter_groups(shapes, spec)
        if not group.frozen
    ]
    optimizer = build_optimizer(groups, spec)
    for group in groups:
        for weight in group["params"]:
            weight.grad = torch.ones_like(weight)
    optimizer.step()
    kept = [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    assert sum(value.nbytes for value in kept if value.numel() > 1) == optimizer_state_bytes(shapes, spec)
    if kind != "adafactor":
        stated = state_bytes_per_parameter(kind)
        trained = [group for group in parameter_groups(shapes, spec) if not group.frozen]
        of_muon = sum(group.count for group in trained if group.rule == "muon")
        others = sum(group.count for group in trained) - of_muon
        assert optimizer_state_bytes(shapes, spec) == stated.matrices * of_muon + stated.others * others


def test_that_eight_bits_keep_what_is_stated_of_large_tensors_and_fp32_of_small_ones() -> None:
    shapes, spec = (("large", (65, 100)), ("small", (50,))), OptimizerSpec(kind="adamw_8bit")
    weights = {name: torch.nn.Parameter(torch.ones(shape)) for name, shape in shapes}
    optimizer = build_optimizer([{"params": list(weights.values())}], spec)
    for weight in weights.values():
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    for name, shape in shapes:
        state = optimizer.state[weights[name]]
        # all tensors share the tables of what a byte stands for
        kept = [value for key, value in state.items() if torch.is_tensor(value) and not key.startswith("qmap")]
        assert sum(value.nbytes for value in kept) == tensor_state_bytes("adamw_8bit", shape)
    assert tensor_state_bytes("adamw_8bit", (256, 256)) == state_bytes_per_parameter("adamw_8bit").matrices * 256**2
