"""Exceptions as sentences, and inputs that do not fit together."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.job_spec import with_value
from remote_agent.contract.memory.estimate import estimate_memory
from remote_agent.contract.memory.from_job import setup_of_job
from remote_agent.contract.memory.search import proposals
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.trainer.failure import sentence
from remote_agent.trainer.memory_failure import PROPOSED
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


# in the words of torch's CUDA allocator (c10/cuda/CUDACachingAllocator.cpp)
_RECORDED = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.15 GiB of which 1.15 GiB is "
    "free. Including non-PyTorch memory, this process has 78.00 GiB memory in use. Of the allocated memory 75.10 GiB "
    "is allocated by PyTorch, and 1.45 GiB is reserved by PyTorch but unallocated. If reserved but unallocated memory "
    "is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation."
)
_LLAMA_8B = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
    "max_position_embeddings": 8192, "tie_word_embeddings": False,
}  # fmt: skip


def _out_of_memory_in_backward() -> BaseException:
    def backward() -> None:
        raise torch.OutOfMemoryError(_RECORDED)

    try:
        backward()
    except torch.OutOfMemoryError as error:
        return error
    raise AssertionError


def test_that_memory_that_runs_out_is_told_with_phase_sizes_and_what_fits_instead(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(_LLAMA_8B), encoding="utf-8")
    spec = job(
        batch__micro_batch=8, strategy__ranks=8, strategy__zero_stage=2, strategy__precision="bf16",
        data__max_length=4096,
    )  # fmt: skip
    error = _out_of_memory_in_backward()
    said = sentence(error, spec, tmp_path)
    begin, _, proposed = said.partition(" By the estimate this fits, the fastest first: ")
    assert begin == (
        "The GPU ran out of memory in the backward pass: 2.00 GiB more were asked for where 1.15 GiB of 79.15 GiB were "
        "free and this process held 78.00 GiB."
    )
    ways = proposed.rstrip(".").split("; ")
    assert len(ways) == PROPOSED
    assert ways[0].startswith("(1) ")
    # what is proposed takes less than the run did, by the search's own estimate
    config = dict(_LLAMA_8B)
    own = estimate_memory(setup_of_job(spec, config).setup).card.likely
    best = proposals(spec, config, 0, int(79.15 * 2**30 / max(1.0, 80 * 2**30 / own)))
    assert all(each.estimate.card.likely < own for each in best)
    assert dict(best[0].changes).get("batch.micro_batch", 8) <= 8
    assert "a smaller micro batch" in sentence(error, spec, tmp_path / "gone")
    assert "Other processes held 20.00 GiB." in sentence(
        torch.OutOfMemoryError(_RECORDED.replace("has 78.00 GiB", "has 58.00 GiB")), spec, tmp_path
    )


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
