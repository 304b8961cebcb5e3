"""A job as LLaMA-Factory 0.9 reads it: its YAML, a dataset_info.json beside it and the DeepSpeed configuration."""

from __future__ import annotations

import json
from typing import Any

from remote_agent.contract.data_spec import SourceSpec, all_sources, held_out_source
from remote_agent.contract.deepspeed_config import deepspeed_config
from studio.exchange.exported import Exported, Writer
from studio.exchange.formats import LLAMA_FACTORY
from studio.exchange.to_training_arguments import training_arguments
from studio.exchange.tracker_keys import report_environment, report_keys
from studio.exchange.yaml_text import yaml_text

CONFIG, DATASET_INFO, DS_CONFIG = "llamafactory.yaml", "dataset_info.json", "ds_config.json"
_ATTENTION = {"sdpa": "sdpa", "eager": "disabled", "flash_attention_2": "fa2"}
_TEMPLATES = {"builtin:alpaca": "alpaca", "builtin:chatml": "chatml", "builtin:llama3": "llama3",
              "builtin:gemma": "gemma", "builtin:mistral": "mistral", "builtin:qwen": "qwen"}  # fmt: skip
_OPENAI_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
                "system_tag": "system"}  # fmt: skip


def to_llamafactory(writer: Writer) -> Exported:
    """Return the files. They refer to each other by name: run it in their folder."""
    strategy = writer.spec.strategy
    infos, keys = _data(writer)
    distributed = writer.take("strategy.zero_stage") > 0 or strategy.ranks > 1
    writer.take("strategy.offload_optimizer")
    writer.take("strategy.offload_parameters")
    arguments = training_arguments(writer)
    checkpointing = arguments.pop("gradient_checkpointing")
    if arguments["optim"] == "muon":
        arguments["optim"] = "adamw_torch"
        keys["use_muon"] = True
    patience = writer.take("regularization.patience")
    tree = {
        **_model(writer),
        "stage": "pt" if writer.spec.data.shape == "text" else "sft",
        "do_train": True,
        "finetuning_type": "full",
        **({"deepspeed": DS_CONFIG} if distributed else {}),
        **keys,
        "output_dir": "output",
        "logging_steps": 1,
        **report_keys(writer),
        "overwrite_output_dir": True,
        **arguments,
        "disable_gradient_checkpointing": not checkpointing,
        "flash_attn": _ATTENTION[writer.take("strategy.attention")],
        **({"enable_liger_kernel": True} if strategy.loss_kernel == "liger" else {}),
        **({"early_stopping_steps": patience} if patience else {}),
    }
    files = {CONFIG: yaml_text(tree), DATASET_INFO: json.dumps(infos, indent=2, ensure_ascii=False) + "\n"}
    if distributed:
        files[DS_CONFIG] = json.dumps(deepspeed_config(writer.spec), indent=2) + "\n"
    launch = report_environment(writer)
    launch += f"FORCE_TORCHRUN=1 NPROC_PER_NODE={strategy.ranks} " if distributed else ""
    return Exported(LLAMA_FACTORY, files, writer.close(LLAMA_FACTORY), f"{launch}llamafactory-cli train {CONFIG}")


def _model(writer: Writer) -> dict[str, Any]:
    source, revision = writer.take("model.source"), writer.take("model.revision")
    if source in ("node", "run"):
        writer.lose("model.source", "The path is one of the node; put the model's folder there where it runs.")
    return {
        "model_name_or_path": writer.take("model.id"),
        **({"model_revision": revision} if revision else {}),
        **({"trust_remote_code": True} if writer.take("model.trust_remote_code") else {}),
    }


