"""Supervised tokens a second and peak memory of Luthier's trainer beside TRL's SFTTrainer on the same packed batches.

Each side is one process on all cores, with fp32, SDPA, the fused AdamW, gradients clipped at 1 and no activation
checkpointing; they run in turns. TRL gets Luthier's packed sequences as its own packer would hand them over and runs
with its lean loss, which it takes by itself. The peak is the resident memory's, whose mark is reset (Linux,
/proc/self/clear_refs) when the model has been loaded and every weight touched, less what is resident then: gradients,
moments, activations and logits. On the deep model LLaMA-Factory runs in turn with them on the same sequences, in the
environment that bench_llamafactory.py makes; of its lean options a processor can run its packing alone. Run as a
script this file is Luthier's or TRL's process.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import runpy
import shutil
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import LOG, SCRATCH, rank_log
from remote_agent.supervisor.launch import rank_environment, read_launch
from tests.benchmarks.bench_llamafactory import llamafactory
from tests.benchmarks.in_turns import Turns, run_in_turns
from tests.benchmarks.step_watch import BACKWARD, FORWARD, OPTIMIZER, Figures, Watch
from tests.support.real_model import real_inputs
from tests.support.samples import sample
from tests.support.tiny import tiny_tokenizer_files
from tests.trainer.run_folder import AGENT_DIR, job, make_run

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of resident memory from /proc"),
]

STEPS = int(os.environ.get("LUTHIER_BENCH_STEPS", "8"))
WARM_UP = 2
GOAL_SPEED, GOAL_MEMORY = 1.25, 0.6
GOAL_SPEED_SMALL_HEAD, GOAL_OUTSIDE = 1.0, 0.03
NOISE = 1e-3
"""Relative, of the losses, which say that both trained the same."""

BATCHES, FIGURES = "batches.json", "figures-{}.json"
LUTHIER, TRL, LLAMAFACTORY = "luthier", "trl", "llamafactory"


class Rates(NamedTuple):
    """Medians over the steps after the first ones: supervised tokens a second, and each phase's share of a step.

    ``tokens_per_cpu_s`` is per second of a processor, which other processes on the machine disturb less.
    """

    tokens_per_s: float
    tokens_per_cpu_s: float
    shares: dict[str, float]

    @property
    def outside(self) -> float:
        """Return the share of a step in none of the phases."""
        return 1.0 - sum(self.shares.values())


@pytest.fixture(scope="module")
def data() -> Path:
    """Return real alpaca rows."""
    return sample("alpaca_en_demo.json")


@pytest.fixture(scope="module")
def large_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write SmolLM2-135M cut to its first 4 layers: the head is 2/3 of the FLOPs."""
    import torch
    from transformers import AutoModelForCausalLM

    source, folder = real_inputs().model, tmp_path_factory.mktemp("smollm2")
    for path in source.glob("token*.json"):
        shutil.copy(path, folder)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    model.model.layers, model.config.num_hidden_layers = model.model.layers[:4], 4
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def small_head(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 24 layers of width 512 with seeded random weights and a vocabulary of 4,096: a head of 3 % of the FLOPs."""
    import torch
    from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tiny_tokenizer_files(tmp_path_factory.mktemp("deep"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    special = [AddedToken(content, special=True) for content in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")]
    trainer = trainers.BpeTrainer(
        vocab_size=4096, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    rows = json.loads(data.read_text(encoding="utf-8"))
    tokenizer.train_from_iterator([f"{row['instruction']} {row['input']} {row['output']}\n" for row in rows], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = LlamaConfig(
        vocab_size=4096, hidden_size=512, intermediate_size=1408, num_hidden_layers=24, num_attention_heads=8,
        num_key_value_heads=8, max_position_embeddings=1024, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
        pad_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        LlamaForCausalLM(config).to(torch.float32).save_pretrained(folder)
    return folder


def test_that_a_large_vocabulary_costs_less_time_and_memory_than_in_trl(
    large_head: Path, data: Path, tmp_path: Path
) -> None:
    measure("SmolLM2-135M cut to 4 layers", large_head, data, tmp_path, 1024, GOAL_SPEED)


def test_that_a_deep_model_with_a_small_head_trains_no_slower_than_in_trl_and_llama_factory(
    small_head: Path, data: Path, tmp_path: Path
) -> None:
    measure("24 layers of width 512, vocabulary 4,096", small_head, data, tmp_path, 512, GOAL_SPEED_SMALL_HEAD, True)


def measure(
    name: str, model: Path, rows: Path, root: Path, length: int, goal: float, with_llamafactory: bool = False
) -> None:
    """Run all sides in turns and print speed, memory and where a step's time goes."""
    spec = job(
        data__shape="alpaca", data__max_length=length, data__held_out_fraction=0.0, batch__micro_batch=1,
        batch__accumulation=1, batch__max_steps=STEPS, strategy__zero_stage=0, checkpointing__save_at_end=False,
        optimizer__learning_rate=1e-4, optimizer__weight_decay=0.0,
    )  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    run_dir = make_run(root, "r-261124-101112-abcdef", spec, model, rows, threads=cores)
    supervised, tokens = write_batches(run_dir, spec)
    sides = [LUTHIER, TRL, *([LLAMAFACTORY] if with_llamafactory else [])]
    figures, turns = trained(run_dir, sides)
    ours, theirs = figures[:2]
    for other in figures[1:]:
        assert ours.losses == pytest.approx(other.losses, rel=NOISE), "they did not train the same"
    left, right, *third = (rates(one, supervised, turn) for one, turn in zip(figures, turns, strict=True))
    above = [one.peak - one.loaded for one in (ours, theirs)]
    beyond = [one.peak - one.loaded - 3 * one.weights for one in (ours, theirs)]
    print(
        f"\n{name}: {len(supervised) - WARM_UP} steps of {statistics.mean(tokens):.0f} tokens, "
        f"{sum(supervised) / sum(tokens):.0%} of them supervised, {cores} threads, load {os.getloadavg()[0]:.1f}"
        f"\n  speed: Luthier {left.tokens_per_s:.0f}, TRL {right.tokens_per_s:.0f} supervised tokens/s, "
        f"{left.tokens_per_s / right.tokens_per_s:.2f} x (goal at least {goal:g} x); a processor second "
        f"{left.tokens_per_cpu_s:.0f} and {right.tokens_per_cpu_s:.0f}, "
        f"{left.tokens_per_cpu_s / right.tokens_per_cpu_s:.2f} x"
        f"\n  peak above the weights ({ours.weights / 2**20:.0f} MiB): Luthier {above[0] / 2**20:.0f} MiB, TRL "
        f"{above[1] / 2**20:.0f} MiB, {above[0] / above[1]:.2f} x (goal at most {GOAL_MEMORY:g} x with a large head); "
        f"without gradients and moments, which both hold: {beyond[0] / 2**20:.0f} and {beyond[1] / 2**20:.0f} MiB, "
        f"{beyond[0] / beyond[1]:.2f} x"
        f"\n  a step outside forward, backward and optimizer: Luthier {left.outside:.1%}, TRL {right.outside:.1%} "
        f"(goal at most {GOAL_OUTSIDE:.0%}); {_shares('Luthier', left)}; {_shares('TRL', right)}"
    )
    for found in third:
        print(
            f"  LLaMA-Factory {found.tokens_per_s:.0f} supervised tokens/s: Luthier "
            f"{left.tokens_per_s / found.tokens_per_s:.2f} x (goal at least {goal:g} x), a processor second "
            f"{left.tokens_per_cpu_s / found.tokens_per_cpu_s:.2f} x; {_shares('LLaMA-Factory', found)}; peak above "
            f"the weights {(figures[2].peak - figures[2].loaded) / 2**20:.0f} MiB"
        )


def write_batches(run_dir: Path, spec: JobSpec) -> tuple[list[int], list[int]]:
    """Write the packed sequences in the run's order, as TRL's packer gives them; return supervised and all tokens."""
    import numpy as np

    from remote_agent.dataset.prepared import open_prepared
    from remote_agent.trainer.batches import BatchShape, MicroBatches, supervised_tokens

    prepared = open_prepared(Path(read_launch(str(run_dir)).data_folder))
    batches = MicroBatches(prepared.train, spec, 0, BatchShape(prepared.report.pad_token_id))
    sequences, supervised = [], []
    for step in range(STEPS):
        batch = batches[step]
        starts = np.flatnonzero(batch["position_ids"][0].numpy() == 0)
        sequences.append({
            "input_ids": batch["input_ids"][0].tolist(),
            "labels": batch["labels"][0].tolist(),
            "seq_lengths": np.diff(starts, append=batch["input_ids"].shape[1]).tolist(),
        })  # fmt: skip
        supervised.append(supervised_tokens(batch))
    (run_dir / BATCHES).write_text(json.dumps(sequences), encoding="utf-8")
    return supervised, [len(one["input_ids"]) for one in sequences]


def trained(run_dir: Path, sides: list[str]) -> tuple[list[Figures], list[Turns]]:
    """Let the sides train in turns; return what each measured and when each was let run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    alone = rank_environment(read_launch(str(run_dir)), str(run_dir / SCRATCH)) | {
        "PYTHONPATH": str(AGENT_DIR), "CUDA_VISIBLE_DEVICES": "", "DISABLE_VERSION_CHECK": "1",
    }  # fmt: skip
    # the others stay outside of torch.distributed, as a script started with python does
    rank = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    commands = [_command(side, run_dir) for side in sides]
    with contextlib.ExitStack() as opened:
        logs = [opened.enter_context((run_dir / f"{side}.log").open("wb")) for side in sides]
        processes = [
            opened.enter_context(_process(command, run_dir, alone | (rank if side == LUTHIER else {}), log))
            for side, command, log in zip(sides, commands, logs, strict=True)
        ]
        turns = run_in_turns(*processes)
    for side, process in zip(sides, processes, strict=True):
        told = run_dir / LOG / rank_log(0) if side == LUTHIER else run_dir / f"{side}.log"
        assert process.returncode == 0, told.read_text(encoding="utf-8")[-6000:] if told.exists() else ""
    return [Figures.read(run_dir / FIGURES.format(side)) for side in sides], turns


def _command(side: str, run_dir: Path) -> list[str]:
    if side == LLAMAFACTORY:
        script = str(Path(__file__).with_name("llamafactory_side.py"))
        python = str(Path(llamafactory()).with_name("python"))
        return [python, script, str(run_dir), str(run_dir / BATCHES), str(run_dir / FIGURES.format(side))]
    return [sys.executable, str(Path(__file__).resolve()), side, str(run_dir)]


def rates(figures: Figures, supervised: list[int], turns: Turns) -> Rates:
    """Return speed and shares, counting only the time in which the process was let run."""
    speeds, per_cpu_s, shares = [], [], []
    pairs = list(itertools.pairwise(figures.done_s))
    used = [max(cpu_s for *_, end, cpu_s in figures.spans if end <= done) for done in figures.done_s]
    for step in range(WARM_UP, STEPS):
        begin, end = pairs[step - 1]
        whole = turns.running_s(begin, end)
        within = dict.fromkeys((FORWARD, BACKWARD, OPTIMIZER), 0.0)
        for phase, since, until, _ in figures.spans:
            if begin <= since < end:
                within[phase] += turns.running_s(since, min(until, end)) / whole
        speeds.append(supervised[step] / whole)
        per_cpu_s.append(supervised[step] / (used[step] - used[step - 1]))
        shares.append(within)
    typical = {phase: statistics.median(one[phase] for one in shares) for phase in shares[0]}
    return Rates(statistics.median(speeds), statistics.median(per_cpu_s), typical)


def _shares(name: str, found: Rates) -> str:
    return f"{name} " + ", ".join(f"{phase} {share:.0%}" for phase, share in found.shares.items())


def _process(command: list[str], run_dir: Path, environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, env=environment, cwd=run_dir / SCRATCH, stdout=log, stderr=log, text=True)


def train_with_luthier(run_dir: Path, watch: Watch) -> int:
    """Run Luthier's rank as it is, with its phases timed."""
    import deepspeed

    from remote_agent.contract.events import StepCompleted
    from remote_agent.contract.run_dir import JOURNAL, RANK0_WRITER
    from remote_agent.run_files.journal_segments import read_events
    from remote_agent.trainer import fine_tuner

    watch.time(fine_tuner.FineTuner, "compute_loss", FORWARD)
    watch.time(deepspeed.DeepSpeedEngine, "backward", BACKWARD)
    watch.time(fine_tuner.FineTuner, "_step", OPTIMIZER)
    watch.wait_for_model()
    script = AGENT_DIR / "remote_agent" / "trainer" / "__main__.py"
    sys.argv = [str(script), "--run-dir", str(run_dir), "--attempt", "1"]
    code = 0
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        code = int(end.code or 0)
    told = read_events(str(run_dir / JOURNAL), RANK0_WRITER)
    steps = [(event.loss, time_s) for time_s, event in told if isinstance(event, StepCompleted)]
    watch.losses, watch.done_s = [loss for loss, _ in steps], [time_s for _, time_s in steps]
    return code


def train_with_trl(run_dir: Path, watch: Watch) -> int:
    """Run TRL's trainer on the packed sequences with the run's recipe."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from remote_agent.contract.schedule import lr_at
    from remote_agent.trainer.run_inputs import read_run_inputs

    spec, launch, *_ = read_run_inputs(run_dir)
    torch.set_num_threads(launch.threads_per_rank)
    watch.time_trainer(SFTTrainer)
    watch.wait_for_model()
    model = AutoModelForCausalLM.from_pretrained(launch.model_path, dtype=torch.float32, attn_implementation="sdpa")
    betas, epsilon = (spec.optimizer.beta1, spec.optimizer.beta2), spec.optimizer.epsilon
    optimizer = torch.optim.AdamW(model.parameters(), 1.0, betas, epsilon, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_at(spec, step, spec.batch.max_steps))
    arguments = SFTConfig(
        output_dir=str(run_dir / SCRATCH / "trl"), max_steps=spec.batch.max_steps, max_length=spec.data.max_length,
        per_device_train_batch_size=spec.batch.micro_batch, gradient_accumulation_steps=spec.batch.accumulation,
        packing=True, dataset_kwargs={"skip_prepare_dataset": True}, train_sampling_strategy="sequential",
        max_grad_norm=spec.regularization.clip_norm, bf16=False, gradient_checkpointing=False, use_cpu=True,
        logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True,
    )  # fmt: skip
    rows = Dataset.from_list(json.loads((run_dir / BATCHES).read_text(encoding="utf-8")))
    tokenizer = AutoTokenizer.from_pretrained(launch.model_path)
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=rows, processing_class=tokenizer, optimizers=(optimizer, schedule),
        callbacks=[watch.ends()],
    )  # fmt: skip
    trainer.train()
    return 0


def main() -> int:
    """Train as one of the sides, "luthier" or "trl", in the run directory; write what was measured; return 0."""
    side, run_dir = sys.argv[1], Path(sys.argv[2])
    watch = Watch()
    code = {LUTHIER: train_with_luthier, TRL: train_with_trl}[side](run_dir, watch)
    watch.write(run_dir / FIGURES.format(side))
    return code


if __name__ == "__main__":
    sys.exit(main())
