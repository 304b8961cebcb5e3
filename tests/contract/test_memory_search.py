"""The other way round: what fits, and the largest model, sequence and micro batch that do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory import TIGHT, Setup, Shape, estimate_memory, host_memory
from remote_agent.contract.memory.estimate import HEADROOM
from remote_agent.contract.memory.examples import LLAMA_3_70B
from remote_agent.contract.memory.largest import largest_model, largest_shape, of_heads
from remote_agent.contract.memory.search import largest_fitting, proposals

EIGHTY = 81559 << 20
EIGHT_B = Shape(8_030_261_248, 32, 4096, 32, 8, 128, 14336, 128256, linear=6_979_321_856)


def _setup(gpus: int, shape: Shape = LLAMA_3_70B) -> Setup:
    return Setup(shape, gpus=gpus, strategy="zero", zero_stage=3, seq_len=4096, loss="fused_linear_ce",
                 loss_chunk_tokens=130)  # fmt: skip


def _card(setup: Setup) -> float:
    return estimate_memory(setup).card.likely / ((1.0 - HEADROOM) * EIGHTY)


def test_that_a_model_of_its_own_proportions_is_itself() -> None:
    assert of_heads(EIGHT_B, 32) == EIGHT_B
    double = of_heads(EIGHT_B, 64)
    assert (double.hidden, double.layers, double.kv_heads, double.intermediate) == (8192, 64, 16, 28672)
    assert double.parameters - double.outside == 8 * (EIGHT_B.parameters - EIGHT_B.outside)
    assert double.linear == 8 * EIGHT_B.linear


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([1, 8, 24, 64, 512]), st.sampled_from([11 << 30, 24 << 30, EIGHTY, 192 << 30]), st.booleans())
def test_that_the_largest_model_fits_and_one_head_more_does_not(gpus: int, capacity: int, offload: bool) -> None:
    setup = _setup(gpus)._replace(offload_optimizer=offload)
    found = largest_shape(setup, capacity)
    if found is None:
        return
    limit = (1.0 - HEADROOM) * capacity
    assert estimate_memory(setup._replace(shape=found)).card.likely <= limit
    assert largest_model(setup, capacity) == found.parameters
    next_up = of_heads(setup.shape, found.heads + 1)
    assert estimate_memory(setup._replace(shape=next_up)).card.likely > limit


def test_that_more_gpus_hold_a_larger_model() -> None:
    sizes = [largest_model(_setup(gpus), EIGHTY) for gpus in (1, 8, 32, 64)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 5e9 and 80e9 < sizes[2] < 130e9  # 70B is published to need about 32 such GPUs, more fit tightly


@pytest.mark.parametrize("capacity", [0, -1, 1 << 20])
def test_that_no_model_fits_no_memory(capacity: int) -> None:
    assert largest_model(_setup(8), capacity) == 0
    assert largest_fitting(_setup(8), capacity, "seq_len", 1 << 20) == 0


def test_that_nothing_is_said_of_a_model_whose_sizes_are_not_known() -> None:
    assert largest_model(_setup(8, Shape(7_000_000_000, 1, 0, 0, 0, 0, 0, 0)), EIGHTY) == 0


@pytest.mark.parametrize("field", ["micro_batch", "seq_len"])
def test_that_the_largest_value_fits_and_the_next_does_not(field: str) -> None:
    setup = _setup(8, EIGHT_B)
    most = largest_fitting(setup, EIGHTY, field, 1 << 22)
    assert 1 < most < 1 << 22
    changed = {"micro_batch": setup._replace(micro_batch=most), "seq_len": setup._replace(seq_len=most)}[field]
    more = {"micro_batch": setup._replace(micro_batch=most + 1), "seq_len": setup._replace(seq_len=most + 1)}[field]
    assert _card(changed) <= 1.0 < _card(more)
    assert largest_fitting(setup, EIGHTY, field, 3) == 3


def test_that_the_search_also_changes_the_loss_and_attention_of_a_job_with_hungry_ones() -> None:
    config = {
        "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192,
    }  # fmt: skip
    hungry = {"strategy.ranks": 8, "data.max_length": 8192, "batch.micro_batch": 2, "strategy.loss_kernel": "plain",
              "strategy.attention": "eager"}  # fmt: skip
    spec = JobSpec()
    for path, value in hungry.items():
        spec = with_value(spec, path, value)
    found = proposals(spec, config, 0, 40 << 30, most=200)
    changed = [dict(each.changes) for each in found]
    assert changed[0]["strategy.loss_kernel"] == "auto" and changed[0]["strategy.attention"] == "sdpa"
    for each, changes in zip(found, changed, strict=True):
        assert each.verdict == TIGHT or each.estimate.card.likely <= (1.0 - HEADROOM) * (40 << 30)
        assert changes.get("batch.micro_batch", 2) * changes.get("batch.accumulation", 1) == 2 * spec.batch.accumulation
    frugal = with_value(with_value(spec, "strategy.loss_kernel", "auto"), "strategy.attention", "sdpa")
    assert not any("strategy.loss_kernel" in dict(each.changes) for each in proposals(frugal, config, 0, 40 << 30))


def test_that_the_largest_model_with_offloading_is_the_hosts_to_decide() -> None:
    host_bytes = 512 << 30
    setup = _setup(8, EIGHT_B)._replace(offload_optimizer=True)
    card_alone, both = largest_shape(setup, EIGHTY), largest_shape(setup, EIGHTY, host_bytes)
    assert card_alone is not None and both is not None and both.parameters < card_alone.parameters / 3
    assert host_memory(setup._replace(shape=both)).used.likely <= (1.0 - HEADROOM) * host_bytes
    more = setup._replace(shape=of_heads(EIGHT_B, both.heads + 1))
    assert host_memory(more).used.likely > (1.0 - HEADROOM) * host_bytes


def test_that_each_nodes_host_memory_takes_its_nodes_share_alone() -> None:
    config = {
        "model_type": "llama", "vocab_size": 128256, "hidden_size": 8192, "intermediate_size": 28672,
        "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "max_position_embeddings": 8192,
    }  # fmt: skip
    spec = with_value(with_value(JobSpec(), "strategy.ranks", 32), "strategy.zero_stage", 3)

    def offloading(nodes: int) -> int:
        found = proposals(spec, config, 0, EIGHTY, 1 << 40, most=200, nodes=nodes)
        return sum(("strategy.offload_optimizer", True) in each.changes for each in found)

    assert offloading(1) == 0 < offloading(4)
