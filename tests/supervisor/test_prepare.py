"""Preparing compiles DeepSpeed's operators once for an environment, tells its progress, and then the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.supervisor.operators import operators_needed
from tests.supervisor.conftest import Node, is_dead, preparing_dataset, wait_until


@pytest.fixture
def ready(node: Node) -> Node:
    preparing_dataset(node)
    return node


def request(node: Node) -> dict[str, Any]:
    return {
        "job": node.start_arguments({})["job"],
        "python": str(node.python),
        "model_path": str(node.folder / "model"),
        "data_paths": ["/rows.json"],
        "held_out_path": "",
    }


def builds(node: Node) -> list[str]:
    path = node.folder / "builds"
    return path.read_text().split() if path.exists() else []


def test_that_operators_are_compiled_once_and_then_the_data_is_prepared(ready: Node) -> None:
    first, second = (ready.ask("prepare", request(ready)) for _ in range(2))
    assert builds(ready) == ["ShareMemCommBuilder"]
    assert first.result["prepared"]["content_hash"] == "c" * 64
    assert second.result["data_folder"] == str(ready.folder / "prepared")
    assert first.result["environment"]["packages"]["deepspeed"] == "1.0"
    assert first.result["environment"]["threads_per_rank"] >= 1
    phases = list(dict.fromkeys(frame.head["phase"] for frame in first.of_kind("progress")))
    assert phases == ["environment", "data"]


def test_that_a_gpus_optimizer_is_compiled_only_where_the_recipe_asks_for_it() -> None:
    asked = with_value(JobSpec(), "optimizer.adam_kernel", "deepspeed")
    assert operators_needed(JobSpec(), has_gpus=True) == []
    assert operators_needed(asked, has_gpus=True) == ["FusedAdamBuilder"]
    assert operators_needed(with_value(asked, "optimizer.kind", "lion"), has_gpus=True) == []
    assert operators_needed(asked, has_gpus=False) == ["ShareMemCommBuilder"]


def test_that_a_compiler_that_fails_is_quoted_and_nothing_counts_as_built(ready: Node) -> None:
    (ready.folder / "build").write_text("echo 'fatal error: torch/extension.h'; exit 1")
    answer = ready.ask("prepare", request(ready))
    assert answer.kind == "failed"
    assert "fatal error: torch/extension.h" in answer.error
    (ready.folder / "build").unlink()
    assert ready.ask("prepare", request(ready)).value is not None
    assert builds(ready) == ["ShareMemCommBuilder"] * 2


def test_that_a_lock_which_a_killed_build_left_does_not_hang_the_next(ready: Node) -> None:
    (ready.folder / "build").write_text('mkdir -p "$TORCH_EXTENSIONS_DIR/op"; touch "$TORCH_EXTENSIONS_DIR/op/lock"')
    ready.ask("prepare", request(ready))
    (folder,) = (ready.home / "envs").glob("*/torch_extensions")
    (folder / "ShareMemCommBuilder.built").unlink()
    (ready.folder / "build").write_text('test ! -e "$TORCH_EXTENSIONS_DIR/op/lock"')
    assert ready.ask("prepare", request(ready)).value is not None


def test_that_a_build_dies_with_its_client(ready: Node) -> None:
    (ready.folder / "build").write_text("exec sleep 1000")
    with ready.talk("prepare", request(ready)) as agent:
        wait_until(lambda: (ready.folder / "build-pid").exists())
        pid = int((ready.folder / "build-pid").read_text())
        agent.close_input()
        assert agent.process.wait(5) == 1
    wait_until(lambda: is_dead(pid))


def test_that_a_node_without_compiler_says_what_to_install(ready: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    empty: Path = ready.folder / "empty"
    empty.mkdir()
    for name in ("sh", "sleep"):
        (empty / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.delenv("CXX", raising=False)
    answer = ready.ask("prepare", request(ready))
    assert answer.kind == "no_python" and "install g++ and ninja" in answer.error
    assert os.environ["PATH"] == str(empty)
