"""A file is the old one or the new one, never half of either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from remote_agent.run_files.atomic_write import atomic_write, atomic_write_json


def test_that_a_file_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic_write_json(str(path), {"loss": float("nan")})
    assert path.read_text() == '{\n  "loss": "nan"\n}\n'
    assert path.stat().st_mode & 0o777 == 0o600


def test_that_a_failed_write_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    atomic_write(str(path), b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        atomic_write(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]
