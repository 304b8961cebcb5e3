"""The GPUs that a start names are the ones that its ranks see, by their UUIDs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.supervisor.conftest import Node
from tests.support.agent_call import AgentProcess, Answer

UUIDS = [f"GPU-2f1e{number}" for number in range(4)]


@pytest.fixture
def with_gpus(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Give the node four GPUs, as far as nvidia-smi tells."""
    folder = tmp_path / "bin"
    folder.mkdir()
    lines = "\n".join(f"{number}, {uuid}, NVIDIA L4, 23034, 1, 0, 31, 10.0, 8.9" for number, uuid in enumerate(UUIDS))
    (folder / "nvidia-smi").write_text(f'#!/bin/sh\ncase "$*" in *query-gpu*) echo "{lines}" ;; esac\n')
    (folder / "nvidia-smi").chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    return node


def started(node: Node, gpus: Any, ranks: int = 2) -> tuple[str, Answer]:
    arguments = node.start_arguments({"steps": 3, "tell": ["CUDA_VISIBLE_DEVICES"]}, ranks)
    with AgentProcess("start", node.home, {**arguments, "gpus": gpus}, node.agent_dir) as agent:
        return arguments["run_id"], agent.answer()


@pytest.mark.parametrize(("gpus", "seen"), [([UUIDS[3], UUIDS[1]], f"{UUIDS[3]},{UUIDS[1]}"), ([], "7")])
def test_that_the_ranks_see_the_chosen_gpus_alone(with_gpus: Node, gpus: list[str], seen: str) -> None:
    run_id, answer = started(with_gpus, gpus)
    assert answer.result["created"] is True
    run = with_gpus.run(run_id)
    run.wait_for("finished")
    assert json.loads((run.folder / "launch.json").read_text())["gpus"] == gpus
    told = (run.folder / "log" / "rank0.log").read_text()
    assert f"CUDA_VISIBLE_DEVICES={seen}" in told.splitlines()


@pytest.mark.parametrize(
    ("gpus", "said"),
    [
        ([UUIDS[0]], "1 GPUs are chosen for 2 processes"),
        ([UUIDS[0], UUIDS[0]], "1 GPUs are chosen for 2 processes"),
        ([UUIDS[0], "GPU-gone"], "GPU-gone is not on the node any more"),
        ([1, 2], "list of UUIDs"),
        ("GPU-0", "list of UUIDs"),
    ],
)
def test_that_a_choice_that_does_not_hold_starts_nothing(with_gpus: Node, gpus: Any, said: str) -> None:
    _, answer = started(with_gpus, gpus)
    assert answer.kind == "bad_request" and said in answer.error
    assert list((with_gpus.home / "runs").iterdir()) == []
