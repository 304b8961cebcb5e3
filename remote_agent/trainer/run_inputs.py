"""What a rank reads from its run directory before it trains, checked against each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.reshaping import Shape, reshaped, shape_of
from remote_agent.contract.run_dir import DS_CONFIG, JOB, LAUNCH
from remote_agent.contract.spec_json import spec_from_json


class Launch(NamedTuple):
    """The part of launch.json that ranks need; folders are absolute paths on the node."""

    model_path: Path
    data_folder: Path
    threads_per_rank: int
    use_gpu: bool


class RunInputs(NamedTuple):
    """The job in the shape of this attempt, how it was launched, and the DeepSpeed configuration for it.

    ``own_shape`` is the one that job.json asks for; in it the configuration is what lies in the run directory.
    """

    spec: JobSpec
    launch: Launch
    engine_config: dict[str, Any]
    own_shape: Shape


def read_run_inputs(run_dir: Path, shape: Shape | None = None) -> RunInputs:
    """Read job.json, launch.json and ds_config.json; ``shape`` is that of a resume on other ranks or another stage.

    Raises:
        ValueError: a file does not say what it should, ds_config.json is not the job's, or the shape does not fit it.
        OSError: a file cannot be read.
    """
    spec = spec_from_json((run_dir / JOB).read_text(encoding="utf-8"))
    launch = _launch(json.loads((run_dir / LAUNCH).read_text(encoding="utf-8")))
    engine_config = json.loads((run_dir / DS_CONFIG).read_text(encoding="utf-8"))
    expected = json.loads(json.dumps(deepspeed_config(spec)))
    if engine_config != expected:
        differing = sorted(key for key in {*engine_config, *expected} if engine_config.get(key) != expected.get(key))
        raise ValueError(
            f"{DS_CONFIG} does not belong to {JOB}: {', '.join(differing)} differ. Start the run anew from its job."
        )
    own = shape_of(spec)
    if shape is not None and shape != own:
        spec = reshaped(spec, shape)
        engine_config = deepspeed_config(spec)
    return RunInputs(spec, launch, engine_config, own)


def _launch(data: Mapping[str, Any]) -> Launch:
    try:
        return Launch(
            model_path=Path(data["model_path"]),
            data_folder=Path(data["data_folder"]),
            threads_per_rank=int(data["threads_per_rank"]),
            use_gpu=bool(data["use_gpu"]),
        )
    except KeyError as error:
        raise ValueError(f"{LAUNCH} lacks {error}.") from None
