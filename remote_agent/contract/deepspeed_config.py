"""JobSpec to ds_config.json: the only writer of a DeepSpeed configuration. What it writes is what the engine runs.

No value is "auto", and there is neither an optimizer nor a scheduler block: with an optimizer block transformers logs
the next step's learning rate, and a stored scheduler state would override the schedule after a resume.
"""

from __future__ import annotations

from typing import Any, Dict

from remote_agent.contract.job_spec import JobSpec

REDUCE_BUCKET_ELEMENTS = 200_000_000
PREFETCH_BUCKET_ELEMENTS = 50_000_000
PARAMETER_PERSISTENCE_ELEMENTS = 100_000
LOSS_SCALE_WINDOW_STEPS = 1000
MAX_LIVE_PARAMETERS = 1_000_000_000


def deepspeed_config(spec: JobSpec) -> Dict[str, Any]:
    """Return the configuration as a JSON object. Bucket sizes are elements, not bytes."""
    batch, strategy = spec.batch, spec.strategy
    config: Dict[str, Any] = {
        "train_batch_size": batch.micro_batch * batch.accumulation * strategy.ranks,
        "train_micro_batch_size_per_gpu": batch.micro_batch,
        "gradient_accumulation_steps": batch.accumulation,
        "gradient_clipping": engine_clip_norm(spec),
        "steps_per_print": 1_000_000_000,
        "wall_clock_breakdown": False,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "bf16": {"enabled": strategy.precision == "bf16"},
        "fp16": _fp16(spec),
        "zero_optimization": _zero(spec),
    }
    return config


def engine_clip_norm(spec: JobSpec) -> float:
    """Return the norm that the engine clips to, 0 for none.

    Clipping by value happens in the optimizer's step, which comes after the engine's own clipping; the norm of what was
    clamped is then the optimizer's too.
    """
    return 0.0 if spec.regularization.clip_value > 0.0 else spec.regularization.clip_norm


def _fp16(spec: JobSpec) -> Dict[str, Any]:
    """Return a dynamic loss scale: halved at every overflow, doubled after 1,000 updates without.

    All keys are written, since DeepSpeed's wrappers of the optimizer have different defaults.
    """
    if spec.strategy.precision != "fp16":
        return {"enabled": False}
    return {
        "enabled": True,
        "loss_scale": 0,
        "initial_scale_power": spec.strategy.loss_scale_power,
        "loss_scale_window": LOSS_SCALE_WINDOW_STEPS,
        "hysteresis": 1,
        "min_loss_scale": 1,
    }


def _zero(spec: JobSpec) -> Dict[str, Any]:
    strategy = spec.strategy
    zero: Dict[str, Any] = {"stage": strategy.zero_stage}
    if strategy.zero_stage == 0:
        return zero
    zero.update(
        overlap_comm=strategy.precision != "fp32",
        contiguous_gradients=True,
        reduce_scatter=True,
        reduce_bucket_size=REDUCE_BUCKET_ELEMENTS,
        allgather_bucket_size=REDUCE_BUCKET_ELEMENTS,
    )
    if strategy.offload_optimizer:
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": spec.loading.pin_memory}
    if strategy.zero_stage == 3:
        zero.update(
            stage3_prefetch_bucket_size=PREFETCH_BUCKET_ELEMENTS,
            stage3_param_persistence_threshold=PARAMETER_PERSISTENCE_ELEMENTS,
            stage3_max_live_parameters=MAX_LIVE_PARAMETERS,
            stage3_max_reuse_distance=MAX_LIVE_PARAMETERS,
            stage3_gather_16bit_weights_on_model_save=True,
        )
        if strategy.offload_parameters:
            zero["offload_param"] = {"device": "cpu", "pin_memory": spec.loading.pin_memory}
    return zero
