"""A job as Axolotl reads it: its YAML and the DeepSpeed configuration."""

from __future__ import annotations

import json
from typing import Any

from remote_agent.contract.data_spec import SourceSpec, all_sources, held_out_source
from remote_agent.contract.deepspeed_config import deepspeed_config
from studio.exchange.axolotl import NAMES
from studio.exchange.exported import Exported, Writer
from studio.exchange.formats import AXOLOTL
from studio.exchange.to_training_arguments import training_arguments
from studio.exchange.tracker_keys import axolotl_keys
from studio.exchange.yaml_text import yaml_text

CONFIG, DS_CONFIG = "axolotl.yaml", "ds_config.json"
_ATTENTION = {"sdpa": "sdp_attention", "eager": "eager_attention", "flash_attention_2": "flash_attention"}
_SCHEDULES = frozenset(("one_cycle", "rex"))
_TEMPLATES = {f"builtin:{name}": name for name in ("chatml", "llama3", "gemma", "alpaca")}


def to_axolotl(writer: Writer) -> Exported:
    """Return the files. They refer to each other by name: run it in their folder."""
    strategy = writer.spec.strategy
    distributed = writer.take("strategy.zero_stage") > 0
    writer.take("strategy.offload_optimizer")
    writer.take("strategy.offload_parameters")
    data = _data(writer)
    arguments = training_arguments(writer, _SCHEDULES)
    _axolotl_ways(writer, arguments)
    patience = writer.take("regularization.patience")
    tree = {
        **_model(writer),
        **data,
        "output_dir": "output",
        "logging_steps": 1,
        **axolotl_keys(writer),
        **{NAMES.get(key, key): value for key, value in arguments.items()},
        _ATTENTION[writer.take("strategy.attention")]: True,
        **({"early_stopping_patience": patience} if patience else {}),
        **({"deepspeed": DS_CONFIG} if distributed else {}),
    }
    files = {CONFIG: yaml_text(tree)}
    if distributed:
        files[DS_CONFIG] = json.dumps(deepspeed_config(writer.spec), indent=2) + "\n"
    ranks = f" --num-processes {strategy.ranks}" if strategy.ranks > 1 else ""
    return Exported(AXOLOTL, files, writer.close(AXOLOTL), f"axolotl train {CONFIG}{ranks}")


def _axolotl_ways(writer: Writer, arguments: dict[str, Any]) -> None:
    """Set what Axolotl has beyond TrainingArguments, and take away what it does not read."""
    arguments.pop("eval_on_start", None)
    if not arguments.get("warmup_ratio") and not arguments.get("warmup_steps"):
        arguments["warmup_steps"] = 0  # left out, Axolotl warms up for 3 percent
    factor = writer.take("optimizer.embedding_factor")
    if factor != 1.0:
        arguments["embedding_lr_scale"] = factor
    if arguments.pop("full_determinism", False):
        writer.lose("determinism.enabled", "Axolotl has no switch for it.")
    if arguments.pop("label_smoothing_factor", 0.0):
        writer.lose("regularization.label_smoothing", "Axolotl has no counterpart.")


def _model(writer: Writer) -> dict[str, Any]:
    source, revision = writer.take("model.source"), writer.take("model.revision")
    if source in ("node", "run"):
        writer.lose("model.source", "The path is one of the node; put the model's folder there where it runs.")
    return {
        "base_model": writer.take("model.id"),
        **({"revision_of_model": revision} if revision else {}),
        **({"trust_remote_code": True} if writer.take("model.trust_remote_code") else {}),
    }


