"""An exported job run by LLaMA-Factory itself, in an environment of its own, beside Luthier's trainer on the same rows.

The environment is made once in the user's cache: torch first and by its version, since a loose one would be a CUDA
build of gigabytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

from remote_agent.contract.events import StepCompleted
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.run_dir import JOURNAL, LOG, RANK0_WRITER, SCRATCH, rank_log
from remote_agent.run_files.journal_segments import read_events
from remote_agent.supervisor.launch import read_launch, trainer_command
from studio.exchange.exporting import exported
from studio.exchange.imported import Given
from studio.exchange.importing import imported
from tests.support.tiny import GENERATION_TEMPLATE, tiny_model
from tests.trainer.run_folder import job, make_run

pytestmark = pytest.mark.benchmark

VERSION = "0.9.5"
TORCH = "torch==2.13.0"
ROWS, STEPS = 16, 12
DIFFERENCE, NOISE = 5e-3, 1e-4
"""Relative. LLaMA-Factory also learns the line break behind an answer's end marker, a token more a row than Luthier;
with a template under which Luthier learns it too nothing but noise is left."""

LEARNS_THE_BREAK = GENERATION_TEMPLATE.replace("<|im_end|>'", "<|im_end|>\n'").replace("{{ '\n' }}", "")


class Trained(NamedTuple):
    """The losses of a run by step, and how long its process took."""

    losses: list[float]
    seconds: float


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the small model, once: saving it leaves a thread of tqdm's behind."""
    return tiny_model(tmp_path_factory.mktemp("model"))


def test_that_llama_factory_reaches_the_same_losses_from_an_exported_job(model: Path, tmp_path: Path) -> None:
    command = llamafactory()
    rows = _rows(tmp_path)
    # each update sees every row, so that the order of the rows, which is each tool's own, does not matter
    spec = job(
        model__id=str(model), data__path=str(rows), data__shape="alpaca", data__packing=False, data__max_length=256,
        data__held_out_fraction=0.0, batch__micro_batch=4, batch__accumulation=ROWS // 4, batch__max_steps=STEPS,
        strategy__zero_stage=0, optimizer__learning_rate=5e-3, optimizer__decay_embeddings=True,
        checkpointing__save_at_end=False,
    )  # fmt: skip
    theirs = _by_llamafactory(command, spec, tmp_path / "theirs")
    ours = _by_luthier(spec, model, rows, tmp_path, "r-261124-101112-abcdef")
    with_break = with_value(spec, "data.chat_template", LEARNS_THE_BREAK)
    same = _by_luthier(with_break, model, rows, tmp_path, "r-261124-101112-abcdee")
    assert len(ours.losses) == len(theirs.losses) == STEPS
    worst, noise = (
        max(abs(left - right) / right for left, right in zip(one.losses, theirs.losses, strict=True))
        for one in (ours, same)
    )
    courses = [f"{one.losses[0]:.4f} to {one.losses[-1]:.4f} in {one.seconds:.0f} s" for one in (theirs, ours)]
    print(
        f"\nan exported job, {STEPS} updates of {ROWS} rows: LLaMA-Factory {VERSION} loss {courses[0]}; Luthier "
        f"{courses[1]}; greatest relative difference {worst:.1e} (at most {DIFFERENCE:g}), with the line break learnt "
        f"as there {noise:.1e} (at most {NOISE:g}); load {os.getloadavg()[0]:.1f}"
    )
    assert worst <= DIFFERENCE
    assert noise <= NOISE


def llamafactory() -> str:
    """Return LLaMA-Factory's command; the first time its environment is made, which takes minutes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "luthier-benchmarks" / f"llamafactory-{VERSION}"
    command = folder / "bin" / "llamafactory-cli"
    if not command.exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, TORCH], check=True, timeout=1800)
        subprocess.run([*pip, f"llamafactory=={VERSION}", TORCH], check=True, timeout=1800)
        _without_cuda_builds(folder)
    return str(command)


def _without_cuda_builds(folder: Path) -> None:
    """Take away torchvision and torchaudio where they do not load, as builds for CUDA beside a CPU torch do not.

    A text needs neither; LLaMA-Factory imports torchaudio all the same, so an empty module stands for it.
    """
    python = str(folder / "bin" / "python")
    for package in ("torchvision", "torchaudio"):
        if subprocess.run([python, "-c", f"import {package}"], capture_output=True, timeout=300).returncode:
            subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", package], check=True, timeout=300)
            site = subprocess.run(
                [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                check=True, capture_output=True, text=True, timeout=60,
            ).stdout.strip()  # fmt: skip
            if package == "torchaudio":
                (Path(site) / "torchaudio.py").write_text("", encoding="utf-8")


def _rows(folder: Path) -> Path:
    """Write rows without an input, since LLaMA-Factory joins it in another way."""
    path = folder / "rows.json"
    things = ("song", "door", "house", "bridge")
    rows = [
        {"instruction": f"What is {number}?", "input": "", "output": f"It is the {things[number % 4]} {number}."}
        for number in range(ROWS)
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def _by_llamafactory(command: str, spec: JobSpec, folder: Path) -> Trained:
    folder.mkdir()
    files = exported(spec, "llamafactory").files
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    info = json.loads(files["dataset_info.json"])
    back = imported(files["llamafactory.yaml"], "llamafactory.yaml", Given(gpus=1, dataset_info=info)).spec
    assert with_value(back, "name", spec.name).optimizer == spec.optimizer, "the export does not say the recipe"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}
    begin = time.monotonic()
    answer = subprocess.run(
        [command, "train", "llamafactory.yaml"], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=900,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    history = json.loads((folder / "output" / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return Trained([entry["loss"] for entry in history if "loss" in entry], time.monotonic() - begin)


def _by_luthier(spec: JobSpec, model: Path, rows: Path, root: Path, name: str) -> Trained:
    run_dir = make_run(root, name, spec, model, rows, threads=len(os.sched_getaffinity(0)))
    command, environment = trainer_command(str(run_dir), read_launch(str(run_dir)), 1, "")
    begin = time.monotonic()
    answer = subprocess.run(
        command, env=environment, cwd=run_dir / SCRATCH, capture_output=True, text=True, timeout=900
    )
    log = run_dir / LOG / rank_log(0)
    assert answer.returncode == 0, log.read_text(encoding="utf-8") if log.exists() else answer.stderr
    events = read_events(str(run_dir / JOURNAL), RANK0_WRITER)
    losses = [event.loss for _, event in events if isinstance(event, StepCompleted)]
    return Trained(losses, time.monotonic() - begin)
