"""Held-out loss: the sum of every supervised token's NLL over their number, whatever the batches and ranks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from remote_agent.contract.events import Evaluated
from remote_agent.trainer.batches import BatchShape, MicroBatch, Part, evaluation_batches, model_inputs
from remote_agent.trainer.collectives import summed


class Measured(NamedTuple):
    """A held-out loss over so many supervised tokens, and that of each source where there are several."""

    loss: float
    tokens: int
    source_losses: tuple[float, ...] = ()


def evaluate(
    engine: Any,
    part: Part,
    micro_batch: int,
    shape: BatchShape,
    on_progress: Callable[[int, int], None],
    first_rows: Sequence[int] = (),
) -> Measured:
    """Return the held-out loss and the number of supervised tokens; every rank takes part and gets the same.

    Each token's NLL is fp32, their sum float64. Every token that is trained counts 1, whatever its weight, so that runs
    with other weights can be compared; one of weight 0 does not count. ``on_progress`` hears of (sequences done,
    sequences); ``first_rows`` says where each source's rows begin.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    totals, counts = np.zeros(max(1, len(first_rows))), np.zeros(max(1, len(first_rows)))
    done = 0
    was_training = engine.module.training
    engine.eval()
    try:
        with torch.no_grad():
            for batch in evaluation_batches(part, micro_batch, rank, ranks, shape):
                inputs = {name: value.to(engine.device) for name, value in model_inputs(batch).items()}
                losses = engine(**inputs)["token_losses"].double().cpu().numpy()
                sources = _sources(batch, losses.size, first_rows)
                totals += np.bincount(sources, losses, len(totals))
                counts += np.bincount(sources, minlength=len(counts))
                done = min(done + micro_batch * ranks, len(part))
                on_progress(done, len(part))
    finally:
        engine.train(was_training)
    both = np.array(summed([*totals, *counts])).reshape(2, -1)
    loss_sum, token_sum = both.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_source = tuple((both[0] / both[1]).tolist()) if len(first_rows) > 1 else ()
    return Measured(float(loss_sum / token_sum) if token_sum else math.nan, int(token_sum), by_source)


def _sources(batch: MicroBatch, labels: int, first_rows: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the source of every label of a micro batch, counted from 0."""
    if len(first_rows) < 2:
        return np.zeros(labels, dtype=np.int64)
    of_row = np.searchsorted(np.asarray(first_rows), batch["row_ids"].numpy(), "right") - 1
    found: npt.NDArray[np.int64] = np.repeat(np.maximum(of_row, 0), batch["row_labels"].numpy())
    return found


def evaluated_event(attempt: int, step: int, measured: Measured, rows: int, started_s: float) -> Evaluated:
    """Return the event of an evaluation that began at ``started_s`` of the monotonic clock."""
    loss, tokens, by_source = measured
    perplexity = math.exp(loss) if loss < 700.0 else (math.nan if math.isnan(loss) else math.inf)
    return Evaluated(attempt, step, loss, perplexity, tokens, rows, time.monotonic() - started_s, by_source)
