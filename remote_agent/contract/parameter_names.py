"""The names and shapes of a model's parameters from its config.json alone, as transformers makes them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

NamedShape = Tuple[str, Tuple[int, ...]]


class UnknownModelError(ValueError):
    """The config lacks a key or names a type there is no formula for; the sentence says which."""


LLAMA_LIKE = (
    "llama", "mistral", "qwen2", "qwen3", "granite", "olmo2", "gemma", "gemma2", "gemma3_text", "phi3", "starcoder2"
)  # fmt: skip
KNOWN_TYPES = (*LLAMA_LIKE, "gpt2", "gpt_neox")

# A config.json leaves out what is transformers' default for its type.
_TIED_BY_DEFAULT = ("gemma", "gemma2", "gemma3_text", "gpt2", "starcoder2")
_HEAD_DIM = {"qwen3": 128, "gemma": 256, "gemma2": 256, "gemma3_text": 256}
_GPT2_KEYS = {
    "hidden_size": "n_embd",
    "num_hidden_layers": "n_layer",
    "num_attention_heads": "n_head",
    "max_position_embeddings": "n_positions",
}


def named_shapes(config: Mapping[str, Any]) -> List[NamedShape]:
    """Return (name, shape) of every parameter in transformers' order; a tied head is left out.

    Args:
        config: the parsed config.json of a decoder-only model of one of `KNOWN_TYPES`.

    Raises:
        UnknownModelError: for another model_type, a missing key, or a size that is no positive whole number.
    """
    kind = config.get("model_type")
    if kind not in KNOWN_TYPES:
        raise UnknownModelError(
            "There is no formula for a model of type {}; known are {}.".format(kind or "(none)", ", ".join(KNOWN_TYPES))
        )
    if kind == "gpt2":
        return _gpt2(config)
    if kind == "gpt_neox":
        return _gpt_neox(config)
    hidden, vocabulary = size(config, "hidden_size"), size(config, "vocab_size")
    layer = _phi3_layer(config) if kind == "phi3" else _llama_layer(config)
    found: List[NamedShape] = [("model.embed_tokens.weight", (vocabulary, hidden))] + _layers(
        "model.layers", config, layer
    )
    found += _norm("model.norm", hidden, bias=kind == "starcoder2")
    return found + _head(config, "lm_head", (vocabulary, hidden))


def names_of_config(config: Mapping[str, Any]) -> Tuple[NamedShape, ...]:
    """Return what `named_shapes` does, and nothing where the config is of no known kind."""
    try:
        return tuple(named_shapes(config))
    except UnknownModelError:
        return ()


def is_tied(config: Mapping[str, Any]) -> bool:
    """Say whether the head is the token embeddings once more, by the config or its type's default."""
    return bool(config.get("tie_word_embeddings", config.get("model_type") in _TIED_BY_DEFAULT))


def size(config: Mapping[str, Any], key: str) -> int:
    """Return a size of the config, under GPT-2's own name for it where that is its type.

    Raises:
        UnknownModelError: it is missing or no positive whole number.
    """
    if config.get("model_type") == "gpt2":
        key = _GPT2_KEYS.get(key, key)
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UnknownModelError("The model's config.json says {} for {}; a positive whole number is needed.".format(
            "nothing" if value is None else repr(value), key))  # fmt: skip
    return value


def _layers(prefix: str, config: Mapping[str, Any], layer: List[NamedShape]) -> List[NamedShape]:
    count = size(config, "num_hidden_layers")
    return [("{}.{}.{}".format(prefix, number, name), shape) for number in range(count) for name, shape in layer]


def _head(config: Mapping[str, Any], name: str, shape: Tuple[int, ...]) -> List[NamedShape]:
    return [] if is_tied(config) else [(name + ".weight", shape)]


def _norm(name: str, width: int, bias: bool) -> List[NamedShape]:
    found: List[NamedShape] = [(name + ".weight", (width,))]
    return found + ([(name + ".bias", (width,))] if bias else [])


def _linear(name: str, rows: int, columns: int, bias: bool) -> List[NamedShape]:
    found: List[NamedShape] = [(name + ".weight", (rows, columns))]
    return found + ([(name + ".bias", (rows,))] if bias else [])


def _heads(config: Mapping[str, Any]) -> Tuple[int, int, int]:
    """Return the numbers of query heads and of key heads, and a head's width."""
    heads = size(config, "num_attention_heads")
    kv_heads = size(config, "num_key_value_heads") if config.get("num_key_value_heads") else heads
    if config.get("head_dim"):
        return heads, kv_heads, size(config, "head_dim")
    return heads, kv_heads, _HEAD_DIM.get(str(config["model_type"])) or size(config, "hidden_size") // heads


