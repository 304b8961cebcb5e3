"""The DeepSpeed configuration: nothing left to "auto", nothing that would shadow our optimizer or schedule."""

import json
from typing import Any

import pytest

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.job_spec import JobSpec, with_value


def _spec(**changes: Any) -> JobSpec:
    spec = JobSpec()
    for path, value in changes.items():
        spec = with_value(spec, path.replace("__", "."), value)
    return spec


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_that_nothing_is_auto_and_no_block_shadows_ours(stage: int, precision: str) -> None:
    config = deepspeed_config(_spec(strategy__zero_stage=stage, strategy__precision=precision))
    text = json.dumps(config)
    assert "auto" not in text.replace("autotuning", "")
    assert "optimizer" not in config and "scheduler" not in config
    assert config["zero_allow_untested_optimizer"] is True
    assert config["zero_optimization"]["stage"] == stage
    assert config["bf16"]["enabled"] == (precision == "bf16")


def test_that_batch_sizes_agree_as_deepspeed_demands() -> None:
    config = deepspeed_config(_spec(batch__micro_batch=4, batch__accumulation=16, strategy__ranks=8))
    assert config["train_batch_size"] == 512
    assert config["train_micro_batch_size_per_gpu"] * config["gradient_accumulation_steps"] * 8 == 512


def test_that_clipping_off_is_written_as_zero_because_the_default_is_one() -> None:
    assert deepspeed_config(_spec(regularization__clip_norm=0.0))["gradient_clipping"] == 0.0


def test_that_zero_three_leaves_a_checkpoint_with_usable_weights() -> None:
    zero = deepspeed_config(_spec(strategy__zero_stage=3))["zero_optimization"]
    assert zero["stage3_gather_16bit_weights_on_model_save"] is True


def test_that_offload_is_written_where_it_was_asked_for() -> None:
    spec = _spec(strategy__zero_stage=3, strategy__offload_optimizer=True, strategy__offload_parameters=True)
    zero = deepspeed_config(spec)["zero_optimization"]
    assert zero["offload_optimizer"]["device"] == "cpu" and zero["offload_param"]["device"] == "cpu"
    assert "offload_optimizer" not in deepspeed_config(_spec())["zero_optimization"]


def test_that_fp16_has_a_dynamic_scale_from_the_power_that_was_chosen() -> None:
    config = deepspeed_config(_spec(strategy__precision="fp16", strategy__loss_scale_power=12))
    assert config["fp16"]["enabled"] is True and config["bf16"]["enabled"] is False
    assert (config["fp16"]["loss_scale"], config["fp16"]["initial_scale_power"]) == (0, 12)
    assert deepspeed_config(_spec())["fp16"] == {"enabled": False}


def test_that_the_engine_clips_no_norm_before_the_optimizer_clips_values() -> None:
    config = deepspeed_config(_spec(regularization__clip_value=0.5, regularization__clip_norm=1.0))
    assert config["gradient_clipping"] == 0.0
