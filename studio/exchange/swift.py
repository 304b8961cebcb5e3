"""ms-swift's arguments (3.x), as the YAML of ``--config`` or the args.json of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remote_agent.contract.data_spec import SourceSpec
from studio.exchange.adapter_keys import read_adapters
from studio.exchange.data_keys import put_sources, read_held_out, read_held_out_file, read_model, source_of
from studio.exchange.deepspeed_keys import read_zero
from studio.exchange.reader import Reader
from studio.exchange.training_arguments import DEFAULTS as TRAINING_DEFAULTS
from studio.exchange.training_arguments import read_training_arguments

DEFAULTS: Mapping[str, Any] = {
    **TRAINING_DEFAULTS, "per_device_train_batch_size": 1, "per_device_eval_batch_size": 1, "weight_decay": 0.1,
    "adam_beta2": 0.95, "lr_scheduler_type": "cosine", "gradient_checkpointing": True, "split_dataset_ratio": 0.0,
    "packing": False, "truncation_strategy": "delete", "loss_scale": "default",
}  # fmt: skip
_WAYS = ("tuner_type", "train_type", "sft_type")
_LEARNT = {"default": "assistant", "last_round": "last", "all": "all"}
_OVER = {"delete": "drop", "right": "truncate", "left": "truncate", "split": "split"}
_ATTENTION = {"flash_attn": "flash_attention_2", "flash_attention_2": "flash_attention_2", "sdpa": "sdpa",
              "eager": "eager"}  # fmt: skip
_LEAST_BATCH = 16
"""Where accumulation is left out, ms-swift takes what makes up a global batch of so many sequences."""


def read_swift(reader: Reader) -> None:
    """Set the job from ms-swift arguments. Raises ExchangeError."""
    read_model(reader, "model_id_or_path" if reader.has("model_id_or_path") else "model", "model_revision")
    way = next((key for key in _WAYS if reader.has(key)), "tuner_type")
    says = reader.text(way) or "lora"
    reader.set_default("learning_rate", 1e-5 if says == "full" else 1e-4)
    _data(reader)
    _accumulation(reader)
    kind = reader.text("torch_dtype")
    if kind:
        reader.set_default("bf16", kind == "bfloat16")
        reader.set_default("fp16", kind == "float16")
    if reader.spec.data.held_out_path or reader.spec.data.held_out_fraction:
        # where something is held out, ms-swift evaluates when it saves
        reader.set_default("eval_strategy", reader.text("save_strategy"))
        reader.set_default("eval_steps", reader.raw("save_steps"))
    read_training_arguments(reader)
    if kind:
        precision = {"bfloat16": "bf16", "float16": "fp16"}.get(kind, "fp32")
        reader.put("torch_dtype", "strategy.precision", precision, "By its name here, with fp32 master weights.")
    if reader.has("attn_impl"):
        attention = reader.text("attn_impl")
        reader.put("attn_impl", "strategy.attention", _ATTENTION.get(attention, "sdpa"), f"{attention} here.")
    if reader.flag("use_liger"):
        reader.put("use_liger", "strategy.loss_kernel", "liger", "Of Liger's kernels the loss is used here.")
    read_zero(reader)
    _hub(reader)
    read_adapters(reader, way, says, "full")


def _hub(reader: Reader) -> None:
    """Say where an id is one of ModelScope, which ms-swift looks in unless it is told otherwise."""
    if reader.flag("use_hf"):
        return
    for field, place, name in (
        ("model.id", reader.spec.model.source, reader.spec.model.id),
        ("data.path", reader.spec.data.source, reader.spec.data.path),
    ):
        if place == "hub":
            reader.find(field, f"ms-swift takes {name} from ModelScope; Luthier looks for it on the Hugging Face Hub.")


def _data(reader: Reader) -> None:
    put_sources(reader, "dataset", [_source(str(name)) for name in reader.items("dataset")])
    held_out = [_source(str(name)).path for name in reader.items("val_dataset")]
    read_held_out_file(reader, "val_dataset", held_out)
    if not held_out:
        read_held_out(reader, "split_dataset_ratio")
    length = reader.whole("max_length")
    if length:
        reader.put("max_length", "data.max_length", length)
    over = reader.text("truncation_strategy")
    about = "The start is cut there, the end here." if over == "left" else "By its name here."
    reader.put("truncation_strategy", "data.over_length", _OVER.get(over, "truncate"), about)
    reader.put("packing", "data.packing", reader.flag("packing"))
    scale = reader.text("loss_scale")
    reader.put("loss_scale", "data.train_on", _LEARNT.get(scale, "assistant"), f"{scale}: by its name here.")
    if reader.has("system"):
        reader.put("system", "data.system_prompt", reader.text("system"))
    reader.drop("template", "The model's own chat template is used.")


def _source(name: str) -> SourceSpec:
    """Return the source of ``id_or_path:subset#rows``."""
    path, _, rows = name.partition("#")
    path, _, subset = path.partition(":")
    return source_of(path, subset=subset, max_rows=int(rows) if rows.isdigit() else 0)


def _accumulation(reader: Reader) -> None:
    if not reader.has("gradient_accumulation_steps"):
        one = (reader.whole("per_device_train_batch_size") or 1) * max(1, reader.given.gpus)
        reader.set_default("gradient_accumulation_steps", -(-_LEAST_BATCH // one))
