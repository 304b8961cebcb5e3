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
MAX_LIVE_PARAMETERS = 1_000_000_000


def deepspeed_config(spec: JobSpec) -> Dict[str, Any]:
    """Return the configuration as a JSON object. Bucket sizes are elements, not bytes."""
    batch, strategy = spec.batch, spec.strategy
    config: Dict[str, Any] = {
        "train_batch_size": batch.micro_batch * batch.accumulation * strategy.ranks,
        "train_micro_batch_size_per_gpu": batch.micro_batch,
        "gradient_accumulation_steps": batch.accumulation,
        "gradient_clipping": spec.regularization.clip_norm,
        "steps_per_print": 1_000_000_000,
        "wall_clock_breakdown": False,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "bf16": {"enabled": strategy.precision == "bf16"},
        "fp16": {"enabled": False},
        "zero_optimization": _zero(spec),
    }
    return config


def _zero(spec: JobSpec) -> Dict[str, Any]:
    strategy = spec.strategy
    zero: Dict[str, Any] = {"stage": strategy.zero_stage}
    if strategy.zero_stage == 0:
        return zero
    zero.update(
        overlap_comm=strategy.precision == "bf16",
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
