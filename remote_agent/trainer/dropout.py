"""Dropout set in a model's config, and added after each layer's attention and MLP.

Source: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from remote_agent.contract.dropout_fields import dropout_fields

_ATTENTION = ("self_attn", "attention", "self_attention", "attn")
_MLP = ("mlp", "feed_forward", "ffn", "block_sparse_moe")


def override_dropout(config: Any, share: float) -> tuple[str, ...]:
    """Set every dropout of a transformers config before a model is made of it; return their names."""
    names = dropout_fields(config.to_dict())
    for name in names:
        setattr(config, name, share)
    return names


def add_residual_dropout(model: nn.Module, share: float) -> int:
    """Let what each layer's attention and MLP add to the residual stream lose ``share`` of its elements in training.

    Returns:
        How many modules got it.

    Raises:
        ValueError: the model has no module of a name that says attention or MLP.
    """
    found = 0
    for name, module in model.named_modules():
        parent, _, own = name.rpartition(".")
        # the layers are numbered, so "model.layers.3.mlp" is one of them and "vision.mlp" is not
        if own in (*_ATTENTION, *_MLP) and parent.rpartition(".")[2].isdigit():
            module.register_forward_hook(_Dropping(share))
            found += 1
    if not found:
        raise ValueError(
            f"Residual dropout found neither attention nor MLP modules in {type(model).__name__}; set it to 0."
        )
    return found


class _Dropping:
    """A forward hook that drops elements of a module's output, the first of them where there are several."""

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        if not module.training:
            return output
        if isinstance(output, torch.Tensor):
            return nn.functional.dropout(output, self._share)
        return (nn.functional.dropout(output[0], self._share), *output[1:])
