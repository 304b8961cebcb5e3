"""The names and shapes of Falcon's parameters and of mixtures of experts, from their config.json alone."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from remote_agent.contract.parameter_names import KNOWN_TYPES, NamedShape, UnknownModelError, named_shapes, size

FURTHER_TYPES = ("mixtral", "qwen2_moe", "qwen3_moe", "falcon")
ALL_TYPES = (*KNOWN_TYPES, *FURTHER_TYPES)

# What a mixture's attention, norms and embeddings are those of.
_DENSE_KIN = {"mixtral": "mistral", "qwen2_moe": "qwen2", "qwen3_moe": "qwen3"}


def all_shapes(config: Mapping[str, Any]) -> List[NamedShape]:
    """Return (name, shape) of every parameter of a model of one of `ALL_TYPES`, a tied head left out.

    Raises:
        UnknownModelError: for another model_type, a missing key, or a size that is no positive whole number.
    """
    kind = str(config.get("model_type") or "")
    if kind == "falcon":
        return _falcon(config)
    if kind in _DENSE_KIN:
        return _mixture(config, kind)
    if kind in KNOWN_TYPES:
        return named_shapes(config)
    raise UnknownModelError(
        "There is no formula for a model of type {}; known are {}.".format(kind or "(none)", ", ".join(ALL_TYPES))
    )


def experts_of(config: Mapping[str, Any]) -> Tuple[int, int, int]:
    """Return a mixture's number of experts, how many a token passes, and their inner width; zeros for dense models.

    Raises:
        UnknownModelError: a mixture's config lacks one of them.
    """
    kind = str(config.get("model_type") or "")
    if kind not in _DENSE_KIN:
        return 0, 0, 0
    count = size(config, "num_experts" if config.get("num_experts") else "num_local_experts")
    width = size(config, "intermediate_size" if kind == "mixtral" else "moe_intermediate_size")
    return count, size(config, "num_experts_per_tok"), width


def _mixture(config: Mapping[str, Any], kind: str) -> List[NamedShape]:
    hidden = size(config, "hidden_size")
    experts, _, width = experts_of(config)
    dense: Dict[str, Any] = dict(config)
    dense["model_type"] = _DENSE_KIN[kind]
    dense["head_dim"] = config.get("head_dim") or hidden // size(config, "num_attention_heads")
    dense.setdefault("intermediate_size", width)
    routed: List[NamedShape] = [
        ("mlp.gate.weight", (experts, hidden)),
        ("mlp.experts.gate_up_proj", (experts, 2 * width, hidden)),
        ("mlp.experts.down_proj", (experts, hidden, width)),
    ]
    if kind == "qwen2_moe":
        shared = size(config, "shared_expert_intermediate_size")
        routed += [
            ("mlp.shared_expert.gate_proj.weight", (shared, hidden)),
            ("mlp.shared_expert.up_proj.weight", (shared, hidden)),
            ("mlp.shared_expert.down_proj.weight", (hidden, shared)),
            ("mlp.shared_expert_gate.weight", (1, hidden)),
        ]
    found: List[NamedShape] = []
    for name, shape in named_shapes(dense):
        prefix, inside, rest = name.partition(".mlp.")
        layer = prefix.rpartition(".")[2]
        if not inside or not _is_routed(config, int(layer)):
            found.append((name, shape))
        elif rest.startswith("gate_proj"):
            found += [("{}.{}".format(prefix, part), size_) for part, size_ in routed]
    return found


def _is_routed(config: Mapping[str, Any], layer: int) -> bool:
    """Say whether a layer has experts; the Qwen mixtures may keep some layers dense."""
    if config.get("model_type") == "mixtral":
        return True
    step = config.get("decoder_sparse_step") or 1
    return layer not in (config.get("mlp_only_layers") or ()) and (layer + 1) % step == 0


def _falcon(config: Mapping[str, Any]) -> List[NamedShape]:
    hidden, vocabulary = size(config, "hidden_size"), size(config, "vocab_size")
    heads = size(config, "num_attention_heads")
    width = hidden // heads
    new = bool(config.get("new_decoder_architecture", False))
    if new:
        key_heads = size(config, "num_kv_heads") if config.get("num_kv_heads") else heads
    else:
        key_heads = 1 if config.get("multi_query", True) else heads
    inner = size(config, "ffn_hidden_size") if config.get("ffn_hidden_size") else 4 * hidden
    biased = bool(config.get("bias", False))
    norms = config.get("num_ln_in_parallel_attn") or (2 if new else 1)
    names = ["ln_attn", "ln_mlp"] if new and norms == 2 else ["input_layernorm"]
    if not new and not config.get("parallel_attn", True):
        names.append("post_attention_layernorm")
    layer: List[NamedShape] = []
    for name, rows, columns in (
        ("self_attention.query_key_value", (heads + 2 * key_heads) * width, hidden),
        ("self_attention.dense", hidden, hidden),
        ("mlp.dense_h_to_4h", inner, hidden),
        ("mlp.dense_4h_to_h", hidden, inner),
    ):
        layer.append((name + ".weight", (rows, columns)))
        if biased:
            layer.append((name + ".bias", (rows,)))
    for name in names:
        layer += [(name + ".weight", (hidden,)), (name + ".bias", (hidden,))]
    found: List[NamedShape] = [("transformer.word_embeddings.weight", (vocabulary, hidden))]
    for number in range(size(config, "num_hidden_layers")):
        found += [("transformer.h.{}.{}".format(number, name), shape) for name, shape in layer]
    found += [("transformer.ln_f.weight", (hidden,)), ("transformer.ln_f.bias", (hidden,))]
    if not config.get("tie_word_embeddings", True):
        found.append(("lm_head.weight", (vocabulary, hidden)))
    return found
