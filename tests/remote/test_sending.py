"""What a folder's files are, how they are named and hashed, and how progress is told."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from studio.remote.call import Progress
from studio.remote.errors import Cancelled
from studio.remote.sending import Meter, fingerprint, source_files


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
    assert files[2].sha256 == hashlib.sha256(b"weights").hexdigest()
    assert files[2].size_bytes == 7


def test_that_the_fingerprint_is_of_names_and_contents_alone(tmp_path: Path) -> None:
    first = source_files(_folder(tmp_path / "one"))
    assert fingerprint(first) == fingerprint(tuple(reversed(source_files(_folder(tmp_path / "two")))))
    (tmp_path / "two" / "b.txt").rename(tmp_path / "two" / "c.txt")
    assert fingerprint(first) != fingerprint(source_files(tmp_path / "two"))


def test_that_nothing_to_send_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no file or folder"):
        source_files(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no files"):
        source_files(tmp_path / "empty")


def test_that_hashing_can_be_cancelled(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        source_files(_folder(tmp_path / "model"), cancelled=cancelled)


def test_that_the_last_progress_is_always_told_with_a_rate() -> None:
    seen: list[Progress] = []
    meter = Meter(seen.append, "sending", 1000.0)
    for done in range(0, 1000, 10):
        meter.tell(done)
    meter.tell(1000, last=True)
    assert (seen[0].done, seen[-1].done) == (0, 1000)
    assert len(seen) < 20
    assert seen[-1].rate > 0