def _data(writer: Writer) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return dataset_info.json and the keys about data."""
    data = writer.spec.data
    sources = all_sources(data)
    infos = {f"train_{number}": dataset_info(writer, one) for number, one in enumerate(sources, 1)}
    keys: dict[str, Any] = {"dataset": ",".join(infos), "dataset_dir": "."}
    if len(sources) > 1:
        writer.take("data.more")
        if any(one.weight for one in sources):
            writer.lose("data.weight", "LLaMA-Factory's interleaving is another mixture; every row comes once.")
    if writer.take("data.replay_share"):
        writer.lose(
            "data.replay_share", "Replayed rows come once, as all others; LLaMA-Factory fills no share with them."
        )
    held_out = held_out_source(data)
    writer.take("data.held_out_path")
    fraction = writer.take("data.held_out_fraction")
    if held_out is not None:
        infos["held_out"] = dataset_info(writer, held_out, data.shape)
        keys["eval_dataset"] = "held_out"
    elif fraction:
        keys["val_size"] = fraction
        writer.lose("data.held_out_fraction", "As many rows are held out, but other ones.")
    if writer.take("data.max_rows"):
        keys["max_samples"] = data.max_rows
    keys["template"] = _TEMPLATES.get(writer.take("data.chat_template"))
    if keys["template"] is None:
        del keys["template"]  # LLaMA-Factory then reads the tokenizer's own
        if data.chat_template:
            writer.lose("data.chat_template", "LLaMA-Factory reads the tokenizer's own chat template instead.")
    if writer.take("data.system_prompt"):
        keys["default_system"] = data.system_prompt
    return infos, {**keys, **_lengths(writer)}


def _lengths(writer: Writer) -> dict[str, Any]:
    data = writer.spec.data
    packing = writer.take("data.packing")
    # LLaMA-Factory takes one token off where it packs
    keys: dict[str, Any] = {"cutoff_len": writer.take("data.max_length") + int(packing), "neat_packing": packing}
    if writer.take("data.over_length") != "truncate":
        writer.lose("data.over_length", "LLaMA-Factory cuts prompt and answer in proportion.")
    if writer.take("data.train_on") == "all":
        keys["train_on_prompt"] = True
    elif data.train_on == "last":
        keys["mask_history"] = True
    if data.train_on != "all":
        writer.lose("data.train_on", "LLaMA-Factory also learns what the template puts behind an answer's end marker.")
    if writer.take("data.added_tokens"):
        keys["add_special_tokens"] = ",".join(data.added_tokens)
        keys["resize_vocab"] = True
    if packing:
        writer.lose("data.packing", "Rows are packed in another order, so that steps hold other rows.")
    return keys


def dataset_info(writer: Writer, source: SourceSpec, shape: str = "") -> dict[str, Any]:
    """Return the entry of dataset_info.json for a source."""
    for name in ("source", "path", "revision", "subset", "split", "shape"):
        writer.take(f"data.{name}")
    for name in vars(source.columns):
        writer.take(f"data.columns.{name}")
    shape = shape or source.shape
    columns = source.columns
    place = {"hf_hub_url": source.path} if source.source == "hub" else {"file_name": source.path}
    if source.source == "hub":
        place.update({"subset": source.subset} if source.subset else {}, split=source.split)
    if shape == "auto":
        writer.lose("data.shape", "LLaMA-Factory is told the shape: alpaca; change dataset_info.json where it is not.")
    if shape in ("messages", "sharegpt"):
        named = {"messages": columns.messages or ("messages" if shape == "messages" else "conversations")}
        tags = {"tags": dict(_OPENAI_TAGS)} if shape == "messages" else {}
        return {**place, "formatting": "sharegpt", "columns": named, **tags}
    if shape == "text":
        return {**place, "columns": {"prompt": columns.text or "text"}}
    if shape == "prompt_completion":
        named = {"prompt": columns.prompt or "prompt", "response": columns.response or "completion"}
        return {**place, "columns": named}
    if shape == "classification":
        writer.lose("data.classification_prompt", "The text itself is asked, without the words around it.")
        return {**place, "columns": {"prompt": columns.text or "text", "response": columns.label or "label"}}
    named = {
        "prompt": columns.prompt or "instruction", "query": columns.input or "input",
        "response": columns.response or "output",
    }  # fmt: skip
    writer.lose("data.columns.input", "LLaMA-Factory puts one line break between instruction and input, Luthier two.")
    return {**place, "columns": {**named, **({"system": columns.system} if columns.system else {})}}
