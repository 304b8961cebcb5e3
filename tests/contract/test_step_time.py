"""Time, cost, energy and utilisation: by hand, against published rates, and within reason for any run."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.flops import Flops, flops_of
from remote_agent.contract.memory.from_table import setup_of_row
from remote_agent.contract.memory.gpu_kinds import FILE_NAME, GpuKind, gpu_kind, gpu_kinds
from remote_agent.contract.memory.setup import Setup, Shape
from remote_agent.contract.step_time import (
    STATED,
    Machine,
    Span,
    Utilisation,
    machine_of,
    measured_utilisation,
    run_cost,
    step_time,
)
from remote_agent.contract.throughput import throughput
from tests.support.samples import published_memory

KINDS = gpu_kinds((Path(__file__).parents[2] / "resources" / FILE_NAME).read_text(encoding="utf-8"))
A100 = machine_of(gpu_kind(KINDS, "A100-80GB"))
H100 = machine_of(gpu_kind(KINDS, "H100-80GB"))
EIGHT_B = Shape(8_030_261_248, 32, 4096, 32, 8, 128, 14336, 128256)
EXACT = Utilisation(Span(0.5, 0.5, 0.5))


def _terms(setup: Setup, machine: Machine = A100) -> dict[str, float]:
    return dict(step_time(setup, machine, EXACT).terms)


def test_that_arithmetic_alone_is_flops_over_what_the_gpu_reaches() -> None:
    setup = Setup(EIGHT_B, micro_batch=4, seq_len=2048, accumulation=8, checkpointing="none")
    found = step_time(setup, A100, EXACT)
    by_hand = flops_of(setup, 1024).computed * 4 * 2048 * 8 / (0.5 * 312e12)
    assert dict(found.terms)["arithmetic"] == pytest.approx(by_hand)
    assert found.bound == "arithmetic" and found.tokens == 4 * 2048 * 8
    # AdamW reads the gradient and reads and writes weights, master copy and moments: 2 + 2 x (2 + 4 + 8) bytes
    assert dict(found.terms)["update"] == pytest.approx(30 * EIGHT_B.parameters / 2039e9)
    assert found.seconds.likely == pytest.approx(by_hand + dict(found.terms)["update"])


@pytest.mark.parametrize(
    ("stage", "accumulation", "bytes_a_parameter"), [(0, 4, 4), (1, 4, 4), (2, 4, 2 * 4 + 2), (3, 4, 6 * 4), (3, 1, 6)]
)
def test_that_what_travels_is_the_zero_papers_volume(stage: int, accumulation: int, bytes_a_parameter: int) -> None:
    setup = Setup(EIGHT_B, gpus=8, strategy="zero", zero_stage=stage, accumulation=accumulation)
    seconds = bytes_a_parameter * EIGHT_B.parameters * 7 / 8 / (300e9 * 0.75)
    assert _terms(setup)["communication"] == pytest.approx(seconds)
    over_two = _terms(setup._replace(nodes=2))["communication"]
    assert over_two == pytest.approx(seconds * 300 / 25)


def test_that_offloading_costs_the_link_the_cpu_and_the_disk() -> None:
    setup = Setup(EIGHT_B, gpus=8, strategy="zero", zero_stage=3, offload_optimizer=True)
    parameters = EIGHT_B.parameters
    on_cpu = 4 * parameters / 8 / 25e9 + parameters / 4e9
    assert _terms(setup)["host"] == pytest.approx(on_cpu)
    assert "update" not in _terms(setup)
    on_disk = on_cpu + 2 * 12 * parameters / 6e9
    assert _terms(setup._replace(optimizer_on_nvme=True))["host"] == pytest.approx(on_disk)
    weights = _terms(setup._replace(offload_parameters=True))["host"] - on_cpu
    assert weights == pytest.approx(2 * 2 * parameters / 8 / 25e9)
    more = _terms(setup._replace(offload_parameters=True, parameters_on_nvme=True))["host"]
    assert more == pytest.approx(on_cpu + weights + 3 * 2 * parameters / 6e9)


def test_that_published_rates_lie_in_the_interval() -> None:
    ratios = []
    for row in csv.DictReader(published_memory("measured.csv").read_text(encoding="utf-8").splitlines()):
        rate = re.search(r"([\d.]+) tok/s", row["notes"])
        if rate is None:
            continue
        kind = H100 if row["id"] in ("m046", "m048", "m056") else A100  # as their sources say
        found = step_time(setup_of_row(row), kind).tokens_per_s_per_gpu
        assert found.low <= float(rate.group(1)) <= found.high, row["id"]
        ratios.append(found.likely / float(rate.group(1)))
    assert len(ratios) == 24
    assert sorted(ratios)[12] == pytest.approx(1.0, abs=0.1)


def test_that_measured_runs_take_the_place_of_the_stated_utilisation() -> None:
    setup = Setup(EIGHT_B, gpus=8, strategy="zero", zero_stage=3, micro_batch=2, seq_len=4096)
    measured = measured_utilisation([2900.0, 3000.0, 3100.0], setup, A100.peak_flops)
    assert measured.measured
    found = step_time(setup, A100, measured)
    assert found.tokens_per_s_per_gpu.likely == pytest.approx(3000, rel=0.001)
    assert found.tokens_per_s_per_gpu.low < 2900 and found.tokens_per_s_per_gpu.high > 3100
    stated = step_time(setup, A100)
    assert found.seconds.high - found.seconds.low < stated.seconds.high - stated.seconds.low


@pytest.mark.parametrize("rates", [[], [0.0], [math.nan], [math.inf], [1e9]])
def test_that_no_utilisation_comes_of_rates_that_cannot_be(rates: list[float]) -> None:
    with pytest.raises(ValueError):
        measured_utilisation(rates, Setup(EIGHT_B), A100.peak_flops)


def test_that_hours_money_and_energy_follow_from_the_step() -> None:
    setup = Setup(EIGHT_B, gpus=8, strategy="zero", zero_stage=2)
    step = step_time(setup, A100)
    cost = run_cost(step, 1000, 8, A100.watts, 2.5)
    assert cost.hours.likely == pytest.approx(step.seconds.likely * 1000 / 3600)
    assert cost.price.high == pytest.approx(cost.hours.high * 20)
    assert cost.energy_kwh.likely == pytest.approx(cost.hours.likely * 8 * 0.4 * 0.85)
    assert run_cost(step, 1000, 8, A100.watts).price.likely == 0
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="not negative"):
            run_cost(step, 1000, 8, A100.watts, bad)


def test_that_a_gpu_without_a_peak_in_this_precision_is_named() -> None:
    assert machine_of(gpu_kind(KINDS, "V100-32GB"), "fp16").peak_flops == 125e12
    with pytest.raises(ValueError, match="peak"):
        step_time(Setup(EIGHT_B), machine_of(gpu_kind(KINDS, "V100-32GB"), "bf16"))


def test_that_mfu_leaves_recomputation_out_and_utilisation_counts_it() -> None:
    found = throughput(3408.658, flops_of(Setup(EIGHT_B, micro_batch=8, seq_len=4096)), 312e12)
    assert found.mfu == pytest.approx(0.562, abs=0.001)  # Llama 3 8B on an A100, published rate
    assert found.mfu is not None and found.utilisation is not None and found.utilisation > found.mfu
    assert found.tflops == pytest.approx(0.562 * 312, abs=0.3)
    assert not found.defect


def test_that_a_figure_above_the_peak_is_a_defect() -> None:
    flops = Flops(1e9, 2e9, 1e9, attention=0.0)
    assert "above the GPU's peak" in throughput(200_000, flops, 312e12).defect
    assert "wrong" in throughput(200_000, flops, 312e12).defect
    assert "packed" in throughput(110_000, flops._replace(attention=1e9), 312e12).defect
    unknown = throughput(200_000, flops)
    assert unknown.mfu is None and unknown.utilisation is None and not unknown.defect
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="rate"):
            throughput(bad, flops)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        lambda **values: Setup(**values),
        shape=st.just(EIGHT_B),
        gpus=st.integers(1, 1024),
        nodes=st.integers(1, 128),
        strategy=st.sampled_from(["single", "ddp", "zero", "fsdp"]),
        zero_stage=st.integers(0, 3),
        offload_optimizer=st.booleans(),
        offload_parameters=st.booleans(),
        optimizer_on_nvme=st.booleans(),
        parameters_on_nvme=st.booleans(),
        micro_batch=st.integers(1, 64),
        seq_len=st.integers(1, 1 << 20),
        accumulation=st.integers(1, 512),
        checkpointing=st.sampled_from(["none", "full", "selective", "every_nth", "offloaded"]),
        attention=st.sampled_from(["flash", "eager"]),
        trained=st.floats(0.0, 1.0),
        supervised_share=st.floats(0.0, 1.0),
    ),
    st.sampled_from([kind for kind in KINDS if kind.bf16_flops]),
)
def test_that_every_time_is_finite_and_no_rate_is_above_the_peak(setup: Setup, kind: GpuKind) -> None:
    machine = machine_of(kind)
    found = step_time(setup, machine)
    assert 0 < found.seconds.low <= found.seconds.likely <= found.seconds.high < math.inf
    assert all(0 < seconds < math.inf for _, seconds in found.terms)
    flops = flops_of(setup, setup.seq_len / 2 if setup.attention == "flash" else setup.seq_len)
    assert found.tokens_per_s_per_gpu.high * flops.computed <= machine.peak_flops * STATED.share.high * 1.001
    slower = step_time(setup, machine._replace(interconnect=machine.interconnect / 4, host_link=machine.host_link / 4))
    assert slower.seconds.likely >= found.seconds.likely
