"""An exception as the one sentence a person reads: what happened, and what to do next where that is known."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from remote_agent.contract.job_spec import JobSpec
from remote_agent.trainer.memory_failure import memory_sentence

_HOST_MEMORY = ("can't allocate memory", "not enough memory", "Cannot allocate memory")


def out_of_memory(error: BaseException) -> str:
    """Return the sentence for a forward pass that ran out of memory, empty for any other error."""
    if type(error).__name__ == "OutOfMemoryError":
        return (
            "The GPU has too little memory for this model and its rows. Free it, or choose a shorter sequence length."
        )
    if any(mark in str(error) for mark in _HOST_MEMORY):
        return "The node has too little memory for this model and its rows."
    return ""


def sentence(error: BaseException, spec: JobSpec | None, model_path: Path | None = None) -> str:
    """Return the sentence for an exception that ended the run; ``model_path`` lets it say what would fit a GPU."""
    text = " ".join(str(error).split())
    if type(error).__name__ == "OutOfMemoryError":
        said = memory_sentence(error, spec, model_path) if spec else "The GPU ran out of memory."
        return said if "fits" in said else f"{said} {_smaller(spec)}"
    if isinstance(error, MemoryError) or any(mark in text for mark in _HOST_MEMORY):
        return f"The node ran out of memory. {_smaller(spec)}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk of the node is full ({error.filename or 'while saving'}). Free some space and resume."
    if len(text) > 600:
        text = text[:597] + "..."
    return f"Training ended with {type(error).__name__}: {text or 'no message'}"


def _smaller(spec: JobSpec | None) -> str:
    """Name the settings that still have room to take less memory."""
    wishes: list[str] = []
    if spec is not None:
        checks: tuple[tuple[Any, str], ...] = (
            (spec.batch.micro_batch > 1, "a smaller micro batch with more accumulation"),
            (not spec.strategy.activation_checkpointing, "activation checkpointing"),
            (spec.strategy.ranks > 1 and spec.strategy.zero_stage < 3, "a higher ZeRO stage"),
            (not spec.strategy.offload_optimizer, "offloading the optimizer"),
        )
        wishes = [wish for possible, wish in checks if possible]
    return "Try " + ", ".join([*wishes, "a shorter sequence length"]) + "."
