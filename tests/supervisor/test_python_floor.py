"""The agent runs before any environment exists, so it keeps to Python 3.8 and to the standard library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.agent_call import SOURCE_TREE, AgentProcess

PLACES = ("contract", "run_files", "supervisor", "__main__.py")


def test_that_nothing_needs_a_later_python_than_3_8() -> None:
    folder = SOURCE_TREE / "remote_agent"
    done = subprocess.run(
        [
            Path(sys.executable).with_name("vermin"),
            "-t=3.8-",
            "--eval-annotations",
            "--no-tips",
            *(folder / n for n in PLACES),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def oldest_python() -> str:
    """Return a Python 3.8 that runs, empty where there is none."""
    installed = [str(path) for path in Path.home().glob(".pyenv/versions/3.8*/bin/python3.8")]
    for path in [*installed, shutil.which("python3.8") or ""]:
        if path and not subprocess.run([path, "-c", ""], capture_output=True).returncode:
            return path
    return ""


def test_that_a_probe_runs_on_python_3_8(tmp_path: Path) -> None:
    python = oldest_python()
    if not python:
        pytest.skip("there is no Python 3.8 on this machine")
    with AgentProcess("probe", tmp_path / "home", {"python": python}, python=python) as agent:
        report = agent.answer().result["report"]
    assert report["python_version"].startswith("3.8.")
    assert report["interpreter"]["path"] == python
    assert os.path.isdir(report["home"])
