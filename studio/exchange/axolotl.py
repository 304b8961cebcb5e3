"""Axolotl's YAML: TrainingArguments under its own names, and its list of data sets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.data_spec import ColumnsSpec, SourceSpec
from studio.exchange.adapter_keys import read_adapters
from studio.exchange.data_keys import put_sources, read_held_out, read_held_out_file, read_model, source_of
from studio.exchange.deepspeed_keys import read_zero
from studio.exchange.reader import Reader
from studio.exchange.training_arguments import DEFAULTS as TRAINING_DEFAULTS
from studio.exchange.training_arguments import plan, read_training_arguments

NAMES: Mapping[str, str] = {
    "per_device_train_batch_size": "micro_batch_size", "per_device_eval_batch_size": "eval_batch_size",
    "num_train_epochs": "num_epochs", "optim": "optimizer", "lr_scheduler_type": "lr_scheduler",
}  # fmt: skip
"""What Axolotl calls a key of TrainingArguments."""

DEFAULTS: Mapping[str, Any] = {
    **TRAINING_DEFAULTS, "per_device_train_batch_size": 1, "per_device_eval_batch_size": 1, "num_train_epochs": 1.0,
    "lr_scheduler_type": "cosine", "bf16": "auto", "sequence_len": 512, "val_set_size": 0.0, "save_strategy": "epoch",
    "sample_packing": False, "train_on_inputs": False,
}  # fmt: skip
_ATTENTION = {
    "flash_attention": "flash_attention_2", "sdp_attention": "sdpa", "eager_attention": "eager",
}  # fmt: skip
_SHAPES = {"alpaca": "alpaca", "completion": "text", "chat_template": "messages", "sharegpt": "sharegpt"}
_WARMUP_SHARE = 0.03


def read_axolotl(reader: Reader) -> None:
    """Set the job from an Axolotl file. Raises ExchangeError."""
    read_model(reader, "base_model", "revision_of_model")
    _sources(reader)
    _lengths(reader)
    _global_batch(reader)
    read_training_arguments(reader)
    _default_warmup(reader)
    _per_epoch(reader)
    _embedding_rate(reader)
    patience = reader.whole("early_stopping_patience")
    if patience:
        reader.put("early_stopping_patience", "regularization.patience", patience)
    for key, attention in _ATTENTION.items():
        if reader.flag(key):
            reader.put(key, "strategy.attention", attention, "By its name here.")
    read_zero(reader)
    way = reader.text("adapter") or ("quantized weights" if reader.flag("load_in_4bit") else "full")
    read_adapters(reader, "adapter", way, "full")


def _sources(reader: Reader) -> None:
    entries = [entry for entry in reader.items("datasets") if isinstance(entry, Mapping)]
    put_sources(reader, "datasets", [_source(entry) for entry in entries])
    tests = [str(entry.get("path")) for entry in reader.items("test_datasets") if isinstance(entry, Mapping)]
    read_held_out_file(reader, "test_datasets", tests)
    if not tests:
        read_held_out(reader, "val_set_size")
    learns_all = reader.flag("train_on_inputs")
    reader.put(
        "train_on_inputs", "data.train_on", "all" if learns_all else "assistant",
        "The prompt's tokens are learnt too." if learns_all else "Only answers are learnt.",
    )  # fmt: skip
    template = reader.text("chat_template")
    if template in ("chatml", "llama3", "gemma", "mistral"):
        reader.put("chat_template", "data.chat_template", f"builtin:{template}", "Luthier's template of this name.")
    elif template == "jinja":
        reader.put("chat_template_jinja", "data.chat_template", reader.text("chat_template_jinja"))
        reader.ignore("chat_template")
    elif template:
        reader.drop("chat_template", "The model's own chat template is used.")
    if reader.has("default_system_message"):
        reader.put("default_system_message", "data.system_prompt", reader.text("default_system_message"))


def _source(entry: Mapping[str, Any]) -> SourceSpec:
    kind = entry.get("type")
    name = kind.partition(".")[0].partition(":")[0] if isinstance(kind, str) else "alpaca" if kind else ""
    files = entry.get("data_files")
    first = files[0] if isinstance(files, list) and files else files
    path = str(first or entry.get("path") or "")
    shape = _SHAPES.get(name, "auto")
    message_keys = entry.get("message_property_mappings")
    role = message_keys.get("role") if isinstance(message_keys, Mapping) else entry.get("message_field_role")
    if shape == "messages" and role == "from":
        shape = "sharegpt"
    custom = kind if isinstance(kind, Mapping) else {}
    columns = ColumnsSpec(
        prompt=str(custom.get("field_instruction") or ""),
        input=str(custom.get("field_input") or ""),
        response=str(custom.get("field_output") or ""),
        system=str(custom.get("field_system") or ""),
        messages=str(entry.get("field_messages") or "") if shape in ("messages", "sharegpt") else "",
        tools=str(entry.get("field_tools") or "") if shape in ("messages", "sharegpt") else "",
        text=str(entry.get("field") or "") if shape == "text" else "",
    )
    return source_of(
        path, subset=str(entry.get("name") or ""), split=str(entry.get("split") or "train"), shape=shape,
        columns=columns, revision=str(entry.get("revision") or ""),
    )  # fmt: skip


def _lengths(reader: Reader) -> None:
    length = reader.whole("sequence_len")
    if length:
        reader.put("sequence_len", "data.max_length", length)
    reader.put("sample_packing", "data.packing", reader.flag("sample_packing"))
    reader.ignore("pad_to_sequence_len", "eval_sample_packing", "sample_packing_group_size", "sample_packing_bin_size")


def _global_batch(reader: Reader) -> None:
    """Take accumulation from batch_size, which Axolotl divides by the micro batch, where that is given instead."""
    whole = reader.whole("batch_size")
    if whole and not reader.has("gradient_accumulation_steps"):
        micro = reader.whole("per_device_train_batch_size") or 1
        reader.put("batch_size", "batch.accumulation", max(1, whole // micro), f"{whole} / {micro} sequences.")
        reader.set_default("gradient_accumulation_steps", max(1, whole // micro))


def _default_warmup(reader: Reader) -> None:
    if not reader.has("warmup_steps") and not reader.has("warmup_ratio"):
        reader.put(
            "warmup_ratio", "schedule.warmup.amount", 100 * _WARMUP_SHARE,
            "3 percent of the run, there at most 100 steps.",
        )  # fmt: skip
        reader.put("warmup_ratio", "schedule.warmup.unit", "percent", "A share of the run.")


def _per_epoch(reader: Reader) -> None:
    arithmetic = plan(reader)
    for key, path in (
        ("saves_per_epoch", "checkpointing.state_every_steps"), ("evals_per_epoch", "evaluation.every_steps"),
    ):  # fmt: skip
        times = reader.number(key)
        if not times:
            continue
        if arithmetic.total_steps:
            share = 1.0 / (times * reader.spec.batch.epochs)
            every = max(1, math.ceil(arithmetic.total_steps * share))
            reader.put(key, path, every, f"{times:g} an epoch of {arithmetic.steps_per_epoch} steps.")
        else:
            reader.drop(key, "Steps per epoch are not known before the data is packed; set it in steps.")


def _embedding_rate(reader: Reader) -> None:
    rate, factor = reader.number("embedding_lr"), reader.number("embedding_lr_scale")
    if rate:
        share = rate / reader.spec.optimizer.learning_rate
        reader.put("embedding_lr", "optimizer.embedding_factor", share, "As a share of the peak.")
    elif factor:
        reader.put("embedding_lr_scale", "optimizer.embedding_factor", factor)
