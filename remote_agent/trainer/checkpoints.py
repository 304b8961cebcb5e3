"""Checkpoints of a run: written aside by all ranks, committed by rank 0, thinned out, and read back for a resume."""

from __future__ import annotations

import contextlib
import math
import random
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from remote_agent.contract.chat_templates import resolve_template
from remote_agent.contract.data_spec import DataSpec
from remote_agent.contract.events import CheckpointCommitted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.optimizer_states import state_bytes_per_parameter
from remote_agent.contract.run_dir import CHECKPOINTS, checkpoint_folder, checkpoint_step, partial_checkpoint_folder
from remote_agent.run_files.manifest import commit, committed_checkpoints, read_manifest, verify
from remote_agent.trainer.added_tokens import write_tokenizer

STATE = "state"
ENGINE_TAG = "engine"

# What makes a folder of weights one that transformers loads, tokenizer and all; config.json is written anew.
_COMPANIONS = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "vocab.json", "merges.txt", "tokenizer.model", "generation_config.json",
)  # fmt: skip


class ResumeError(ValueError):
    """The checkpoint cannot be resumed from; the sentence says why."""


def save_checkpoint(
    engine: Any,
    run_dir: Path,
    spec: JobSpec,
    model_path: Path,
    step: int,
    with_state: bool,
    rank_state: Mapping[str, torch.Tensor],
    weights_in_place: contextlib.AbstractContextManager[None],
) -> tuple[str, int]:
    """Write and commit ``checkpoints/step-<step>``; every rank calls this. Return its name and size in bytes.

    Args:
        engine: DeepSpeed's, with the model.
        run_dir: the run directory.
        spec: the job.
        model_path: the base model, for what transformers does not write.
        step: updates done.
        with_state: adds what a resume to the bit needs: DeepSpeed's shards and every rank's random state.
        rank_state: what else this rank wants back at a resume.
        weights_in_place: lets the model hold the weights to save; the state is always that of the training.

    Raises:
        OSError: the disk is full or refuses; nothing is committed then and earlier checkpoints are untouched.
    """
    parent = run_dir / CHECKPOINTS
    partial = parent / partial_checkpoint_folder(step)
    with weights_in_place:
        weights = _weights(engine)
        if dist.get_rank() == 0:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(mode=0o700, parents=True)
            engine.module.save_pretrained(partial, state_dict=weights)
            _copy_companions(model_path, partial, spec.data)
        del weights
    dist.barrier()
    if with_state:
        engine.save_checkpoint(str(partial / STATE), tag=ENGINE_TAG, save_latest=False)
        torch.save(_random_state(), partial / STATE / f"random-rank{dist.get_rank()}.pt")
        torch.save(dict(rank_state), partial / STATE / _rank_file(dist.get_rank()))
        dist.barrier()
    size = 0
    if dist.get_rank() == 0:
        final = parent / checkpoint_folder(step)
        stage = engine.zero_optimization_stage()
        size = commit(str(partial), str(final), step, with_state, dist.get_world_size(), stage).size_bytes
        _thin_out(parent, spec.checkpointing.keep_last)
    dist.barrier()
    return checkpoint_folder(step), size


def bytes_needed(spec: JobSpec, parameters: int, with_state: bool) -> int:
    """Return about how many bytes a checkpoint takes: the weights, with its state once more beside the optimizer."""
    width = 4 if spec.strategy.precision == "fp32" else 2
    moments = math.ceil(max(state_bytes_per_parameter(spec.optimizer.kind, spec.optimizer.momentum)))
    average = 4 if spec.regularization.averaging != "none" else 0
    return parameters * (width + (width + 4 + moments + average if with_state else 0))


def committed_event(attempt: int, step: int, saved: tuple[str, int], has_state: bool, since_s: float) -> Any:
    """Return the event of a checkpoint whose writing began at ``since_s`` of the monotonic clock."""
    return CheckpointCommitted(attempt, step, saved[0], has_state, saved[1], time.monotonic() - since_s)


