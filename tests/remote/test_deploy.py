"""The agent's archive: the same bytes everywhere, nothing but the agent in it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from studio.remote.deploy import agent_archive
from tests.remote.fake_agent import fake_agent


def test_that_equal_files_give_equal_bytes_whatever_their_dates_and_place(tmp_path: Path) -> None:
    first = fake_agent(tmp_path / "a")
    shutil.copytree(tmp_path / "a" / "remote_agent", tmp_path / "b")
    for path in (tmp_path / "b").rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o755)
    assert agent_archive(tmp_path / "b") == first


def test_that_a_change_of_one_file_changes_the_hash(tmp_path: Path) -> None:
    first = fake_agent(tmp_path / "a")
    shutil.copytree(tmp_path / "a" / "remote_agent", tmp_path / "b")
    (tmp_path / "b" / "__init__.py").write_text("# more\n", encoding="ascii")
    assert agent_archive(tmp_path / "b").sha256 != first.sha256


def test_that_only_python_files_travel_in_the_order_of_their_names(tmp_path: Path) -> None:
    source = tmp_path / "remote_agent"
    fake_agent(tmp_path)
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "x.pyc").write_bytes(b"")
    (source / "notes.txt").write_text("", encoding="ascii")
    names = zipfile.ZipFile(io.BytesIO(agent_archive(tmp_path / "remote_agent").data)).namelist()
    assert names[0] == "__main__.py"
    assert names[1:] == sorted(names[1:])
    assert all(name.endswith(".py") for name in names)


def test_that_the_installed_agent_runs_from_its_archive_alone(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(agent_archive().data)) as archive:
        archive.extractall(tmp_path / "agent")
    words = [sys.executable, "-I", "-B", str(tmp_path / "agent"), "nothing"]
    answer = subprocess.run(words, capture_output=True, cwd=tmp_path)
    assert answer.returncode == 2, answer
    assert not list(tmp_path.rglob("__pycache__"))


def test_that_a_folder_that_is_no_agent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="not the agent"):
        agent_archive(tmp_path)
