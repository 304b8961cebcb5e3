"""Exceptions as sentences, and inputs that do not fit together."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.job_spec import with_value
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.trainer.failure import sentence
from remote_agent.trainer.run_inputs import read_run_inputs
from tests.trainer.run_folder import job


def test_that_memory_that_runs_out_names_what_would_take_less() -> None:
    spec = with_value(job(batch__micro_batch=4, strategy__ranks=2), "strategy.activation_checkpointing", False)
    found = sentence(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), spec)
    assert found.startswith("The GPU ran out of memory. Try a smaller micro batch")
    assert "activation checkpointing" in found
    assert "a higher ZeRO stage" in found
    on_host = sentence(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), None)
    assert on_host == "The node ran out of memory. Try a shorter sequence length."
    assert sentence(MemoryError(), None) == on_host


def test_that_a_full_disk_and_other_errors_are_one_line() -> None:
    assert "disk of the node is full (/x/y)" in sentence(OSError(errno.ENOSPC, "No space left", "/x/y"), None)
    assert sentence(ValueError("two\nlines"), None) == "Training ended with ValueError: two lines"
    assert len(sentence(ValueError("x" * 5000), None)) < 700


def _write(run_dir: Path, **files: object) -> None:
    spec = job()
    contents = {"job": spec_to_json(spec), "ds_config": json.dumps(deepspeed_config(spec))}
    contents["launch"] = json.dumps({"model_path": "/m", "data_folder": "/d", "threads_per_rank": 2, "use_gpu": False})
    for name, text in {**contents, **files}.items():
        (run_dir / f"{name}.json").write_text(str(text), encoding="utf-8")


def test_that_inputs_are_read_and_checked_against_each_other(tmp_path: Path) -> None:
    _write(tmp_path)
    inputs = read_run_inputs(tmp_path)
    assert inputs.spec == job()
    assert inputs.launch.model_path == Path("/m")
    assert inputs.launch.threads_per_rank == 2
    _write(tmp_path, ds_config=json.dumps(deepspeed_config(job(regularization__clip_norm=0.5))))
    with pytest.raises(ValueError, match="gradient_clipping differ"):
        read_run_inputs(tmp_path)
    _write(tmp_path, launch='{"model_path": "/m"}')
    with pytest.raises(ValueError, match=r"launch\.json lacks 'data_folder'"):
        read_run_inputs(tmp_path)
