"""What a folder's files are, how they are named and hashed, and how progress is told."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from studio.remote.call import Progress
from studio.remote.sending import Meter, fingerprint, source_files, upload_key


def _folder(path: Path) -> Path:
    (path / "deep").mkdir(parents=True)
    (path / "b.txt").write_bytes(b"b")
    (path / "deep" / "a.txt").write_bytes(b"a")
    (path / ".git").mkdir()
    (path / ".git" / "config").write_bytes(b"x")
    (path / ".hidden").write_bytes(b"x")
    return path


def test_that_hidden_files_stay_here_and_links_are_followed_to_files_only(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "model")
    (tmp_path / "blob").write_bytes(b"weights")
    (folder / "weights").symlink_to(tmp_path / "blob")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    (folder / "dangling").symlink_to(tmp_path / "nowhere")
    files = source_files(folder)
    assert [file.name for file in files] == ["b.txt", "deep/a.txt", "weights"]
    assert files[2].size_bytes == 7


def test_that_the_fingerprint_is_what_sha256sum_says_of_its_own_lines(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "one")
    names = ["b.txt", "deep/a.txt"]
    lines = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True).stdout
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in reversed(names)}
    assert fingerprint(hashes) == hashlib.sha256(lines).hexdigest()


def test_that_an_upload_is_another_one_once_a_file_changed(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "one")
    before = upload_key(source_files(folder))
    assert before == upload_key(source_files(folder))
    os.utime(folder / "b.txt", ns=(1, 1))
    assert before != upload_key(source_files(folder))


def test_that_nothing_to_send_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no file or folder"):
        source_files(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no files"):
        source_files(tmp_path / "empty")


def test_that_the_last_progress_is_always_told_with_a_rate() -> None:
    seen: list[Progress] = []
    meter = Meter(seen.append, "sending", 1000.0)
    for done in range(0, 1000, 10):
        meter.tell(done)
    meter.tell(1000, last=True)
    assert (seen[0].done, seen[-1].done) == (0, 1000)
    assert len(seen) < 20
    assert seen[-1].rate > 0
