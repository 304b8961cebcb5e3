"""What fits: the search over stage, offload, micro batch, checkpointing, loss and attention, the global batch kept."""

from __future__ import annotations

import functools
import itertools
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from remote_agent.contract.combinations import COMBINATION_RULES, holds
from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.memory.estimate import (
    DOES_NOT_FIT,
    HEADROOM,
    TIGHT,
    MemoryEstimate,
    estimate_memory,
    verdict,
)
from remote_agent.contract.memory.from_job import setup_of_job
from remote_agent.contract.memory.host import host_memory
from remote_agent.contract.memory.setup import Setup

MOST_MICRO_BATCH = 64

# Time of a step beside stage 0 without recomputation, in shares, only to rank proposals. Checkpointing runs the forward
# pass again (Chen et al., arXiv:1604.06174: a third), stage 3 sends half again as much (Rajbhandari et al.,
# arXiv:1910.02054, section 7). How much of that time is seen, and all factors of offloading, are assumptions that no
# measurement stands behind yet.
_RECOMPUTED = 4.0 / 3.0
_STAGE_TIME = (1.0, 1.0, 1.02, 1.15)
_OFFLOADED_STATES, _OFFLOADED_WEIGHTS = 1.6, 1.5
_LEAN_LOSS = 1.03
_EAGER_ATTENTION = 1.3
_SMALL_BATCH = 0.15
"""A micro batch of so few tokens that kernels do not fill the GPU costs up to this much more."""
_FILLED_TOKENS = 4096

Changes = Tuple[Tuple[str, Any], ...]


class Proposal(NamedTuple):
    """A way to run the job that fits.

    Attributes:
        changes: field path and value of everything that differs from the job as it is; empty for the job itself.
        estimate: what a GPU will hold.
        verdict: "fits" or "tight".
        headroom: the share of the GPU's memory that stays free, likely.
        relative_time: an update's estimated time as a multiple of the fastest proposal's.
        host_bytes: what a node's host memory will hold.
    """

    changes: Changes
    estimate: MemoryEstimate
    verdict: str
    headroom: float
    relative_time: float
    host_bytes: int


def proposals(
    spec: JobSpec,
    config: Optional[Mapping[str, Any]],
    parameters: int,
    capacity_bytes: int,
    host_bytes: int = 0,
    most: int = 6,
    nodes: int = 1,
) -> Tuple[Proposal, ...]:
    """Return what fits GPUs of ``capacity_bytes``, the fastest first; what is tight comes after all that fits.

    Model, sequence length, precision, optimizer and global batch stay. ``host_bytes`` is the host memory of each of so
    many ``nodes``, 0 where it is not known.

    Raises:
        UnknownModelError: the model's size is not known.
    """
    setup = setup_of_job(spec, config, parameters).setup
    found: List[Proposal] = []
    for changes, variant in _variants(spec, _kernels(spec, setup, config, parameters)):
        variant = variant._replace(nodes=nodes)
        estimate = estimate_memory(variant)
        fit = verdict(estimate, capacity_bytes)
        host = host_memory(variant, spec.loading.workers, spec.loading.pin_memory).used.likely
        if fit == DOES_NOT_FIT or (host_bytes and host > (1.0 - HEADROOM) * host_bytes):
            continue
        headroom = 1.0 - estimate.card.likely / capacity_bytes
        found.append(Proposal(changes, estimate, fit, headroom, relative_time(variant), host))
    found.sort(key=lambda each: (each.verdict == TIGHT, each.relative_time, len(each.changes), -each.headroom))
    if not found:
        return ()
    best = min(each.relative_time for each in found)
    return tuple(each._replace(relative_time=each.relative_time / best) for each in found[:most])


def relative_time(setup: Setup) -> float:
    """Return an update's estimated time per token, beside stage 0 without recomputation and with full kernels."""
    time = 1.0 if setup.zero_stage == 0 or setup.gpus == 1 else _STAGE_TIME[setup.zero_stage]
    if setup.checkpointing == "full":
        time *= _RECOMPUTED
    if setup.offload_optimizer:
        time *= _OFFLOADED_STATES
    if setup.offload_parameters:
        time *= _OFFLOADED_WEIGHTS
    if setup.loss == "fused_linear_ce":
        time *= _LEAN_LOSS
    if setup.attention == "eager":
        time *= _EAGER_ATTENTION
    if setup.zero_stage == 3 and setup.accumulation > 1:
        time *= 1.0 + 0.02 * min(8, setup.accumulation)  # the weights are gathered again for every micro batch
    return time * (1.0 + _SMALL_BATCH * max(0.0, 1.0 - setup.tokens / _FILLED_TOKENS))