def resumable(run_dir: Path, name: str, ranks: int) -> tuple[Path, int]:
    """Return folder and step of the checkpoint to resume from, once everything in it has been verified.

    The shards are pickles, so only what this run has committed itself is ever read.

    Raises:
        ResumeError: it is not committed, damaged, holds no state, or was written by another number of ranks.
    """
    folder = run_dir / CHECKPOINTS / name
    manifest = read_manifest(str(folder)) if checkpoint_step(name) is not None else None
    if manifest is None:
        raise ResumeError(f"{name} is no committed checkpoint of this run.")
    if not manifest.has_state:
        raise ResumeError(f"{name} holds weights only; a resume needs a checkpoint with its full state.")
    if manifest.world_size != ranks:
        raise ResumeError(
            f"{name} was written by {manifest.world_size} processes; resume it with as many, not with {ranks}."
        )
    wrong = verify(str(folder))
    if wrong:
        raise ResumeError(f"{name} is damaged: {wrong[0]}")
    return folder, manifest.step


def restore(engine: Any, folder: Path) -> dict[str, torch.Tensor] | None:
    """Put engine and random state back as they were; every rank calls this.

    Returns:
        What this rank gave as ``rank_state``, None where the checkpoint is of a version that kept none.

    Raises:
        ResumeError: DeepSpeed finds no state in the folder.
    """
    loaded, _ = engine.load_checkpoint(
        str(folder / STATE), tag=ENGINE_TAG, load_optimizer_states=True, load_lr_scheduler_states=False
    )
    if loaded is None:
        raise ResumeError(f"{folder.name} holds no state that DeepSpeed can read.")
    state = torch.load(folder / STATE / f"random-rank{dist.get_rank()}.pt", weights_only=True)
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0])
    random.setstate(state["python"])
    return _kept_by(folder, dist.get_rank())


def restore_universal(engine: Any, folder: Path, universal: Path, ranks: int) -> list[dict[str, torch.Tensor]]:
    """Put the engine back as it was from what was converted, which goes then; every rank calls this.

    What updates draw is seeded by the job, so the random state of other ranks is not missed.

    Returns:
        What each of the ``ranks`` that wrote the checkpoint gave as ``rank_state``.

    Raises:
        ResumeError: DeepSpeed finds no state in the folder.
    """
    groups = engine.optimizer.optimizer.param_groups
    own = [{key: value for key, value in group.items() if key != "params"} for group in groups]
    loaded, _ = engine.load_checkpoint(
        str(universal), tag=ENGINE_TAG, load_optimizer_states=True, load_lr_scheduler_states=False
    )
    if loaded is None:
        raise ResumeError(f"{folder.name} holds no state that DeepSpeed can read.")
    for group, settings in zip(groups, own, strict=True):
        # stage 3 gives every group the first one's, weight decay too
        group.update(settings)
    for state in engine.optimizer.optimizer.state.values():
        if torch.is_tensor(state.get("step")):
            # stage 3 gives all groups one tensor, which each of them would then count up
            state["step"] = state["step"].clone()
    dist.barrier()
    if dist.get_rank() == 0:
        shutil.rmtree(universal)
    return [kept for rank in range(ranks) if (kept := _kept_by(folder, rank)) is not None]


def _kept_by(folder: Path, rank: int) -> dict[str, torch.Tensor] | None:
    path = folder / STATE / _rank_file(rank)
    kept: dict[str, torch.Tensor] | None = torch.load(path, weights_only=True) if path.is_file() else None
    return kept


def _rank_file(rank: int) -> str:
    return f"rank{rank}.pt"


def _random_state() -> dict[str, Any]:
    on_gpu = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": on_gpu, "python": random.getstate()}


def _weights(engine: Any) -> Any:
    """Return the whole model's weights on rank 0; under ZeRO-3 every rank takes part in gathering them."""
    if engine.zero_optimization_stage() == 3:
        return engine._zero3_consolidated_16bit_state_dict()
    return engine.module.state_dict() if dist.get_rank() == 0 else None


def _copy_companions(model_path: Path, folder: Path, data: DataSpec) -> None:
    for name in _COMPANIONS:
        if (model_path / name).is_file():
            shutil.copyfile(model_path / name, folder / name)
    if data.added_tokens:
        write_tokenizer(model_path, folder, data.added_tokens)
    if data.chat_template:
        # what the rows were rendered with belongs to the result
        (folder / "chat_template.jinja").write_text(resolve_template(data.chat_template), encoding="utf-8")


def _thin_out(parent: Path, keep_last: int) -> None:
    """Remove the oldest committed checkpoints beyond ``keep_last``, but never the newest that can be resumed from."""
    found = committed_checkpoints(str(parent))
    with_state = [step for step, _, manifest in found if manifest.has_state]
    for step, folder, _ in found[: -max(1, keep_last)]:
        if step != max(with_state, default=-1):
            shutil.rmtree(folder)
