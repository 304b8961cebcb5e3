"""LLaMA-Factory's YAML (0.9): its own keys beside those of TrainingArguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.exchange.adapter_keys import read_adapters
from studio.exchange.data_keys import (
    llama_factory_source,
    put_sources,
    read_held_out,
    read_held_out_file,
    read_model,
)
from studio.exchange.deepspeed_keys import read_zero
from studio.exchange.reader import Reader
from studio.exchange.training_arguments import DEFAULTS as TRAINING_DEFAULTS
from studio.exchange.training_arguments import read_training_arguments

DEFAULTS: Mapping[str, Any] = {
    **TRAINING_DEFAULTS, "cutoff_len": 2048, "val_size": 0.0, "finetuning_type": "lora", "stage": "sft",
    "flash_attn": "auto", "packing": False, "dataset_dir": "data",
}  # fmt: skip
_ATTENTION = {"auto": "sdpa", "sdpa": "sdpa", "disabled": "eager", "fa2": "flash_attention_2"}
_BUILT_IN = {"alpaca": "builtin:alpaca", "chatml": "builtin:chatml", "llama3": "builtin:llama3"}


def read_llamafactory(reader: Reader) -> None:
    """Set the job from a LLaMA-Factory file. Raises ExchangeError."""
    read_model(reader, "model_name_or_path", "model_revision")
    _stage(reader)
    _data(reader)
    read_training_arguments(reader)
    if reader.flag("pure_bf16"):
        reader.put("pure_bf16", "strategy.precision", "bf16", "Luthier keeps fp32 master weights beside them.")
    off = reader.flag("disable_gradient_checkpointing")
    reader.put(
        "disable_gradient_checkpointing", "strategy.activation_checkpointing", not off,
        "LLaMA-Factory checkpoints activations unless this is true.",
    )  # fmt: skip
    if reader.flag("enable_liger_kernel"):
        reader.put("enable_liger_kernel", "strategy.loss_kernel", "liger", "Of Liger's kernels the loss is used here.")
    attention = reader.text("flash_attn").lower()
    reader.put("flash_attn", "strategy.attention", _ATTENTION.get(attention, "sdpa"), f"{attention} by its name here.")
    if reader.flag("use_muon"):
        reader.put("use_muon", "optimizer.kind", "muon", "use_muon takes optim's place.")
    patience = reader.whole("early_stopping_steps")
    if patience:
        reader.put("early_stopping_steps", "regularization.patience", patience, "It counts evaluations there too.")
    read_zero(reader)
    read_adapters(reader, "finetuning_type", reader.text("finetuning_type"), "full")


def _stage(reader: Reader) -> None:
    stage = reader.text("stage")
    if stage == "pt":
        reader.put("stage", "data.train_on", "all", "Pre-training learns every token.")
        reader.put("stage", "data.shape", "text", "Pre-training reads plain text.")
    elif stage == "sft":
        reader.put("stage", "data.train_on", "assistant", "Only answers are learnt.")
    else:
        reader.drop("stage", f"Luthier does supervised fine-tuning; {stage} has no counterpart.")
        reader.find("data.train_on", f"The file is for the stage {stage}, which Luthier does not have.")


def _data(reader: Reader) -> None:
    names, folder = reader.items("dataset"), reader.text("dataset_dir")
    sources = [llama_factory_source(str(name), reader.given.dataset_info, folder) for name in names]
    if names and None not in sources:
        put_sources(reader, "dataset", [source for source in sources if source is not None])
    elif names:
        reader.drop("dataset", "Names of dataset_info.json, which is not here; choose the file in the Data tab.")
    held_out = reader.items("eval_dataset")
    found = [llama_factory_source(str(name), reader.given.dataset_info, folder) for name in held_out]
    if held_out and None not in found:
        read_held_out_file(reader, "eval_dataset", [source.path for source in found if source is not None])
    elif held_out:
        reader.drop("eval_dataset", "Names of dataset_info.json, which is not here; choose the file in the Data tab.")
    if not held_out:
        read_held_out(reader, "val_size")
    length = reader.whole("cutoff_len")
    if length:
        reader.put("cutoff_len", "data.max_length", length)
    rows = reader.whole("max_samples")
    if rows:
        reader.put("max_samples", "data.max_rows", rows)
    _packing(reader)
    _template(reader)


def _packing(reader: Reader) -> None:
    if reader.flag("neat_packing"):
        reader.put("neat_packing", "data.packing", True)
        reader.ignore("packing")
    elif reader.flag("packing"):
        reader.put("packing", "data.packing", True, "There rows of a sequence see each other; here they never do.")
    else:
        reader.put("packing", "data.packing", False)
    if reader.flag("train_on_prompt"):
        reader.put("train_on_prompt", "data.train_on", "all", "The prompt's tokens are learnt too.")
    elif reader.flag("mask_history"):
        reader.put("mask_history", "data.train_on", "last", "Only the last turn is learnt.")


def _template(reader: Reader) -> None:
    name = reader.text("template")
    system = reader.text("default_system")
    if system:
        reader.put("default_system", "data.system_prompt", system)
    if name in _BUILT_IN:
        reader.put("template", "data.chat_template", _BUILT_IN[name], "Luthier's template of this name.")
    elif name:
        reader.drop("template", "The model's own chat template is used.")
    if reader.has("add_special_tokens"):
        tokens = tuple(str(token) for token in reader.items("add_special_tokens"))
        reader.put("add_special_tokens", "data.added_tokens", tokens, "As a list.")
