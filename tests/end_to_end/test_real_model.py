"""The real pretrained model through a real OpenSSH server, set up and followed from a terminal."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract import run_dir
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.schedule import lr_at
from studio.demo.inputs import DemoInputs, demo_job
from studio.demo.private_sshd import PrivateSshd
from studio.job_file import write_job_file
from tests.support.agent_home import with_shared_operators
from tests.support.real_model import real_inputs
from tests.support.sshd import running_sshd

pytestmark = pytest.mark.slow

STEPS = 3
PARAMETERS = 134_515_008


@pytest.fixture(scope="module")
def inputs() -> DemoInputs:
    return real_inputs()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[PrivateSshd]:
    with running_sshd(tmp_path / "server") as server:
        yield server


def _few_steps(inputs: DemoInputs) -> JobSpec:
    spec = demo_job(inputs, cores=2, memory_bytes=24 << 30)
    for path, value in (("batch.max_steps", STEPS), ("data.held_out_rows", 8), ("data.max_length", 128)):
        spec = with_value(spec, path, value)
    return dataclasses.replace(spec, name="few-steps")


def test_that_the_real_model_trains_over_ssh_and_its_weights_come_out_changed(
    inputs: DemoInputs, sshd: PrivateSshd, tmp_path: Path, luthier_home: Path
) -> None:
    spec = _few_steps(inputs)
    write_job_file(tmp_path / "job.yaml", spec)
    home = with_shared_operators(sshd.folder.parent / "home" / ".luthier")
    target = f"{sshd.user}@{sshd.host}:{sshd.port}"
    where = ("--identity", str(sshd.identity_file), "--home", str(home), "--python", sys.executable)

    _luthier("nodes", "add", "box", target, *where)
    _luthier("nodes", "probe", "box", expect=4)  # nobody has accepted its key yet
    _luthier("nodes", "probe", "box", "--accept", sshd.fingerprint)
    said = [json.loads(line) for line in _luthier("run", str(tmp_path / "job.yaml"), "--node", "box", "--json")]

    steps = [line for line in said if line.get("k") == "step"]
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert [step["learning_rate"] for step in steps] == pytest.approx(
        [lr_at(spec, step, STEPS) for step in range(STEPS)], rel=1e-12
    )
    (training,) = [line for line in said if line.get("k") == "training"]
    assert training["parameters"] == PARAMETERS and training["world_size"] == 2
    before, after = [line["loss"] for line in said if line.get("k") == "evaluated"]
    assert after < before < 6.0

    (run,) = json.loads("".join(_luthier("runs", "--json")))
    assert run["state"] == "finished"
    checkpoint = home / run_dir.RUNS / run["run_id"] / run_dir.CHECKPOINTS / run_dir.checkpoint_folder(STEPS)
    manifest = json.loads((checkpoint / run_dir.COMMITTED).read_text(encoding="utf-8"))
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {file["name"] for file in manifest["files"]}
    assert _weights_differ(inputs.model, checkpoint)


def _weights_differ(base: Path, trained: Path) -> bool:
    import torch
    from safetensors import safe_open

    name = "model.layers.0.self_attn.q_proj.weight"
    with safe_open(base / "model.safetensors", "pt") as old, safe_open(trained / "model.safetensors", "pt") as new:
        assert set(old.keys()) == set(new.keys())
        return not torch.equal(old.get_tensor(name).float(), new.get_tensor(name).float())


def _luthier(*arguments: str, expect: int = 0) -> list[str]:
    done: Any = subprocess.run(
        [sys.executable, "-m", "studio", *arguments], capture_output=True, text=True, timeout=500, env=dict(os.environ)
    )
    assert done.returncode == expect, f"luthier {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    lines: list[str] = done.stdout.splitlines()
    return lines
