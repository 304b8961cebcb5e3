"""Runs that another computer, or another library, started on a node: taken into this one with all they journalled."""

from __future__ import annotations

import dataclasses
import math
import statistics
import tempfile
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path

from remote_agent.contract.events import ENDED, QUEUED, Evaluated
from remote_agent.contract.run_dir import JOB
from remote_agent.contract.spec_json import SpecError, spec_from_json
from studio.remote.agent import Agent
from studio.remote.answers import RunSummary
from studio.session.following import Following
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.rows import RunRow

SPARKLINE_POINTS = 32


class TakingInStopped(Exception):
    """Nobody wants the rest of a run now; it comes when the run is opened."""


def found_on_node(agent: Agent, node: str, library: Library) -> Iterator[RunRow]:
    """Yield a row for each run of a node that this library never had; one without a job that can be read is left out.

    Runs that a person forgot here stay forgotten. Raises RemoteError, StoreError.
    """
    for summary in agent.runs():
        if library.is_new(summary.run_id):
            job = job_of(agent, summary.run_id)
            if job:
                yield row_of(summary, node, job)


def row_of(summary: RunSummary, node: str, job: str) -> RunRow:
    """Return a run's row as its node lists it; its journal will say the rest."""
    state = summary.state if summary.state in ENDED else QUEUED
    return RunRow(summary.run_id, summary.name, node, job, state, summary.step, created_s=summary.created_s)


def job_of(agent: Agent, run_id: str) -> str:
    """Return the text of the job that lies beside a run, empty where it cannot be read. Raises RemoteError."""
    with tempfile.TemporaryDirectory() as folder:
        if agent.fetch(run_id, [JOB], Path(folder)):
            return ""
        job = (Path(folder) / JOB).read_text(encoding="utf-8")
    try:
        spec_from_json(job)
    except SpecError:
        return ""
    return job


def take_in(row: RunRow, library: Library, agent: Agent, cancelled: threading.Event) -> RunRow:
    """Keep everything that an ended run journalled and printed, and return its row as the journal tells it.

    Raises RemoteError, StoreError, and `TakingInStopped` once ``cancelled`` is set: what came is kept.
    """
    following = Following(row, library, agent)
    losses, rates, held_out = array("d"), array("d"), [math.nan]

    def show(_: RunRow, batch: RunBatch) -> None:
        losses.extend(batch.steps.column("loss"))
        rates.extend(batch.steps.column("tokens_per_s"))
        held_out.extend(one.event.loss for one in batch.events if isinstance(one.event, Evaluated))
        if cancelled.is_set():
            raise TakingInStopped

    following.follow(show)
    stride = max(1, -(-len(losses) // SPARKLINE_POINTS))
    return dataclasses.replace(
        following.row,
        losses=tuple(losses[::stride]),
        best_held_out=min((loss for loss in held_out if math.isfinite(loss)), default=math.nan),
        tokens_per_s=statistics.median(rates) if rates else math.nan,
    )
