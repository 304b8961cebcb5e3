"""Every strategy and term of the memory model against arithmetic by hand, one setting changed at a time."""

from __future__ import annotations

from typing import Any

import pytest

from remote_agent.contract.memory import Phase, Setup, Shape, disk, estimate_memory, host_memory
from remote_agent.contract.memory.activations import kept_layers, layer_saved
from remote_agent.contract.memory.from_table import setup_of_row
from remote_agent.contract.memory.host import (
    NVME_STATE_BUFFERS,
    NVME_WEIGHT_BUFFER,
    NVME_WEIGHT_BUFFERS,
    NVME_WEIGHTS_IN_MEMORY,
    PINNED_ROUNDING,
)

P = 8_000_000_000
SHAPE = Shape(P, 32, 4096, 32, 8, 128, 14336, 128256)


def _phase(name: str, **values: Any) -> Phase:
    found = estimate_memory(Setup(SHAPE, **values))
    return next(phase for phase in found.phases if phase.name == name)


def _step(**values: Any) -> dict[str, int]:
    return dict(_phase("step", **values).terms)


@pytest.mark.parametrize(
    ("precision", "weights", "gradients", "states"),
    [("bf16+fp32_master", 2, 2, 12), ("fp16+fp32_master", 2, 2, 12), ("all_bf16", 2, 2, 4),
     ("fp32_params_amp", 4, 4, 8), ("fp32", 4, 4, 8)],
)  # fmt: skip
def test_that_each_precision_keeps_its_bytes_a_parameter(
    precision: str, weights: int, gradients: int, states: int
) -> None:
    found = _step(precision=precision)
    assert found["weights"] == weights * P
    assert found["gradients"] == gradients * P
    assert found["states"] == states * P


@pytest.mark.parametrize(
    ("strategy", "stage", "weights", "gradients", "states"),
    [("single", 0, 1, 1, 1), ("ddp", 0, 1, 2, 1), ("zero", 0, 1, 1, 1), ("zero", 1, 1, 1, 1 / 8),
     ("zero", 2, 1, 1 / 8, 1 / 8), ("zero", 3, 1 / 8, 1 / 8, 1 / 8), ("fsdp", 0, 1 / 8, 1 / 8, 1 / 8)],
)  # fmt: skip
def test_that_each_strategy_splits_what_it_splits(
    strategy: str, stage: int, weights: float, gradients: float, states: float
) -> None:
    """DDP's reducer keeps a copy of the gradients in its buckets."""
    found = _step(strategy=strategy, zero_stage=stage, gpus=8)
    assert found["weights"] == weights * 2 * P
    assert found["gradients"] == gradients * 2 * P
    assert found["states"] == states * 12 * P


def test_that_fsdp_gathers_two_layers_and_what_lies_outside_them() -> None:
    gathered = _phase("forward", strategy="fsdp", gpus=8).of("gathered")
    assert gathered == 2 * (2 * SHAPE.embedding + 2 * SHAPE.layer)
    assert _phase("forward", strategy="single").of("gathered") == 0


