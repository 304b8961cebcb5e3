"""TrainingArguments of transformers and SFTConfig of TRL as JSON, with what the script around them says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.exchange.adapter_keys import read_adapters
from studio.exchange.data_keys import put_sources, read_held_out_file, read_model, source_of
from studio.exchange.deepspeed_keys import read_zero
from studio.exchange.reader import Reader
from studio.exchange.training_arguments import DEFAULTS as TRAINING_DEFAULTS
from studio.exchange.training_arguments import read_training_arguments

DEFAULTS: Mapping[str, Any] = {**TRAINING_DEFAULTS, "packing": False}
SFT_DEFAULTS: Mapping[str, Any] = {
    **DEFAULTS, "learning_rate": 2e-5, "max_length": 1024, "gradient_checkpointing": True, "bf16": True,
}  # fmt: skip
"""As in TRL 1: bf16 unless fp16 is asked for."""


def read_transformers(reader: Reader) -> None:
    """Set the job from TrainingArguments. Raises ExchangeError.

    Beside their keys a file may say what stands in the script: ``model_name_or_path``, ``dataset``, ``data_collator``,
    ``device_map``.
    """
    _of_script(reader)
    reader.put("packing", "data.packing", reader.flag("packing"))
    read_training_arguments(reader)
    _held_out(reader)
    read_zero(reader)
    read_adapters(reader, "", "full", "full")


def read_trl(reader: Reader) -> None:
    """Set the job from SFTConfig. Raises ExchangeError."""
    if reader.flag("fp16"):
        reader.set_default("bf16", False)
    read_transformers(reader)
    old = "max_seq_length"
    key = old if reader.has(old) else "max_length"
    reader.ignore(old, "max_length")
    length = reader.whole(key)
    if length:
        reader.put(key, "data.max_length", length)
    if reader.has("completion_only_loss") or reader.has("assistant_only_loss"):
        key = "assistant_only_loss" if reader.flag("assistant_only_loss") else "completion_only_loss"
        only = reader.flag("assistant_only_loss") or reader.flag("completion_only_loss")
        reader.put(key, "data.train_on", "assistant" if only else "all", "Whose tokens are learnt.")
    reader.ignore("assistant_only_loss", "completion_only_loss")
    if reader.text("loss_type") == "dft":
        reader.drop("loss_type", "Luthier's loss is the cross entropy.")


def _of_script(reader: Reader) -> None:
    read_model(reader, "model_name_or_path" if reader.has("model_name_or_path") else "model", "model_revision")
    names = reader.items("dataset") or reader.items("dataset_name")
    put_sources(reader, "dataset" if reader.has("dataset") else "dataset_name", [source_of(str(n)) for n in names])
    collator = reader.raw("data_collator")
    if isinstance(collator, Mapping):
        collator = collator.get("class") or collator.get("name")
    if not collator:
        return
    if "LanguageModeling" in str(collator):
        reader.put("data_collator", "data.train_on", "all", "Its labels are all the input ids, the prompt's too.")
    else:
        reader.put("data_collator", "data.train_on", "assistant", f"{collator} keeps the labels that are made before.")


def _held_out(reader: Reader) -> None:
    path = reader.items("eval_dataset")
    strategy = reader.text("eval_strategy") or reader.text("evaluation_strategy")
    old = reader.text("evaluation_strategy")
    if path:
        read_held_out_file(reader, "eval_dataset", [str(path[0])])
    elif strategy.lower().endswith("no") and not old:
        reader.put("eval_strategy", "data.held_out_fraction", 0.0, "Without evaluation nothing is held out.")
    else:
        key = "evaluation_strategy" if old else "eval_strategy"
        reader.put(key, "data.held_out_fraction", 0.1, "Which rows are evaluated stands in the script; here a tenth.")
