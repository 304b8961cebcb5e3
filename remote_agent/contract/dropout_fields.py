"""Which dropouts a model has, by its config.json and by what its architecture's config class knows beside it."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

_NAMES = (
    "attention_dropout", "hidden_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "dropout", "activation_dropout",
    "hidden_dropout_prob", "attention_probs_dropout_prob", "resid_dropout", "embd_dropout", "attn_dropout",
    "residual_dropout", "embedding_dropout", "embed_dropout", "attention_dropout_prob", "dropout_rate", "ffn_dropout",
)  # fmt: skip

# A config.json leaves out what has its class's default, so these are there without being named.
_ATTENTION = ("attention_dropout",)
_OF_CLASS: Mapping[str, Tuple[str, ...]] = {
    "llama": _ATTENTION, "mistral": _ATTENTION, "mixtral": _ATTENTION, "qwen2": _ATTENTION, "qwen3": _ATTENTION,
    "gemma": _ATTENTION, "gemma2": _ATTENTION, "olmo": _ATTENTION, "olmo2": _ATTENTION, "granite": _ATTENTION,
    "smollm3": _ATTENTION, "phi3": ("attention_dropout", "embd_pdrop", "resid_pdrop"),
    "phi": ("attention_dropout", "embd_pdrop", "resid_pdrop"),
    "gpt2": ("attn_pdrop", "embd_pdrop", "resid_pdrop"), "gptj": ("attn_pdrop", "embd_pdrop", "resid_pdrop"),
    "gpt_neox": ("attention_dropout", "hidden_dropout"), "falcon": ("attention_dropout", "hidden_dropout"),
    "bloom": ("attention_dropout", "hidden_dropout"), "opt": ("attention_dropout", "dropout"),
}  # fmt: skip


def dropout_fields(config: Mapping[str, Any]) -> Tuple[str, ...]:
    """Return the names of a model config's dropouts, sorted; empty where it has none.

    Args:
        config: the parsed config.json, or what transformers makes of it.
    """
    return tuple(sorted(dropouts(config)))


def dropouts(config: Mapping[str, Any]) -> Dict[str, float]:
    """Return the dropouts with their values; one that only the architecture knows stands at its usual default.

    Dropouts of a classification head and of whole layers are none of them.
    """
    kind = str(config.get("model_type", ""))
    default = 0.1 if kind in ("gpt2", "opt") else 0.0
    found = {name: default for name in _OF_CLASS.get(kind, ())}
    for name in _NAMES:
        value = config.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = float(value)
    return found
