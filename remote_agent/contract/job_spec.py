"""One fine-tuning job, complete and frozen; every field says what is counted and in which unit."""

from __future__ import annotations

import dataclasses
from typing import Any, Tuple

from remote_agent.contract.alert_spec import AlertSpec as AlertSpec
from remote_agent.contract.data_spec import DataSpec as DataSpec
from remote_agent.contract.knob import knob
from remote_agent.contract.recipe_spec import OptimizerSpec as OptimizerSpec
from remote_agent.contract.recipe_spec import RegularizationSpec as RegularizationSpec
from remote_agent.contract.recipe_spec import ScheduleSpec as ScheduleSpec
from remote_agent.contract.recipe_spec import WarmupSpec as WarmupSpec
from remote_agent.contract.recovery_spec import RecoverySpec as RecoverySpec
from remote_agent.contract.tracker_spec import TrackersSpec as TrackersSpec

SCHEMA_VERSION = 1

_ZERO = "Rajbhandari et al., ZeRO, SC 2020, arXiv:1910.02054"
_CHECKPOINTING = "Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016, arXiv:1604.06174"


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """Which weights the run starts from."""

    source: str = knob(
        "desktop",
        "From",
        "Where the model lies: on this computer, on the node, on the Hub, or the result of a run on the node.",
        choices=("desktop", "node", "hub", "run"),
    )
    id: str = knob(
        "",
        "Model",
        "A folder here or on the node, a Hub id such as org/name, or RUN_ID/step for a checkpoint of a run.",
        path_like=True,
    )
    revision: str = knob(
        "",
        "Revision",
        "The commit of a Hub model. A branch name can move, so a run pins the commit it resolved to.",
        advanced=True,
    )
    trust_remote_code: bool = knob(
        False,
        "Run the model's own code",
        "Lets Python files that come with the model run on the node with your rights. Leave off unless you read them.",
        advanced=True,
    )


@dataclasses.dataclass(frozen=True)
class BatchSpec:
    """How many sequences an update sees and how long the run is."""

    micro_batch: int = knob(
        1, "Micro batch", "Sequences a GPU holds at once; activations grow with it.", unit="sequences", low=1
    )
    accumulation: int = knob(
        1,
        "Accumulation",
        "Micro batches a GPU sums before an update. Global batch = micro batch x accumulation x GPUs.",
        unit="micro batches",
        low=1,
    )
    epochs: float = knob(
        3.0, "Epochs", "How often every row is trained, where no number of steps is given.", above=0.0, high=1000.0
    )
    max_steps: int = knob(
        0, "Steps", "Ends the run after so many updates, whatever the epochs say. 0: by epochs.", unit="steps", low=0
    )
    longest_only: bool = knob(
        False,
        "Longest batch only",
        "Every update trains the batch of the longest sequences: for measuring memory, not for learning.",
        advanced=True,
    )


@dataclasses.dataclass(frozen=True)
class StrategySpec:
    """How weights, gradients and optimizer states spread over GPUs."""

    ranks: int = knob(
        1, "Processes", "One process a GPU; on a CPU node, processes that share the cores.", unit="ranks", low=1
    )
    zero_stage: int = knob(
        1,
        "ZeRO stage",
        "0 copies everything to each GPU; 1 splits optimizer states, 2 gradients too, 3 weights too.",
        low=0,
        high=3,
        source=_ZERO,
    )
    offload_optimizer: bool = knob(
        False,
        "Offload optimizer to CPU",
        "Keeps master weights and moments in host memory, about 12 bytes a parameter; needs ZeRO 1 or more.",
        source="Ren et al., ZeRO-Offload, USENIX ATC 2021, arXiv:2101.06840",
        advanced=True,
    )
    offload_parameters: bool = knob(
        False,
        "Offload weights to CPU",
        "Keeps weights in host memory between uses; needs ZeRO 3.",
        source="Rajbhandari et al., ZeRO-Infinity, SC 2021, arXiv:2104.07857",
        advanced=True,
    )
    precision: str = knob(
        "bf16",
        "Precision",
        "bf16 computes in 16 bits with fp32 master weights (GPUs of compute capability 8.0 and later); fp16 does on "
        "older GPUs, with a loss scale; fp32 for CPU nodes.",
        choices=("bf16", "fp16", "fp32"),
    )
    loss_scale_power: int = knob(
        16,
        "First loss scale",
        "fp16: the loss is multiplied by 2 to this power at the start; it halves where gradients overflow.",
        low=0,
        high=32,
        source="Micikevicius et al., Mixed Precision Training, ICLR 2018, arXiv:1710.03740",
        advanced=True,
    )
    loss_kernel: str = knob(
        "auto",
        "Loss",
        "How the head's loss is computed: lean takes logits only where a label is, a chunk at a time; liger is a "
        "fused kernel on GPUs where its package is; plain makes all logits. Auto: liger where it can, else lean.",
        choices=("auto", "lean", "liger", "plain"),
        advanced=True,
    )
    activation_checkpointing: bool = knob(
        True,
        "Activation checkpointing",
        "Keeps only each layer's input and computes the rest again in the backward pass: "
        "about a third more compute for much less memory.",
        source=_CHECKPOINTING,
    )
    attention: str = knob(
        "sdpa",
        "Attention",
        "The attention kernel: SDPA is PyTorch's own; eager is the plain computation, slow and memory-hungry; "
        "flash_attention_2 needs its package on the node.",
        choices=("sdpa", "eager", "flash_attention_2"),
        advanced=True,
    )
    threads_per_rank: int = knob(
        0,
        "Threads a rank",
        "CPU threads of each process; another number gives other bits on CPU. 0: cores divided by ranks.",
        unit="threads",
        low=0,
        advanced=True,
    )


