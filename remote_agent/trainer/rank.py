"""A rank from its inputs to its exit code; nothing here imports torch before the process is ready for it."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from remote_agent.contract.events import Complained
from remote_agent.contract.reshaping import Shape
from remote_agent.trainer.failure import sentence
from remote_agent.trainer.report import Report
from remote_agent.trainer.run_inputs import RunInputs, read_run_inputs
from remote_agent.trainer.stacks_on_request import answer_requests


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
    """Import what takes long, then load the model, start the engine and train to the end.

    Args:
        inputs: what the run directory holds.
        run_dir: the run directory.
        attempt: counts the starts of the ranks.
        resume: the committed checkpoint to go on from, empty for a fresh start.
        report: where to tell of it.
    """
    report.progress("importing", 0, 1)
    _prepare_process(inputs)
    from remote_agent.trainer.assembly import train

    report.progress("importing", 1, 1)
    train(inputs, run_dir, attempt, resume, report)


def _prepare_process(inputs: RunInputs) -> None:
    """Set what has to be set before torch is imported or used."""
    if inputs.spec.determinism.enabled:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        os.environ["FLASH_ATTENTION_DETERMINISTIC"] = "1"
    if not inputs.launch.use_gpu:
        os.environ["DS_ACCELERATOR"] = "cpu"
    # DeepSpeed's autotuner imports it where it is installed, for over a second; trackers are fed beside the ranks
    sys.modules.setdefault("mlflow", None)  # type: ignore[arg-type]
    import torch

    torch.set_num_threads(max(1, inputs.launch.threads_per_rank))
    if inputs.spec.determinism.enabled:
        torch.use_deterministic_algorithms(True)


def _leave_process_group() -> None:
    """Leave the group in order: a rank that just exits makes the others complain of a lost connection."""
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()
