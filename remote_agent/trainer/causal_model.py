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
from remote_agent.trainer.batches import IGNORED
from remote_agent.trainer.lean_head import LeanHead
from remote_agent.trainer.wide_linear import is_worth_it, widen_linears

# Between the last hidden state and the logits these have a plain linear head and nothing else.
_PLAIN_HEADS = ("llama", "mistral", "qwen2", "qwen3")


def load_model(folder: Path, spec: JobSpec) -> Any:
    """Load a model for training, with the job's attention, precision and activation checkpointing.

    Under ZeRO-3 the weights are split over the ranks while they load, so torch.distributed and the TrainingArguments
    with the DeepSpeed configuration have to exist before.

    Raises:
        OSError, ValueError: the folder holds no model that transformers can load.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        attn_implementation=spec.strategy.attention,
        dtype=torch.bfloat16 if spec.strategy.precision == "bf16" else torch.float32,
        trust_remote_code=spec.model.trust_remote_code,
        local_files_only=True,
        use_safetensors=True,
    )
    model.config.use_cache = False
    if spec.strategy.activation_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    end_in_loss(model, spec.regularization.label_smoothing)
    # under ZeRO-3 a weight comes and goes around the calls of modules that DeepSpeed knows
    if spec.strategy.precision == "fp32" and spec.strategy.zero_stage < 3 and is_worth_it():
        widen_linears(model)
    return model


def end_in_loss(model: Any, smoothing: float) -> None:
    """Let ``model(input_ids, position_ids, labels)`` end in the loss instead of the logits; without labels all stays.

    With ``num_items_in_batch`` the result is {"loss": sum over the supervised tokens / num_items_in_batch}, smoothed
    while the model trains; without, {"token_losses": [supervised tokens]} in fp32, never smoothed.
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
        items = inputs.pop("num_items_in_batch", None)
        share = smoothing if model.training else 0.0
        losses = (_lean if lean else _through_logits)(model, plain, inputs, labels, share)
        if items is None:
            return {"token_losses": losses}
        return {"loss": losses.sum() / items}

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


def _lean(model: Any, plain: Any, inputs: dict[str, Any], labels: torch.Tensor, smoothing: float) -> torch.Tensor:
    hidden = model.model(**inputs, use_cache=False).last_hidden_state
    targets = labels[:, 1:]
    chosen = targets != IGNORED
    found: torch.Tensor = model.lm_head(hidden[:, :-1][chosen], targets[chosen], smoothing)
    return found


def _through_logits(
    model: Any, plain: Any, inputs: dict[str, Any], labels: torch.Tensor, smoothing: float
) -> torch.Tensor:
    logits = plain(**inputs, use_cache=False).logits[:, :-1]
    targets = labels[:, 1:]
    chosen = targets != IGNORED
    return nn.functional.cross_entropy(
        logits[chosen].float(), targets[chosen], reduction="none", label_smoothing=smoothing
    )
