"""What does not run together, in one list with the reasons: read by the problems, the tests and `combination_table`.

A combination that no rule names is offered. The rules about optimizers say what three updates on two ranks gave
beside the plain PyTorch optimizer.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple, Union

from remote_agent.contract.dropout_fields import dropouts
from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.parameter_groups import idle_patterns, parameter_groups
from remote_agent.contract.parameter_names import names_of_config
from remote_agent.contract.problem import ERROR, WARNING, Fix, Known, Problem

NODE = "node"
"""A condition on where it runs: NO_GPU, OLD_GPU (compute capability below 8.0) or NEW_GPU."""
NO_GPU, OLD_GPU, NEW_GPU = "no GPU", "GPU before 8.0", "GPU of 8.0 or later"

MODEL = "model"
"""A condition on the model: NO_DROPOUT, neither its config's nor one that the job sets or adds."""
NO_DROPOUT = "without any dropout"

SPLIT_STAGES = (1, 2, 3)
ABOVE_ZERO, ABOVE_ONE = "above 0", "above 1"
_LIMITS = {ABOVE_ZERO: 0.0, ABOVE_ONE: 1.0}

Values = Union[Tuple[Any, ...], str]


class CombinationRule(NamedTuple):
    """One combination that is not offered.

    Attributes:
        when: field path (or NODE, MODEL) to the values that it takes; all have to hold. ABOVE_ZERO: any number above 0.
        field: the field the problem stands at.
        sentence: what is wrong, for the person who chose it.
        reason: why, and how it is known.
        fix: the button that mends it.
        more: what else that button sets, by the job.
    """

    when: Mapping[str, Values]
    field: str
    sentence: str
    reason: str
    fix: Fix
    more: Optional[Callable[[JobSpec], Tuple[Tuple[str, Any], ...]]] = None


_STAGE_0 = Fix("Use ZeRO 0", (("strategy.zero_stage", 0), ("strategy.offload_optimizer", False),
                              ("strategy.offload_parameters", False)))  # fmt: skip
_STAGE_1 = Fix("Use ZeRO 1", (("strategy.zero_stage", 1),))
_ADAMW = Fix("Use AdamW", (("optimizer.kind", "adamw"),))
_SDPA = Fix("Use SDPA", (("strategy.attention", "sdpa"),))
_FP32 = Fix("Use fp32", (("strategy.precision", "fp32"),))
_UNPACK = Fix("Do not pack", (("data.packing", False),))
_KERNEL = "optimizer.adam_kernel"
_TORCH = Fix("Use PyTorch's kernel", ((_KERNEL, "torch"),))
_MIXUP, _R_DROP = "regularization.mixup_alpha", "regularization.r_drop_alpha"


