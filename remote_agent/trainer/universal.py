"""A checkpoint of another number of ranks or ZeRO stage, made readable before the ranks meet: once, by rank 0."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.reshaping import Shape, reshape_problem, shape_of
from remote_agent.contract.run_dir import CHECKPOINTS
from remote_agent.run_files.manifest import read_manifest
from remote_agent.trainer.checkpoints import ENGINE_TAG, STATE, ResumeError, resumable
from remote_agent.trainer.report import Report

PHASE = "converting the checkpoint"
_POLL_S = 0.1
_COPIES = 2
"""The converter holds the state once in fragments and once in whole parameters."""


class Place(NamedTuple):
    """From where an attempt goes on; ``universal`` is the folder that the engine reads, None for the shards."""

    folder: Path
    step: int
    ranks: int
    universal: Path | None


def place_to_resume(run_dir: Path, name: str, attempt: int, spec: JobSpec, own: Shape, report: Report) -> Place:
    """Return the verified checkpoint, converted where it was written in another shape than the ranks have.

    Args:
        run_dir: the run directory.
        name: the checkpoint's folder name.
        attempt: counts the starts of the ranks.
        spec: the job in the shape of this attempt.
        own: the shape that job.json asks for, which an early checkpoint does not tell.
        report: rank 0's journal.

    Raises:
        ResumeError: it cannot be resumed from; the sentence says why.
    """
    manifest = read_manifest(str(run_dir / CHECKPOINTS / name))
    ranks = manifest.world_size if manifest is not None else own.ranks
    folder, step = resumable(run_dir, name, ranks)
    stage = manifest.zero_stage if manifest is not None and manifest.zero_stage >= 0 else own.zero_stage
    wanted = shape_of(spec)
    if Shape(ranks, stage) == wanted:
        return Place(folder, step, ranks, None)
    problem = reshape_problem(spec, Shape(ranks, stage), wanted)
    if problem:
        raise ResumeError(problem)
    # a folder that the supervisor clears away with all that an attempt left half done
    made = folder.parent / f".{folder.name}.universal-{attempt}.partial"
    if int(os.environ.get("RANK", "0")) == 0:
        report.progress(PHASE, 0, 1)
        _convert(folder / STATE / ENGINE_TAG, made, wanted.ranks)
        report.progress(PHASE, 1, 1)
    while not made.is_dir():
        # the launcher ends us where rank 0 fails
        time.sleep(_POLL_S)
    return Place(folder, step, ranks, made)


def _convert(shards: Path, made: Path, ranks: int) -> None:
    """Convert in a child, aside, and rename: a folder of this name is whole."""
    needed = _COPIES * sum(path.stat().st_size for path in shards.iterdir())
    free = shutil.disk_usage(shards).free
    if free < needed:
        raise ResumeError(
            f"To go on in another shape the state is converted, which takes {needed / 2**30:.1f} GiB for a while; "
            f"{free / 2**30:.1f} GiB are free on the disk of the run."
        )
    aside = made.with_name(f"{made.name.removesuffix('.partial')}.aside.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    script = Path(__file__).with_name("to_universal.py")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}
    arguments = [sys.executable, str(script), str(shards), str(aside / ENGINE_TAG), str(ranks)]
    done = subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        shutil.rmtree(aside)
        raise ResumeError(
            f"The checkpoint could not be converted for {ranks} ranks (exit code {done.returncode}); the log of rank 0 "
            "says why. It goes on with the ranks and the ZeRO stage that wrote it."
        )
    aside.rename(made)
