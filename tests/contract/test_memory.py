"""State bytes against the published ZeRO arithmetic."""

import re
from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, OptimizerSpec, StrategySpec
from remote_agent.contract.memory import Shape, state_bytes
from remote_agent.contract.memory.adapters import tuning_kinds
from remote_agent.contract.memory.examples import LLAMA_3_70B, worked_examples


def _states(parameters: int, **strategy: Any) -> Any:
    return state_bytes(JobSpec(strategy=StrategySpec(**strategy)), parameters)


def test_that_adamw_under_bf16_takes_sixteen_bytes_a_parameter() -> None:
    states = _states(70_553_706_496, ranks=1, zero_stage=0)
    assert states.on_gpu == 16 * 70_553_706_496
    assert states.on_gpu / 1e9 == pytest.approx(1129, abs=0.5)


@pytest.mark.parametrize(("stage", "gb"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.88)])
def test_that_the_stages_come_to_figure_one_of_the_zero_paper(stage: int, gb: float) -> None:
    assert _states(7_500_000_000, ranks=64, zero_stage=stage).on_gpu / 1e9 == pytest.approx(gb, rel=0.01)


def test_that_sixty_four_gpus_hold_seventy_billion_in_17_6_gb_each() -> None:
    assert _states(70_553_706_496, ranks=64, zero_stage=3).on_gpu / 1e9 == pytest.approx(17.6, abs=0.05)


def test_that_offloaded_states_lie_in_host_memory_and_not_on_the_gpu() -> None:
    states = _states(1_000_000, ranks=2, zero_stage=3, offload_optimizer=True, offload_parameters=True)
    assert states.optimizer == 0 and states.weights == 0 and states.host == 14 * 1_000_000


def test_that_sgd_without_momentum_keeps_no_moment() -> None:
    spec = JobSpec(
        optimizer=OptimizerSpec(kind="sgd", momentum=0.0), strategy=StrategySpec(precision="fp32", zero_stage=0)
    )
    assert state_bytes(spec, 1000).optimizer == 0


def test_that_the_worked_examples_are_the_known_figures() -> None:
    gb = {example.key: example.size / 1e9 for example in worked_examples()}
    assert gb["states_alone"] == pytest.approx(1129, abs=0.5)
    assert gb["states_of_8"] == pytest.approx(141, abs=0.2)
    assert gb["states_of_64"] == pytest.approx(17.6, abs=0.05)
    assert gb["states_of_512"] == pytest.approx(12.7, abs=0.05)
    assert gb["lora_weights"] == pytest.approx(141, abs=0.2)
    assert gb["qlora_weights"] == pytest.approx(36, abs=0.5)
    assert gb["host_of_8"] == pytest.approx(12 * 70.553706496, rel=1e-6)


def test_that_seventy_billion_need_24_gpus_or_a_host_of_1_4_terabytes() -> None:
    found = {example.key: example for example in worked_examples()}
    assert found["least_gpus"].gpus in (24, 32)
    assert found["host_needed"].size / 1e12 == pytest.approx(1.4, abs=0.1)
    assert found["on_top_of_512"].size > found["states_of_512"].size


def test_that_each_examples_sum_comes_to_its_figure() -> None:
    for example in worked_examples():
        product = re.fullmatch(r"([\d,]+) x ([\d.]+) (bytes|bits)(?: / (\d+))?", example.arithmetic)
        if product is not None:
            count, width, unit, over = product.groups()
            size = int(count.replace(",", "")) * float(width) / (8 if unit == "bits" else 1) / int(over or 1)
            assert example.size == pytest.approx(size, rel=1e-6)
        elif example.arithmetic.endswith(" GB"):
            terms = sum(float(number.replace(",", "")) for number in re.findall(r" ([\d,.]+)", example.arithmetic))
            assert example.size / 1e9 == pytest.approx(terms, rel=0.01)


def test_that_full_fine_tuning_stands_beside_lora_and_qlora() -> None:
    full, lora, qlora = tuning_kinds(LLAMA_3_70B)
    assert full.total == 16 * LLAMA_3_70B.parameters
    assert lora.trained == qlora.trained == 207_093_760  # peft's count for rank 16 on every linear layer
    assert lora.total == 2 * LLAMA_3_70B.parameters + 16 * lora.trained
    assert qlora.total / 1e9 == pytest.approx(36.4 + 3.3, abs=0.1)
    for kind in (full, lora, qlora):
        assert kind.total == sum(size for _, size, _ in kind.parts)
    unknown = tuning_kinds(Shape(7_000_000_000, 1, 0, 0, 0, 0, 0, 0))
    assert unknown[0].total == 112e9 and unknown[1].trained == 0
