"""A new run's directory: written aside, whole, and renamed into place, which is the commit of a start."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import Any, Dict, Mapping, Tuple

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import (
    CHECKPOINTS,
    CONTROL,
    DS_CONFIG,
    ENVIRONMENT,
    INBOX,
    JOB,
    JOURNAL,
    LAUNCH,
    LOG,
    SCRATCH,
)
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.contract.wire import to_wire
from remote_agent.run_files.atomic_write import atomic_write, atomic_write_json, sync_folder
from remote_agent.supervisor.launch import Launch, extensions_dir, own_agent_dir, threads_per_rank


def make_launch(
    home: str,
    spec: JobSpec,
    environment: Mapping[str, Any],
    model_path: str,
    data_folder: str,
    bundle: Mapping[str, Any],
    gpus: Tuple[str, ...] = (),
) -> Launch:
    """Return what launch.json will say, on these ``gpus``; ``environment`` is what `describe_environment` found."""
    python = environment["python"]
    return Launch(
        python=python,
        agent_dir=own_agent_dir(),
        model_path=model_path,
        data_folder=data_folder,
        home=home,
        ranks=spec.strategy.ranks,
        threads_per_rank=threads_per_rank(spec.strategy.threads_per_rank, environment["cores"], spec.strategy.ranks),
        extensions_dir=extensions_dir(home, python, environment["packages"]),
        use_gpu=bool(environment["gpus"]),
        bundle=bundle,
        gpus=gpus,
    )


def make_run_dir(
    run_dir: str, spec: JobSpec, launch: Launch, environment: Mapping[str, Any], checkpoints: str = ""
) -> bool:
    """Make the run directory with everything that never changes in it; say False where there is one already.

    ``checkpoints`` is the folder for those of all runs, empty where each run's lie in its own.

    Raises:
        OSError: the disk is full or the folder is not writable; nothing is left then.
    """
    parent, name = os.path.split(run_dir)
    aside = os.path.join(parent, ".{}.{}".format(name, secrets.token_hex(6)))
    os.mkdir(aside, 0o700)
    try:
        for part in (JOURNAL, INBOX, CONTROL, LOG, SCRATCH):
            os.mkdir(os.path.join(aside, part), 0o700)
        if checkpoints:
            apart = os.path.join(checkpoints, name)
            os.makedirs(apart, mode=0o700, exist_ok=True)  # another start of the same run makes the same
            os.symlink(apart, os.path.join(aside, CHECKPOINTS))
        else:
            os.mkdir(os.path.join(aside, CHECKPOINTS), 0o700)
        told: Dict[str, Any] = dict(environment, ranks=launch.ranks, threads_per_rank=launch.threads_per_rank)
        atomic_write(os.path.join(aside, JOB), spec_to_json(spec).encode("utf-8", "surrogateescape"))
        atomic_write_json(os.path.join(aside, DS_CONFIG), deepspeed_config(spec))
        atomic_write_json(os.path.join(aside, ENVIRONMENT), told)
        atomic_write_json(os.path.join(aside, LAUNCH), to_wire(launch))
        try:
            # a rename never replaces a folder that holds something, so the first start wins
            os.rename(aside, run_dir)
        except OSError:
            if not os.path.isdir(run_dir):
                raise
            return False
        sync_folder(parent)
        return True
    finally:
        if os.path.isdir(aside):
            shutil.rmtree(aside)
