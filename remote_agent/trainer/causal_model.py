"""The model of a run: loaded from its folder, its forward pass ending in the loss the trainer needs."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.recipe_spec import RegularizationSpec
from remote_agent.trainer.added_tokens import make_room
from remote_agent.trainer.dropout import add_residual_dropout, override_dropout
from remote_agent.trainer.embedding_changes import EmbeddingChanges
from remote_agent.trainer.lean_head import LeanHead
from remote_agent.trainer.liger_loss import liger_is_there
from remote_agent.trainer.supervised import Targets, losses_of_logits
from remote_agent.trainer.wide_linear import is_worth_it, widen_linears

# Between the last hidden state and the logits these have a plain linear head and nothing else.
_PLAIN_HEADS = ("llama", "mistral", "qwen2", "qwen3")

PLAIN = RegularizationSpec()
"""Changes nothing of the loss."""

# What the forward takes besides a model's own inputs.
_OURS = ("num_items_in_batch", "weights", "draw", "row_tokens", "places")

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


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
    regularization = spec.regularization
    overridden = {}
    if regularization.override_dropout:
        config = AutoConfig.from_pretrained(
            folder, trust_remote_code=spec.model.trust_remote_code, local_files_only=True
        )
        override_dropout(config, regularization.dropout)
        overridden["config"] = config
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        **overridden,
        attn_implementation=spec.strategy.attention,
        dtype=DTYPES[spec.strategy.precision],
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
    if regularization.residual_dropout > 0.0:
        add_residual_dropout(model, regularization.residual_dropout)
    end_in_loss(model, regularization, spec.strategy.loss_kernel)
    # under ZeRO-3 a weight comes and goes around the calls of modules that DeepSpeed knows
    if spec.strategy.precision == "fp32" and spec.strategy.zero_stage < 3 and is_worth_it():
        widen_linears(model)
    return model


def end_in_loss(model: Any, spec: RegularizationSpec = PLAIN, kernel: str = "auto") -> None:
    """Let ``model(input_ids, position_ids, labels)`` end in the loss instead of the logits; without labels all stays.

    Without gradients the result is {"token_losses": [supervised tokens]}, fp32, plain. With them it needs
    ``num_items_in_batch`` and holds also ``loss``: the sum over the supervised tokens / num_items_in_batch, each token
    times its element of ``weights`` [batch, tokens] where that is given. While the model trains that loss is smoothed,
    and embeddings are made noisy or mixed and rows pass twice as ``spec`` says; what that draws is seeded by ``draw``,
    and noise needs ``row_tokens``. Where ``places`` of `batches.collate` is given, no device is asked where labels are.

    Args:
        model: as transformers loads it.
        spec: what of the regularization changes the loss.
        kernel: how a plain linear head computes the loss: "auto", "lean", "liger" or "plain".
    """
    plain = model.forward
    lean = has_plain_head(model) and kernel != "plain"
    if lean:
        model.lm_head.__class__ = LeanHead
        model.lm_head.fused = kernel != "lean" and liger_is_there()
    changes = EmbeddingChanges(model, spec)

    @functools.wraps(plain)
    def forward(*args: Any, labels: torch.Tensor | None = None, **inputs: Any) -> Any:
        if labels is None:
            return plain(*args, **inputs)
        assert not args, "inputs are passed by name"
        items, weights, draw, row_tokens, places = (inputs.pop(name, None) for name in _OURS)
        trains = model.training and torch.is_grad_enabled()
        targets = Targets.of(labels, weights, places)
        mixing = changes.mixing(len(labels), draw) if trains else None
        if mixing is not None:
            targets = targets.mixed_with(targets.reordered(labels, weights, mixing.rows(labels.device)), mixing)
        alpha = spec.r_drop_alpha if trains else 0.0
        if alpha > 0.0:
            inputs = {name: torch.cat([value, value]) for name, value in inputs.items()}
            row_tokens = None if row_tokens is None else torch.cat([row_tokens, row_tokens])
        with changes.during(inputs["position_ids"], row_tokens, mixing, draw) if trains else contextlib.nullcontext():
            states = (
                model.model(**inputs, use_cache=False).last_hidden_state
                if lean
                else plain(**inputs, use_cache=False).logits
            )
        loss_of = model.lm_head if lean else losses_of_logits
        smoothing = spec.label_smoothing if model.training else 0.0
        found = loss_of(targets.states(states[:, :-1], alpha > 0.0), targets.ids, smoothing, targets.weights, alpha)
        if torch.is_grad_enabled():
            return {"loss": found[0] / items, "token_losses": found[1][: targets.own]}
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