def _data(writer: Writer) -> dict[str, Any]:
    data = writer.spec.data
    sources = all_sources(data)
    if len(sources) > 1:
        writer.take("data.more")
        if any(one.weight for one in sources):
            writer.lose("data.weight", "Axolotl mixes by rows; every row comes once.")
    keys: dict[str, Any] = {"datasets": [dataset_entry(writer, one) for one in sources]}
    if writer.take("data.replay_share"):
        writer.lose("data.replay_share", "Replayed rows come once, as all others; Axolotl fills no share with them.")
    held_out = held_out_source(data)
    writer.take("data.held_out_path")
    fraction = writer.take("data.held_out_fraction")
    if held_out is not None:
        keys["test_datasets"] = [dataset_entry(writer, held_out, data.shape)]
    else:
        keys["val_set_size"] = fraction
        if fraction:
            writer.lose("data.held_out_fraction", "As many rows are held out, but other ones.")
    if writer.take("data.max_rows"):
        writer.lose("data.max_rows", "Axolotl takes all rows; name a part of the split instead.")
    template = _TEMPLATES.get(writer.take("data.chat_template"), "")
    if template:
        keys["chat_template"] = template
    elif data.chat_template:
        keys.update(chat_template="jinja", chat_template_jinja=data.chat_template)
    if writer.take("data.system_prompt"):
        keys["default_system_message"] = data.system_prompt
    keys.update(_lengths(writer))
    return keys


def _lengths(writer: Writer) -> dict[str, Any]:
    data = writer.spec.data
    packing = writer.take("data.packing")
    keys: dict[str, Any] = {"sequence_len": writer.take("data.max_length"), "sample_packing": packing}
    if packing:
        writer.lose("data.packing", "Rows are packed in another order, so that steps hold other rows.")
    if writer.take("data.over_length") != "drop":
        writer.lose("data.over_length", "Axolotl drops rows that are too long.")
    if writer.take("data.train_on") == "last":
        writer.lose("data.train_on", "Every turn of the assistant is learnt.")
    keys["train_on_inputs"] = data.train_on == "all"
    if writer.take("data.group_by_length"):
        keys["group_by_length"] = True
    if writer.take("data.added_tokens"):
        keys["tokens"] = list(data.added_tokens)
    return keys


def dataset_entry(writer: Writer, source: SourceSpec, shape: str = "") -> dict[str, Any]:
    """Return the entry of ``datasets`` for a source."""
    for name in ("source", "path", "revision", "subset", "split", "shape"):
        writer.take(f"data.{name}")
    for name in vars(source.columns):
        writer.take(f"data.columns.{name}")
    shape, columns = shape or source.shape, source.columns
    entry: dict[str, Any] = {"path": source.path}
    if source.source == "hub":
        entry.update({"name": source.subset} if source.subset else {}, split=source.split)
    else:
        entry.update(ds_type="json", split="train")
    if shape == "text":
        return {**entry, "type": "completion", **({"field": columns.text} if columns.text else {})}
    if shape in ("messages", "sharegpt"):
        default = "messages" if shape == "messages" else "conversations"
        entry.update(type="chat_template", field_messages=columns.messages or default)
        if shape == "sharegpt":
            entry["message_property_mappings"] = {"role": "from", "content": "value"}
        return entry
    if shape == "auto":
        writer.lose("data.shape", "Axolotl is told the shape: alpaca; change the type of the data set where it is not.")
    if shape == "classification":
        writer.lose("data.classification_prompt", "The text itself is asked, without the words around it.")
    named = {
        "prompt_completion": ("prompt", "completion"), "classification": ("text", "label"),
    }.get(shape, ("instruction", "output"))  # fmt: skip
    asked, answered = columns.prompt or columns.text or named[0], columns.response or columns.label or named[1]
    writer.lose("data.columns.prompt", "Axolotl joins instruction and answer as text, without the chat template.")
    kind = {"field_instruction": asked, "field_output": answered, "format": "{instruction}",
            "no_input_format": "{instruction}"}  # fmt: skip
    if shape in ("alpaca", "auto"):
        kind.update(field_input=columns.input or "input", format="{instruction}\n\n{input}")
    return {**entry, "type": kind}
