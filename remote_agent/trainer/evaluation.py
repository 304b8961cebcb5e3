"""Held-out loss: the sum of every supervised token's NLL over their number, whatever the batches and ranks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from remote_agent.contract.events import Evaluated
from remote_agent.trainer.batches import BatchShape, Part, evaluation_batches, model_inputs
from remote_agent.trainer.collectives import summed


def evaluate(
    engine: Any, part: Part, micro_batch: int, shape: BatchShape, on_progress: Callable[[int, int], None]
) -> tuple[float, int]:
    """Return the held-out loss and the number of supervised tokens; every rank takes part and gets the same.

    Each token's NLL is fp32, their sum float64. Every token that is trained counts 1, whatever its weight, so that runs
    with other weights can be compared; one of weight 0 does not count. ``on_progress`` hears of (sequences done,
    sequences).
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    total = torch.zeros((), dtype=torch.float64, device=engine.device)
    tokens, done = 0, 0
    was_training = engine.module.training
    engine.eval()
    try:
        with torch.no_grad():
            for batch in evaluation_batches(part, micro_batch, rank, ranks, shape):
                inputs = {name: value.to(engine.device) for name, value in model_inputs(batch).items()}
                losses = engine(**inputs)["token_losses"]
                total += losses.double().sum()
                tokens += losses.numel()
                done = min(done + micro_batch * ranks, len(part))
                on_progress(done, len(part))
    finally:
        engine.train(was_training)
    loss_sum, token_sum = summed([total.item(), tokens], engine.device)
    return (loss_sum / token_sum if token_sum else math.nan), int(token_sum)


def evaluated_event(attempt: int, step: int, measured: tuple[float, int], rows: int, started_s: float) -> Evaluated:
    """Return the event of an evaluation that began at ``started_s`` of the monotonic clock."""
    loss, tokens = measured
    perplexity = math.exp(loss) if loss < 700.0 else (math.nan if math.isnan(loss) else math.inf)
    return Evaluated(attempt, step, loss, perplexity, tokens, rows, time.monotonic() - started_s)
