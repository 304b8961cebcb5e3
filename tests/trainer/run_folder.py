"""Run directories as the supervisor makes them, a launch of their ranks, and what their journals say."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.events import Event, event_from_body
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.journal_line import parse_line
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.prepare import prepare

AGENT_DIR = Path(__file__).resolve().parents[2]


def job(**changes: Any) -> JobSpec:
    """Return a job for a CPU with one rank; ``changes`` are paths with __ for the dots."""
    spec = JobSpec(name="tiny")
    settings: dict[str, Any] = {
        "strategy.precision": "fp32",
        "strategy.activation_checkpointing": False,
        "data.max_length": 64,
        "data.held_out_fraction": 0.2,
        "batch.max_steps": 4,
        "optimizer.learning_rate": 1e-3,
        "schedule.warmup.amount": 1.0,
        "schedule.warmup.unit": "steps",
    }
    settings.update({path.replace("__", "."): value for path, value in changes.items()})
    for path, value in settings.items():
        spec = with_value(spec, path, value)
    return spec


def make_run(
    root: Path, name: str, spec: JobSpec, model: Path, rows: Path, threads: int = 1, further: tuple[Path, ...] = ()
) -> Path:
    """Prepare the data, ``further`` sources of the job included, and write a run directory; return it."""
    _, data = prepare(spec, model, DataPaths((rows, *further)), root / "data")
    run_dir = root / name
    for folder in ("journal", "log", "control", "checkpoints", "scratch"):
        (run_dir / folder).mkdir(parents=True)
    launch = {
        "python": sys.executable,
        "agent_dir": str(AGENT_DIR),
        "model_path": str(model),
        "data_folder": str(data),
        "home": str(root),
        "ranks": spec.strategy.ranks,
        "threads_per_rank": threads,
        "extensions_dir": str(extensions_dir()),
        "use_gpu": False,
        "bundle": {},
    }
    (run_dir / "job.json").write_text(spec_to_json(spec), encoding="utf-8")
    (run_dir / "ds_config.json").write_text(json.dumps(deepspeed_config(spec), indent=2), encoding="utf-8")
    (run_dir / "launch.json").write_text(json.dumps(launch, indent=2), encoding="utf-8")
    return run_dir


LONGEST_BUILD_S = 900.0


@functools.cache
def extensions_dir() -> Path:
    """Return where DeepSpeed's compiled operators are kept over test sessions: with the environment they belong to.

    Two environments with one folder would build anew in turn, each waiting for the other. And torch waits for ever on
    the lock of a build that was killed, so one that is older than any build goes.
    """
    folder = Path(sys.prefix) / "torch-extensions"
    for lock in folder.glob("*/lock"):
        if time.time() - lock.stat().st_mtime > LONGEST_BUILD_S:
            lock.unlink(missing_ok=True)
    return folder


def launch_script(
    ranks: int, script: Path, *arguments: str, timeout_s: float = 900.0
) -> subprocess.CompletedProcess[str]:
    """Run a script with so many ranks under torch.distributed.run and wait for its end."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nnodes=1", f"--nproc-per-node={ranks}",
        "--rdzv-backend=static", "--master-addr=127.0.0.1", f"--master-port={_free_port()}", "--max-restarts=0",
        str(script), *arguments,
    ]  # fmt: skip
    return subprocess.run(
        command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s
    )


def launch_run(run_dir: Path, ranks: int, attempt: int = 1, resume: str = "") -> int:
    """Run the ranks of a run directory as the supervisor does; return the launcher's exit code."""
    more = ("--resume", resume) if resume else ()
    script = AGENT_DIR / "remote_agent" / "trainer" / "__main__.py"
    return launch_script(ranks, script, "--run-dir", str(run_dir), "--attempt", str(attempt), *more).returncode


def environment() -> Mapping[str, str]:
    """Return the ranks' environment."""
    return {
        **os.environ,
        # as the supervisor has it: another ninja would compile DeepSpeed's operators again
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "DS_ACCELERATOR": "cpu",
        "OMP_NUM_THREADS": "1",
        "TORCH_EXTENSIONS_DIR": str(extensions_dir()),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(AGENT_DIR),
    }


def events_of(run_dir: Path) -> list[Event]:
    """Return what rank 0 has journalled, headers left out."""
    found = []
    for path in sorted((run_dir / "journal").glob("rank0.*.jsonl")):
        for raw in path.read_bytes().splitlines():
            line = parse_line(raw)
            assert line is not None, raw
            if line.seq > 0:
                found.append(event_from_body(json.loads(line.body)).event)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
