"""The memory model of FSDP 2 is held to torch's own count of a step of a real model on eight GPUs nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
import torch.distributed
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.fsdp2_mem_tracker import FSDPMemTracker
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import AutoConfig, AutoModelForCausalLM

from remote_agent.contract.memory import Setup, estimate_memory
from remote_agent.contract.memory.from_job import shape_of
from remote_agent.contract.model_facts import model_facts
from remote_agent.trainer.memory_trace import _causal_attention

GPUS = 8


class Case(NamedTuple):
    """A run: where its peak lies, and what makes it lie there."""

    binding: str
    vocabulary: int
    length: int
    checkpointing: bool
    dtype: torch.dtype
    reduced_in: torch.dtype


CASES = (
    Case("loss", 2048, 128, False, torch.float32, torch.float32),
    Case("backward_bottom", 16384, 32, True, torch.float32, torch.float32),
    Case("backward_bottom", 256, 32, True, torch.bfloat16, torch.bfloat16),
    Case("backward_top", 256, 256, True, torch.float32, torch.float32),
)


@pytest.fixture(scope="module")
def mesh() -> Iterator[DeviceMesh]:
    torch.distributed.init_process_group("fake", rank=0, world_size=GPUS, store=FakeStore())
    yield init_device_mesh("cpu", (GPUS,))
    torch.distributed.destroy_process_group()


def _config(case: Case) -> dict[str, Any]:
    return {
        "model_type": "llama", "vocab_size": case.vocabulary, "hidden_size": 256, "intermediate_size": 704,
        "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 1024,
    }  # fmt: skip


def _counted(case: Case, mesh: DeviceMesh) -> int:
    """Return the bytes that were alive at most in the second step, when the optimizer's states exist."""
    config = AutoConfig.for_model(**_config(case))
    config.use_cache = False
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=case.reduced_in)
    with FakeTensorMode():
        model = AutoModelForCausalLM.from_config(config, attn_implementation=_causal_attention(), dtype=case.dtype)
        model.train()
        if case.checkpointing:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        for layer in model.model.layers:
            fully_shard(layer, mesh=mesh, mp_policy=policy)
        fully_shard(model, mesh=mesh, mp_policy=policy)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        ids = torch.zeros((2, case.length), dtype=torch.int64)

        def step() -> None:
            found = model(input_ids=ids, labels=ids)
            found.loss.backward()
            optimizer.step()
            optimizer.zero_grad()

        step()
        tracker = FSDPMemTracker(model, optimizer)
        tracker.track_inputs((ids,))
        with tracker:
            step()
        snapshot = tracker.get_tracker_snapshot("peak")
    return max(kinds["Total"] for kinds in snapshot.values())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_that_a_gpu_under_fsdp_2_holds_what_torch_counts(case: Case, mesh: DeviceMesh) -> None:
    setup = Setup(
        shape_of(model_facts(_config(case))),
        gpus=GPUS,
        strategy="fsdp",
        fsdp_version=2,
        precision="fp32_params_amp" if case.dtype == torch.float32 else "all_bf16",
        micro_batch=2,
        seq_len=case.length,
        checkpointing="full" if case.checkpointing else "none",
        loss="full_fp32_upcast",
    )
    found = estimate_memory(setup)
    assert found.binding == case.binding
    assert found.allocated.likely == pytest.approx(_counted(case, mesh), rel=0.05)
