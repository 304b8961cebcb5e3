"""Files that are either whole or absent: written aside, synced, renamed."""

from __future__ import annotations

import json
import os
import secrets
from typing import Any

from remote_agent.contract.journal_line import strict


def atomic_write(path: str, data: bytes) -> None:
    """Put ``data`` at ``path`` with mode 0600, so that a reader or a power cut sees the old file or the new one.

    Raises:
        OSError: the disk is full or the folder is not writable; the old file is then untouched.
    """
    folder, name = os.path.split(path)
    aside = os.path.join(folder, ".{}.{}".format(name, secrets.token_hex(6)))
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(aside, path)
    except OSError:
        os.unlink(aside)
        raise
    sync_folder(folder or ".")


def atomic_write_json(path: str, value: Any) -> None:
    """Put a JSON value at ``path`` as in `atomic_write`, indented, NaN and infinities as strings."""
    text = json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    atomic_write(path, text.encode("utf-8", "surrogateescape"))


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte. Raises OSError where the disk takes no more; part of the data may then be written."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: str) -> None:
    """Sync a folder's entries to disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
