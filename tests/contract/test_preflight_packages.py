"""What a job asks for beside the trainer's packages is looked for on the node before a launch."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from remote_agent.contract.attention import HUB_KERNEL, KERNEL, NONE, PACKAGE, flash_attention
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import OPTIONAL_PACKAGES, NodeReport, PackageVersion, Survey
from remote_agent.contract.preflight import GOOD, Finding, preflight
from remote_agent.contract.problems import ERROR, WARNING, Known, changed_fields
from remote_agent.supervisor.interpreters import look_at
from remote_agent.supervisor.node_survey import survey
from tests.support.reports import cpu_report, gpu_report


def box(cached: tuple[str, ...] = (), capability: str = "9.0", **there: str) -> NodeReport:
    """Return a node with GPUs whose Python has some of the optional packages; one of its GPUs may be older."""
    report = gpu_report(2)
    assert report.interpreter is not None
    extras = tuple(PackageVersion(name, there.get(name.replace("-", "_"), "")) for name in OPTIONAL_PACKAGES)
    last = dataclasses.replace(report.gpus[-1], compute_capability=capability)
    return dataclasses.replace(
        report, gpus=(*report.gpus[:-1], last), interpreter=dataclasses.replace(report.interpreter, extras=extras),
        survey=Survey(hub_kernels=cached),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("node", "by", "words"),
    [
        (box(flash_attn="2.8.3"), PACKAGE, ""),
        (box((KERNEL,), flash_attn="2.8.3", kernels="0.11.1"), PACKAGE, ""),
        (box((KERNEL,), kernels="0.11.1"), HUB_KERNEL, ""),
        (box(kernels="0.11.1"), NONE, "does not lie on the node"),
        (box((KERNEL,)), NONE, "lacks flash-attn and kernels"),
        (box(capability="7.5", flash_attn="2.8.3"), NONE, "8.0 or later"),
        (gpu_report(), NONE, "not looked at"),
        (cpu_report(), NONE, "no GPU"),
    ],
)
def test_that_flash_attention_comes_from_its_package_else_a_kernel_that_lies_there_else_not_at_all(
    node: NodeReport, by: str, words: str
) -> None:
    found = flash_attention(node)
    assert found.by == by
    assert words in found.why and bool(words) == bool(found.why)


def finding(key: str, node: NodeReport, **settings: object) -> Finding | None:
    spec: JobSpec = with_value(JobSpec(), "strategy.ranks", 2)
    for path, value in settings.items():
        spec = with_value(spec, path.replace("__", "."), value)
    return next((each for each in preflight(spec, Known(node=node)) if each.key == key), None)


def test_that_an_attention_that_is_not_there_is_an_error_with_a_click_that_mends_it() -> None:
    asked = {"strategy__attention": "flash_attention_2"}
    found = finding("attention", box(), **asked)
    assert found is not None and found.severity == ERROR and found.fix is not None
    assert "lacks flash-attn and kernels" in found.sentence and "not compiled unasked" in found.sentence
    assert changed_fields(found.fix) == {"strategy.attention": "sdpa"}
    good = finding("attention", box(flash_attn="2.8.3"), **asked)
    assert good is not None and good.severity == GOOD
    assert finding("attention", box()) is None, "SDPA is torch's own"


def test_that_a_tracker_whose_library_is_missing_is_a_warning_that_names_it_and_can_be_switched_off() -> None:
    asked = {"trackers__wandb": "online", "trackers__mlflow": "offline", "trackers__tensorboard": True}
    found = finding("trackers", box(), **asked)
    assert found is not None and found.severity == WARNING and found.fix is not None
    assert "lacks the library of Weights & Biases and MLflow" in found.sentence
    assert "pip install wandb mlflow-skinny" in found.sentence
    assert changed_fields(found.fix) == {"trackers.wandb": "off", "trackers.mlflow": "off"}
    for there in ({"mlflow": "3.4"}, {"mlflow_skinny": "3.4"}):
        good = finding("trackers", box((), "9.0", wandb="0.22", **there), **asked)
        assert good is not None and good.severity == GOOD
    assert finding("trackers", gpu_report(), **asked) is None, "nothing is said where nobody has looked"
    assert finding("trackers", box(), trackers__tensorboard=True) is None, "its files need no library"


def test_that_a_probe_looks_for_them_in_the_interpreter_and_for_kernels_in_the_hubs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = look_at(sys.executable)
    assert seen is not None
    assert [each.name for each in seen.extras] == list(OPTIONAL_PACKAGES)
    assert seen.optional("flash-attn") == "" and seen.optional("wandb")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for name in ("models--kernels-community--flash-attn2", "kernels--kernels-community--rmsnorm", "models--org--m"):
        (tmp_path / name).mkdir()
    told = survey(str(tmp_path), False, "", wide=False)
    assert told.hub_kernels == ("kernels-community/rmsnorm", "kernels-community/flash-attn2")
