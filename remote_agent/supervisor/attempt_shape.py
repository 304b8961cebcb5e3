"""With how many ranks and at which ZeRO stage an attempt runs, where a resume asked for others than the job's."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Dict, Mapping

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.reshaping import Shape, reshape_problem, reshaped, shape_of
from remote_agent.run_files.manifest import Manifest
from remote_agent.supervisor.launch import Launch
from remote_agent.supervisor.run_record import RunRecord
from remote_agent.supervisor.talk import CommandError

SHAPE_ARGUMENTS = ("ranks", "zero_stage")
_CONVERTER = os.path.join("remote_agent", "trainer", "to_universal.py")


def launch_of_attempt(launch: Launch, record: RunRecord) -> Launch:
    """Return how the newest attempt was launched, from what launch.json and the journal say."""
    if record.zero_stage < 0:
        return launch
    return _in_shape(launch, Shape(record.ranks, record.zero_stage))


def shape_of_launch(launch: Launch, spec: JobSpec) -> Shape:
    """Return the ranks of a launch, and its stage or the job's."""
    return Shape(launch.ranks, launch.zero_stage if launch.zero_stage >= 0 else spec.strategy.zero_stage)


def asked_launch(launch: Launch, spec: JobSpec, arguments: Mapping[str, Any]) -> Launch:
    """Return the launch with the ``ranks`` and ``zero_stage`` that a resume asks for; what it leaves out stays.

    Raises:
        CommandError: the global batch cannot be kept, or the run's own agent is too old for it.
    """
    now, asked = shape_of_launch(launch, spec), _asked(arguments)
    wanted = Shape(asked.get("ranks", now.ranks), asked.get("zero_stage", now.zero_stage))
    if wanted == now:
        return launch
    try:
        reshaped(spec, wanted)
    except ValueError as error:
        raise CommandError(str(error), "bad_request") from None
    if not os.path.isfile(os.path.join(launch.agent_dir, _CONVERTER)):
        raise CommandError(
            "The run began with an older Luthier, which cannot go on with other ranks or another ZeRO stage.",
            "bad_request",
        )
    if wanted == shape_of(spec):
        return dataclasses.replace(_in_shape(launch, wanted), zero_stage=-1)
    return _in_shape(launch, wanted)


def check_shape(name: str, manifest: Manifest, launch: Launch, spec: JobSpec) -> None:
    """Raise CommandError where a checkpoint's state cannot be brought into the shape of the launch."""
    problem = reshape_problem(spec, saved_shape(manifest, spec), shape_of_launch(launch, spec))
    if problem:
        raise CommandError("{}: {}".format(name, problem), "bad_request")


def saved_shape(manifest: Manifest, spec: JobSpec) -> Shape:
    """Return the shape that a checkpoint's state was written in."""
    return Shape(manifest.world_size, manifest.zero_stage if manifest.zero_stage >= 0 else spec.strategy.zero_stage)


def _asked(arguments: Mapping[str, Any]) -> Dict[str, int]:
    """Return the whole numbers asked for; 0 ranks ask for nothing."""
    found = {}
    for name in SHAPE_ARGUMENTS:
        value = arguments.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and (value or name == "zero_stage"):
            found[name] = value
    return found


def _in_shape(launch: Launch, shape: Shape) -> Launch:
    """Divide the threads of all ranks anew."""
    threads = max(1, launch.threads_per_rank * launch.ranks // max(1, shape.ranks))
    kept = launch.threads_per_rank if shape.ranks == launch.ranks else threads
    return dataclasses.replace(launch, ranks=shape.ranks, zero_stage=shape.zero_stage, threads_per_rank=kept)