@dataclasses.dataclass(frozen=True)
class CheckpointingSpec:
    """What is kept on the node's disk, and when."""

    weights_every_steps: int = knob(
        0,
        "Save weights every",
        "Consolidated safetensors every so many steps; 0: at the end only.",
        unit="steps",
        low=0,
    )
    state_every_steps: int = knob(
        0,
        "Save full state every",
        "Everything a bit-exact resume needs (16 bytes a parameter under AdamW and bf16), with the weights; "
        "0: only when asked.",
        unit="steps",
        low=0,
    )
    keep_last: int = knob(
        2, "Keep last", "How many committed checkpoints stay; the oldest go first.", unit="checkpoints", low=1
    )
    save_at_end: bool = knob(True, "Save at the end", "Writes the final weights as consolidated safetensors.")


@dataclasses.dataclass(frozen=True)
class EvaluationSpec:
    """When the held-out loss is taken, and which prompts are answered beside it."""

    every_steps: int = knob(
        0, "Evaluate every", "Held-out loss every so many steps; 0: only before the first and after the last.",
        unit="steps", low=0,
    )  # fmt: skip
    at_start: bool = knob(True, "Evaluate before step 1", "Takes the held-out loss of the base model first.")
    micro_batch: int = knob(
        1, "Evaluation batch", "Sequences a GPU evaluates at once; the loss does not depend on it.",
        unit="sequences", low=1, advanced=True,
    )  # fmt: skip
    sample_prompts: Tuple[str, ...] = knob(
        (), "Sample prompts", "Prompts answered greedily before the first step, at every evaluation and at the end."
    )
    sample_tokens: int = knob(
        48, "Sample length", "The most tokens of an answer.", unit="tokens", low=1, high=4096, advanced=True
    )
    sample_seconds: float = knob(
        120.0, "Time for samples", "The most time that the answers of one evaluation may take; prompts beyond it go "
        "without. 0: no limit.", unit="s", low=0.0, high=86400.0, advanced=True,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class LoadingSpec:
    """How prepared sequences reach the ranks. Never changes the numbers."""

    workers: int = knob(
        0, "Loader processes", "Processes a rank reads batches with; 0 reads in the rank itself.",
        unit="processes", low=0, high=64, advanced=True,
    )  # fmt: skip
    prefetch: int = knob(
        2, "Prefetch", "Batches each loader process holds ready.", unit="batches", low=1, high=64, advanced=True
    )
    pin_memory: bool = knob(
        True, "Pin memory", "Copies batches through page-locked memory on GPU nodes.", advanced=True
    )


@dataclasses.dataclass(frozen=True)
class DeterminismSpec:
    """Whether the run gives the same bits again on the same hardware."""

    enabled: bool = knob(
        False,
        "Deterministic",
        "Uses only deterministic kernels, so that a rerun on the same GPUs gives the same bits; "
        "can slow GPU steps by a tenth or more, measured per model. CPU runs are deterministic anyway.",
        source="PyTorch documentation, Reproducibility",
    )


@dataclasses.dataclass(frozen=True)
class JobSpec:
    """One fine-tuning job. `remote_agent.contract.problems.problems` says why it may not start."""

    schema_version: int = knob(SCHEMA_VERSION, "Schema", "The version of this file's layout.", low=1)
    name: str = knob("untitled", "Name", "What the job is called in the library.")
    seed: int = knob(17, "Seed", "Decides row order, held-out part and dropout.", low=0, high=2**31 - 1)
    model: ModelSpec = dataclasses.field(default_factory=ModelSpec)
    data: DataSpec = dataclasses.field(default_factory=DataSpec)
    optimizer: OptimizerSpec = dataclasses.field(default_factory=OptimizerSpec)
    schedule: ScheduleSpec = dataclasses.field(default_factory=ScheduleSpec)
    regularization: RegularizationSpec = dataclasses.field(default_factory=RegularizationSpec)
    batch: BatchSpec = dataclasses.field(default_factory=BatchSpec)
    strategy: StrategySpec = dataclasses.field(default_factory=StrategySpec)
    checkpointing: CheckpointingSpec = dataclasses.field(default_factory=CheckpointingSpec)
    evaluation: EvaluationSpec = dataclasses.field(default_factory=EvaluationSpec)
    loading: LoadingSpec = dataclasses.field(default_factory=LoadingSpec)
    determinism: DeterminismSpec = dataclasses.field(default_factory=DeterminismSpec)
    alerts: AlertSpec = dataclasses.field(default_factory=AlertSpec)
    recovery: RecoverySpec = dataclasses.field(default_factory=RecoverySpec)
    trackers: TrackersSpec = dataclasses.field(default_factory=TrackersSpec)


def value_at(spec: JobSpec, path: str) -> Any:
    """Return the value at a dotted path such as ``optimizer.learning_rate``. Raises KeyError for an unknown path."""
    value: Any = spec
    for name in path.split("."):
        if name not in getattr(value, "__dataclass_fields__", ()):
            raise KeyError(path)
        value = getattr(value, name)
    return value


def with_value(spec: Any, path: str, new: Any) -> Any:
    """Return a copy of the spec with the value at a dotted path replaced. Raises KeyError for an unknown path."""
    name, _, rest = path.partition(".")
    if not dataclasses.is_dataclass(spec) or name not in {f.name for f in dataclasses.fields(spec)}:
        raise KeyError(path)
    return dataclasses.replace(spec, **{name: with_value(getattr(spec, name), rest, new) if rest else new})  # type: ignore[type-var]
