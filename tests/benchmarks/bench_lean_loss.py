"""Supervised tokens a second and peak memory of Luthier's trainer beside TRL's SFTTrainer on the same packed batches.

Each side is one process on all cores, with fp32, SDPA, the fused AdamW, gradients clipped at 1 and no activation
checkpointing; they run in turns. TRL gets Luthier's packed sequences as its own packer would hand them over and runs
with its lean loss, which it takes by itself. The peak is the resident memory's, whose mark is reset (Linux,
/proc/self/clear_refs) when the model has been loaded and every weight touched, less what is resident then: gradients,
moments, activations and logits. LLaMA-Factory is left out here: it needs an environment of its own, as
bench_llamafactory.py makes it, and on a processor it has no lean loss of its own to turn on. Device synchronisations
cannot be counted without a GPU. Run as a script this file is either process.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import runpy
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import LOG, SCRATCH, rank_log
from remote_agent.supervisor.launch import rank_environment, read_launch
from tests.benchmarks.in_turns import Turns, run_in_turns
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

FORWARD, BACKWARD, OPTIMIZER = "forward", "backward", "optimizer"
BATCHES, FIGURES_OF_LUTHIER, FIGURES_OF_TRL = "batches.json", "luthier.json", "trl.json"


class Figures(NamedTuple):
    """What a process measured. Moments are in seconds since the epoch, sizes in bytes.

    Attributes:
        losses, done_s: of each update the mean over its supervised tokens, and when it was done.
        spans: a name of FORWARD, BACKWARD or OPTIMIZER with begin and end, and the processor seconds used until then.
        weights: the model's parameters.
        loaded: resident with the model loaded and nothing else done.
        peak: the most that was resident after that.
    """

    losses: list[float]
    done_s: list[float]
    spans: list[tuple[str, float, float, float]]
    weights: int
    loaded: int
    peak: int


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


def test_that_a_deep_model_with_a_small_head_trains_no_slower_than_in_trl(
    small_head: Path, data: Path, tmp_path: Path
) -> None:
    measure("24 layers of width 512, vocabulary 4,096", small_head, data, tmp_path, 512, GOAL_SPEED_SMALL_HEAD)


def measure(name: str, model: Path, rows: Path, root: Path, length: int, goal: float) -> None:
    """Run both sides in turns and print speed, memory and where a step's time goes."""
    spec = job(
        data__shape="alpaca", data__max_length=length, data__held_out_fraction=0.0, batch__micro_batch=1,
        batch__accumulation=1, batch__max_steps=STEPS, strategy__zero_stage=0, checkpointing__save_at_end=False,
        optimizer__learning_rate=1e-4, optimizer__weight_decay=0.0,
    )  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    run_dir = make_run(root, "r-261124-101112-abcdef", spec, model, rows, threads=cores)
    supervised, tokens = write_batches(run_dir, spec)
    ours, theirs, turns = both(run_dir)
    assert ours.losses == pytest.approx(theirs.losses, rel=NOISE), "they did not train the same"
    left, right = rates(ours, supervised, turns[0]), rates(theirs, supervised, turns[1])
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


def both(run_dir: Path) -> tuple[Figures, Figures, list[Turns]]:
    """Let Luthier and TRL train in turns; return what each measured and when each was let run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = rank_environment(read_launch(str(run_dir)), str(run_dir / SCRATCH)) | {
        "PYTHONPATH": str(AGENT_DIR), "RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port, "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    # TRL stays outside of torch.distributed, as a script started with python does
    alone = {name: value for name, value in environment.items() if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")}
    with (
        (run_dir / "trl.log").open("wb") as log,
        _process("luthier", run_dir, environment, None) as trainer,
        _process("trl", run_dir, alone, log) as trl,
    ):
        turns = run_in_turns(trainer, trl)
    told = run_dir / LOG / rank_log(0)
    assert trainer.returncode == 0, told.read_text(encoding="utf-8") if told.exists() else ""
    assert trl.returncode == 0, (run_dir / "trl.log").read_text(encoding="utf-8")
    return _read(run_dir / FIGURES_OF_LUTHIER), _read(run_dir / FIGURES_OF_TRL), turns


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


def _process(side: str, run_dir: Path, environment: dict[str, str], log: IO[bytes] | None) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).resolve()), side, str(run_dir)]
    return subprocess.Popen(command, env=environment, cwd=run_dir / SCRATCH, stdout=log, stderr=log, text=True)


def _read(path: Path) -> Figures:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Figures(**found | {"spans": [tuple(span) for span in found["spans"]]})


class Watch:
    """Notes the phases, ends and losses of updates in this process, and its memory from the loaded model on."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.done_s: list[float] = []
        self._spans: list[tuple[str, float, float, float]] = []
        self._weights = self._loaded = 0

    def time(self, owner: Any, name: str, phase: str) -> None:
        """Time every call of a function as a part of ``phase``."""
        plain: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            begin = time.time()
            result = plain(*args, **named)
            self._spans.append((phase, begin, time.time(), time.process_time()))
            return result

        setattr(owner, name, timed)

    def wait_for_model(self) -> None:
        """Let transformers' loading of a model end in the memory's mark."""
        from transformers import AutoModelForCausalLM

        plain = AutoModelForCausalLM.from_pretrained

        def loaded(*args: Any, **named: Any) -> Any:
            model = plain(*args, **named)
            # a weight mapped from its file is resident only when it has been read
            for weight in model.parameters():
                weight.sum().item()
            self._weights = sum(weight.numel() * weight.element_size() for weight in model.parameters())
            gc.collect()
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self._loaded = _memory("VmRSS")
            return model

        AutoModelForCausalLM.from_pretrained = loaded

    def write(self, path: Path) -> None:
        """Write the figures."""
        peak = _memory("VmHWM")
        figures = Figures(self.losses, self.done_s, self._spans, self._weights, self._loaded, peak)
        path.write_text(json.dumps(figures._asdict()), encoding="utf-8")


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


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
    from accelerate import Accelerator
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from remote_agent.contract.schedule import lr_at
    from remote_agent.trainer.run_inputs import read_run_inputs

    class Ends(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
            if "loss" in logs:
                watch.losses.append(logs["loss"])
                watch.done_s.append(time.time())

    spec, launch, *_ = read_run_inputs(run_dir)
    torch.set_num_threads(launch.threads_per_rank)
    watch.time(SFTTrainer, "compute_loss", FORWARD)
    watch.time(Accelerator, "backward", BACKWARD)
    watch.time(Accelerator, "clip_grad_norm_", OPTIMIZER)
    watch.time(torch.optim.AdamW, "step", OPTIMIZER)
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
        callbacks=[Ends()],
    )  # fmt: skip
    trainer.train()
    return 0


def main() -> int:
    """Train as one of the sides, "luthier" or "trl", in the run directory; write what was measured; return 0."""
    side, run_dir = sys.argv[1], Path(sys.argv[2])
    watch = Watch()
    train, found = {"luthier": (train_with_luthier, FIGURES_OF_LUTHIER), "trl": (train_with_trl, FIGURES_OF_TRL)}[side]
    code = train(run_dir, watch)
    watch.write(run_dir / found)
    return code


if __name__ == "__main__":
    sys.exit(main())
