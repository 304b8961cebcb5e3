"""A bundle rerun from a terminal: its exit codes, its checks before anything starts, and its verdict on the losses."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.bundle import Bundle, BundleAmendment, BundleInput, BundleLoss
from remote_agent.contract.data_report import FileEntry
from remote_agent.contract.events import Amended
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.contract.wire import to_wire
from remote_agent.run_files.amendments import read_amendments
from remote_agent.supervisor.environment import describe_environment
from tests.supervisor.conftest import Node, preparing_dataset

Made = tuple[Node, Path]


@pytest.fixture
def bundle(node: Node) -> Made:
    """Return a node and a bundle whose losses are those that the fake trainer reports."""
    preparing_dataset(node)
    folder = node.folder / "bundle"
    folder.mkdir()
    (node.folder / "rows.json").write_text("[]")
    spec: Any = JobSpec()
    for path, value in (("model.id", "m"), ("data.path", "d"), ("strategy.ranks", 2)):
        spec = with_value(spec, path, value)
    (folder / "job.json").write_text(spec_to_json(spec))
    write_bundle(node, folder)
    return node, folder


def write_bundle(node: Node, folder: Path, **change: Any) -> None:
    environment = describe_environment(str(node.python))
    rows = FileEntry("rows.json", 2, hashlib.sha256(b"[]").hexdigest())
    facts: dict[str, Any] = {
        "name": "job",
        "luthier_version": "0.1.0",
        "model": BundleInput(str(node.folder / "model"), "Get it."),
        "data": BundleInput(str(node.folder / "rows.json"), "Get it.", files=(rows,), content_hash="c" * 64),
        "ranks": 2,
        "cpu": environment["cpu"],
        "packages": environment["packages"],
        "deterministic": True,
        "losses": tuple(BundleLoss(step, (2.5).hex()) for step in (1, 2, 3)),
    }
    (folder / "bundle.json").write_text(json.dumps(to_wire(Bundle(**{**facts, **change}))))


def rerun(made: Made, *more: str) -> subprocess.CompletedProcess[str]:
    node, folder = made
    return subprocess.run(
        [
            sys.executable, "-I", "-B", str(node.agent_dir / "remote_agent" / "__main__.py"), "rerun",
            "--bundle", str(folder), "--out", str(node.folder / "out"), "--python", str(node.python), *more,
        ],
        env={**os.environ, "LUTHIER_AGENT_HOME": str(node.home)},
        capture_output=True,
        text=True,
        timeout=30,
    )  # fmt: skip


def test_that_a_rerun_with_the_same_losses_ends_with_0(bundle: Made) -> None:
    done = rerun(bundle, "--verify")
    assert done.returncode == 0, done.stderr
    assert "3 training losses equal the original's bit for bit" in done.stdout
    assert "step 3 of 3, loss 2.5000" in done.stdout or "step 1 of 3" in done.stdout
    (run,) = (bundle[0].folder / "out").iterdir()
    assert json.loads((run / "environment.json").read_text())["ranks"] == 2


def test_that_other_losses_end_with_3_and_without_verify_with_0(bundle: Made) -> None:
    write_bundle(*bundle, losses=(BundleLoss(1, (2.5).hex()), BundleLoss(2, (2.6).hex())))
    done = rerun(bundle, "--verify")
    assert done.returncode == 3, done.stderr
    assert "1 of 2 training losses differ" in done.stdout
    assert rerun(bundle).returncode == 0


def test_that_unlike_hardware_is_compared_within_the_tolerance(bundle: Made) -> None:
    write_bundle(*bundle, cpu="another", losses=(BundleLoss(1, (2.51).hex()),))
    done = rerun(bundle, "--verify")
    assert done.returncode == 0, done.stderr
    assert "within a relative difference of 0.02" in done.stdout


def test_that_a_changed_input_ends_with_2_before_anything_starts(bundle: Made) -> None:
    (bundle[0].folder / "rows.json").write_text("{}")
    done = rerun(bundle)
    assert done.returncode == 2
    assert "differs from the original's" in done.stderr
    assert not (bundle[0].folder / "out").exists()


def test_that_every_source_is_found_checked_and_prepared_in_the_jobs_order(bundle: Made) -> None:
    node, folder = bundle
    (node.folder / "more.json").write_text("[2]")
    (node.folder / "apart.json").write_text("[3]")
    entry = FileEntry("more.json", 3, hashlib.sha256(b"[2]").hexdigest())
    more = (BundleInput("/gone.json", "Ask for it.", files=(entry,)),)
    held_out = BundleInput(str(node.folder / "apart.json"), "Get it.")
    write_bundle(node, folder, more_data=more, held_out=held_out)
    missing = rerun(bundle)
    assert missing.returncode == 2
    assert "set DATA_2=/path. Ask for it." in missing.stderr
    assert "DATA_2: " in rerun(bundle, "--data-2", str(node.folder / "apart.json")).stderr
    done = rerun(bundle, "--data-2", str(node.folder / "more.json"))
    assert done.returncode == 0, done.stderr
    asked = json.loads((node.folder / "prepared" / "asked.json").read_text())
    assert asked["data_paths"] == [str(node.folder / "rows.json"), str(node.folder / "more.json")]
    assert asked["held_out_path"] == str(node.folder / "apart.json")


def test_that_other_rows_after_preparing_end_with_2(bundle: Made) -> None:
    node, folder = bundle
    rows = BundleInput(str(node.folder / "rows.json"), "", content_hash="d" * 64)
    write_bundle(node, folder, data=rows)
    assert rerun(bundle).returncode == 2


@pytest.mark.parametrize(
    "more",
    [
        ("--nproc", "0"),
        ("--nproc", "3"),
        ("--what", "x"),
        ("--data-0", "x"),
        ("--data-two", "x"),
        ("stray",),
        ("--model",),
    ],
)
def test_that_bad_arguments_end_with_2(bundle: Made, more: tuple[str, ...]) -> None:
    assert rerun(bundle, *more).returncode == 2


def test_that_a_run_that_fails_ends_with_1(bundle: Made) -> None:
    trainer = bundle[0].agent_dir / "remote_agent" / "trainer" / "__main__.py"
    trainer.write_text("raise SystemExit(5)\n")
    done = rerun(bundle)
    assert done.returncode == 1
    assert "exit code 5" in done.stderr


def test_that_a_rerun_makes_the_changes_of_the_original_before_its_ranks_start(bundle: Made) -> None:
    write_bundle(*bundle, amendments=(BundleAmendment(1, "optimizer.learning_rate", 1e-5),))
    done = rerun(bundle)
    assert done.returncode == 0, done.stderr
    (run,) = (bundle[0].folder / "out").iterdir()
    assert read_amendments(str(run)) == [Amended(1, 1, "optimizer.learning_rate", 1e-5, at_start=True)]
