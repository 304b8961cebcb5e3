"""Training tokens a second of the real trainer against a plain PyTorch loop on the same packed batches.

Both are one process on all cores and run in turns. Set LUTHIER_BENCH_SMOLLM2=1 for SmolLM2-135M beside the small model.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest

from remote_agent.contract.events import StepCompleted
from remote_agent.contract.run_dir import JOURNAL, LOG, RANK0_WRITER, SCRATCH, rank_log
from remote_agent.run_files.journal_segments import read_events
from remote_agent.supervisor.launch import read_launch, trainer_command
from studio.demo.inputs import demo_inputs
from tests.benchmarks.in_turns import Turns, run_in_turns
from tests.support.tiny import tiny_rows, tiny_tokenizer_files
from tests.trainer.run_folder import job, make_run

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the trainer's processes in /proc"),
]

GOAL = 0.9
WARM_UP = 3
PLAIN_LOOP = Path(__file__).parent / "plain_loop.py"
STEPS = int(os.environ.get("LUTHIER_BENCH_STEPS", "40"))


class Step(NamedTuple):
    """An update: its loss, its tokens, and when it was done, in seconds since the epoch."""

    loss: float
    tokens: int
    done_s: float


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the small model, once: saving it leaves a thread of tqdm's behind."""
    return mid_size_model(tmp_path_factory.mktemp("model"))


def test_that_the_trainer_is_nearly_as_fast_as_a_plain_loop(model: Path, tmp_path: Path) -> None:
    measure("a model of 10 million weights", model, tiny_rows(tmp_path, rows=4000), tmp_path, STEPS, sequences=4)


@pytest.mark.skipif(not os.environ.get("LUTHIER_BENCH_SMOLLM2"), reason="takes minutes; LUTHIER_BENCH_SMOLLM2=1")
def test_that_the_trainer_is_nearly_as_fast_as_a_plain_loop_on_smollm2(tmp_path: Path) -> None:
    inputs = demo_inputs(platformdirs.user_cache_path("luthier", appauthor=False) / "demo", lambda *_: None)
    measure("SmolLM2-135M", inputs.model, inputs.data, tmp_path, STEPS // 3, sequences=1)


def measure(name: str, model: Path, rows: Path, root: Path, steps: int, sequences: int) -> None:
    """Run the trainer and the loop on the same run directory and print tokens a second of both."""
    spec = job(
        data__max_length=256, data__held_out_fraction=0.0, batch__micro_batch=sequences, batch__max_steps=steps,
        checkpointing__save_at_end=False, optimizer__learning_rate=3e-4,
    )  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    run_dir = make_run(root, "r-261124-101112-abcdef", spec, model, rows, threads=cores)
    command, environment = trainer_command(str(run_dir), read_launch(str(run_dir)), 1, "")
    with (
        _process(command, environment, run_dir) as trainer,
        _process([sys.executable, str(PLAIN_LOOP), str(run_dir)], environment, run_dir) as loop,
    ):
        turns = run_in_turns(trainer, loop)
        (told, _), (printed, complaint) = trainer.communicate(), loop.communicate()
    assert trainer.returncode == 0, _log(run_dir) or told
    assert loop.returncode == 0, complaint
    trained = journalled_steps(run_dir)
    plain = [Step(*values) for values in json.loads(printed)]
    assert [step.tokens for step in trained] == [step.tokens for step in plain]
    losses, expected = ([step.loss for step in one] for one in (trained, plain))
    assert losses == pytest.approx(expected, rel=1e-3), "they did not train the same"
    ours, theirs = rates(trained, turns[0]), rates(plain, turns[1])
    half, best = len(ours) // 2, len(ours) * 9 // 10
    print(
        f"\ntraining of {name}, {cores} threads: {ours[half]:.0f} tokens/s, plain loop {theirs[half]:.0f} tokens/s, "
        f"{ours[half] / theirs[half]:.2f} x (goal at least {GOAL:g} x; of the fastest steps "
        f"{ours[best]:.0f} and {theirs[best]:.0f}, {ours[best] / theirs[best]:.2f} x; {len(ours)} steps of "
        f"{plain[0].tokens} tokens, load {os.getloadavg()[0]:.1f})"
    )


def rates(steps: list[Step], turns: Turns) -> list[float]:
    """Return tokens a second of each step after the first ones, from the end of the one before it, sorted."""
    return sorted(
        step.tokens / turns.running_s(before.done_s, step.done_s)
        for before, step in itertools.pairwise(steps[WARM_UP - 1 :])
    )


def journalled_steps(run_dir: Path) -> list[Step]:
    """Return the updates that rank 0 has told of."""
    return [
        Step(event.loss, event.tokens, time_s)
        for time_s, event in read_events(str(run_dir / JOURNAL), RANK0_WRITER)
        if isinstance(event, StepCompleted)
    ]


def _process(command: list[str], environment: dict[str, str], run_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=environment,
        cwd=run_dir / SCRATCH,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _log(run_dir: Path) -> str:
    log = run_dir / LOG / rank_log(0)
    return log.read_text(encoding="utf-8") if log.exists() else ""


def mid_size_model(folder: Path) -> Path:
    """Write a Llama model of 10 million seeded random weights with the tiny tokenizer beside it; return the folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny_tokenizer_files(folder)
    config = LlamaConfig(
        vocab_size=8192, hidden_size=320, intermediate_size=864, num_hidden_layers=6, num_attention_heads=5,
        num_key_value_heads=5, max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
        pad_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        LlamaForCausalLM(config).to(torch.float32).save_pretrained(folder)
    return folder
