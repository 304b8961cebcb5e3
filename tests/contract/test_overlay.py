"""Which Python of a node is built on, and that what is built then has all of the lock but torch."""

from __future__ import annotations

import dataclasses

import pytest

from remote_agent.contract.environment_lock import EnvironmentLock
from remote_agent.contract.node_report import TRAINER_PACKAGES, Interpreter, NodeReport, PackageVersion, Survey
from remote_agent.contract.overlay import choose_overlay
from studio.session.environment_locks import shipped_locks
from tests.support.reports import cpu_report, gpu_report


def image(torch: str, python: str = "3.11.9", path: str = "/opt/venv/bin/python3") -> Interpreter:
    """Return an image's Python that holds torch, and nothing else of what training needs."""
    return Interpreter(
        path, python, tuple(PackageVersion(name, torch if name == "torch" else "") for name in TRAINER_PACKAGES)
    )


def node(*found: Interpreter, driver: str = "580.65.06", gpus: int = 8) -> NodeReport:
    report = gpu_report(gpus) if gpus else cpu_report()
    return dataclasses.replace(
        report, system="Ubuntu 24.04, x86_64", home="/root/.luthier", interpreter=None,
        survey=Survey(driver=driver, interpreters=found),
    )  # fmt: skip


def chosen(report: NodeReport, *not_over: str) -> EnvironmentLock | None:
    return choose_overlay(shipped_locks(), report, not_over)


@pytest.mark.parametrize(
    ("torch", "python", "lock"),
    [
        ("2.13.0+cu130", "3.12.3", "cu130-py312"),
        ("2.10.0+cu128", "3.11.9", "cu128-py311"),
        ("2.12.1", "3.11.9", "cu128-py311"),  # of an index that names no build: CUDA's, as pip would take it
        ("2.10.0a0+b558c986e8.nv25.11", "3.12.3", "cu128-py312"),
    ],
)
def test_that_an_image_with_a_fitting_torch_is_built_on(torch: str, python: str, lock: str) -> None:
    found = chosen(node(image(torch, python)))
    assert found is not None
    whole = next(each for each in shipped_locks() if each.name == lock)
    assert (found.name, found.over, found.over_torch, found.tried) == (lock, "/opt/venv/bin/python3", torch, False)
    left = {file.package for file in whole.files} - {file.package for file in found.files}
    assert {"torch", "triton"} <= left and {"transformers", "deepspeed", "uv"}.isdisjoint(left)
    assert all(name in ("torch", "triton") or name.startswith(("nvidia-", "cuda-")) for name in left)
    assert found.size_bytes < 0.1 * whole.size_bytes
    assert found.key != whole.key


@pytest.mark.parametrize(
    "report",
    [
        node(),
        node(image("2.9.1+cu128")),  # older than all that was tried
        node(image("2.14.0+cu130")),
        node(image("2.13.0+cpu")),  # would leave the GPUs idle
        node(image("2.13.0+rocm7.0")),
        node(image("2.13.0+cu130", "3.9.2")),
        node(image("2.10.0+cu128"), driver="470.1"),
        node(image("2.13.0+cu130", path="/root/.luthier/envs/ab/bin/python3")),  # one that the agent built
        node(image("unknown")),
    ],
)
def test_that_a_torch_that_does_not_fit_is_left_alone(report: NodeReport) -> None:
    assert chosen(report) is None


def test_that_the_newest_torch_is_taken_and_what_was_tried_in_vain_is_not_tried_again() -> None:
    report = node(image("2.10.0+cu128", path="/old"), image("2.13.0+cu130", path="/new"))
    first = chosen(report)
    assert first is not None and first.over == "/new"
    second = chosen(report, "/new")
    assert second is not None and second.over == "/old"
    assert chosen(report, "/new", "/old") is None


def test_that_the_cpu_has_its_own_build() -> None:
    found = chosen(node(image("2.13.0+cpu"), gpus=0))
    assert found is not None and found.name == "cpu-py311"
    assert chosen(node(image("2.13.0"), gpus=0)) is not None, "a torch for CUDA trains on the CPU too"
