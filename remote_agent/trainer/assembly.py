"""Model, data, engine and course of a rank, put together; imported only once the process is ready for torch."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.run_dir import SCRATCH
from remote_agent.contract.schedule import horizon_of
from remote_agent.dataset.order import SequenceLengths
from remote_agent.dataset.prepared import TRAIN, open_prepared
from remote_agent.dataset.tokenizer_files import load_tokenizer
from remote_agent.run_files.amendments import read_amendments
from remote_agent.trainer.batches import BatchShape, MicroBatches, train_loader
from remote_agent.trainer.causal_model import load_model
from remote_agent.trainer.control import pending
from remote_agent.trainer.course import Course
from remote_agent.trainer.engine_start import start_process_group
from remote_agent.trainer.fine_tuner import FineTuner, training_arguments
from remote_agent.trainer.memory_gauge import MemoryGauge
from remote_agent.trainer.report import Report
from remote_agent.trainer.run_inputs import RunInputs
from remote_agent.trainer.step_clock import StepClock
from remote_agent.trainer.universal import place_to_resume

FURTHER_STEPS = 1 << 24
"""The loader goes on beyond the run's end, which may be moved while it trains."""

_UNIVERSAL: dict[str, Any] = {"checkpoint": {"load_universal": True}}
"""What the engine is told where it goes on from a checkpoint of another shape."""


def train(inputs: RunInputs, run_dir: Path, attempt: int, resume: str, report: Report) -> None:
    """Load the model, start the engine and train to the end; the arguments are those of `rank.fine_tune`."""
    spec, launch = inputs.spec, inputs.launch
    resumed = place_to_resume(run_dir, resume, attempt, spec, inputs.own_shape, report) if resume else None
    start_process_group(spec, launch.use_gpu)
    _keep_what_is_imported()
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


def _keep_what_is_imported() -> None:
    """Take the imported libraries out of the garbage collector's sight: each full collection costs 0.2 s else."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def _lengths(inputs: RunInputs) -> SequenceLengths | None:
    """Return how long the sequences are where they are put together by it."""
    spec = inputs.spec
    by_length = (spec.data.group_by_length and not spec.data.packing) or spec.batch.longest_only
    return SequenceLengths.of(inputs.launch.data_folder, TRAIN) if by_length else None
