"""A job as a script of plain transformers, with the DeepSpeed configuration beside it."""

from __future__ import annotations

import json
import pprint
from typing import Any

from remote_agent.contract.chat_templates import resolve_template
from remote_agent.contract.data_spec import all_sources
from remote_agent.contract.deepspeed_config import deepspeed_config
from studio.exchange.exported import Exported, Writer
from studio.exchange.formats import TRANSFORMERS
from studio.exchange.script_text import SCRIPT
from studio.exchange.to_training_arguments import training_arguments
from studio.exchange.tracker_keys import report_environment, report_keys

FILE, DS_CONFIG = "train.py", "ds_config.json"
_COLUMNS = {
    "alpaca": {"prompt": "instruction", "input": "input", "response": "output"},
    "prompt_completion": {"prompt": "prompt", "response": "completion"},
    "classification": {"text": "text", "label": "label"},
    "messages": {"messages": "messages"},
    "sharegpt": {"messages": "conversations"},
    "text": {"text": "text"},
}


def to_script(writer: Writer) -> Exported:
    """Return the script and what it reads. One process runs without DeepSpeed."""
    settings = _data(writer)
    arguments = training_arguments(writer)
    if writer.spec.optimizer.kind == "muon":
        arguments["optim"] = "adamw_torch"
        writer.lose("optimizer.kind", "transformers has no Muon; AdamW takes its place.")
    if "warmup_ratio" in arguments:
        arguments["warmup_steps"] = arguments.pop("warmup_ratio")  # transformers 5: below 1 it is a share of the run
    arguments.update(output_dir="output", logging_steps=1, **report_keys(writer))
    spec = writer.spec
    for path in ("strategy.zero_stage", "strategy.offload_optimizer", "strategy.offload_parameters"):
        writer.take(path)
    model = {
        "path": writer.take("model.id"),
        "revision": writer.take("model.revision") or None,
        "trust_remote_code": writer.take("model.trust_remote_code"),
        "attn_implementation": writer.take("strategy.attention"),
        "dtype": "float32",
    }
    if writer.take("model.source") in ("node", "run"):
        writer.lose("model.source", "The path is one of the node; put the model's folder there where it runs.")
    values = {
        "NAME": spec.name.replace('"""', "'''").replace("\\", "/"),
        "MODEL": _python(model),
        "DATA": _python(settings),
        "ARGUMENTS": _python(arguments),
    }
    text = SCRIPT
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    ranks = spec.strategy.ranks
    start = report_environment(writer)
    start += f"deepspeed --num_gpus {ranks} {FILE}" if ranks > 1 else f"python {FILE}"
    files = {FILE: text, DS_CONFIG: json.dumps(deepspeed_config(spec), indent=2) + "\n"}
    return Exported(TRANSFORMERS, files, writer.close("The script"), start)


def _data(writer: Writer) -> dict[str, Any]:
    data = writer.spec.data
    for name in ("source", "path", "revision", "subset", "split", "shape", "max_rows"):
        writer.take(f"data.{name}")
    for name in vars(data.columns):
        writer.take(f"data.columns.{name}")
    shape = "alpaca" if data.shape == "auto" else data.shape
    if data.shape == "auto":
        writer.lose("data.shape", "The script is told the shape: alpaca; change it where it is not.")
    if data.shape == "classification":
        writer.lose("data.classification_prompt", "The text itself is asked, without the words around it.")
    if len(all_sources(data)) > 1:
        writer.lose("data.more", "The script reads the first source alone.")
    columns = {name: getattr(data.columns, name) or usual for name, usual in _COLUMNS[shape].items()}
    if writer.take("data.packing"):
        writer.lose("data.packing", "The script pads; an update sees as many rows as Luthier packs sequences.")
    if writer.take("data.over_length") == "split":
        writer.lose("data.over_length", "The script cuts.")
    if writer.take("data.held_out_fraction") and not data.held_out_path:
        writer.lose("data.held_out_fraction", "As many rows are held out, but other ones.")
    template = writer.take("data.chat_template")
    if writer.take("data.added_tokens"):
        writer.lose("data.added_tokens", "The script leaves the tokenizer as it is.")
    return {
        "path": data.path,
        "hub": data.source == "hub",
        "subset": data.subset or None,
        "split": data.split,
        "shape": shape,
        "columns": columns,
        "max_rows": data.max_rows,
        "held_out_path": writer.take("data.held_out_path"),
        "held_out_fraction": data.held_out_fraction,
        "max_length": writer.take("data.max_length"),
        "drop_longer": data.over_length == "drop",
        "train_on": writer.take("data.train_on"),
        "system_prompt": writer.take("data.system_prompt"),
        "chat_template": resolve_template(template) if template else "",
    }


def _python(value: Any) -> str:
    return pprint.pformat(value, width=110, sort_dicts=False)
