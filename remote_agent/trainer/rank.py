"""A rank from its inputs to its exit code: model, engine and course are put together here."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.events import Complained
from remote_agent.contract.reshaping import Shape
from remote_agent.contract.run_dir import SCRATCH
from remote_agent.contract.schedule import horizon_of
from remote_agent.run_files.amendments import read_amendments
from remote_agent.trainer.failure import sentence
from remote_agent.trainer.report import Report
from remote_agent.trainer.run_inputs import RunInputs, read_run_inputs
from remote_agent.trainer.stacks_on_request import answer_requests

if TYPE_CHECKING:
    from remote_agent.dataset.order import SequenceLengths

FURTHER_STEPS = 1 << 24
"""The loader goes on beyond the run's end, which may be moved while it trains."""

_UNIVERSAL: dict[str, Any] = {"checkpoint": {"load_universal": True}}
"""What the engine is told where it goes on from a checkpoint of another shape."""


def run_rank(run_dir: Path, attempt: int, resume: str, shape: str = "") -> int:
    """Train as the run directory says and return 0, or 1 after a failure that journal and log then tell of.

    ``shape`` names ranks and ZeRO stage, with a comma, where they are not the job's.
    """
    rank = int(os.environ.get("RANK", "0"))
    report = Report(run_dir, rank)
    inputs: RunInputs | None = None
    try:
        answer_requests(run_dir, rank)
        inputs = read_run_inputs(run_dir, Shape(*map(int, shape.split(","))) if shape else None)
        fine_tune(inputs, run_dir, attempt, resume, report)
        _leave_process_group()
        return 0
    except Exception as error:  # noqa: BLE001 one of the two places that carry an error to the screen
        traceback.print_exc()
        said = sentence(error, inputs.spec, inputs.launch.model_path) if inputs else sentence(error, None)
        # into the log too: only rank 0 has a journal, and the last lines are what the supervisor tells
        sys.stderr.write(f"{said}\n")
        report.tell(Complained("error", said, rank))
        return 1
    finally:
        report.close()
        sys.stdout.flush()


def fine_tune(inputs: RunInputs, run_dir: Path, attempt: int, resume: str, report: Report) -> None:
    """Import what takes long, load the model, start the engine and train to the end.

    Args:
        inputs: what the run directory holds.
        run_dir: the run directory.
        attempt: counts the starts of the ranks.
        resume: the committed checkpoint to go on from, empty for a fresh start.
        report: where to tell of it.
    """
    spec, launch = inputs.spec, inputs.launch
    report.progress("importing", 0, 1)
    _prepare_process(inputs)
    from remote_agent.dataset.prepared import open_prepared
    from remote_agent.dataset.tokenizer_files import load_tokenizer
    from remote_agent.trainer.batches import BatchShape, MicroBatches, train_loader
    from remote_agent.trainer.causal_model import load_model
    from remote_agent.trainer.control import pending
    from remote_agent.trainer.course import Course
    from remote_agent.trainer.engine_start import start_process_group
    from remote_agent.trainer.fine_tuner import FineTuner, training_arguments
    from remote_agent.trainer.memory_gauge import MemoryGauge
    from remote_agent.trainer.step_clock import StepClock
    from remote_agent.trainer.universal import place_to_resume

    report.progress("importing", 1, 1)
    resumed = place_to_resume(run_dir, resume, attempt, spec, inputs.own_shape, report) if resume else None
    start_process_group(spec, launch.use_gpu)
    rank = int(os.environ["RANK"])
    data = open_prepared(launch.data_folder)
    own_plan = batch_plan(spec, len(data.train))
    horizon = horizon_of(own_plan, data.report.train_tokens)
    amended = AmendedJob(spec, horizon, read_amendments(str(run_dir)))
    plan = own_plan._replace(total_steps=amended.total_steps)
    first_step = resumed.step if resumed else 0
    config = {**inputs.engine_config, **(_UNIVERSAL if resumed and resumed.universal else {})}
    arguments = training_arguments(spec, config, str(run_dir / SCRATCH), plan.total_steps, launch.use_gpu)
    gauge = MemoryGauge(launch.use_gpu)
    report.progress("loading model", 0, 1)
    model = load_model(launch.model_path, spec)
    report.progress("loading model", 1, 1)
    shape = BatchShape(data.report.pad_token_id, flatten=spec.strategy.attention == "flash_attention_2")
    batches = MicroBatches(data.train, spec, rank, shape, _lengths(inputs), amended.data_step)
    loader = train_loader(batches, spec, first_step, plan.total_steps + FURTHER_STEPS, pin=launch.use_gpu)
    tokenizer = None
    if spec.evaluation.sample_prompts:
        tokenizer = load_tokenizer(launch.model_path, spec.data.chat_template, spec.data.added_tokens)
    look = (lambda: pending(run_dir)) if rank == 0 else list
    report.progress("starting engine", 0, 1)
    tuner = FineTuner(
        spec, model, arguments, loader, first_step, horizon, look, gauge, StepClock(launch.use_gpu), amended
    )
    course = Course(
        inputs, run_dir, attempt, report, plan, data.report, data.held_out, shape, tokenizer, resumed, amended
    )
    course.drive(tuner)


def _lengths(inputs: RunInputs) -> SequenceLengths | None:
    """Return how long the sequences are where they are put together by it."""
    from remote_agent.dataset.order import SequenceLengths
    from remote_agent.dataset.prepared import TRAIN

    spec = inputs.spec
    by_length = (spec.data.group_by_length and not spec.data.packing) or spec.batch.longest_only
    return SequenceLengths.of(inputs.launch.data_folder, TRAIN) if by_length else None


def _prepare_process(inputs: RunInputs) -> None:
    """Set what has to be set before torch is imported or used."""
    if inputs.spec.determinism.enabled:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        os.environ["FLASH_ATTENTION_DETERMINISTIC"] = "1"
    if not inputs.launch.use_gpu:
        os.environ["DS_ACCELERATOR"] = "cpu"
    import torch

    torch.set_num_threads(max(1, inputs.launch.threads_per_rank))
    if inputs.spec.determinism.enabled:
        torch.use_deterministic_algorithms(True)


def _leave_process_group() -> None:
    """Leave the group in order: a rank that just exits makes the others complain of a lost connection."""
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()
