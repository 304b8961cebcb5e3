"""Worked examples of large models, computed by the same arithmetic that estimates a job."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from remote_agent.contract.deepspeed_config import REDUCE_BUCKET_ELEMENTS
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory.estimate import FITS, estimate_memory, verdict
from remote_agent.contract.memory.from_job import LOGITS_AT_ONCE
from remote_agent.contract.memory.host import host_memory
from remote_agent.contract.memory.setup import Setup, Shape
from remote_agent.contract.memory.states import StateBytes, state_bytes

LLAMA_3_70B = Shape(70_553_706_496, 80, 8192, 64, 8, 128, 28672, 128256)
LLAMA_3_1_405B = Shape(405_853_388_800, 126, 16384, 128, 8, 128, 53248, 128256)
NF4_BITS = 4.127
"""QLoRA's 4 bits a weight and its doubly quantized constants (Dettmers et al., 2023, arXiv:2305.14314, section 3)."""
EXAMPLE_LENGTH = 4096
CAPACITY_80 = 81559 << 20
"""An H100 of 80 GB as nvidia-smi counts it."""


class Example(NamedTuple):
    """One example: a key to its words, how many parameters and GPUs, the bytes it comes to, and the sum behind it.

    ``each`` are the bytes a parameter takes where the figure is a product, ``terms`` the bytes it is made of where it
    is a sum.
    """

    key: str
    parameters: int
    gpus: int
    size: int
    arithmetic: str
    each: float = 0.0
    terms: Tuple[Tuple[str, int], ...] = ()


def worked_examples() -> Tuple[Example, ...]:
    """Return the examples the help tells.

    ``states_alone``, ``states_of_8``, ``states_of_64`` and ``states_of_512`` are all states under AdamW and bf16 with
    an fp32 master copy, on one of so many GPUs under ZeRO-3; ``host_of_8`` what offloading the optimizer moves to the
    host, and ``host_needed`` all that the host then holds; ``least_gpus`` how many GPUs of 80 GB hold it with one
    sequence of `EXAMPLE_LENGTH` tokens without offloading; ``on_top_of_512`` what gathered weights, activations, logits
    and buffers of such a sequence add; ``lora_weights`` and ``qlora_weights`` the frozen weights alone, before adapters
    and activations.
    """
    small, large = LLAMA_3_70B.parameters, LLAMA_3_1_405B.parameters
    found = [
        Example("states_alone", small, 1, _states(small, 1).on_gpu, "{:,} x 16 bytes".format(small), 16.0),
        Example("states_of_8", small, 8, _states(small, 8).on_gpu, "{:,} x 16 bytes / 8".format(small), 16.0),
        Example("host_of_8", small, 8, _states(small, 8, True).host, "{:,} x 12 bytes".format(small), 12.0),
        _host_needed(LLAMA_3_70B, 8),
        _least_gpus(LLAMA_3_70B),
        Example("states_of_64", small, 64, _states(small, 64).on_gpu, "{:,} x 16 bytes / 64".format(small), 16.0),
        Example("states_of_512", large, 512, _states(large, 512).on_gpu, "{:,} x 16 bytes / 512".format(large), 16.0),
        _on_top(LLAMA_3_1_405B, 512),
        Example("lora_weights", small, 1, 2 * small, "{:,} x 2 bytes".format(small), 2.0),
        Example(
            "qlora_weights", small, 1, int(small * NF4_BITS / 8), "{:,} x {} bits".format(small, NF4_BITS), NF4_BITS / 8
        ),
    ]
    return tuple(found)


def _one_sequence(shape: Shape, gpus: int) -> Setup:
    """Return one sequence a GPU under ZeRO-3 with checkpointing and the lean loss, eight GPUs a node."""
    chunk = LOGITS_AT_ONCE // shape.vocabulary
    return Setup(shape, gpus=gpus, nodes=max(1, gpus // 8), strategy="zero", zero_stage=3, seq_len=EXAMPLE_LENGTH,
                 loss="fused_linear_ce", loss_chunk_tokens=chunk, reduce_bucket=REDUCE_BUCKET_ELEMENTS)  # fmt: skip


def _host_needed(shape: Shape, gpus: int) -> Example:
    used = host_memory(_one_sequence(shape, gpus)._replace(offload_optimizer=True), pinned=False)
    shown = " + ".join("{} {:,.0f}".format(name, size / 1e9) for name, size in used.terms)
    return Example("host_needed", shape.parameters, gpus, used.used.likely, shown + " GB", terms=used.terms)


def _least_gpus(shape: Shape) -> Example:
    """Return the fewest nodes of eight 80 GB GPUs that hold it with headroom."""
    for gpus in range(8, 1024, 8):
        found = estimate_memory(_one_sequence(shape, gpus))
        if verdict(found, CAPACITY_80) == FITS:
            break
    terms = (*found.bound.terms, ("allocator", found.slack), ("context", found.outside))
    shown = " + ".join("{} {:.1f}".format(name, size / 1e9) for name, size in terms)
    size = sum(each for _, each in terms)
    return Example("least_gpus", shape.parameters, gpus, size, shown + " GB", terms=terms)


def _on_top(shape: Shape, gpus: int) -> Example:
    bound = estimate_memory(_one_sequence(shape, gpus)).bound
    terms = tuple((name, size) for name, size in bound.terms if name not in ("weights", "gradients", "states"))
    shown = " + ".join("{} {:.1f}".format(name, size / 1e9) for name, size in terms)
    return Example("on_top_of_512", shape.parameters, gpus, sum(size for _, size in terms), shown + " GB", terms=terms)


def _states(parameters: int, gpus: int, offload: bool = False) -> StateBytes:
    spec = with_value(with_value(JobSpec(), "strategy.ranks", gpus), "strategy.zero_stage", 3)
    return state_bytes(with_value(spec, "strategy.offload_optimizer", offload), parameters)
