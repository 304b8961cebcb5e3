"""A folder that others could write to is refused with what to do about it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from remote_agent.run_files.private_folder import UnsafeFolderError, check_private, make_private


def test_that_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = make_private(str(tmp_path / "a" / "b"))
    assert os.stat(path).st_mode & 0o777 == 0o700
    assert make_private(path) == path


def test_that_open_linked_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    os.chmod(home, 0o755)
    with pytest.raises(UnsafeFolderError, match="chmod 700"):
        check_private(str(home))
    os.chmod(home, 0o700)
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(UnsafeFolderError, match="symbolic link"):
        make_private(str(tmp_path / "link"))
    (tmp_path / "file").touch()
    with pytest.raises(UnsafeFolderError, match="not a folder"):
        make_private(str(tmp_path / "file"))
    os.chmod(tmp_path, 0o777)
    with pytest.raises(UnsafeFolderError, match="could replace"):
        check_private(str(home))
    if os.geteuid() == 0:
        os.chmod(tmp_path, 0o700)
        os.chown(home, 65534, -1)
        with pytest.raises(UnsafeFolderError, match="belongs to user 65534"):
            check_private(str(home))
