"""Where the agent's folders lie on a node: their names, and where they would lie best."""

from __future__ import annotations

import dataclasses
from typing import Dict, Optional, Tuple

from remote_agent.contract.node_report import Disk, NodeFolder, NodeReport
from remote_agent.contract.run_dir import CHECKPOINTS, DATA, ENVIRONMENTS, MODELS

WORK = "work"
FOLDERS = {"environments": ENVIRONMENTS, "models": MODELS, "data": DATA, "checkpoints": CHECKPOINTS}
"""The folders that can be placed elsewhere, and their names below the agent's home."""

ENOUGH_BYTES = 100 << 30
"""What a disk has to have free before another one is not looked for."""

_MANY_SMALL_FILES = ("environments",)
_SLOW_WITH_SMALL_FILES = ("nfs", "nfs4", "cifs", "fuse.juicefs", "9p", "glusterfs")


def folder_of(report: NodeReport, name: str) -> Optional[NodeFolder]:
    """Return where a folder lies, None where the node is of an agent that does not tell."""
    return next((folder for folder in report.folders if folder.name == name), None)


def free_bytes(report: NodeReport, name: str) -> int:
    """Return what is free where a folder lies."""
    folder = folder_of(report, name)
    return folder.free_bytes if folder is not None else report.disk_free_bytes


def proposed_folders(report: NodeReport) -> Dict[str, str]:
    """Return the paths of the folders that would lie better elsewhere than they do, by name.

    A folder stays where it outlives a stop of the box and has room. Else the disk is proposed that lasts and, of
    those, has the most free; environments, which are many small files, rather on a disk that is no network share.
    """
    disks = report.survey.disks if report.survey is not None else ()
    found = {}
    for folder in report.folders:
        if folder.name not in FOLDERS or not disks:
            continue
        best = max(disks, key=lambda disk: _worth(folder.name, disk))
        now = _worth(folder.name, _as_disk(folder))
        wins = _worth(folder.name, best)
        if best.mount != folder.mount and (wins[:2] > now[:2] or (now[2] < ENOUGH_BYTES and wins[2] > 2 * now[2])):
            found[folder.name] = best.folder.rstrip("/") + "/" + FOLDERS[folder.name]
    return found


def placed_at(report: NodeReport, folder: NodeFolder, path: str) -> NodeFolder:
    """Return a folder as it would lie at a path, as far as the probe's disks tell; as it lies now where they do not."""
    disks = report.survey.disks if report.survey is not None else ()
    on = [disk for disk in disks if path == disk.mount or path.startswith(disk.mount.rstrip("/") + "/")]
    if not on or path == folder.path:
        return folder
    disk = max(on, key=lambda each: len(each.mount))
    return dataclasses.replace(
        folder, path=path, mount=disk.mount, kind=disk.kind, total_bytes=disk.total_bytes, free_bytes=disk.free_bytes,
        lasts=disk.lasts, placed=True,
    )  # fmt: skip


def _worth(name: str, disk: Disk) -> Tuple[bool, bool, int]:
    suits = name not in _MANY_SMALL_FILES or disk.kind not in _SLOW_WITH_SMALL_FILES
    return (disk.lasts, suits, disk.free_bytes)


def _as_disk(folder: NodeFolder) -> Disk:
    return Disk(folder.path, folder.mount, folder.kind, folder.total_bytes, folder.free_bytes, folder.lasts)
