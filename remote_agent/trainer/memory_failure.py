"""A GPU that ran out of memory: in which phase, with which sizes, and what the memory model's search proposes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory.estimate import estimate_memory
from remote_agent.contract.memory.from_job import setup_of_job
from remote_agent.contract.memory.search import Changes, proposals
from remote_agent.contract.model_facts import UnknownModelError

PROPOSED = 3
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = r"([\d.]+) (bytes|KiB|MiB|GiB)"

# by the name of a function that the error came through, the outermost first
_PHASES = {
    "load_model": "while the model was loaded",
    "save_checkpoint": "while a checkpoint was saved",
    "evaluate": "in an evaluation",
    "samples": "while the sample prompts were answered",
    "compute_loss": "in the forward pass",
    "backward": "in the backward pass",
    "_step": "in the optimizer's step",
    "drive": "while training was started",
}

_WORDS = {
    "batch.micro_batch": "micro batch {}",
    "batch.accumulation": "accumulation {}",
    "strategy.zero_stage": "ZeRO stage {}",
    "strategy.loss_kernel": "loss {}",
    "strategy.attention": "attention {}",
}
_SWITCHES = {
    "strategy.activation_checkpointing": "activation checkpointing",
    "strategy.offload_optimizer": "an offloaded optimizer",
    "strategy.offload_parameters": "offloaded parameters",
}


class Sizes(NamedTuple):
    """What torch said of the allocation that failed, in bytes."""

    asked: int
    total: int
    free: int
    held: int
    """By this process, of which it may have had more than PyTorch's own."""


def phase_of(traceback: TracebackType | None) -> str:
    """Return in which phase an error came up, empty where its way tells none."""
    passed: set[str] = set()
    while traceback is not None:
        passed.add(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    return next((words for name, words in _PHASES.items() if name in passed), "")


def sizes_of(text: str) -> Sizes | None:
    """Return the sizes in the words of torch's OutOfMemoryError, None where they are others."""
    patterns = (
        rf"Tried to allocate {_SIZE}", rf"total capacity of {_SIZE}", rf"of which {_SIZE} is free",
        rf"this process has {_SIZE} memory in use",
    )  # fmt: skip
    found = [re.search(pattern, text) for pattern in patterns]
    values = [int(float(one.group(1)) * _UNITS[one.group(2)]) for one in found if one is not None]
    return Sizes(*values) if len(values) == len(patterns) else None


def memory_sentence(error: BaseException, spec: JobSpec, model_path: Path | None) -> str:
    """Return what happened with its sizes, and what fits instead by the estimate; the latter empty where unknown."""
    phase, sizes = phase_of(error.__traceback__), sizes_of(str(error))
    said = " ".join(part for part in ("The GPU ran out of memory", phase) if part)
    if sizes is None:
        return f"{said}."
    said += (
        f": {_gib(sizes.asked)} more were asked for where {_gib(sizes.free)} of {_gib(sizes.total)} were free and this "
        f"process held {_gib(sizes.held)}."
    )
    others = sizes.total - sizes.free - sizes.held
    if others > sizes.total // 20:
        said += f" Other processes held {_gib(others)}."
    found = _fitting(spec, model_path, sizes)
    if not found:
        return said
    ways = "; ".join(f"({number}) {_words(changes)}" for number, changes in enumerate(found, 1))
    return f"{said} By the estimate this fits, the fastest first: {ways}."


def _fitting(spec: JobSpec, model_path: Path | None, sizes: Sizes) -> list[Changes]:
    """Search, with the capacity lowered by as much as the run needed more than was estimated."""
    try:
        config: Any = json.loads((model_path / "config.json").read_text(encoding="utf-8")) if model_path else None
        own = estimate_memory(setup_of_job(spec, config).setup).card.likely
        factor = max(1.0, (sizes.held + sizes.asked) / own)
        room = sizes.held + sizes.free
        found = proposals(spec, config, 0, int(room / factor))
    except (OSError, ValueError, UnknownModelError):
        return []
    return [each.changes for each in found if each.changes][:PROPOSED]


def _words(changes: Changes) -> str:
    found = []
    for path, value in changes:
        if path in _SWITCHES:
            found.append(_SWITCHES[path] if value else f"no {_SWITCHES[path].removeprefix('an ')}")
        else:
            found.append(_WORDS.get(path, f"{path} {{}}").format(value))
    return ", ".join(found)


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