def test_that_fsdp_2_also_holds_gradients_on_their_way_and_pads_each_parameter() -> None:
    """Of 192 GPUs each row count that they do not divide is rounded up: queries, keys, values and widths."""
    first, second = (_phase("backward_top", strategy="fsdp", gpus=8, fsdp_version=version) for version in (1, 2))
    assert first.of("gathered") == 2 * (2 * SHAPE.embedding + 3 * SHAPE.layer)
    assert second.of("gathered") == first.of("gathered") + 2 * SHAPE.layer
    eight = [_step(strategy="fsdp", gpus=8, fsdp_version=version)["weights"] for version in (1, 2)]
    assert eight[0] == eight[1] == 2 * P // 8
    many = [_step(strategy="fsdp", gpus=192, fsdp_version=version)["weights"] for version in (1, 2)]
    padding = 32 * ((128 + 2 * 128 + 128 + 2 * 64) * 4096 + 128 * 14336)
    assert many == [2 * -(-P // 192), 2 * (P + padding) // 192]


def test_that_several_nodes_change_neither_a_gpus_tensors_nor_the_sum_over_hosts() -> None:
    one = Setup(SHAPE, gpus=16, strategy="zero", zero_stage=3, offload_optimizer=True)
    assert estimate_memory(one) == estimate_memory(one._replace(nodes=2))
    host = dict(host_memory(one._replace(nodes=2)).terms)["offload"]
    assert 2 * host == dict(host_memory(one).terms)["offload"]


@pytest.mark.parametrize(("accumulate", "width"), [(0, 2), (4, 4), (2, 2)])
def test_that_gradients_are_summed_in_the_type_asked_for(accumulate: int, width: int) -> None:
    assert _step(accumulate_bytes=accumulate)["gradients"] == width * P


@pytest.mark.parametrize(("moments", "states"), [(2.0, 12), (1.0, 8), (0.5, 6), (0.0, 4)])
def test_that_an_optimizer_keeps_its_moments(moments: float, states: int) -> None:
    """AdamW, Lion and SGD with momentum, AdamW in 8 bits, SGD without: with 4 bytes of master weights each."""
    assert _step(moments=moments)["states"] == states * P


def test_that_an_average_takes_four_bytes_a_parameter_split_as_the_states() -> None:
    found = _step(copies_bytes=4.0, gpus=8, strategy="zero", zero_stage=1)
    assert found["average"] == 4 * P // 8


def test_that_each_checkpointing_mode_keeps_what_it_says() -> None:
    setup = Setup(SHAPE, micro_batch=2, seq_len=1024)
    tokens = 2048
    entry, whole = 2 * 4096 * tokens, layer_saved(setup) * tokens

    def kept(mode: str, every: int = 1) -> float:
        return kept_layers(setup._replace(checkpointing=mode, checkpoint_every=every))

    assert kept("none") == 32 * whole
    assert kept("full") == 32 * entry
    assert kept("every_nth", 1) == kept("full")
    assert kept("every_nth", 4) == 8 * entry + 24 * whole
    assert kept("offloaded") == 2 * entry
    linear = 2 * (2 * 4096 + 2 * 4096 + 2 * 1024 + 2 * 14336) * tokens
    assert kept("selective") == 32 * linear
    assert kept("submodules") == 32 * 4 * entry
    assert kept("offloaded") < kept("full") < kept("every_nth", 4) < kept("none")
    assert kept("full") < kept("selective") < kept("none")


def test_that_a_layer_saves_the_tensors_that_are_counted_by_hand() -> None:
    hidden, inner, keys = 4096, 14336, 1024
    setup = Setup(SHAPE)
    attention = 2 * (2 * hidden + 2 * keys) + 4 * 32
    eager = 2 * (4 + 2 * 2) * hidden + attention + 2 * 4 * inner
    fused = 2 * (2 * 2) * hidden + attention + 2 * 3 * inner
    assert layer_saved(setup) == eager
    for kernels in ("compile", "liger", "titan"):
        assert layer_saved(setup._replace(kernels=kernels)) == fused


def test_that_eager_attention_keeps_its_scores() -> None:
    values: dict[str, Any] = {"checkpointing": "none", "micro_batch": 2, "seq_len": 1024}
    found = _phase("forward", attention="eager", **values)
    assert found.of("scores") == 32 * (4 + 2) * 2 * 32 * 1024 * 1024
    assert _phase("forward", **values).of("scores") == 0


@pytest.mark.parametrize(
    ("loss", "each"),
    [("full_fp32_upcast", 14), ("full_fp32_upcast_twice", 18), ("full_no_upcast", 8), ("chunked", 5.5)],
)
def test_that_logits_take_their_bytes_a_token_and_entry(loss: str, each: float) -> None:
    assert _phase("loss", loss=loss, seq_len=512).of("logits") == each * 512 * 128256
    assert _phase("loss", loss=loss, seq_len=512, supervised_share=0.25).of("logits") == each * 128 * 128256


def test_that_a_fused_loss_makes_a_chunk_at_a_time() -> None:
    found = _phase("loss", loss="fused_linear_ce", seq_len=8192, loss_chunk_tokens=100, head_gradient_bytes=6)
    assert found.of("logits") == 6 * 100 * 128256 + 2 * 4096 * 8192 + 6 * SHAPE.embedding


def test_that_buckets_are_those_of_the_configuration() -> None:
    assert _phase("backward_top", strategy="zero", zero_stage=2, gpus=8, reduce_bucket=10**8).of("buckets") == 2 * 10**8
    overlapped = _phase("backward_top", strategy="zero", zero_stage=2, gpus=8, reduce_bucket=10**8, overlap_comm=True)
    assert overlapped.of("buckets") == 4 * 10**8


@pytest.mark.parametrize(("strategy", "stage"), [("single", 0), ("zero", 1), ("zero", 3), ("fsdp", 0)])
def test_that_the_best_weights_come_back_a_tensor_at_a_time_beside_the_optimizer(strategy: str, stage: int) -> None:
    setup: dict[str, Any] = {"strategy": strategy, "zero_stage": stage, "gpus": 1 if strategy == "single" else 8}
    best, step = _phase("load_best", **setup), _phase("step", **setup)
    assert (best.of("weights"), best.of("states")) == (step.of("weights"), step.of("states"))
    assert best.of("gathered") == 2 * SHAPE.embedding
    assert best.of("activations") == best.of("logits") == 0


def test_that_loading_without_zero_init_takes_all_weights_at_first() -> None:
    values: dict[str, Any] = {"strategy": "zero", "zero_stage": 3, "gpus": 8}
    assert _phase("load", zero_init=False, **values).of("weights") == 2 * P
    assert _phase("load", zero_init=True, **values).of("weights") == 2 * P // 8


def test_that_states_on_the_disk_leave_only_buffers_in_memory() -> None:
    setup = Setup(SHAPE, gpus=8, strategy="zero", zero_stage=3, offload_optimizer=True, optimizer_on_nvme=True)
    host = dict(host_memory(setup).terms)
    assert "offload" not in host
    assert host["nvme buffers"] == pytest.approx(NVME_STATE_BUFFERS * 4 * P * PINNED_ROUNDING)
    assert dict(disk(setup, 1, False).terms)["offloaded"] == (12 + 4) * P
    large = setup._replace(gpus=1)  # a sub group is a part of what a rank updates
    assert dict(host_memory(large, pinned=False).terms)["nvme buffers"] == NVME_STATE_BUFFERS * 4 * 10**9
    in_memory = setup._replace(optimizer_on_nvme=False)
    assert estimate_memory(in_memory) == estimate_memory(setup)
    assert "offloaded" not in dict(disk(in_memory, 1, False).terms)


def test_that_weights_on_the_disk_leave_what_deepspeed_keeps_in_memory() -> None:
    setup = Setup(SHAPE, strategy="zero", zero_stage=3, offload_parameters=True, parameters_on_nvme=True)
    kept = NVME_WEIGHTS_IN_MEMORY + NVME_WEIGHT_BUFFERS * NVME_WEIGHT_BUFFER
    assert dict(host_memory(setup, pinned=False).terms)["nvme buffers"] == 2 * kept
    assert dict(disk(setup, 1, False).terms)["offloaded"] == 2 * P
    over_two = setup._replace(gpus=16, nodes=2)
    assert dict(disk(over_two, 1, False).terms)["offloaded"] == P


def test_that_a_row_may_name_the_disk() -> None:
    row = {"params": str(P), "gpus": "8", "strategy": "zero", "zero_stage": "3", "offload_optimizer": "NVMe",
           "offload_params": "1", "model_state_precision": "bf16+fp32_master"}  # fmt: skip
    setup = setup_of_row(row)
    assert (setup.offload_optimizer, setup.optimizer_on_nvme) == (True, True)
    assert (setup.offload_parameters, setup.parameters_on_nvme) == (True, False)
