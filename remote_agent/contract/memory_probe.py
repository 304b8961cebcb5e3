"""How memory is measured: the job of a probe, a few updates on the longest batch, and what a trace counted."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping

from remote_agent.contract.job_spec import JobSpec, ScheduleSpec, TrackersSpec

UPDATES = 5


@dataclasses.dataclass(frozen=True)
class MemoryTrace:
    """What a training step on one GPU held at its peak, in bytes, as torch counts it; ``terms`` by torch's kinds."""

    parameters: int
    peak: int
    terms: Mapping[str, Any]


def is_memory_probe(spec: JobSpec) -> bool:
    """Say whether a job is a memory probe, which learns nothing and leaves no weights."""
    return spec.batch.longest_only


def memory_probe_job(spec: JobSpec) -> JobSpec:
    """Return the job that measures another's memory: all that takes memory stays, nothing is evaluated or kept."""
    nothing_kept = dataclasses.replace(
        spec.checkpointing, weights_every_steps=0, state_every_steps=0, save_at_end=False
    )
    return dataclasses.replace(
        spec,
        name="{} (memory probe)".format(spec.name),
        schedule=dataclasses.replace(ScheduleSpec(), shape="constant"),
        regularization=dataclasses.replace(spec.regularization, patience=0),
        batch=dataclasses.replace(spec.batch, max_steps=UPDATES, longest_only=True),
        checkpointing=nothing_kept,
        evaluation=dataclasses.replace(spec.evaluation, every_steps=0, at_start=False, sample_prompts=()),
        alerts=dataclasses.replace(spec.alerts, loss_rise=0.0, gradient_spike=0.0, overfitting_evaluations=0),
        trackers=TrackersSpec(),
    )
