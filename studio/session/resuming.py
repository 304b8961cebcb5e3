"""Letting an ended run go on from its last checkpoint, the same for window and command line. No Qt."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from typing import TYPE_CHECKING, NamedTuple

from remote_agent.contract.events import FINISHED, RESTING, STARTING, CheckpointCommitted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.reshaping import Shape, readable_shapes
from remote_agent.contract.spec_json import spec_from_json
from studio.remote.errors import LinkError
from studio.session.tracker_keys import run_secrets
from studio.store.rows import RunRow

if TYPE_CHECKING:
    from remote_agent.contract.node_report import NodeReport
    from studio.remote.agent import Agent, Resumed
    from studio.state.run import RunState

RESUME_TRIES = 3


class ResumeShapes(NamedTuple):
    """In which shapes a run can go on: ``now`` where nothing is asked for, ``all`` of them, and from which step."""

    now: Shape
    all: tuple[Shape, ...]
    step: int


def resumable_checkpoint(run: RunState) -> CheckpointCommitted | None:
    """Return what an ended run can go on from, None where it goes on, is complete or has no such checkpoint."""
    if run.state not in RESTING or run.state == FINISHED or run.gone:
        return None
    saved = [each for each in run.checkpoints if each.has_state]
    fitting = [each for each in saved if not run.total_steps or each.step < run.total_steps]
    return max(fitting, key=lambda each: each.step, default=None)


def resume_shapes(run: RunState, report: NodeReport | None) -> ResumeShapes | None:
    """Return in which shapes a run can go on; None where it cannot.

    A rank has a GPU of its own, or on a node without GPUs a core; a node that was not probed is taken to have what
    the run used there.
    """
    checkpoint = resumable_checkpoint(run)
    if checkpoint is None:
        return None
    now, saved = (run.amendments.shape(run.spec, attempt) for attempt in (run.attempt, checkpoint.attempt))
    there = (len(report.gpus) or report.cores) if report is not None else 0
    shapes = readable_shapes(run.spec, saved, max(there, now.ranks, saved.ranks, run.spec.strategy.ranks))
    return ResumeShapes(now, shapes, checkpoint.step)


def resume_run(
    agent: Agent,
    run_id: str,
    python: str = "",
    cancelled: threading.Event | None = None,
    ranks: int = 0,
    zero_stage: int | None = None,
    job: str = "",
) -> Resumed:
    """Ask a run's node to let it go on; a broken link is tried again, and the id makes the repetition harmless.

    0 ``ranks`` and no ``zero_stage`` leave them as they are. ``job`` is the run's job as JSON, for its trackers' keys.

    Raises:
        RemoteError: the node refused, with the sentence why, or was not reached.
    """
    command_id = secrets.token_hex(8)
    secret = run_secrets(spec_from_json(job) if job else JobSpec())
    for _ in range(RESUME_TRIES - 1):
        try:
            return agent.resume(run_id, python, command_id, secret, None, cancelled, ranks, zero_stage)
        except LinkError:
            continue
    return agent.resume(run_id, python, command_id, secret, None, cancelled, ranks, zero_stage)


def resumed_row(row: RunRow) -> RunRow:
    """Return the row of a run that was ended and goes on; its journal will say the rest."""
    return dataclasses.replace(row, state=STARTING, ended_s=0.0, note="")
