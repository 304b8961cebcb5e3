"""A run of the library fed to trackers from a terminal: ended, going on, and gone back a stretch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from remote_agent.contract.events import StateChanged, TrainingStarted
from remote_agent.contract.run_dir import RANK0_WRITER
from studio.cli.main import main
from tests.support.journals import RUN_ID, step_event
from tests.support.mlflow_server import MlflowServer
from tests.support.run_folder import RunFolder


@pytest.fixture
def server() -> Iterator[MlflowServer]:
    made = MlflowServer()
    yield made
    made.close()


def losses(folder: Path) -> list[tuple[int, Any]]:
    return [
        (event.step, value.tensor.float_val[0])
        for path in sorted(folder.glob("events.*"))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.tag == "train/loss"
    ]


def test_that_an_ended_run_is_fed_without_its_node_as_often_as_one_likes(
    followed: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    followed.steps(6, 12)
    # it goes back to 8, and its updates from there on count
    followed.write(RANK0_WRITER, TrainingStarted(2, 8, 20, 20, 1, 1000, 20, 2))
    followed.write(RANK0_WRITER, *(step_event(number, 2, 5.0) for number in range(9, 21)))
    followed.end()
    assert main(["attach", RUN_ID]) == 0
    followed.folder.rename(tmp_path / "away")
    expected: list[tuple[int, Any]] = [(number, pytest.approx(step_event(number).loss)) for number in range(1, 9)]
    expected += [(number, 5.0) for number in range(9, 21)]
    for _ in range(2):
        capsys.readouterr()
        assert main(["track", RUN_ID, "--to", "tensorboard", "--dir", str(tmp_path / "boards")]) == 0
        assert f"tensorboard --logdir {tmp_path / 'boards'}" in capsys.readouterr().out
        assert losses(tmp_path / "boards" / RUN_ID) == expected


def test_that_a_run_that_goes_on_is_followed_to_its_end_and_told_anew_where_it_goes_back(
    followed: RunFolder, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "studio", "track", RUN_ID, "--to", "tensorboard", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as tracking:
        while [number for number, _ in losses(tmp_path / RUN_ID)] != list(range(1, 6)):
            assert tracking.poll() is None
        followed.write(RANK0_WRITER, TrainingStarted(2, 3, 20, 20, 1, 1000, 20, 2))
        followed.write(RANK0_WRITER, *(step_event(number, 2, 5.0) for number in range(4, 8)))
        while losses(tmp_path / RUN_ID)[3:] != [(number, 5.0) for number in range(4, 8)]:
            assert tracking.poll() is None
        followed.write("supervisor", StateChanged("stopped", 2))
        said, _ = tracking.communicate(timeout=60)
        assert tracking.returncode == 0, said
    assert [number for number, _ in losses(tmp_path / RUN_ID)] == list(range(1, 8))


def test_that_the_desktop_uploads_with_a_key_of_its_environment(
    followed: RunFolder, server: MlflowServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    followed.end()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a-token-of-the-desktop")
    monkeypatch.chdir(tmp_path)
    words = ["track", RUN_ID, "--to", "mlflow", "--online", "--server", server.address, "--project", "p"]
    assert main(words) == 0
    assert server.steps("train/loss") == list(range(1, 6))
    assert server.authorizations == {"Bearer a-token-of-the-desktop"}
    assert [run["name"] for run in server.runs.values()] == ["tiny"]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"a-token-of-the-desktop" not in kept


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["mlflow", "--online"], "MLflow needs the address of its server"),
        (["mlflow", "--online", "--server", "https://me:secret@host"], "would lie in the job"),
        (["trackio", "--online"], "trackio needs a Space"),
        (["trackio", "--online", "--server", "https://host"], "named as org/name"),
        (["tensorboard", "--online"], "leave --online away"),
    ],
)
def test_that_an_upload_without_a_good_address_is_2(
    followed: RunFolder, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["track", RUN_ID, "--to", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_that_a_python_without_the_library_is_1_with_its_remedy(
    followed: RunFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    followed.end()
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o700)
    assert main(["track", RUN_ID, "--to", "wandb", "--dir", str(tmp_path), "--python", str(bare)]) == 1
    assert "pip install wandb" in capsys.readouterr().err
