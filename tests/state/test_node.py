"""What a job changes to run on a node."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import Gpu, NodeReport
from remote_agent.contract.problems import Known, problems
from studio.state.node import adapted_to_node


def _report(gpus: int = 0, cores: int = 8, capability: str = "9.0") -> NodeReport:
    cards = tuple(Gpu(index, f"u{index}", "H100", 80 << 30, 0, 0.0, 30.0, 60.0, capability) for index in range(gpus))
    return NodeReport(
        "box", "me", "Linux", "/h", "3.11", cores, 64 << 30, 60 << 30, 1 << 40, cards, None, "", "", "b", 0.0
    )


def _job(ranks: int = 1, accumulation: int = 16, precision: str = "bf16") -> JobSpec:
    spec = with_value(JobSpec(), "strategy.ranks", ranks)
    spec = with_value(spec, "batch.accumulation", accumulation)
    job: JobSpec = with_value(spec, "strategy.precision", precision)
    return job


def _apply(spec: JobSpec, report: NodeReport) -> JobSpec:
    for path, value in adapted_to_node(spec, report).changes.items():
        spec = with_value(spec, path, value)
    return spec


def test_that_a_gpu_node_takes_a_rank_for_each_gpu_and_the_global_batch_stays() -> None:
    spec = _apply(_job(ranks=1, accumulation=16), _report(gpus=8))
    assert (spec.strategy.ranks, spec.batch.accumulation) == (8, 2)


def test_that_a_cpu_node_takes_fp32_and_at_most_a_rank_a_core() -> None:
    spec = _apply(_job(ranks=8, accumulation=2), _report(cores=2))
    assert spec.strategy.precision == "fp32"
    assert (spec.strategy.ranks, spec.batch.accumulation) == (2, 8)


def test_that_old_gpus_take_fp32() -> None:
    assert _apply(_job(), _report(gpus=2, capability="7.0")).strategy.precision == "fp32"


def test_that_flash_attention_gives_way_on_a_cpu() -> None:
    spec = with_value(_job(), "strategy.attention", "flash_attention_2")
    assert _apply(spec, _report()).strategy.attention == "sdpa"


def test_that_a_batch_too_small_for_all_gpus_is_kept_and_said() -> None:
    adaptation = adapted_to_node(_job(ranks=1, accumulation=4), _report(gpus=8))
    assert adaptation.changes["strategy.ranks"] == 4
    assert "4 of 8 GPUs stay idle" in adaptation.sentence


def test_that_a_job_that_fits_is_left_alone_without_a_word() -> None:
    adaptation = adapted_to_node(_job(ranks=8, accumulation=2), _report(gpus=8))
    assert not adaptation.changes
    assert adaptation.sentence == ""


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 8), st.integers(0, 16), st.integers(1, 64))
def test_that_the_global_batch_never_changes_and_nothing_stands_against_the_job(
    ranks: int, accumulation: int, micro_batch: int, gpus: int, cores: int
) -> None:
    spec = with_value(_job(ranks, accumulation), "batch.micro_batch", micro_batch)
    report = _report(gpus, cores)
    adapted = _apply(spec, report)
    assert batch_plan(adapted, 0).global_batch == batch_plan(spec, 0).global_batch
    fields = {problem.field for problem in problems(adapted, Known(node=report)) if problem.severity == "error"}
    assert not fields & {"strategy.ranks", "strategy.precision", "strategy.attention"}


@pytest.mark.parametrize("gpus", [0, 3])
def test_that_adapting_twice_changes_nothing_more(gpus: int) -> None:
    report = dataclasses.replace(_report(gpus))
    once = _apply(_job(ranks=5, accumulation=6), report)
    assert adapted_to_node(once, report).changes == {}
