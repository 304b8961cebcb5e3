"""Worked examples of large models, computed by the same arithmetic that estimates a job."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory.states import StateBytes, state_bytes

LLAMA_3_70B = 70_553_706_496
LLAMA_3_1_405B = 405_853_388_800
NF4_BITS = 4.127
"""QLoRA's 4 bits a weight and its doubly quantized constants (Dettmers et al., 2023, arXiv:2305.14314, section 3)."""


class Example(NamedTuple):
    """One example: a key to its words, how many parameters and GPUs, and the bytes it comes to."""

    key: str
    parameters: int
    gpus: int
    size: int


def worked_examples() -> Tuple[Example, ...]:
    """Return the examples the help tells.

    ``states_alone``, ``states_of_8``, ``states_of_64`` and ``states_of_512`` are all states under AdamW and bf16 with
    an fp32 master copy, on one of so many GPUs under ZeRO-3; ``host_of_8`` what offloading the optimizer moves to the
    host; ``lora_weights`` and ``qlora_weights`` the frozen weights alone, before adapters and activations.
    """
    found = [
        Example("states_alone", LLAMA_3_70B, 1, _states(LLAMA_3_70B, 1).on_gpu),
        Example("states_of_8", LLAMA_3_70B, 8, _states(LLAMA_3_70B, 8).on_gpu),
        Example("host_of_8", LLAMA_3_70B, 8, _states(LLAMA_3_70B, 8, offload=True).host),
        Example("states_of_64", LLAMA_3_70B, 64, _states(LLAMA_3_70B, 64).on_gpu),
        Example("states_of_512", LLAMA_3_1_405B, 512, _states(LLAMA_3_1_405B, 512).on_gpu),
        Example("lora_weights", LLAMA_3_70B, 1, 2 * LLAMA_3_70B),
        Example("qlora_weights", LLAMA_3_70B, 1, int(LLAMA_3_70B * NF4_BITS / 8)),
    ]
    return tuple(found)


def _states(parameters: int, gpus: int, offload: bool = False) -> StateBytes:
    spec = with_value(with_value(JobSpec(), "strategy.ranks", gpus), "strategy.zero_stage", 3)
    return state_bytes(with_value(spec, "strategy.offload_optimizer", offload), parameters)
