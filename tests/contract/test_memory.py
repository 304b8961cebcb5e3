"""Model facts and state bytes: against transformers' own tensors and the published ZeRO arithmetic."""

from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, OptimizerSpec, StrategySpec
from remote_agent.contract.memory import state_bytes
from remote_agent.contract.model_facts import UnknownModelError, model_facts, model_tensors

SMALL: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
def test_that_every_tensor_is_the_one_transformers_builds(kind: str, tied: bool) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **SMALL, tie_word_embeddings=tied)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    theirs = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert {tensor.name: tensor.shape for tensor in model_tensors(config.to_dict())} == theirs
    facts = model_facts(config.to_dict())
    assert facts.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert facts.tied_embeddings == tied


@pytest.mark.parametrize(
    ("change", "word"),
    [({"model_type": "mamba"}, "mamba"), ({"hidden_size": None}, "hidden_size"), ({"vocab_size": 0}, "vocab_size")],
)
def test_that_what_cannot_be_counted_is_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(UnknownModelError, match=word):
        model_facts({"model_type": "llama", **SMALL, **change})


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
