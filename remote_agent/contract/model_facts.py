"""What a model's config.json says: its parameters to the tensor, its limits, its layers."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Tuple


class Tensor(NamedTuple):
    """A weight tensor's name and shape."""

    name: str
    shape: Tuple[int, ...]

    @property
    def elements(self) -> int:
        """Return the number of elements."""
        product = 1
        for size in self.shape:
            product *= size
        return product


class ModelFacts(NamedTuple):
    """The figures that tokens, batch and memory need."""

    model_type: str
    parameters: int
    embedding_parameters: int
    layers: int
    hidden: int
    vocabulary: int
    max_length: int
    tied_embeddings: bool


class UnknownModelError(ValueError):
    """The config lacks a key or names a type there is no formula for; the sentence says which."""


_LLAMA_LIKE = ("llama", "mistral", "qwen2", "qwen3")


def model_facts(config: Mapping[str, Any]) -> ModelFacts:
    """Return the facts of a decoder-only model of the Llama family (Llama, Mistral, Qwen 2, Qwen 3).

    Args:
        config: the parsed config.json of the model.

    Raises:
        UnknownModelError: for another model_type, a missing key, or a size that is no positive whole number.
    """
    tensors = model_tensors(config)
    embedding = _size(config, "vocab_size") * _size(config, "hidden_size")
    tied = bool(config.get("tie_word_embeddings", False))
    return ModelFacts(
        model_type=str(config["model_type"]),
        parameters=sum(tensor.elements for tensor in tensors),
        embedding_parameters=embedding if tied else 2 * embedding,
        layers=_size(config, "num_hidden_layers"),
        hidden=_size(config, "hidden_size"),
        vocabulary=_size(config, "vocab_size"),
        max_length=_size(config, "max_position_embeddings"),
        tied_embeddings=tied,
    )


def model_tensors(config: Mapping[str, Any]) -> List[Tensor]:
    """Return every weight tensor under transformers' parameter names; a tied head is left out.

    Raises:
        UnknownModelError: as in `model_facts`.
    """
    kind = config.get("model_type")
    if kind not in _LLAMA_LIKE:
        raise UnknownModelError(
            "There is no formula for a model of type {}; known are {}.".format(kind or "(none)", ", ".join(_LLAMA_LIKE))
        )
    hidden, layers = _size(config, "hidden_size"), _size(config, "num_hidden_layers")
    tensors = [Tensor("model.embed_tokens.weight", (_size(config, "vocab_size"), hidden))]
    for layer in range(layers):
        tensors += [Tensor("model.layers.{}.{}".format(layer, name), shape) for name, shape in _layer(config)]
    tensors.append(Tensor("model.norm.weight", (hidden,)))
    if not config.get("tie_word_embeddings", False):
        tensors.append(Tensor("lm_head.weight", (_size(config, "vocab_size"), hidden)))
    return tensors


def _layer(config: Mapping[str, Any]) -> List[Tuple[str, Tuple[int, ...]]]:
    kind = config["model_type"]
    hidden, heads = _size(config, "hidden_size"), _size(config, "num_attention_heads")
    kv_heads = _size(config, "num_key_value_heads") if config.get("num_key_value_heads") else heads
    head_dim = _size(config, "head_dim") if config.get("head_dim") else hidden // heads
    intermediate = _size(config, "intermediate_size")
    attention_bias = bool(config.get("attention_bias", False))
    shapes: List[Tuple[str, Tuple[int, ...]]] = []
    for name, rows, columns in (
        ("q_proj", heads * head_dim, hidden),
        ("k_proj", kv_heads * head_dim, hidden),
        ("v_proj", kv_heads * head_dim, hidden),
        ("o_proj", hidden, heads * head_dim),
    ):
        shapes.append(("self_attn.{}.weight".format(name), (rows, columns)))
        if attention_bias or (kind == "qwen2" and name != "o_proj"):
            shapes.append(("self_attn.{}.bias".format(name), (rows,)))
    if kind == "qwen3":
        shapes += [("self_attn.q_norm.weight", (head_dim,)), ("self_attn.k_norm.weight", (head_dim,))]
    for name, rows, columns in (
        ("gate_proj", intermediate, hidden),
        ("up_proj", intermediate, hidden),
        ("down_proj", hidden, intermediate),
    ):
        shapes.append(("mlp.{}.weight".format(name), (rows, columns)))
        if config.get("mlp_bias", False):
            shapes.append(("mlp.{}.bias".format(name), (rows,)))
    shapes += [("input_layernorm.weight", (hidden,)), ("post_attention_layernorm.weight", (hidden,))]
    return shapes


def _size(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UnknownModelError("The model's config.json says {} for {}; a positive whole number is needed.".format(
            "nothing" if value is None else repr(value), key))  # fmt: skip
    return value
