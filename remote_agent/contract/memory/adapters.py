"""What full fine-tuning, LoRA and QLoRA hold of weights, gradients and states in all, for orientation.

Luthier trains all parameters; the other two are told beside so that their figures are not mixed up with these.
Sources: Hu et al., LoRA, 2021, arXiv:2106.09685; Dettmers et al., QLoRA, 2023, arXiv:2305.14314.
"""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory.examples import NF4_BITS
from remote_agent.contract.memory.setup import Shape
from remote_agent.contract.memory.states import state_bytes

RANK = 16
"""A usual rank; LoRA's own paper uses 1 to 64."""


class Beside(NamedTuple):
    """Bytes over all GPUs before activations, and the numbers they are made of.

    Attributes:
        parameters: of the model. adapter: of LoRA's matrices on every linear layer; 0 where sizes are not known.
        full_each: bytes a trained parameter takes with gradients and states; the adapter's take as many.
        frozen_each: bytes a frozen parameter takes under LoRA.
        full, lora, qlora: bytes in all.
    """

    parameters: int
    adapter: int
    full_each: float
    frozen_each: float
    full: int
    lora: int
    qlora: int


def beside(spec: JobSpec, shape: Shape) -> Beside:
    """Return the three for the job's model, optimizer and precision."""
    alone = state_bytes(with_value(with_value(spec, "strategy.ranks", 1), "strategy.zero_stage", 1), shape.parameters)
    full = alone.on_gpu + alone.host
    each = full / shape.parameters if shape.parameters else 0.0
    frozen = 4.0 if spec.strategy.precision == "fp32" else 2.0
    adapter = adapter_parameters(shape)
    states = int(each * adapter)
    return Beside(
        shape.parameters, adapter, each, frozen, full, int(frozen * shape.parameters) + states,
        int(shape.parameters * NF4_BITS / 8) + states,
    )  # fmt: skip


def adapter_parameters(shape: Shape, rank: int = RANK) -> int:
    """Return the parameters of low-rank matrices beside every linear layer; experts count as one wide layer."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    attention = 2 * (shape.hidden + queries) + 2 * (shape.hidden + keys)
    mlp = (3 if shape.gated_mlp else 2) * (shape.hidden + shape.intermediate)
    return rank * shape.layers * (attention + mlp) if shape.hidden else 0


class TuningKind(NamedTuple):
    """What a way to fine-tune keeps on one GPU before activations and logits, which all of them need alike.

    Attributes:
        kind: "full", "lora" or "qlora".
        trained: parameters that are trained.
        parts: name, bytes and the arithmetic of weights, gradients and states.
        total: bytes of all parts.
    """

    kind: str
    trained: int
    parts: Tuple[Tuple[str, int, str], ...]
    total: int


def tuning_kinds(shape: Shape, rank: int = RANK) -> Tuple[TuningKind, ...]:
    """Return full fine-tuning, LoRA and QLoRA beside each other on one GPU, each with its arithmetic.

    Adapters of ``rank`` lie on every matrix of the layers (Hu et al., LoRA, ICLR 2022, arXiv:2106.09685; on all linear
    layers as in QLoRA). Full fine-tuning and adapters are under AdamW and bf16 with an fp32 master copy.
    """
    whole, adapters = shape.parameters, adapter_parameters(shape, rank)
    found = []
    for kind, trained, frozen in (("full", whole, 0), ("lora", adapters, 2 * whole),
                                  ("qlora", adapters, int(whole * NF4_BITS / 8))):  # fmt: skip
        parts: List[Tuple[str, int, str]] = []
        if frozen:
            width = "2 bytes" if kind == "lora" else "{} bits".format(NF4_BITS)
            parts.append(("frozen weights", frozen, "{:,} x {}".format(whole, width)))
        for name, width_bytes in (("weights", 2), ("gradients", 2), ("states", 12)):
            parts.append((name, trained * width_bytes, "{:,} x {} bytes".format(trained, width_bytes)))
        found.append(TuningKind(kind, trained, tuple(parts), sum(size for _, size, _ in parts)))
    return tuple(found)
