"""What a model's config.json says: its parameters to the tensor, its limits, its layers, its experts."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Tuple

from remote_agent.contract.further_shapes import all_shapes, experts_of
from remote_agent.contract.parameter_names import UnknownModelError as UnknownModelError
from remote_agent.contract.parameter_names import is_tied, size


class Tensor(NamedTuple):
    """A weight tensor's name and shape."""

    name: str
    shape: Tuple[int, ...]

    @property
    def elements(self) -> int:
        """Return the number of elements."""
        product = 1
        for length in self.shape:
            product *= length
        return product


class ModelFacts(NamedTuple):
    """The figures that tokens, batch, memory and FLOPs need.

    ``intermediate`` is the inner width of the MLP a token passes, all experts it passes together (and a shared one).
    ``active_parameters`` are those a token passes: all of a dense model. ``largest_parameter`` counts the elements of
    the largest tensor. ``norm`` is "rms" or "layer". ``experts`` is 0 for a dense model.
    ``plain_gelu``: the activation is written out in elementary operations, which autograd keeps.
    ``fused_qkv``: queries, keys and values come from one linear layer, and the values keep its whole output.
    ``linear_elements`` are those of the layers' matrices that a token is multiplied with: of the experts those it
    passes, neither embeddings nor head.
    """

    model_type: str
    parameters: int
    embedding_parameters: int
    layers: int
    hidden: int
    vocabulary: int
    max_length: int
    tied_embeddings: bool
    heads: int = 1
    kv_heads: int = 1
    head_dim: int = 1
    intermediate: int = 1
    gated_mlp: bool = True
    qk_norm: bool = False
    norm: str = "rms"
    norms_per_layer: int = 2
    experts: int = 0
    experts_per_token: int = 0
    active_parameters: int = 0
    largest_parameter: int = 0
    plain_gelu: bool = False
    fused_qkv: bool = False
    linear_elements: int = 0


_LAYER_NORMED = ("gpt2", "gpt_neox", "falcon", "starcoder2")
_UNGATED = ("gpt2", "gpt_neox", "falcon", "starcoder2")
_DEFAULT_LIMIT = {"falcon": 2048}


def longest_sequence(config: Mapping[str, Any]) -> int:
    """Return the most tokens a model's config.json allows, under either name it has for them; 0 where it has none."""
    for key in ("max_position_embeddings", "n_positions"):
        limit = config.get(key)
        if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
            return limit
    return 0


def model_facts(config: Mapping[str, Any]) -> ModelFacts:
    """Return the facts of a decoder-only model; `further_shapes.ALL_TYPES` lists the types there are formulas for.

    Args:
        config: the parsed config.json of the model.

    Raises:
        UnknownModelError: for another model_type, a missing key, or a size that is no positive whole number.
    """
    tensors = model_tensors(config)
    kind = str(config["model_type"])
    hidden, vocabulary, layers = (
        size(config, "hidden_size"),
        size(config, "vocab_size"),
        size(config, "num_hidden_layers"),
    )
    heads, kv_heads, head_dim = _heads(config, kind, tensors)
    experts, per_token, width = experts_of(config)
    tied = is_tied(config) if kind != "falcon" else bool(config.get("tie_word_embeddings", True))
    parameters = sum(tensor.elements for tensor in tensors)
    idle = sum(tensor.elements * (experts - per_token) // experts for tensor in tensors if ".experts." in tensor.name)
    by_default = kind in _DEFAULT_LIMIT and not config.get("max_position_embeddings")
    limit = _DEFAULT_LIMIT[kind] if by_default else size(config, "max_position_embeddings")
    return ModelFacts(
        model_type=kind,
        parameters=parameters,
        embedding_parameters=(1 if tied else 2) * vocabulary * hidden,
        layers=layers,
        hidden=hidden,
        vocabulary=vocabulary,
        max_length=limit,
        tied_embeddings=tied,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=_intermediate(config, kind, per_token * width),
        gated_mlp=kind not in _UNGATED,
        qk_norm=any(".q_norm." in tensor.name for tensor in tensors),
        norm="layer" if kind in _LAYER_NORMED else "rms",
        norms_per_layer=4 if kind in ("gemma2", "gemma3_text") else 2,
        experts=experts,
        experts_per_token=per_token,
        active_parameters=parameters - idle,
        largest_parameter=max(tensor.elements for tensor in tensors),
        fused_qkv=kind in ("gpt_neox", "phi3", "falcon"),
        linear_elements=_linear(tensors, experts, per_token),
        plain_gelu=kind == "gpt2" and config.get("activation_function", "gelu_new") in ("gelu_new", "gelu_fast"),
    )


def model_tensors(config: Mapping[str, Any]) -> List[Tensor]:
    """Return every weight tensor under transformers' parameter names; a tied head is left out.

    Raises:
        UnknownModelError: as in `model_facts`.
    """
    return [Tensor(name, shape) for name, shape in all_shapes(config)]


def _linear(tensors: List[Tensor], experts: int, per_token: int) -> int:
    """Return the elements of the layers' matrices that one token meets."""
    inside = [tensor for tensor in tensors if ".layers." in tensor.name or ".h." in tensor.name]
    dense = sum(tensor.elements for tensor in inside if len(tensor.shape) == 2)
    routed = sum(tensor.elements for tensor in inside if len(tensor.shape) == 3)
    return dense + (routed * per_token // experts if experts else 0)


def _heads(config: Mapping[str, Any], kind: str, tensors: List[Tensor]) -> Tuple[int, int, int]:
    """Return the query heads, the key heads and a head's width, the last two as the tensors have them."""
    heads, hidden = size(config, "num_attention_heads"), size(config, "hidden_size")
    shapes = {
        tensor.name.rpartition(".layers.0.")[2]: tensor.shape for tensor in tensors if ".layers.0." in tensor.name
    }
    queries, together = shapes.get("self_attn.q_proj.weight"), shapes.get("self_attn.qkv_proj.weight")
    if queries is not None:
        head_dim = queries[0] // heads
    else:
        head_dim = (shapes["self_attn.o_proj.weight"][1] if together is not None else hidden) // heads
    if head_dim < 1:
        raise UnknownModelError(
            "The num_attention_heads of {} are more than the hidden_size of {} has room for.".format(heads, hidden)
        )
    if queries is not None:
        return heads, shapes["self_attn.k_proj.weight"][0] // head_dim, head_dim
    if together is not None:
        return heads, (together[0] // head_dim - heads) // 2, head_dim
    if kind == "falcon":
        rows = next(tensor.shape[0] for tensor in tensors if tensor.name.endswith("query_key_value.weight"))
        return heads, (rows * heads // hidden - heads) // 2, head_dim
    return heads, heads, head_dim


def _intermediate(config: Mapping[str, Any], kind: str, routed: int) -> int:
    if routed:
        return routed + (size(config, "shared_expert_intermediate_size") if kind == "qwen2_moe" else 0)
    if kind == "gpt2":
        return size(config, "n_inner") if config.get("n_inner") else 4 * size(config, "hidden_size")
    if kind == "falcon":
        return size(config, "ffn_hidden_size") if config.get("ffn_hidden_size") else 4 * size(config, "hidden_size")
    return size(config, "intermediate_size")
