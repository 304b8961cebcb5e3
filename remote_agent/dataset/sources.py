"""The files behind a data path: which they are, what their content hashes to, and their rows in order."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from remote_agent.dataset.data_error import CancelledError, DataError, NotThereError
from remote_agent.dataset.readers import READERS, Row, read_file

_HASH_CHUNK_BYTES = 1 << 20
Cancelled = Callable[[], bool]
Advance = Callable[[str, float, float, str], None]
"""Progress: phase, done, total (0 where unknown), unit."""


def never() -> bool:
    """Say that nobody asked to stop."""
    return False


def no_progress(phase: str, done: float, total: float, unit: str) -> None:
    """Take no notice of progress."""


def data_files(path: Path) -> list[tuple[str, Path]]:
    """Return name and path of every data file: the file itself, or a folder's in the order of their names.

    Raises:
        NotThereError: there is no such file or folder.
        DataError: the file's ending is unknown, or the folder holds no data file.
    """
    known = ", ".join(READERS)
    if path.is_file():
        if path.suffix.lower() not in READERS:
            raise DataError(f"{path.name}: files ending in {path.suffix or 'nothing'} cannot be read; known: {known}.")
        return [(path.name, path)]
    if not path.is_dir():
        raise NotThereError(f"{path}: there is no such file or folder.")
    found = sorted(
        (file.relative_to(path).as_posix(), file)
        for file in path.rglob("*")
        if file.suffix.lower() in READERS and file.is_file()
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise DataError(f"{path}: the folder holds no data file; known endings: {known}.")
    return found


def content_hash(path: Path, cancelled: Cancelled = never) -> str:
    """Return the SHA-256 of a file's bytes; of a folder: of its files' names and hashes."""
    files = data_files(path)
    hashes = [(name, file_hash(file, cancelled)) for name, file in files]
    if path.is_file():
        return hashes[0][1]
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in hashes).encode()).hexdigest()


def file_hash(path: Path, cancelled: Cancelled = never) -> str:
    """Return the SHA-256 of a file as 64 hex digits. Raises CancelledError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK_BYTES):
            check(cancelled)
            digest.update(chunk)
    return digest.hexdigest()


def check(cancelled: Cancelled) -> None:
    """Raise CancelledError where somebody asked to stop."""
    if cancelled():
        raise CancelledError


def rows_of(path: Path, most: int = 0) -> Iterator[Row]:
    """Yield the rows of all files in order, at most ``most`` (0: all). Raises DataError as `read_file` does."""
    rows = _all_rows(path)
    return itertools.islice(rows, most) if most else rows


def _all_rows(path: Path) -> Iterator[Row]:
    index = 0
    for name, file in data_files(path):
        for line, fields in read_file(file, name):
            yield Row(index, name, line, fields)
            index += 1


def count_rows(path: Path, most: int = 0, cancelled: Cancelled = never) -> int:
    """Return the number of rows and thereby read every one once. Raises DataError where there is none."""
    count = 0
    for count, _ in enumerate(rows_of(path, most), 1):
        if count % 1024 == 0:
            check(cancelled)
    if not count:
        raise DataError(f"{path.name}: there is no row in it; choose a file with rows.")
    return count
