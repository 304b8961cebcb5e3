"""The README's tables of what runs together, made from the rules that speak in the window too."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from remote_agent.contract.combinations import (
    COMBINATION_RULES,
    MODEL,
    NO_GPU,
    NODE,
    CombinationRule,
    holds,
)
from remote_agent.contract.job_spec import JobSpec, value_at, with_value

_OPTIMIZERS = ("adamw", "adamw_8bit", "lion", "muon", "sgd", "adafactor")
_STAGES, _PRECISIONS = (0, 1, 2, 3), ("fp32", "bf16", "fp16")
_STAGE, _OFFLOAD, _PRECISION = "strategy.zero_stage", "strategy.offload_optimizer", "strategy.precision"

_LOSSES: Tuple[Tuple[str, Dict[str, Any]], ...] = (
    ("plain, lean kernel", {"strategy.loss_kernel": "lean"}),
    ("plain, PyTorch's logits", {"strategy.loss_kernel": "plain"}),
    ("plain, Liger's kernel", {"strategy.loss_kernel": "liger"}),
    ("label smoothing", {"regularization.label_smoothing": 0.1}),
    ("NEFTune", {"regularization.neftune_alpha": 5.0}),
    ("mixup", {"regularization.mixup_alpha": 0.2}),
    ("R-Drop", {"regularization.r_drop_alpha": 1.0}),
    ("penalty toward the base weights", {"regularization.base_penalty": 0.01}),
)
_FLASH: Dict[str, Any] = {"strategy.attention": "flash_attention_2", _PRECISION: "bf16"}
_LAYOUTS: Tuple[Tuple[str, Dict[str, Any]], ...] = (
    ("packed", {"data.packing": True, "batch.micro_batch": 2}),
    ("padded", {"data.packing": False, "batch.micro_batch": 2}),
    ("padded, micro batch of 1", {"data.packing": False, "batch.micro_batch": 1}),
    ("FlashAttention 2, packed", {**_FLASH, "data.packing": True, "batch.micro_batch": 2}),
    ("FlashAttention 2, not packed", {**_FLASH, "data.packing": False, "batch.micro_batch": 2}),
    ("the same, micro batch of 1", {**_FLASH, "data.packing": False, "batch.micro_batch": 1}),
)


def table_markdown() -> str:
    """Return the tables: optimizers, then parts of the loss by layout, then each rule with its reason."""
    return "\n".join([*_optimizers(), "", *_losses(), "", *_rules()]) + "\n"


def _optimizers() -> List[str]:
    """Return each optimizer by ZeRO stage, offload and precision, all of them combined."""
    places: List[Tuple[str, Dict[str, Any]]] = [("ZeRO {}".format(stage), {_STAGE: stage}) for stage in _STAGES]
    offloaded = {_STAGE: 3, _OFFLOAD: True}
    places += [
        ("ZeRO 1 to 3, states on the CPU", {_STAGE: 1, _OFFLOAD: True}),
        ("ZeRO 3, weights too", {**offloaded, "strategy.offload_parameters": True}),
    ]
    lines = _head("Optimizer", [name for name, _ in places])
    for kind in _OPTIMIZERS:
        lines.append(_line(kind, [_precisions({"optimizer.kind": kind, **place}) for _, place in places]))
    return lines


def _losses() -> List[str]:
    """Return each part of the loss by packing, micro batch and attention."""
    lines = _head("Part of the loss", [name for name, _ in _LAYOUTS])
    for name, part in _LOSSES:
        lines.append(_line(name, [_where({**part, **layout}) for _, layout in _LAYOUTS]))
    return lines


def _rules() -> List[str]:
    lines = ["| Not together | Why | What to do |", "|---|---|---|"]
    return lines + [_line(_condition(rule), [rule.reason, rule.fix.label]) for rule in COMBINATION_RULES]


def _head(first: str, columns: List[str]) -> List[str]:
    return [_line(first, columns), "|---" * (len(columns) + 1) + "|"]


def _line(first: str, cells: List[str]) -> str:
    return "| {} |".format(" | ".join([first, *cells]))


def _precisions(changes: Dict[str, Any]) -> str:
    """Return the precisions that are offered, first those that need no GPU."""
    offered = [one for one in _PRECISIONS if _runs({**changes, _PRECISION: one})]
    anywhere = [one for one in offered if _runs({**changes, _PRECISION: one}, (NO_GPU,))]
    on_gpus = [one for one in offered if one not in anywhere]
    parts = [", ".join(anywhere), "GPU: {}".format(", ".join(on_gpus)) if on_gpus else ""]
    return "; ".join(part for part in parts if part) or "no"


def _where(changes: Dict[str, Any]) -> str:
    return "no" if not _runs(changes) else "yes" if _runs(changes, (NO_GPU,)) else "GPU"


def _runs(changes: Dict[str, Any], facts: Tuple[str, ...] = ()) -> bool:
    spec = JobSpec()
    # the default precision is nothing that a table of other fields should speak of
    for path, value in {_PRECISION: "fp32", **changes}.items():
        spec = with_value(spec, path, value)
    return not any(holds(rule, lambda path: value_at(spec, path), facts) for rule in COMBINATION_RULES)


def _condition(rule: CombinationRule) -> str:
    parts = []
    for path, allowed in rule.when.items():
        shown = allowed if isinstance(allowed, str) else " or ".join(_shown(value) for value in allowed)
        parts.append(shown if path in (NODE, MODEL) else "`{}` {}".format(path, shown))
    return ", ".join(parts)


def _shown(value: Any) -> str:
    return "on" if value is True else "off" if value is False else str(value)
