"""The model of a run: loaded from its folder, its forward pass ending in the loss the trainer needs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from remote_agent.contract.job_spec import JobSpec
from remote_agent.trainer.added_tokens import make_room
from remote_agent.trainer.batches import IGNORED
from remote_agent.trainer.lean_head import LeanHead
from remote_agent.trainer.wide_linear import is_worth_it, widen_linears

# Between the last hidden state and the logits these have a plain linear head and nothing else.
_PLAIN_HEADS = ("llama", "mistral", "qwen2", "qwen3")


def load_model(folder: Path, spec: JobSpec, spread: bool = False) -> Any:
    """Load a model for training, with the job's attention, precision, activation checkpointing and added tokens.

    Under ZeRO-3 the weights are split over the ranks while they load, so torch.distributed and the TrainingArguments
    with the DeepSpeed configuration have to exist before. With ``spread`` the layers are spread over all GPUs of this
    process, for a forward pass without DeepSpeed.

    Raises:
        OSError, ValueError: the folder holds no model that transformers can load.
        DataError: it has no tokenizer for the added tokens.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        attn_implementation=spec.strategy.attention,
        dtype=torch.bfloat16 if spec.strategy.precision == "bf16" else torch.float32,
        trust_remote_code=spec.model.trust_remote_code,
        local_files_only=True,
        use_safetensors=True,
        device_map="auto" if spread else None,
    )
    model.config.use_cache = False
    if spec.data.added_tokens:
        make_room(model, folder, spec.data.added_tokens)
    if spec.strategy.activation_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    end_in_loss(model, spec.regularization.label_smoothing)
    # under ZeRO-3 a weight comes and goes around the calls of modules that DeepSpeed knows
    if spec.strategy.precision == "fp32" and spec.strategy.zero_stage < 3 and is_worth_it():
        widen_linears(model)
    return model


def end_in_loss(model: Any, smoothing: float) -> None:
    """Let ``model(input_ids, position_ids, labels)`` end in the loss instead of the logits; without labels all stays.

    Without gradients the result is {"token_losses": [supervised tokens]}, fp32, plain. With them it needs
    ``num_items_in_batch`` and holds also ``loss``: the sum over the supervised tokens / num_items_in_batch, smoothed
    while the model trains, each token times its element of ``weights`` [batch, tokens] where that is given.
    """
    plain = model.forward
    lean = has_plain_head(model)
    if lean:
        model.lm_head.__class__ = LeanHead

    @functools.wraps(plain)
    def forward(*args: Any, labels: torch.Tensor | None = None, **inputs: Any) -> Any:
        if labels is None:
            return plain(*args, **inputs)
        assert not args, "inputs are passed by name"
        items, weights = (inputs.pop(name, None) for name in ("num_items_in_batch", "weights"))
        chosen = labels[:, 1:] != IGNORED
        targets = labels[:, 1:][chosen]
        weights = None if weights is None else weights[:, 1:][chosen]
        share = smoothing if model.training else 0.0
        if lean:
            hidden = model.model(**inputs, use_cache=False).last_hidden_state
            found = model.lm_head(hidden[:, :-1][chosen], targets, share, weights)
        else:
            logits = plain(**inputs, use_cache=False).logits
            found = _losses_of(logits[:, :-1][chosen].float(), targets, share, weights)
        if torch.is_grad_enabled():
            return {"loss": found[0] / items, "token_losses": found[1]}
        return {"token_losses": found}

    model.forward = forward


def has_plain_head(model: Any) -> bool:
    """Say whether the logits are a linear map of the last hidden state, so that the lean head may compute them."""
    head = getattr(model, "lm_head", None)
    return (
        model.config.model_type in _PLAIN_HEADS
        and isinstance(getattr(model, "model", None), nn.Module)
        and isinstance(head, nn.Linear)
        and type(head) in (nn.Linear, LeanHead)
        and head.bias is None
    )


def _losses_of(logits: torch.Tensor, targets: torch.Tensor, smoothing: float, weights: torch.Tensor | None) -> Any:
    """Return what `LeanHead` does, from the logits [positions, vocabulary]."""
    single = nn.functional.cross_entropy(logits.detach(), targets, reduction="none")
    if not torch.is_grad_enabled():
        return single
    losses = nn.functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    return (losses if weights is None else losses * weights).sum(), single
