"""Checkpoints that are whole: the manifest that commits one, and what it is verified by."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from typing import List, Optional, Tuple

from remote_agent.contract.data_report import FileEntry
from remote_agent.contract.run_dir import COMMITTED, checkpoint_step
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.run_files.atomic_write import atomic_write_json, sync_folder

HASHED_BYTES = 1 << 30
"""Files up to this size are hashed; larger ones (optimizer states of large models) are known by their size alone."""

_MAX_MANIFEST_BYTES = 16 << 20


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What COMMITTED.json says. ``has_state`` allows a resume; names are relative, with /.

    The state is that of ``world_size`` ranks at ``zero_stage``, -1 for the job's.
    """

    step: int
    has_state: bool
    world_size: int
    files: Tuple[FileEntry, ...]
    zero_stage: int = -1

    @property
    def size_bytes(self) -> int:
        """Return the bytes of all files."""
        return sum(entry.size_bytes for entry in self.files)


def commit(
    partial_folder: str, final_folder: str, step: int, has_state: bool, world_size: int, zero_stage: int = -1
) -> Manifest:
    """Make a folder that all ranks have written a committed checkpoint: hash, sync, COMMITTED.json, rename.

    Args:
        partial_folder: the folder as written, in the same parent as ``final_folder``.
        final_folder: its name as a committed checkpoint; a leftover of that name without manifest is moved aside, and
            a committed one, which an earlier attempt made of the same step, goes once the new one is in its place.
        step: updates done.

    Raises:
        OSError: a file cannot be read or synced or the disk is full; nothing is committed then.
    """
    entries = []
    for name in _files_below(partial_folder):
        path = os.path.join(partial_folder, name)
        _sync_file(path)
        size = os.path.getsize(path)
        entries.append(FileEntry(name, size, file_sha256(path) if size <= HASHED_BYTES else ""))
    for folder, _, _ in os.walk(partial_folder):
        sync_folder(folder)
    manifest = Manifest(step, has_state, world_size, tuple(entries), zero_stage)
    atomic_write_json(os.path.join(partial_folder, COMMITTED), to_wire(manifest))
    replaced = ""
    if os.path.isdir(final_folder):
        was_committed = os.path.exists(os.path.join(final_folder, COMMITTED))
        aside = _free_name(_hidden(final_folder) + ".replaced" if was_committed else final_folder + ".broken")
        os.rename(final_folder, aside)
        replaced = aside if was_committed else ""
    os.rename(partial_folder, final_folder)
    sync_folder(os.path.dirname(os.path.abspath(final_folder)))
    if replaced:
        shutil.rmtree(replaced)
    return manifest


def _hidden(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, "." + name)


def read_manifest(folder: str) -> Optional[Manifest]:
    """Return a checkpoint's manifest, None where the folder is not committed or the manifest is damaged."""
    try:
        with open(os.path.join(folder, COMMITTED), "rb") as file:
            manifest = from_wire(Manifest, json.loads(file.read(_MAX_MANIFEST_BYTES).decode("utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
    return manifest if all(_is_inside(entry.name) for entry in manifest.files) else None


def committed_checkpoints(checkpoints_folder: str) -> List[Tuple[int, str, Manifest]]:
    """Return (step, folder, manifest) of every committed checkpoint whose files have their sizes, ascending by step."""
    try:
        names = os.listdir(checkpoints_folder)
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        step = checkpoint_step(name)
        folder = os.path.join(checkpoints_folder, name)
        manifest = read_manifest(folder) if step is not None else None
        if step is not None and manifest is not None and manifest.step == step and not _wrong_sizes(folder, manifest):
            found.append((step, folder, manifest))
    return sorted(found, key=lambda item: item[0])


def last_with_state(checkpoints_folder: str) -> Optional[Tuple[int, str, Manifest]]:
    """Return the newest committed checkpoint that a run can resume from, None where there is none."""
    with_state = [item for item in committed_checkpoints(checkpoints_folder) if item[2].has_state]
    return with_state[-1] if with_state else None


def verify(folder: str) -> List[str]:
    """Return one sentence for each file of a checkpoint that is missing, has another size or another hash."""
    manifest = read_manifest(folder)
    if manifest is None:
        return ["{} has no readable {}.".format(folder, COMMITTED)]
    wrong = _wrong_sizes(folder, manifest)
    if wrong:
        return wrong
    return [
        "{} has another content than when it was saved.".format(entry.name)
        for entry in manifest.files
        if entry.sha256 and file_sha256(os.path.join(folder, entry.name)) != entry.sha256
    ]


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a file's content as 64 hex digits. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _wrong_sizes(folder: str, manifest: Manifest) -> List[str]:
    wrong = []
    for entry in manifest.files:
        try:
            size = os.lstat(os.path.join(folder, entry.name)).st_size
        except OSError:
            wrong.append("{} is missing.".format(entry.name))
            continue
        if size != entry.size_bytes:
            wrong.append("{} has {} bytes; {} were saved.".format(entry.name, size, entry.size_bytes))
    return wrong


def _files_below(folder: str) -> List[str]:
    names = []
    for parent, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(parent, name), folder) for name in files if name != COMMITTED]
    return sorted(name.replace(os.sep, "/") for name in names)


def _is_inside(name: str) -> bool:
    return bool(name) and not name.startswith("/") and ".." not in name.split("/")


def _free_name(wanted: str) -> str:
    number = 0
    while os.path.lexists("{}{}".format(wanted, number)):
        number += 1
    return "{}{}".format(wanted, number)


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