def largest_fitting(setup: Setup, capacity_bytes: int, field: str, most: int) -> int:
    """Return the largest value up to ``most`` of "micro_batch" or "seq_len" that fits with headroom; 0 where none does.

    Memory grows with both, so bisection finds it.
    """
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(_with(setup, field, middle), capacity_bytes):
            low = middle
        else:
            high = middle - 1
    return low


def _fits(setup: Setup, capacity_bytes: int) -> bool:
    return estimate_memory(setup).card.likely <= (1.0 - HEADROOM) * capacity_bytes


def _kernels(
    spec: JobSpec, setup: Setup, config: Optional[Mapping[str, Any]], parameters: int
) -> List[Tuple[Mapping[str, Any], Setup]]:
    """Return the job's own kernels and those that need less memory, each with what changes and the setup."""
    found: List[Tuple[Mapping[str, Any], Setup]] = [({}, setup)]
    lighter = {"strategy.loss_kernel": ("plain", "auto"), "strategy.attention": ("eager", "sdpa")}
    changes: Dict[str, Any] = {path: to for path, (of, to) in lighter.items() if value_at(spec, path) == of}
    for some in range(1, len(changes) + 1):
        for paths in itertools.combinations(changes, some):
            candidate = functools.reduce(lambda made, path: with_value(made, path, changes[path]), paths, spec)
            other = setup_of_job(candidate, config, parameters).setup
            if other != setup and not _is_refused(candidate):
                found.append(({path: changes[path] for path in paths}, other))
    return found


def _variants(spec: JobSpec, kernels: List[Tuple[Mapping[str, Any], Setup]]) -> Iterator[Tuple[Changes, Setup]]:
    setup = kernels[0][1]
    per_rank = max(1, spec.batch.micro_batch) * max(1, spec.batch.accumulation)
    micros = [size for size in range(1, min(per_rank, MOST_MICRO_BATCH) + 1) if per_rank % size == 0]
    doubled = setup.micro_batch // max(1, spec.batch.micro_batch)
    for stage, states, weights in _strategies(spec, setup.gpus):
        for checkpointing, (lighter, other) in itertools.product((False, True), kernels):
            for micro in micros:
                changes = _changes(spec, {
                    **lighter,
                    "strategy.zero_stage": stage,
                    "strategy.offload_optimizer": states,
                    "strategy.offload_parameters": weights,
                    "strategy.activation_checkpointing": checkpointing,
                    "batch.micro_batch": micro,
                    "batch.accumulation": per_rank // micro,
                })  # fmt: skip
                yield (
                    changes,
                    other._replace(
                        zero_stage=stage,
                        offload_optimizer=states,
                        offload_parameters=weights,
                        contiguous_gradients=stage >= 1,
                        checkpointing="full" if checkpointing else "none",
                        micro_batch=micro * doubled,
                        accumulation=per_rank // micro,
                    ),
                )


def _strategies(spec: JobSpec, gpus: int) -> Iterator[Tuple[int, bool, bool]]:
    for stage in (0, 1, 2, 3):
        for states, weights in ((False, False), (True, False), (True, True)):
            if (states and stage == 0) or (weights and stage < 3) or (gpus == 1 and stage in (2,) and not states):
                continue
            candidate = with_value(spec, "strategy.zero_stage", stage)
            candidate = with_value(candidate, "strategy.offload_optimizer", states)
            candidate = with_value(candidate, "strategy.offload_parameters", weights)
            if not _is_refused(candidate):
                yield stage, states, weights


def _is_refused(spec: JobSpec) -> bool:
    return any(holds(rule, functools.partial(value_at, spec)) for rule in COMBINATION_RULES)


def _changes(spec: JobSpec, values: Mapping[str, Any]) -> Changes:
    return tuple((path, value) for path, value in values.items() if value_at(spec, path) != value)


def _with(setup: Setup, field: str, value: int) -> Setup:
    return setup._replace(micro_batch=value) if field == "micro_batch" else setup._replace(seq_len=value)
