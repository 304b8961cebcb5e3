"""What was commanded to be different for the rest of the run: agreed on by all ranks, journalled, in force at once."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.events import Amended
from remote_agent.trainer.fine_tuner import FineTuner
from remote_agent.trainer.report import Report


def take_amendments(
    tuner: FineTuner, amended: AmendedJob, attempt: int, step: int, report: Report, device: torch.device
) -> AmendedJob:
    """Return the job with what rank 0 was commanded, in force from the update after ``step``; every rank calls this.

    The journal has it before the update that it changes, so that a resume finds it.
    """
    asked = [
        (command.arguments["field"], float(command.arguments["value"]))
        for command in tuner.commands
        if command.verb == "amend"
    ]
    told: list[Any] = [asked]
    if dist.get_world_size() > 1:
        dist.broadcast_object_list(told, src=0, device=device)
    new = [Amended(attempt, step, field, value) for field, value in told[0]]
    for one in new:
        report.tell(one)
    report.sync()
    job = amended.with_more(new)
    tuner.amend(job)
    return job
