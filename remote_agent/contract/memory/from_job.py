"""A job as a setup: its spec, the ds_config that will be written, and the model's config.json."""

from __future__ import annotations

import functools
import json
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.further_shapes import all_shapes
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory.setup import PRECISIONS, Setup, Shape
from remote_agent.contract.model_facts import ModelFacts, UnknownModelError, model_facts
from remote_agent.contract.optimizer_states import state_bytes_per_parameter
from remote_agent.contract.parameter_groups import elements, is_frozen

PRECISION_NAMES = {"bf16": "bf16+fp32_master", "fp16": "fp16+fp32_master", "fp32": "fp32"}
LOGITS_AT_ONCE = 1 << 24
"""How many logits the lean loss makes at a time, as `remote_agent.trainer.lean_head` has it."""

# Models whose head is a linear map of the last hidden state and nothing else; the others make all logits.
PLAIN_HEADS = ("llama", "mistral", "qwen2", "qwen3")
_FUSED_UPDATES = ("adamw", "adamw_8bit")


class JobSetup(NamedTuple):
    """A setup, and what is not in it: a sentence, empty where everything is."""

    setup: Setup
    missing: str


def shape_of(facts: ModelFacts) -> Shape:
    """Return the sizes that memory needs."""
    return Shape(
        parameters=facts.parameters,
        layers=facts.layers,
        hidden=facts.hidden,
        heads=facts.heads,
        kv_heads=facts.kv_heads,
        head_dim=facts.head_dim,
        intermediate=facts.intermediate,
        vocabulary=facts.vocabulary,
        tied=facts.tied_embeddings,
        gated_mlp=facts.gated_mlp,
        qk_norm=facts.qk_norm,
        rms_norm=facts.norm == "rms",
        norms_per_layer=facts.norms_per_layer,
        experts=facts.experts,
        plain_gelu=facts.plain_gelu,
        fused_qkv=facts.fused_qkv,
        linear=facts.linear_elements,
    )


def setup_of_job(spec: JobSpec, config: Optional[Mapping[str, Any]] = None, parameters: int = 0) -> JobSetup:
    """Return a job's setup.

    Args:
        spec: the job.
        config: the model's parsed config.json; without it, or of a type there is no formula for, only what follows
            from the number of parameters is in the setup, and ``missing`` says so.
        parameters: as the weight files count them; the config's count goes before it.

    Raises:
        UnknownModelError: neither the config nor ``parameters`` says how large the model is.
    """
    missing, kind = "", ""
    try:
        if config is None:
            raise UnknownModelError("The model's config.json is not known.")
        facts = _facts(json.dumps(config, sort_keys=True, default=str))
        shape, kind = shape_of(facts), facts.model_type
    except UnknownModelError as error:
        if parameters <= 0:
            raise
        missing = "{} Only what follows from the number of parameters is counted.".format(error)
        shape = Shape(parameters, 1, 0, 0, 0, 0, 0, 0)
    return JobSetup(_setup(spec, shape, kind, _trained(spec, config, not missing)), missing)


@functools.lru_cache(maxsize=16)
def _facts(config: str) -> ModelFacts:
    """Return the facts of a config in JSON: the form asks again at every edit, and large models have 1,000 tensors."""
    return model_facts(json.loads(config))


def _setup(spec: JobSpec, shape: Shape, kind: str, trained: float) -> Setup:
    strategy = spec.strategy
    zero = deepspeed_config(spec)["zero_optimization"]
    precision = PRECISION_NAMES.get(strategy.precision, "bf16+fp32_master")
    widths = PRECISIONS[precision]
    loss, chunk, head = _loss(spec, shape, kind, widths.compute)
    numbers = state_bytes_per_parameter(spec.optimizer.kind, spec.optimizer.momentum)
    outside = shape.outside / shape.parameters if shape.vocabulary else 0.0
    moments = (numbers.matrices * (1.0 - outside) + numbers.others * outside) / widths.moment
    average = 4.0 if spec.regularization.averaging != "none" else 0.0
    base = float(widths.weights) if spec.regularization.base_penalty > 0.0 else 0.0
    return Setup(
        shape=shape,
        gpus=max(1, strategy.ranks),
        strategy="zero",
        zero_stage=strategy.zero_stage,
        offload_optimizer=strategy.offload_optimizer and strategy.zero_stage >= 1,
        offload_parameters=strategy.offload_parameters and strategy.zero_stage == 3,
        precision=precision,
        moments=moments,
        step_copies=0.0 if spec.optimizer.kind in _FUSED_UPDATES else 1.0,
        micro_batch=max(1, spec.batch.micro_batch) * (2 if spec.regularization.r_drop_alpha > 0.0 else 1),
        seq_len=max(1, spec.data.max_length),
        accumulation=max(1, spec.batch.accumulation),
        checkpointing="full" if strategy.activation_checkpointing else "none",
        attention="eager" if strategy.attention == "eager" else "flash",
        loss=loss,
        reduce_bucket=int(zero.get("reduce_bucket_size", 0)) or 500_000_000,
        overlap_comm=bool(zero.get("overlap_comm", False)),
        sub_group=int(zero.get("sub_group_size", 1_000_000_000)),
        max_live=int(zero.get("stage3_max_live_parameters", 1_000_000_000)),
        contiguous_gradients=bool(zero.get("contiguous_gradients", False)),
        evaluation_batch=max(1, spec.evaluation.micro_batch),
        loss_chunk_tokens=chunk,
        head_gradient_bytes=head,
        copies_bytes=average + base,
        trained=trained,
    )


def _loss(spec: JobSpec, shape: Shape, kind: str, width: int) -> Tuple[str, int, int]:
    """Return the loss's name, the tokens it takes at once, and the bytes an element of the head's gradient takes.

    The lean loss sums the head's gradient in fp32 and adds a chunk's share of it in the weights' precision.
    """
    if spec.strategy.loss_kernel != "plain" and (kind in PLAIN_HEADS or not kind):
        return "fused_linear_ce", max(1, LOGITS_AT_ONCE // max(1, shape.vocabulary)), 4 + width if width < 4 else 4
    # all logits, those of the labelled positions once more, then both losses' tensors in fp32
    return "full_fp32_upcast_twice", 0, 0


def _trained(spec: JobSpec, config: Optional[Mapping[str, Any]], known: bool) -> float:
    if not spec.optimizer.frozen or not known or config is None:
        return 1.0
    counts = [(name, elements(shape)) for name, shape in all_shapes(config)]
    frozen = sum(count for name, count in counts if is_frozen(name, spec.optimizer.frozen))
    return 1.0 - frozen / sum(count for _, count in counts)