def _llama_layer(config: Mapping[str, Any]) -> List[NamedShape]:
    kind, hidden = str(config["model_type"]), size(config, "hidden_size")
    heads, kv_heads, width = _heads(config)
    biased = bool(config.get("use_bias", True)) if kind == "starcoder2" else bool(config.get("attention_bias", False))
    found: List[NamedShape] = []
    for name, count in (("q_proj", heads), ("k_proj", kv_heads), ("v_proj", kv_heads)):
        found += _linear("self_attn." + name, count * width, hidden, biased or kind == "qwen2")
    found += _linear("self_attn.o_proj", hidden, heads * width, biased)
    if kind in ("qwen3", "gemma3_text"):
        found += _norm("self_attn.q_norm", width, False) + _norm("self_attn.k_norm", width, False)
    elif kind == "olmo2":
        found += _norm("self_attn.q_norm", heads * width, False) + _norm("self_attn.k_norm", kv_heads * width, False)
    found += _llama_mlp(config, kind, hidden)
    norms: Dict[str, Tuple[str, ...]] = {
        "olmo2": ("post_attention_layernorm", "post_feedforward_layernorm"),
        "gemma2": ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
                   "post_feedforward_layernorm"),
    }  # fmt: skip
    norms["gemma3_text"] = norms["gemma2"]
    for name in norms.get(kind, ("input_layernorm", "post_attention_layernorm")):
        found += _norm(name, hidden, bias=kind == "starcoder2")
    return found


def _llama_mlp(config: Mapping[str, Any], kind: str, hidden: int) -> List[NamedShape]:
    inner = size(config, "intermediate_size")
    if kind == "starcoder2":
        biased = bool(config.get("use_bias", True))
        return _linear("mlp.c_fc", inner, hidden, biased) + _linear("mlp.c_proj", hidden, inner, biased)
    biased = bool(config.get("mlp_bias", False)) and kind in ("llama", "granite")
    found = _linear("mlp.gate_proj", inner, hidden, biased) + _linear("mlp.up_proj", inner, hidden, biased)
    return found + _linear("mlp.down_proj", hidden, inner, biased)


def _phi3_layer(config: Mapping[str, Any]) -> List[NamedShape]:
    hidden, inner = size(config, "hidden_size"), size(config, "intermediate_size")
    heads, kv_heads, width = _heads(config)
    found = _linear("self_attn.o_proj", hidden, heads * width, False)
    found += _linear("self_attn.qkv_proj", (heads + 2 * kv_heads) * width, hidden, False)
    found += _linear("mlp.gate_up_proj", 2 * inner, hidden, False) + _linear("mlp.down_proj", hidden, inner, False)
    return found + _norm("input_layernorm", hidden, False) + _norm("post_attention_layernorm", hidden, False)


def _gpt2(config: Mapping[str, Any]) -> List[NamedShape]:
    """GPT-2's linear layers are stored as [inputs, outputs]."""
    hidden, vocabulary = size(config, "hidden_size"), size(config, "vocab_size")
    inner = size(config, "n_inner") if config.get("n_inner") is not None else 4 * hidden
    layer: List[NamedShape] = _norm("ln_1", hidden, True)
    for name, rows, columns in (("attn.c_attn", hidden, 3 * hidden), ("attn.c_proj", hidden, hidden)):
        layer += [(name + ".weight", (rows, columns)), (name + ".bias", (columns,))]
    layer += _norm("ln_2", hidden, True)
    for name, rows, columns in (("mlp.c_fc", hidden, inner), ("mlp.c_proj", inner, hidden)):
        layer += [(name + ".weight", (rows, columns)), (name + ".bias", (columns,))]
    found: List[NamedShape] = [
        ("transformer.wte.weight", (vocabulary, hidden)),
        ("transformer.wpe.weight", (size(config, "max_position_embeddings"), hidden)),
    ]
    found += _layers("transformer.h", config, layer) + _norm("transformer.ln_f", hidden, True)
    return found + _head(config, "lm_head", (vocabulary, hidden))


def _gpt_neox(config: Mapping[str, Any]) -> List[NamedShape]:
    hidden, vocabulary = size(config, "hidden_size"), size(config, "vocab_size")
    inner = size(config, "intermediate_size")
    biased = bool(config.get("attention_bias", True))
    layer = _norm("input_layernorm", hidden, True) + _norm("post_attention_layernorm", hidden, True)
    layer += _linear("attention.query_key_value", 3 * hidden, hidden, biased)
    layer += _linear("attention.dense", hidden, hidden, biased)
    layer += _linear("mlp.dense_h_to_4h", inner, hidden, True) + _linear("mlp.dense_4h_to_h", hidden, inner, True)
    found: List[NamedShape] = [("gpt_neox.embed_in.weight", (vocabulary, hidden))] + _layers(
        "gpt_neox.layers", config, layer
    )
    found += _norm("gpt_neox.final_layer_norm", hidden, True)
    return found + _head(config, "lm_head", (vocabulary, hidden))
