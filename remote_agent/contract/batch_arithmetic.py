"""From sequences to steps: what micro batch, accumulation, ranks and epochs come to."""

from __future__ import annotations

import math
from typing import NamedTuple, Tuple

from remote_agent.contract.job_spec import JobSpec


class BatchPlan(NamedTuple):
    """The run's arithmetic. An epoch's last update takes the rest where the sequences do not divide evenly."""

    global_batch: int
    steps_per_epoch: int
    total_steps: int
    global_batch_tokens: int


def batch_plan(spec: JobSpec, train_sequences: int) -> BatchPlan:
    """Return the plan for a number of prepared training sequences (0 where it is not known yet).

    ``global_batch`` counts sequences, ``global_batch_tokens`` the most tokens an update can hold.
    Unless ``batch.max_steps`` says otherwise the run is ``batch.epochs`` x ``steps_per_epoch`` updates, rounded up.
    """
    global_batch = spec.batch.micro_batch * spec.batch.accumulation * spec.strategy.ranks
    steps_per_epoch = -(-train_sequences // global_batch) if global_batch > 0 else 0
    total = spec.batch.max_steps or math.ceil(spec.batch.epochs * steps_per_epoch - 1e-9)
    return BatchPlan(global_batch, steps_per_epoch, total, global_batch * spec.data.max_length)


def batch_for(global_batch: int, micro_batch: int, ranks: int) -> Tuple[int, int]:
    """Return the micro batch and accumulation that make up a global batch on so many ranks.

    The micro batch is the greatest up to ``micro_batch`` (what fits the memory now) with which accumulation comes out
    whole. Raises ValueError where the ranks do not divide the global batch.
    """
    if ranks < 1 or global_batch < 1 or global_batch % ranks:
        raise ValueError("A global batch of {} does not divide among {} ranks.".format(global_batch, ranks))
    per_rank = global_batch // ranks
    micro = next(size for size in range(max(1, min(micro_batch, per_rank)), 0, -1) if per_rank % size == 0)
    return micro, per_rank // micro
