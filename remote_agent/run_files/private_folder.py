"""Folders that belong to one person: made with mode 0700, and refused where someone else could write into them."""

from __future__ import annotations

import contextlib
import os
import stat


class UnsafeFolderError(ValueError):
    """The folder is not private; the sentence names it and says what to do."""


def make_private(path: str) -> str:
    """Make a folder, with its missing parents, for this user alone, check it and return its absolute path.

    Raises:
        UnsafeFolderError: it, or its parent, is not safe to use.
        OSError: it cannot be made.
    """
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.lexists(path):
        parent = os.path.dirname(path)
        if not os.path.isdir(parent):
            os.makedirs(parent, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # made by another command just now; the check below decides
            os.mkdir(path, 0o700)
    check_private(path)
    return path


def check_private(path: str) -> None:
    """Raise UnsafeFolderError unless the folder is ours, closed to others, no link, in a parent we can trust."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise UnsafeFolderError("{} is a symbolic link; name the folder it leads to instead.".format(path))
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolderError("{} is not a folder.".format(path))
    if found.st_uid != os.geteuid():
        raise UnsafeFolderError(
            "{} belongs to user {}, not to {}; choose another folder.".format(path, found.st_uid, os.geteuid())
        )
    if found.st_mode & 0o077:
        raise UnsafeFolderError(
            "{} is open to other users (mode {:04o}); close it with: chmod 700 {}".format(
                path, found.st_mode & 0o7777, path
            )
        )
    parent = os.stat(os.path.dirname(path) or "/")
    if parent.st_mode & 0o022 and not parent.st_mode & stat.S_ISVTX and not _is_our_group(parent):
        raise UnsafeFolderError(
            "{} can be written by other users, who could replace {}.".format(os.path.dirname(path), path)
        )


def _is_our_group(found: os.stat_result) -> bool:
    """Say whether only the group may write, and the group is the user's own, as some systems set it up."""
    return not found.st_mode & 0o002 and found.st_gid == os.getegid() and found.st_uid == os.geteuid()
