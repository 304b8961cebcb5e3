"""A published recipe as a preset: what it would change in a job field by field, and the values it gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from remote_agent.contract.batch_arithmetic import batch_for
from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields

GLOBAL_BATCH = "global_batch"
"""The name of a preset's sequences an update, which become an accumulation for the ranks at hand."""

_PATHS = tuple(field.path for field in described_fields(JobSpec))


class Preset(NamedTuple):
    """A recipe: the values it sets by field path, and who published them (by path, or `GLOBAL_BATCH`).

    ``global_batch`` counts sequences an update over all ranks; 0 leaves the batch as it is.
    """

    key: str
    name: str
    about: str
    values: Mapping[str, Any]
    sources: Mapping[str, str]
    global_batch: int = 0


class Difference(NamedTuple):
    """What applying a preset changes in one field."""

    path: str
    now: Any
    then: Any
    source: str


def preset_values(preset: Preset, spec: JobSpec) -> dict[str, Any]:
    """Return every value that the preset gives a job, its global batch made of micro batch, accumulation and ranks.

    Where the ranks do not divide the global batch, the nearest one that they divide is taken.
    """
    values = dict(preset.values)
    if preset.global_batch:
        micro = values.get("batch.micro_batch", spec.batch.micro_batch)
        ranks = max(1, values.get("strategy.ranks", spec.strategy.ranks))
        fitting = max(1, round(preset.global_batch / ranks)) * ranks
        values["batch.micro_batch"], values["batch.accumulation"] = batch_for(fitting, micro, ranks)
    return values


def differences(preset: Preset, spec: JobSpec) -> tuple[Difference, ...]:
    """Return what the preset would change in a job, in the order of the job's fields."""
    values = preset_values(preset, spec)
    found = []
    for path in _PATHS:
        if path in values and values[path] != value_at(spec, path):
            of_batch = path in ("batch.micro_batch", "batch.accumulation")
            source = preset.sources.get(path, preset.sources.get(GLOBAL_BATCH, "") if of_batch else "")
            found.append(Difference(path, value_at(spec, path), values[path], source))
    return tuple(found)
