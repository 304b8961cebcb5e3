"""What has to hold on a node before a launch: a sentence for each thing that does not, and a click where one helps."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import Gpu, GpuProcess, Interpreter, Limits, NodeReport, PackageVersion, Survey
from remote_agent.contract.preflight import (
    GOOD,
    cuda_of_torch,
    least_driver,
    preflight,
    preflight_problems,
    uuids_to_take,
)
from remote_agent.contract.problems import ERROR, Known
from tests.support.reports import model_report

_GIB = 1 << 30
_GOOD = Survey(shm_total_bytes=_GIB, shm_free_bytes=_GIB, driver="550.54.15", cuda="12.4", limits=Limits(65536, 4096))


def _node(torch: str = "2.7.0+cu126", used: int = 0, **changes: Any) -> NodeReport:
    gpus = tuple(
        Gpu(index, f"GPU-{index}", "H100", 80 * _GIB, used if index == 0 else 0, 0.0, 30.0, 70.0, "9.0")
        for index in range(3)
    )
    interpreter = Interpreter("/env/bin/python", "3.11", (PackageVersion("torch", torch),))
    report = NodeReport(
        "box", "me", "Linux", "/home/me/.luthier", "3.11", 8, 64 * _GIB, 60 * _GIB, 1 << 40, gpus, interpreter, "c++",
        "ninja", "b", 0.0, survey=_GOOD,
    )  # fmt: skip
    return dataclasses.replace(report, **changes)


def _spec(**values: Any) -> JobSpec:
    spec: Any = with_value(JobSpec(), "strategy.ranks", 2)
    for path, value in values.items():
        spec = with_value(spec, path.replace("__", "."), value)
    return spec  # type: ignore[no-any-return]


def _said(node: NodeReport, spec: JobSpec | None = None) -> dict[str, tuple[str, str]]:
    found = preflight(spec or _spec(), Known(model=model_report(), node=node))
    return {each.key: (each.severity, each.sentence) for each in found}


def test_that_a_good_node_holds_everything_and_an_unknown_one_says_nothing() -> None:
    said = _said(_node())
    assert set(said) == {"driver", "gpus", "memory", "disk", "shm", "limits", "ports", "clock"}
    assert {severity for severity, _ in said.values()} == {GOOD}
    assert preflight(_spec(), Known()) == () and preflight(_spec(), Known(node=_node(survey=None))) == ()


@pytest.mark.parametrize(
    ("key", "severity", "words", "node"),
    [
        ("driver", "error", "at least 580; the node has 550.54.15", _node("2.9.0+cu130")),
        ("driver", "error", "built for the CPU alone", _node("2.9.0+cpu")),
        ("shm", "warning", "--shm-size", _node(survey=dataclasses.replace(_GOOD, shm_free_bytes=1 << 20))),
        ("limits", "error", "ulimit -n", _node(survey=dataclasses.replace(_GOOD, limits=Limits(64)))),
        ("limits", "warning", "ulimit -u", _node(survey=dataclasses.replace(_GOOD, limits=Limits(-1, 100)))),
        ("ports", "error", "127.0.0.1", _node(survey=dataclasses.replace(_GOOD, ports_open=False))),
        ("clock", "warning", "7200 s ahead of", _node(clock_offset_s=7200.0)),
        ("memory", "error", "host's memory", _node(memory_total_bytes=_GIB, memory_available_bytes=_GIB)),
        ("logout", "warning", "enable-linger me", _node(survey=dataclasses.replace(_GOOD, kills_user_processes="yes"))),
    ],
)
def test_that_what_does_not_hold_is_said_with_what_to_do(key: str, severity: str, words: str, node: NodeReport) -> None:
    said = _said(node)
    assert said[key][0] == severity
    assert words in said[key][1]


def test_that_who_holds_a_gpu_is_named_with_the_free_ones() -> None:
    survey = dataclasses.replace(_GOOD, gpu_processes=(GpuProcess("GPU-0", 71, "python", "dana", 40 * _GIB),))
    node = _node(used=40 * _GIB, survey=survey)
    severity, sentence = _said(node, _spec(strategy__ranks=3))["gpus"]
    assert severity == "warning"
    assert sentence == "GPU 0 is in use, 40.0 GiB of it by python (process 71 of dana); free is 1, 2."


def test_that_a_run_takes_the_chosen_gpus_else_free_ones() -> None:
    node = _node(used=40 * _GIB)
    assert _said(node)["gpus"] == (GOOD, "")
    assert uuids_to_take(node, 2) == ("GPU-1", "GPU-2")
    assert uuids_to_take(node, 1, ("GPU-2",)) == ("GPU-2",)
    assert uuids_to_take(node, 3) == ("GPU-0", "GPU-1", "GPU-2") and uuids_to_take(node, 4) == ()
    chosen = Known(model=model_report(), node=node, gpus=("GPU-0", "GPU-1"))
    (found,) = (each for each in preflight(_spec(), chosen) if each.key == "gpus")
    assert found.severity == "warning" and found.sentence.startswith("GPU 0 is in use")


def test_that_a_disk_too_small_for_the_planned_checkpoints_blocks_and_one_click_mends_it() -> None:
    known = Known(model=model_report(), node=_node(disk_free_bytes=4 * _GIB))
    spec = _spec(checkpointing__keep_last=9, checkpointing__state_every_steps=0)
    spec = with_value(spec, "checkpointing.keep_last", 20)
    (problem,) = preflight_problems(spec, known)
    assert problem.severity == ERROR and "4.0 GiB left" in problem.sentence and problem.fix is not None
    for path, value in problem.fix.changes:
        spec = with_value(spec, path, value)
    assert preflight_problems(spec, known) == ()


def test_that_a_build_of_torch_tells_its_cuda_and_the_driver_it_needs() -> None:
    assert [cuda_of_torch(each) for each in ("2.7.0+cu126", "2.1.0+cu118", "2.9.0+cpu", "2.13.0")] == [
        "12.6", "11.8", "cpu", "",
    ]  # fmt: skip
    assert [least_driver(each) for each in ("13.0", "12.6", "11.8", "", "9.2")] == [580, 525, 450, 0, 0]
