"""A job on another number of ranks or another ZeRO stage: what changes with it so that the global batch stays."""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

from remote_agent.contract.job_spec import JobSpec, with_value

STAGES = (0, 1, 2, 3)


class Shape(NamedTuple):
    """How the optimizer's states lie over the ranks."""

    ranks: int
    zero_stage: int


def shape_of(spec: JobSpec) -> Shape:
    """Return the shape that the job itself asks for."""
    return Shape(spec.strategy.ranks, spec.strategy.zero_stage)


def reshaped(spec: JobSpec, shape: Shape) -> JobSpec:
    """Return the job in another shape with the same global batch.

    Accumulation makes up for the ranks; where it cannot, the micro batch becomes as much smaller as it has to. What an
    update trains and its learning rate are functions of the global batch, so neither changes.

    Raises:
        ValueError: the global batch does not divide, or a setting needs another stage; the sentence says which.
    """
    if shape == shape_of(spec):
        return spec
    ranks, stage = shape
    whole = spec.batch.micro_batch * spec.batch.accumulation * spec.strategy.ranks
    if ranks < 1 or stage not in STAGES:
        raise ValueError("A run has at least one rank and a ZeRO stage from 0 to 3.")
    if whole % ranks:
        raise ValueError(
            "The global batch of {} sequences does not divide among {} ranks; choose a number that divides it.".format(
                whole, ranks
            )
        )
    if spec.strategy.offload_parameters and stage != 3:
        raise ValueError("Parameters are offloaded, which needs ZeRO stage 3.")
    if spec.strategy.offload_optimizer and stage == 0:
        raise ValueError("The optimizer is offloaded, which needs a ZeRO stage from 1 on.")
    each = whole // ranks
    micro = max(size for size in range(1, spec.batch.micro_batch + 1) if each % size == 0)
    for path, value in (
        ("strategy.ranks", ranks),
        ("strategy.zero_stage", stage),
        ("batch.micro_batch", micro),
        ("batch.accumulation", each // micro),
    ):
        spec = with_value(spec, path, value)
    return spec


def reshape_problem(spec: JobSpec, saved: Shape, wanted: Shape) -> str:
    """Return why a full state of one shape cannot be read in another, empty where it can.

    DeepSpeed's universal checkpoint knows the two moments of AdamW and the states that ZeRO divides.
    """
    if saved == wanted:
        return ""
    try:
        reshaped(spec, wanted)
    except ValueError as error:
        return str(error)
    reasons: List[str] = []
    if spec.optimizer.kind != "adamw":
        reasons.append("the optimizer is {}, and only AdamW's state can be divided anew".format(spec.optimizer.kind))
    if spec.regularization.averaging != "none":
        reasons.append("the averaged weights are divided like the optimizer's state and cannot be divided anew")
    if spec.strategy.precision == "fp16":
        reasons.append("the precision is fp16")
    if 0 in (saved.zero_stage, wanted.zero_stage):
        reasons.append("at ZeRO stage 0 the optimizer's state is not divided, which DeepSpeed does not convert")
    if not reasons:
        return ""
    return "The state of {} at ZeRO stage {} cannot go on with {} at stage {}: {}.".format(
        _ranks(saved), saved.zero_stage, _ranks(wanted), wanted.zero_stage, reasons[0]
    )


def readable_shapes(spec: JobSpec, saved: Shape, most_ranks: int) -> Tuple[Shape, ...]:
    """Return the shapes of up to so many ranks in which a job's saved state can go on, by ranks and then by stage."""
    whole = spec.batch.micro_batch * spec.batch.accumulation * spec.strategy.ranks
    divisors = [ranks for ranks in range(1, min(most_ranks, whole) + 1) if whole % ranks == 0]
    found = {Shape(ranks, stage) for ranks in divisors for stage in STAGES} | {saved}
    return tuple(sorted(shape for shape in found if not reshape_problem(spec, saved, shape)))


def _ranks(shape: Shape) -> str:
    return "1 rank" if shape.ranks == 1 else "{} ranks".format(shape.ranks)
