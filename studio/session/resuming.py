"""Letting an ended run go on from its last checkpoint, the same for window and command line. No Qt."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from typing import TYPE_CHECKING

from remote_agent.contract.events import STARTING
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_from_json
from studio.remote.errors import LinkError
from studio.session.tracker_keys import run_secrets
from studio.store.rows import RunRow

if TYPE_CHECKING:
    from studio.remote.agent import Agent, Resumed

RESUME_TRIES = 3


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
