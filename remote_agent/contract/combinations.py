"""What does not run together, in one table with the reasons: read by the problems, by the tests and by the README.

A combination that no rule names is offered. The rules about optimizers say what three updates on two ranks gave
beside the plain PyTorch optimizer.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Tuple, Union

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.parameter_groups import idle_patterns, parameter_groups
from remote_agent.contract.parameter_names import names_of_config
from remote_agent.contract.problem import ERROR, WARNING, Fix, Known, Problem

NODE = "node"
"""A condition on where it runs: NO_GPU, OLD_GPU (compute capability below 8.0) or NEW_GPU."""
NO_GPU, OLD_GPU, NEW_GPU = "no GPU", "GPU before 8.0", "GPU of 8.0 or later"

SPLIT_STAGES = (1, 2, 3)
ABOVE_ZERO = "above 0"

Values = Union[Tuple[Any, ...], str]


class CombinationRule(NamedTuple):
    """One combination that is not offered.

    Attributes:
        when: field path (or NODE) to the values that it takes; all have to hold. ABOVE_ZERO: any number above 0.
        field: the field the problem stands at.
        sentence: what is wrong, for the person who chose it.
        reason: why, and how it is known.
        label: of the button that mends it.
        changes: the values that button sets.
    """

    when: Mapping[str, Values]
    field: str
    sentence: str
    reason: str
    label: str
    changes: Tuple[Tuple[str, Any], ...]


_STAGE_0 = ("Use ZeRO 0", (("strategy.zero_stage", 0), ("strategy.offload_optimizer", False),
                           ("strategy.offload_parameters", False)))  # fmt: skip
_ADAMW = ("Use AdamW", (("optimizer.kind", "adamw"),))
_SDPA = ("Use SDPA", (("strategy.attention", "sdpa"),))
_FP32 = ("Use fp32", (("strategy.precision", "fp32"),))

COMBINATION_RULES: Tuple[CombinationRule, ...] = (
    CombinationRule(
        {"strategy.offload_optimizer": (True,), "strategy.zero_stage": (0,)},
        "strategy.offload_optimizer",
        "Offloading the optimizer needs ZeRO 1 or more.",
        "At ZeRO 0 the optimizer holds the model's own weights; there is no copy that could lie elsewhere.",
        "Use ZeRO 1",
        (("strategy.zero_stage", 1),),
    ),
    CombinationRule(
        {"strategy.offload_parameters": (True,), "strategy.zero_stage": (0, 1, 2)},
        "strategy.offload_parameters",
        "Offloading the weights needs ZeRO 3.",
        "Below ZeRO 3 every GPU keeps all weights for the whole run.",
        "Use ZeRO 3",
        (("strategy.zero_stage", 3),),
    ),
    CombinationRule(
        {"optimizer.kind": ("muon",), "strategy.zero_stage": SPLIT_STAGES},
        "optimizer.kind",
        "Muon needs whole matrices, and ZeRO 1 and more hand the optimizer flat pieces of them.",
        "PyTorch's Muon refuses what is no matrix. DeepSpeed's own scales its update in another way and clips it after "
        "it is orthogonalised, so it is not PyTorch's.",
        *_STAGE_0,
    ),
    CombinationRule(
        {"optimizer.kind": ("adafactor",), "strategy.zero_stage": SPLIT_STAGES},
        "optimizer.kind",
        "Adafactor needs whole matrices, and under ZeRO 1 and more it would give wrong updates without a word.",
        "It keeps a row and a column of each matrix and scales by the tensor's size; on flat pieces three updates are "
        "off by a fifth to all of their size.",
        *_STAGE_0,
    ),
    CombinationRule(
        {"optimizer.kind": ("muon", "adafactor"), "strategy.precision": ("fp16",)},
        "optimizer.kind",
        "Muon and Adafactor need ZeRO 0, where fp16 does not scale the loss.",
        "The one needs whole matrices, the other a loss scale; no ZeRO stage has both.",
        *_ADAMW,
    ),
    CombinationRule(
        {"optimizer.kind": ("adamw_8bit",), "strategy.offload_optimizer": (True,)},
        "optimizer.kind",
        "AdamW in 8 bits keeps its states on the GPU; it cannot be offloaded.",
        "Its updates are right on a CPU too, but take 50 times as long there as PyTorch's fused AdamW.",
        *_ADAMW,
    ),
    CombinationRule(
        {"optimizer.kind": ("adamw_8bit",), NODE: (NO_GPU,)},
        "optimizer.kind",
        "AdamW in 8 bits runs on GPUs only.",
        "Its updates are right on a CPU too, but take 50 times as long there as PyTorch's fused AdamW.",
        *_ADAMW,
    ),
    CombinationRule(
        {
            "regularization.clip_value": ABOVE_ZERO,
            "regularization.clip_norm": ABOVE_ZERO,
            "strategy.zero_stage": SPLIT_STAGES,
        },
        "regularization.clip_value",
        "Clipping by value and by norm together need ZeRO 0.",
        "The norm of the clamped gradient needs all of it at once; from ZeRO 1 on the optimizer sees it in parts.",
        "Clip by value only",
        (("regularization.clip_norm", 0.0),),
    ),
    CombinationRule(
        {"strategy.attention": ("flash_attention_2",), "strategy.precision": ("fp32",)},
        "strategy.attention",
        "FlashAttention 2 computes in 16 bits only.",
        "Its kernels take fp16 and bf16.",
        *_SDPA,
    ),
    CombinationRule(
        {"strategy.attention": ("flash_attention_2",), NODE: (NO_GPU,)},
        "strategy.attention",
        "FlashAttention 2 runs on GPUs only.",
        "Its kernels are CUDA's.",
        *_SDPA,
    ),
    CombinationRule(
        {"strategy.attention": ("flash_attention_2",), NODE: (OLD_GPU,)},
        "strategy.attention",
        "FlashAttention 2 needs GPUs of compute capability 8.0 or later.",
        "Its kernels are written for Ampere and later.",
        *_SDPA,
    ),
    CombinationRule(
        {"strategy.precision": ("fp16",), "strategy.zero_stage": (0,)},
        "strategy.precision",
        "fp16 needs ZeRO 1 or more.",
        "At ZeRO 0 the engine divides the gradients by a loss scale that it has not applied; three AdamW updates are "
        "off by a quarter.",
        "Use ZeRO 1",
        (("strategy.zero_stage", 1),),
    ),
    CombinationRule(
        {"strategy.precision": ("bf16",), NODE: (OLD_GPU,)},
        "strategy.precision",
        "{gpu} (compute capability {capability}) has no fast bf16.",
        "bf16 tensor cores came with compute capability 8.0; fp16 runs on older ones, with a loss scale.",
        "Use fp16",
        (("strategy.precision", "fp16"),),
    ),
    CombinationRule(
        {"strategy.precision": ("bf16",), NODE: (NO_GPU,)},
        "strategy.precision",
        "{host} has no GPU, and bf16 on a CPU is hundreds of times slower than fp32.",
        "PyTorch has no fast bf16 matrix products for most CPUs.",
        *_FP32,
    ),
    CombinationRule(
        {"strategy.precision": ("fp16",), NODE: (NO_GPU,)},
        "strategy.precision",
        "{host} has no GPU, and DeepSpeed refuses fp16 on most CPUs.",
        "It asks for AVX-512 FP16, which few processors have.",
        *_FP32,
    ),
    CombinationRule(
        {"strategy.loss_kernel": ("liger",), NODE: (NO_GPU,)},
        "strategy.loss_kernel",
        "Liger's fused loss runs on GPUs only.",
        "Its kernels are Triton's.",
        "Use the lean loss",
        (("strategy.loss_kernel", "lean"),),
    ),
)


def combination_problems(spec: JobSpec, known: Known) -> Iterator[Problem]:
    """Yield what the table says against the job, and frozen parts that are none or all of the model."""
    places = _places(known.node)
    for rule in COMBINATION_RULES:
        if holds(rule, lambda path: value_at(spec, path), tuple(places)):
            place = rule.when.get(NODE, ())
            names = places[place[0]] if place else {}
            yield Problem(ERROR, rule.field, rule.sentence.format(**names), Fix(rule.label, rule.changes))
    yield from _of_frozen_parts(spec, known)


def holds(rule: CombinationRule, value_of: Callable[[str], Any], places: Tuple[str, ...] = ()) -> bool:
    """Say whether a rule speaks against the values at the paths it names, on hardware of the kinds in ``places``."""
    for path, allowed in rule.when.items():
        if path == NODE:
            if not set(allowed) & set(places):
                return False
        elif allowed == ABOVE_ZERO:
            if not value_of(path) > 0:
                return False
        elif value_of(path) not in allowed:
            return False
    return True


def _places(node: Union[NodeReport, None]) -> Mapping[str, Mapping[str, str]]:
    """Return the kinds of hardware the node has, each with what its sentences name."""
    if node is None:
        return {}
    if not node.gpus:
        return {NO_GPU: {"host": node.hostname}}
    found: Dict[str, Mapping[str, str]] = {}
    for gpu in node.gpus:
        kind = OLD_GPU if capability(gpu.compute_capability) < (8, 0) else NEW_GPU
        found.setdefault(kind, {"host": node.hostname, "gpu": gpu.name, "capability": gpu.compute_capability})
    return found


def capability(text: str) -> Tuple[int, int]:
    """Return a compute capability such as "8.6" as numbers; one that nvidia-smi does not tell counts as new."""
    major, _, minor = text.partition(".")
    return (int(major), int(minor or 0)) if major.isdigit() and (not minor or minor.isdigit()) else (99, 0)


def _of_frozen_parts(spec: JobSpec, known: Known) -> Iterator[Problem]:
    patterns = spec.optimizer.frozen
    if not patterns or known.model is None:
        return
    shapes = names_of_config(known.model.config)
    if not shapes:
        return
    for pattern, near in idle_patterns([name for name, _ in shapes], patterns):
        rest = tuple(one for one in patterns if one != pattern)
        hint = " Near it are {}.".format(", ".join(near)) if near else ""
        yield Problem(
            ERROR, "optimizer.frozen", "No parameter of the model is named {}.{}".format(pattern, hint),
            Fix("Take it out", (("optimizer.frozen", rest),)),
        )  # fmt: skip
    groups = parameter_groups(shapes, spec.optimizer)
    if all(group.frozen for group in groups):
        yield Problem(
            ERROR, "optimizer.frozen", "Every parameter of the model is frozen; there is nothing to train.",
            Fix("Freeze nothing", (("optimizer.frozen", ()),)),
        )  # fmt: skip
    elif spec.optimizer.kind == "muon" and not any(group.rule == "muon" and not group.frozen for group in groups):
        yield Problem(
            WARNING, "optimizer.kind", "No matrix that Muon would update is trained; everything is left to AdamW.",
            Fix("Use AdamW", (("optimizer.kind", "adamw"),)),
        )  # fmt: skip


_OPTIMIZERS = ("adamw", "adamw_8bit", "lion", "muon", "sgd", "adafactor")


def table_markdown() -> str:
    """Return the table for the README: each optimizer by ZeRO stage and offload, then each rule with its reason."""
    lines = [
        "| Optimizer | ZeRO 0 | ZeRO 1 | ZeRO 2 | ZeRO 3 | states on the CPU |",
        "|---|---|---|---|---|---|",
    ]
    for kind in _OPTIMIZERS:
        cells = [_cell(kind, stage, False) for stage in (0, 1, 2, 3)] + [_cell(kind, 1, True)]
        lines.append("| {} | {} |".format(kind, " | ".join(cells)))
    lines += ["", "| Not together | Why | What to do |", "|---|---|---|"]
    for rule in COMBINATION_RULES:
        lines.append("| {} | {} | {} |".format(_condition(rule), rule.reason, rule.label))
    return "\n".join(lines) + "\n"


def _cell(kind: str, stage: int, offloaded: bool) -> str:
    values = {"optimizer.kind": kind, "strategy.zero_stage": stage, "strategy.offload_optimizer": offloaded}
    refused = any(holds(rule, values.__getitem__) for rule in COMBINATION_RULES if set(rule.when) <= set(values))
    return "no" if refused else "GPU" if kind == "adamw_8bit" else "yes"


def _condition(rule: CombinationRule) -> str:
    parts = []
    for path, allowed in rule.when.items():
        shown = allowed if isinstance(allowed, str) else " or ".join(_shown(value) for value in allowed)
        parts.append(shown if path == NODE else "`{}` {}".format(path, shown))
    return ", ".join(parts)


def _shown(value: Any) -> str:
    return "on" if value is True else "off" if value is False else str(value)
