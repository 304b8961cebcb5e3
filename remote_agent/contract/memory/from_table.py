"""A row of a table of published peaks as a setup, and which number was published."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from remote_agent.contract.memory.setup import (
    ATTENTIONS,
    CHECKPOINTING,
    KERNELS,
    LOSSES,
    PRECISIONS,
    STRATEGIES,
    Setup,
    Shape,
)

GIB = 1 << 30
METRICS = ("allocated", "reserved", "unknown")
USUAL_LENGTH = 2048
"""Tokens a row is taken to have where the table does not say."""


class RowError(ValueError):
    """A row lacks a cell or has one that cannot be; the sentence says which."""


def setup_of_row(row: Mapping[str, str]) -> Setup:
    """Return the setup of a row whose columns are those of the table; absent ones take defaults.

    Raises:
        RowError: a needed number is missing, or a word is not known.
    """
    return Setup(
        shape=_shape(row),
        gpus=_number(row, "gpus"),
        strategy=_word(row, "strategy", STRATEGIES),
        zero_stage=_number(row, "zero_stage", 0, least=0),
        offload_optimizer=_offloaded(row, "offload_optimizer"),
        offload_parameters=_offloaded(row, "offload_params"),
        optimizer_on_nvme=_on_nvme(row, "offload_optimizer"),
        parameters_on_nvme=_on_nvme(row, "offload_params"),
        precision=_word(row, "model_state_precision", tuple(PRECISIONS)),
        step_copies=1.0 if "foreach" in row.get("optimizer_impl", "") else 0.0,
        micro_batch=_number(row, "micro_batch", 1),
        seq_len=_number(row, "seq_len", USUAL_LENGTH),
        accumulation=_number(row, "grad_accum", 1),
        checkpointing=_word(row, "act_ckpt", CHECKPOINTING, "full"),
        attention=_word(row, "attention", ATTENTIONS, "flash"),
        loss=_word(row, "loss_impl", LOSSES, "full_fp32_upcast"),
        kernels=_word(row, "kernels", KERNELS, "eager"),
        zero_init=_number(row, "zero_init", 1, least=0) == 1,
        reduce_bucket=_number(row, "reduce_bucket_elems", 500_000_000),
        overlap_comm=_number(row, "overlap_comm", 0, least=0) == 1,
        sub_group=_number(row, "sub_group_elems", 1_000_000_000),
        fsdp_version=int(_word(row, "fsdp_version", ("1", "2"), "1")),
    )


def _shape(row: Mapping[str, str]) -> Shape:
    """Return the model's sizes; where the row has no layers, only what follows from the parameters."""
    parameters = _number(row, "params")
    if not (row.get("layers") or "").strip():
        return Shape(parameters, 1, 0, 0, 0, 0, 0, 0)
    hidden, heads = _number(row, "hidden"), _number(row, "heads")
    gated = _number(row, "gated_mlp", 1) == 1
    return Shape(
        parameters=parameters,
        layers=_number(row, "layers"),
        hidden=hidden,
        heads=heads,
        kv_heads=_number(row, "kv_heads", heads),
        head_dim=_number(row, "head_dim", hidden // heads),
        intermediate=_number(row, "intermediate"),
        vocabulary=_number(row, "vocab"),
        tied=_number(row, "tied_embeddings", 0) == 1,
        gated_mlp=gated,
        qk_norm=_number(row, "qk_norm", 0) == 1,
        rms_norm=gated,
    )


def published(row: Mapping[str, str]) -> Tuple[str, float]:
    """Return which number was published ("allocated", "reserved", "unknown") and its bytes; 0 where none was."""
    metric = (row.get("metric") or "").strip()
    text = (row.get("measured_gib") or "").strip()
    try:
        measured = float(text) * GIB if text else 0.0
    except ValueError:
        raise RowError("measured_gib is {!r}; a number is needed.".format(text)) from None
    return metric, measured


def capacities(row: Mapping[str, str]) -> Tuple[int, int]:
    """Return a GPU's and the host's bytes where the row states them, 0 where not."""
    host = float(row.get("host_ram_gb") or 0)
    return int(float(row.get("gpu_gib") or 0) * GIB), int(host * 1e9)


def _on_nvme(row: Mapping[str, str], column: str) -> bool:
    return (row.get(column) or "").strip().lower() == "nvme"


def _offloaded(row: Mapping[str, str], column: str) -> bool:
    """Return whether a column says 1, or names the disk instead of host memory."""
    return _on_nvme(row, column) or _number(row, column, 0, least=0) == 1


def _number(row: Mapping[str, str], column: str, default: Optional[int] = None, least: int = 0) -> int:
    text = (row.get(column) or "").strip()
    if not text:
        if default is None:
            raise RowError("{} is empty; a number is needed.".format(column))
        return default
    try:
        value = int(float(text))
    except (ValueError, OverflowError):
        raise RowError("{} is {!r}; a number is needed.".format(column, text)) from None
    if value < least or (default is None and value < 1):
        raise RowError("{} is {}; it has to be positive.".format(column, text))
    return value


def _word(row: Mapping[str, str], column: str, known: Tuple[str, ...], default: str = "") -> str:
    word = (row.get(column) or "").strip() or default
    if word not in known:
        raise RowError("{} is {!r}; known are {}.".format(column, word, ", ".join(known)))
    return word