def _half_accumulation(spec: JobSpec) -> Tuple[Tuple[str, Any], ...]:
    """Return what keeps the global batch with a micro batch of 2, where accumulation is even."""
    accumulation = spec.batch.accumulation
    return () if accumulation % 2 else (("batch.accumulation", accumulation // 2),)


COMBINATION_RULES: Tuple[CombinationRule, ...] = (
    CombinationRule(
        {"strategy.offload_optimizer": (True,), "strategy.zero_stage": (0,)},
        "strategy.offload_optimizer",
        "Offloading the optimizer needs ZeRO 1 or more.",
        "At ZeRO 0 the optimizer holds the model's own weights; there is no copy that could lie elsewhere.",
        _STAGE_1,
    ),
    CombinationRule(
        {"strategy.offload_parameters": (True,), "strategy.zero_stage": (0, 1, 2)},
        "strategy.offload_parameters",
        "Offloading the weights needs ZeRO 3.",
        "Below ZeRO 3 every GPU keeps all weights for the whole run.",
        Fix("Use ZeRO 3", (("strategy.zero_stage", 3),)),
    ),
    CombinationRule(
        {"optimizer.kind": ("muon",), "strategy.zero_stage": SPLIT_STAGES},
        "optimizer.kind",
        "Muon needs whole matrices, and ZeRO 1 and more hand the optimizer flat pieces of them.",
        "PyTorch's Muon refuses what is no matrix. DeepSpeed's own scales its update in another way and clips it after "
        "it is orthogonalised, so it is not PyTorch's.",
        _STAGE_0,
    ),
    CombinationRule(
        {"optimizer.kind": ("adafactor",), "strategy.zero_stage": SPLIT_STAGES},
        "optimizer.kind",
        "Adafactor needs whole matrices, and under ZeRO 1 and more it would give wrong updates without a word.",
        "It keeps a row and a column of each matrix and scales by the tensor's size; on flat pieces three updates are "
        "off by a fifth to all of their size.",
        _STAGE_0,
    ),
    CombinationRule(
        {"optimizer.kind": ("muon", "adafactor"), "strategy.precision": ("fp16",)},
        "optimizer.kind",
        "Muon and Adafactor need ZeRO 0, where fp16 does not scale the loss.",
        "The one needs whole matrices, the other a loss scale; no ZeRO stage has both.",
        _ADAMW,
    ),
    CombinationRule(
        {"optimizer.kind": ("adamw_8bit",), "strategy.offload_optimizer": (True,)},
        "optimizer.kind",
        "AdamW in 8 bits keeps its states on the GPU; it cannot be offloaded.",
        "Its updates are right on a CPU too, but take 50 times as long there as PyTorch's fused AdamW.",
        _ADAMW,
    ),
    CombinationRule(
        {"optimizer.kind": ("adamw_8bit",), NODE: (NO_GPU,)},
        "optimizer.kind",
        "AdamW in 8 bits runs on GPUs only.",
        "Its updates are right on a CPU too, but take 50 times as long there as PyTorch's fused AdamW.",
        _ADAMW,
    ),
    CombinationRule(
        {"optimizer.kind": ("adamw",), _KERNEL: ("deepspeed",), "strategy.offload_optimizer": (True,)},
        _KERNEL,
        "DeepSpeed's FusedAdam keeps its states on the GPU; it cannot be offloaded.",
        "In host memory DeepSpeed's CPUAdam or PyTorch's own kernel computes the updates.",
        _TORCH,
    ),
    CombinationRule(
        {"optimizer.kind": ("adamw",), _KERNEL: ("deepspeed",), NODE: (NO_GPU,)},
        _KERNEL,
        "DeepSpeed's FusedAdam runs on GPUs only.",
        "Its form for CPUs would be compiled for minutes, and PyTorch's fused kernel is there without that.",
        _TORCH,
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
        Fix("Clip by value only", (("regularization.clip_norm", 0.0),)),
    ),
    CombinationRule(
        {"strategy.attention": ("flash_attention_2",), "strategy.precision": ("fp32",)},
        "strategy.attention",
        "FlashAttention 2 computes in 16 bits only.",
        "Its kernels take fp16 and bf16.",
        _SDPA,
    ),
    CombinationRule(
        {"strategy.attention": ("flash_attention_2",), NODE: (NO_GPU,)},
        "strategy.attention",
        "FlashAttention 2 runs on GPUs only.",
        "Its kernels are CUDA's.",
        _SDPA,
    ),
    CombinationRule(
        {"strategy.attention": ("flash_attention_2",), NODE: (OLD_GPU,)},
        "strategy.attention",
        "FlashAttention 2 needs GPUs of compute capability 8.0 or later.",
        "Its kernels are written for Ampere and later.",
        _SDPA,
    ),
    CombinationRule(
        {"strategy.precision": ("fp16",), "strategy.zero_stage": (0,)},
        "strategy.precision",
        "fp16 needs ZeRO 1 or more.",
        "At ZeRO 0 the engine divides the gradients by a loss scale that it has not applied; three AdamW updates are "
        "off by a quarter.",
        _STAGE_1,
    ),
    CombinationRule(
        {"strategy.precision": ("bf16",), NODE: (OLD_GPU,)},
        "strategy.precision",
        "{gpu} (compute capability {capability}) has no fast bf16.",
        "bf16 tensor cores came with compute capability 8.0; fp16 runs on older ones, with a loss scale.",
        Fix("Use fp16", (("strategy.precision", "fp16"),)),
    ),
    CombinationRule(
        {"strategy.precision": ("bf16",), NODE: (NO_GPU,)},
        "strategy.precision",
        "{host} has no GPU, and bf16 on a CPU is hundreds of times slower than fp32.",
        "PyTorch has no fast bf16 matrix products for most CPUs.",
        _FP32,
    ),
    CombinationRule(
        {"strategy.precision": ("fp16",), NODE: (NO_GPU,)},
        "strategy.precision",
        "{host} has no GPU, and DeepSpeed refuses fp16 on most CPUs.",
        "It asks for AVX-512 FP16, which few processors have.",
        _FP32,
    ),
    CombinationRule(
        {"strategy.loss_kernel": ("liger",), NODE: (NO_GPU,)},
        "strategy.loss_kernel",
        "Liger's fused loss runs on GPUs only.",
        "Its kernels are Triton's.",
        Fix("Use the lean loss", (("strategy.loss_kernel", "lean"),)),
    ),
    CombinationRule(
        {_MIXUP: ABOVE_ZERO, "data.packing": (True,)},
        _MIXUP,
        "Mixup mixes rows one by one, and packing puts several into a sequence.",
        "Two sequences of several rows have no common place where a row begins.",
        _UNPACK,
    ),
    CombinationRule(
        {_MIXUP: ABOVE_ZERO, "batch.micro_batch": (1,)},
        _MIXUP,
        "Mixup needs two rows in a micro batch; there is one.",
        "A row is mixed with another of its own micro batch.",
        Fix("Micro batch of 2", (("batch.micro_batch", 2),)),
        _half_accumulation,
    ),
    CombinationRule(
        {_MIXUP: ABOVE_ZERO, "strategy.attention": ("flash_attention_2",)},
        _MIXUP,
        "Mixup needs rows side by side; with FlashAttention 2 a micro batch is one long row.",
        "Its kernels find the rows' ends in the positions, so the rows of a micro batch are joined.",
        _SDPA,
    ),
    CombinationRule(
        {_MIXUP: ABOVE_ZERO, _R_DROP: ABOVE_ZERO},
        _MIXUP,
        "Mixup and R-Drop are not meant for each other: one mixes targets, the other compares two predictions of one "
        "target.",
        "Neither paper says what their sum would be.",
        Fix("Turn mixup off", ((_MIXUP, 0.0),)),
    ),
    CombinationRule(
        {_R_DROP: ABOVE_ZERO, "data.packing": (True,)},
        _R_DROP,
        "R-Drop compares two passes of a row, and packing puts several into a sequence.",
        "Its paper compares passes of single rows; over packed ones nobody has shown what it does.",
        _UNPACK,
    ),
    CombinationRule(
        {_R_DROP: ABOVE_ZERO, "strategy.attention": ("flash_attention_2",), "batch.micro_batch": ABOVE_ONE},
        _R_DROP,
        "R-Drop needs rows side by side; with FlashAttention 2 a micro batch is one long row.",
        "Its kernels find the rows' ends in the positions, so the rows of a micro batch are joined.",
        _SDPA,
    ),
    CombinationRule(
        {_R_DROP: ABOVE_ZERO, MODEL: (NO_DROPOUT,)},
        _R_DROP,
        "R-Drop compares two dropout masks, and no dropout is on: both passes would be the same.",
        "The divergence of two equal predictions is 0, for twice the time.",
        Fix("Residual dropout of 0.1", (("regularization.residual_dropout", 0.1),)),
    ),
)


def combination_problems(spec: JobSpec, known: Known) -> Iterator[Problem]:
    """Yield what the table says against the job, and frozen parts that are none or all of the model."""
    facts = _facts(spec, known)
    for rule in COMBINATION_RULES:
        if holds(rule, lambda path: value_at(spec, path), tuple(facts)):
            place = rule.when.get(NODE, ())
            names = facts[place[0]] if place else {}
            changes = rule.fix.changes + (rule.more(spec) if rule.more is not None else ())
            yield Problem(ERROR, rule.field, rule.sentence.format(**names), Fix(rule.fix.label, changes))
    yield from _of_frozen_parts(spec, known)


def holds(rule: CombinationRule, value_of: Callable[[str], Any], facts: Tuple[str, ...] = ()) -> bool:
    """Say whether a rule speaks against the values at the paths it names, where ``facts`` hold of node and model."""
    for path, allowed in rule.when.items():
        if path in (NODE, MODEL):
            if not set(allowed) & set(facts):
                return False
        elif isinstance(allowed, str):
            if not value_of(path) > _LIMITS[allowed]:
                return False
        elif value_of(path) not in allowed:
            return False
    return True


def _facts(spec: JobSpec, known: Known) -> Mapping[str, Mapping[str, str]]:
    """Return what holds of node and model, each with what its sentences name."""
    found = dict(_places(known.node))
    if known.model is not None and not _drops(spec, known.model.config):
        found[NO_DROPOUT] = {}
    return found


def _drops(spec: JobSpec, config: Mapping[str, Any]) -> bool:
    """Say whether a dropout is on, the config's or one that the job sets or adds."""
    rules, own = spec.regularization, dropouts(config)
    set_ = bool(own) and rules.dropout > 0 if rules.override_dropout else any(share > 0 for share in own.values())
    return rules.residual_dropout > 0 or set_


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
