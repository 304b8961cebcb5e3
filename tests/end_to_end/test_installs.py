"""The three ways to install Luthier, each from the built wheel in a virtual environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from remote_agent.contract.job_spec import BatchSpec, DataSpec, JobSpec, ModelSpec, StrategySpec
from studio.job_file import write_job_file
from tests.support.model_folder import write_model
from tests.support.tiny import tiny_rows

ROOT = Path(__file__).parent.parent.parent
# what is never imported here need not be compiled: half of an installation's time
INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")
NOT_ON_THE_DESKTOP = ("torch", "deepspeed", "accelerate", "transformers")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once, from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("luthier_studio-*.whl"))


def _run(*command: str, expect: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == expect, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _environment(folder: Path, *requirements: str) -> Path:
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    _run(str(python), *INSTALL, *requirements)
    return python


def _installed(python: Path) -> set[str]:
    listed = _run(str(python), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    return {line.split("==")[0].lower() for line in listed.splitlines()}


def _job(folder: Path) -> Path:
    """Write a job on a model without weights and a few rows: enough for all that trains nothing."""
    job = folder / "job.yaml"
    spec = JobSpec(
        model=ModelSpec(id=str(write_model(folder / "model"))),
        data=DataSpec(path=str(tiny_rows(folder)), max_length=128),
        batch=BatchSpec(max_steps=20),
        strategy=StrategySpec(precision="fp32"),
    )
    write_job_file(job, spec)
    return job


def _ask_the_command_line(python: Path, folder: Path) -> None:
    luthier = str(python.parent / "luthier")
    job = _job(folder)
    schedule = json.loads(_run(luthier, "schedule", str(job), "--json"))
    assert len(schedule["learning_rates"]) == 20 and max(schedule["learning_rates"]) == 2e-5
    _run(luthier, "check", str(job))
    report = json.loads(_run(luthier, "inspect", str(folder / "rows.json"), "--model", str(folder / "model"), "--json"))
    assert report["rows"] == 40 and report["shape"] == "alpaca"
    estimate = json.loads(_run(luthier, "estimate", str(job), "--json"))
    assert estimate["weights_bytes"] == 4 * estimate["parameters"]
    _run(luthier, "export", str(job), str(folder / "bundle"))
    assert (folder / "bundle" / "run.sh").exists()
    _run(luthier, "inspect", str(folder / "missing.json"), "--model", str(folder / "model"), expect=2)


def test_that_the_wheel_carries_agent_and_resources(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "studio/resources/style.qss" in names
    assert "studio/resources/presets/10-classic.yaml" in names
    assert "remote_agent/trainer/__main__.py" in names
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.slow
def test_that_the_studio_alone_brings_no_torch_and_opens_its_window(wheel: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path / "studio", str(wheel))
    assert _installed(python).isdisjoint(NOT_ON_THE_DESKTOP)
    _ask_the_command_line(python, tmp_path)
    assert "Luthier data" in _run(str(python), "-c", _OPEN_THE_WINDOW.format(home=str(tmp_path / "home")))


@pytest.mark.slow
def test_that_the_command_line_runs_where_pyside_is_missing(wheel: Path, tmp_path: Path) -> None:
    graphical = ("pyside6", "pyqtgraph", "qtawesome", "keyring")
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    needed = [requirement for requirement in wanted if not requirement.lower().startswith(graphical)]
    python = _environment(tmp_path / "terminal", *needed)
    _run(str(python), *INSTALL, "--no-deps", str(wheel))
    assert not [name for name in _installed(python) if name.startswith(graphical)]
    _ask_the_command_line(python, tmp_path)


@pytest.mark.slow
def test_that_the_trainer_extra_brings_an_interpreter_that_lacks_nothing(wheel: Path, tmp_path: Path) -> None:
    # torch is asked for first and by its exact version: a range would take a build of several gigabytes
    python = _environment(tmp_path / "trainer", "torch==2.13.0")
    _run(str(python), *INSTALL, f"{wheel}[trainer]")
    assert _installed(python) >= set(NOT_ON_THE_DESKTOP)
    _run(str(python), "-c", "import os; os.environ['DS_ACCELERATOR'] = 'cpu'; import torch, deepspeed, accelerate")


_OPEN_THE_WINDOW = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LUTHIER_HOME"] = {home!r}
from PySide6.QtCore import QTimer
from studio.app import make_application, open_window
from studio.session.opening import open_session
application = make_application([])
session = open_session()
window = open_window(session)
QTimer.singleShot(1500, application.quit)
application.exec()
print(window.windowTitle(), window.pages.current_key)
assert "torch" not in sys.modules
window.close()
session.close()
window.deleteLater()
session.deleteLater()
application.processEvents()
"""
