"""Configurations of other tools as jobs: LLaMA-Factory, Axolotl, TRL and transformers, ms-swift, DeepSpeed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from remote_agent.contract.job_spec import with_value
from studio.exchange import axolotl, llamafactory, swift, transformers_json
from studio.exchange.deepspeed_keys import read_deepspeed
from studio.exchange.findings import find_all
from studio.exchange.formats import (
    AXOLOTL,
    DEEPSPEED,
    LLAMA_FACTORY,
    SWIFT,
    TRANSFORMERS,
    TRL,
    Detected,
    detected,
)
from studio.exchange.imported import ExchangeError, Given, Imported
from studio.exchange.reader import Reader
from studio.exchange.tool_files import tool_file
from studio.exchange.training_arguments import REASONS, SILENT

_TOOLS: Mapping[str, tuple[Callable[[Reader], None], Mapping[str, Any], Mapping[str, str]]] = {
    LLAMA_FACTORY: (llamafactory.read_llamafactory, llamafactory.DEFAULTS, {}),
    AXOLOTL: (axolotl.read_axolotl, axolotl.DEFAULTS, axolotl.NAMES),
    SWIFT: (swift.read_swift, swift.DEFAULTS, {}),
    TRL: (transformers_json.read_trl, transformers_json.SFT_DEFAULTS, {}),
    TRANSFORMERS: (transformers_json.read_transformers, transformers_json.DEFAULTS, {}),
}
GPU_KEYS = ("num_gpus", "world_size")
ROW_KEYS = ("dataset_rows", "num_rows")
CLAIM_KEYS = ("claimed_global_batch", "global_batch_size", "total_train_batch_size")
"""What a file may say beside its tool's keys of the run around it; an argument of `imported` goes before them."""


def imported(text: str, name: str, given: Given | None = None, tool: str = "") -> Imported:
    """Return a job made of another tool's configuration, with an account of every key.

    Args:
        text: YAML or JSON.
        name: the file's name, said in front of mistakes and taken as the job's.
        given: what the file does not say.
        tool: which tool it is of, one of `formats.FORMATS`' values; empty: told from the keys.

    Raises:
        ExchangeError: the text cannot be read, its tool cannot be told, or a value is none.
    """
    tree = tool_file(text, name)
    found = Detected(tool, "it was said so.") if tool else detected(tree, name)
    given, claimed = _known(tree, given or Given())
    try:
        reader = _read(found.tool, tree, given)
        reader.ignore(*GPU_KEYS, *ROW_KEYS, *CLAIM_KEYS)
        gpus_known = bool(given.gpus) or reader.spec.strategy.ranks > 1
        first = reader.findings
        reader.findings = []
        find_all(reader, claimed, gpus_known)
        reader.drop_rest(REASONS, SILENT)
    except ExchangeError as error:
        raise ExchangeError(f"{name}: {error}") from None
    except (TypeError, ValueError, ArithmeticError) as error:
        # a nested value of a form that its tool would refuse as well
        raise ExchangeError(f"{name}: a value is none that {found.tool} would take: {error}.") from None
    return Imported(
        with_value(reader.spec, "name", _job_name(name)),
        found.tool,
        found.reason,
        tuple(reader.mapped),
        tuple(reader.converted),
        tuple(reader.dropped),
        (*first, *reader.findings),
    )


def _read(tool: str, tree: Mapping[str, Any], given: Given) -> Reader:
    if tool == DEEPSPEED:
        reader = Reader(tool, {}, {}, given=given)
        if given.gpus:
            reader.spec = with_value(reader.spec, "strategy.ranks", given.gpus)
        read_deepspeed(Reader(tool, tree, {}), reader)
        return reader
    read, defaults, names = _TOOLS[tool]
    reader = Reader(tool, tree, defaults, names, given)
    read(reader)
    return reader


def _known(tree: Mapping[str, Any], given: Given) -> tuple[Given, int]:
    """Return what is known of the run, and the global batch that the file claims (0: none)."""
    gpus = given.gpus or _count(tree, GPU_KEYS)
    rows = given.rows or _count(tree, ROW_KEYS)
    return dataclasses.replace(given, gpus=gpus, rows=rows), _count(tree, CLAIM_KEYS)


def _count(tree: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    for key in keys:
        value = tree.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0


def _job_name(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0] or name
