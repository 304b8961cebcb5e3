"""FLOP/s and MFU of measured runs, held to sums written out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from remote_agent.contract.job_spec import JobSpec, StrategySpec, with_value
from remote_agent.contract.memory.gpu_kinds import FILE_NAME, gpu_kinds
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.state.measured_run import MeasuredRun
from studio.state.run_rate import RunRates

EIGHT_B = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192,
}  # fmt: skip
LENGTH = 4096
H100_PEAK = 989.4e12
LAYER = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336
MODEL_FLOPS = 6 * (32 * LAYER + 128256 * 4096) + 12 * 32 * 4096 * LENGTH


def _run(gpu: str = "NVIDIA H100 80GB HBM3") -> MeasuredRun:
    spec = with_value(JobSpec(strategy=StrategySpec(ranks=8, zero_stage=3)), "data.max_length", LENGTH)
    return MeasuredRun(
        "r-1", "a", "box", "hub x", 1.0, False, True, bool(gpu), 8, math.nan, spec_to_json(spec), EIGHT_B,
        8_030_261_248, gpu, {}, {},
    )  # fmt: skip


@pytest.fixture
def rates() -> RunRates:
    kinds = gpu_kinds((places.resources_dir() / FILE_NAME).read_text(encoding="utf-8"))
    return RunRates(lambda: kinds)


def test_that_model_flops_are_six_a_weight_and_attention_and_mfu_their_share_of_the_peak(rates: RunRates) -> None:
    found = rates.of(_run(), 8 * 8000.0)
    assert found is not None and found.mfu is not None
    assert found.flops_per_s == pytest.approx(8000.0 * MODEL_FLOPS, rel=1e-3)
    assert found.mfu == pytest.approx(8000.0 * MODEL_FLOPS / H100_PEAK, rel=2e-3)
    assert not found.defect


def test_that_a_rate_above_the_peak_is_a_defect_in_a_sentence(rates: RunRates) -> None:
    found = rates.of(_run(), 8 * 80_000.0)
    assert found is not None and found.mfu is not None and found.mfu > 1.0
    assert "above the GPU's peak" in found.defect


def test_that_a_node_without_gpus_or_an_unknown_gpu_has_no_mfu(rates: RunRates) -> None:
    for run in (_run(gpu=""), dataclasses.replace(_run(gpu="Vendor X-9"), run_id="r-2")):
        found = rates.of(run, 80.0)
        assert found is not None and found.tflops > 0.0
        assert found.mfu is None and not found.defect


def test_that_nothing_is_made_up_of_an_unknown_model_or_rate(rates: RunRates) -> None:
    assert rates.of(None, 80.0) is None
    assert rates.of(_run(), math.nan) is None and rates.of(_run(), 0.0) is None
    odd = dataclasses.replace(_run(), run_id="r-3", config={"model_type": "mamba"})
    assert rates.of(odd, 80.0) is None
    assert rates.of(dataclasses.replace(_run(), run_id="r-4", job="{}x"), 80.0) is None
