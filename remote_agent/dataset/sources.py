"""The files behind a data path: which they are, what their content hashes to, and their rows in order."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.dataset.data_error import CancelledError, DataError, NotThereError
from remote_agent.dataset.readers import READERS, Row, ending_of, read_file

_HASH_CHUNK_BYTES = 1 << 20
_NAMED_MOST = 3
Cancelled = Callable[[], bool]
Advance = Callable[[str, float, float, str], None]
"""Progress: phase, done, total (0 where unknown), unit."""

_DOCUMENT_ENDINGS = (".txt", ".md")
_ABOUT_DATA = ("readme", "license", "licence", "notice", "citation", "changelog", "requirements")
_DATASETS_OWN = ("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json")


class DataFiles(NamedTuple):
    """Name and path of every data file behind a path, in order, and what its owner should know of the choice."""

    files: list[tuple[str, Path]]
    notes: tuple[str, ...] = ()


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
    return chosen_files(path).files


def chosen_files(path: Path) -> DataFiles:
    """Return the data files as `data_files` does, with what was left out of a folder.

    A folder that `save_to_disk` of datasets wrote is read in its own order. In any other, each file is read by its
    ending; README and its like are no data, nor are .md files beside files of other endings.
    """
    known = ", ".join(READERS)
    try:
        if path.is_file():
            if ending_of(path) in READERS:
                return DataFiles([(path.name, path)])
            raise DataError(
                f"{path.name}: files ending in {path.suffix or 'nothing'} cannot be read; known: {known}, "
                "also with .gz or .zst behind it."
            )
        if not path.is_dir():
            if path.exists():
                raise DataError(f"{path}: this is neither a file nor a folder.")
            raise NotThereError(f"{path}: there is no such file or folder.")
        found = _saved_splits(path) or _saved_files(path, "") or _folder_files(path)
    except PermissionError:
        raise DataError(
            f"{path}: there is no permission to read it; allow it (chmod a+rx), or choose a copy."
        ) from None
    if not found.files:
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


def _folder_files(path: Path) -> DataFiles:
    files = ((file.relative_to(path), file) for file in path.rglob("*") if file.is_file())
    names = sorted(at.as_posix() for at, _ in files if not any(part.startswith(".") for part in at.parts))
    read: list[str] = []
    left_out: list[str] = []
    for name in names:
        is_data = ending_of(Path(name)) in READERS and not _is_about_data(name.rpartition("/")[2].lower())
        (read if is_data else left_out).append(name)
    if any(ending_of(Path(name)) != ".md" for name in read):
        left_out += [name for name in read if ending_of(Path(name)) == ".md"]
        read = [name for name in read if ending_of(Path(name)) != ".md"]
    notes = [f"{path.name} also holds {_named(sorted(left_out))}; that is not read"] if left_out else []
    endings = sorted({ending_of(Path(name)) for name in read})
    if len(endings) > 1:
        notes.append(f"{path.name} holds files of several kinds ({', '.join(endings)}); each is read by its own")
    return DataFiles([(name, path / name) for name in read], tuple(notes))


def _is_about_data(name: str) -> bool:
    stem, _, ending = name.partition(".")
    return name in _DATASETS_OWN or (stem in _ABOUT_DATA and f".{ending}" in _DOCUMENT_ENDINGS)


def _named(names: list[str]) -> str:
    more = len(names) - _NAMED_MOST
    return ", ".join(names[:_NAMED_MOST]) + (f" and {more} more" if more > 0 else "")


def _saved_splits(path: Path) -> DataFiles | None:
    """Return the files of a folder with several splits that `save_to_disk` wrote, in the order of its list."""
    splits = _json_of(path / "dataset_dict.json").get("splits")
    if not isinstance(splits, list) or not splits:
        return None
    parts = [_saved_files(path / str(split), f"{split}/") for split in splits]
    files = [file for part in parts if part is not None for file in part.files]
    notes = [f"{path.name} holds the splits {', '.join(map(str, splits))}, read one after the other"]
    notes += [
        f"{path.name} lacks the files of the split {split}"
        for split, part in zip(splits, parts, strict=True)
        if part is None
    ]
    return DataFiles(files, tuple(notes) if len(splits) > 1 else ())


def _saved_files(path: Path, prefix: str) -> DataFiles | None:
    """Return the files of a folder that `save_to_disk` wrote, in the order of its list."""
    state = _json_of(path / "state.json")
    listed = state.get("_data_files")
    if not isinstance(listed, list):
        return None
    if state.get("_indices_data_files"):
        raise DataError(f"{path}: an old version of datasets saved it with a list of indices; load and save it again.")
    names = [str(entry["filename"]) for entry in listed if isinstance(entry, dict) and "filename" in entry]
    for name in names:
        if "/" in name or not (path / name).is_file():
            raise NotThereError(f"{path}: its state.json names {name}, which is not there. Copy the folder again.")
    return DataFiles([(prefix + name, path / name) for name in names])


def _json_of(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
