"""The file systems a user can write to, whether they outlive a stop of the box, and how fast they are."""

from __future__ import annotations

import os
import re
import secrets
import time
from typing import Dict, List, Tuple

from remote_agent.contract.node_report import Disk

FOLDER = "luthier"
_TRIAL_BYTES = 8 << 20
_TRIAL_ROOM = 64 << 20
_NETWORK = frozenset(("nfs", "nfs4", "lustre", "cifs", "ceph", "gpfs", "beegfs", "fuse.juicefs", "9p", "glusterfs"))
_LOCAL = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs"))
_FLEETING = frozenset(("overlay", "tmpfs", "ramfs", "aufs"))
_ESCAPED = re.compile(r"\\([0-7]{3})")
_SCRATCH = re.compile(r"(^|/)(scratch|ephemeral|local_?ssd|nvme\d*|tmp)(/|$)")


def disks(home: str, mounts: str = "/proc/self/mounts", with_rate: bool = True) -> Tuple[Disk, ...]:
    """Return the file systems on which the agent's home could lie, the one it lies on first, each once."""
    seen: Dict[int, Disk] = {}
    for folder, mount, kind in [(home, *mount_of(home, read_mounts(mounts))), *_places(read_mounts(mounts))]:
        where = folder if os.path.isdir(folder) else os.path.dirname(folder)
        try:
            device, found = os.stat(where).st_dev, os.statvfs(where)
        except OSError:
            continue
        if device in seen:
            continue
        total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
        rate = _write_rate(where, free) if with_rate else 0.0
        seen[device] = Disk(folder, mount, kind, total, free, outlives_a_stop(mount, kind), rate)
    return tuple(seen.values())


def outlives_a_stop(mount: str, kind: str) -> bool:
    """Say whether what is written there is there after the box was stopped, as far as the kind of mount tells.

    The layers of a container and memory never are, scratch disks by their name are not; disks of their own and
    network file systems are.
    """
    return kind not in _FLEETING and not _SCRATCH.search(mount)


def read_mounts(path: str) -> List[Tuple[str, str]]:
    """Return (mount point, kind) of the file systems that hold files; none where the system does not tell."""
    found = []
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                words = line.split(" ")
                if len(words) > 2 and words[2] in (_NETWORK | _LOCAL | _FLEETING):
                    mount = _ESCAPED.sub(lambda match: chr(int(match.group(1), 8)), words[1])
                    found.append((mount, words[2]))
    except OSError:
        return []
    return found


def mount_of(folder: str, mounts: List[Tuple[str, str]]) -> Tuple[str, str]:
    """Return mount point and kind of the file system that a folder lies on, both empty where the system tells none."""
    real = os.path.realpath(folder)
    inside = [item for item in mounts if real == item[0] or real.startswith(item[0].rstrip("/") + "/")]
    return max(inside, key=lambda item: len(item[0]), default=("", ""))


def _places(mounts: List[Tuple[str, str]]) -> List[Tuple[str, str, str]]:
    """Return where on each other file system this user may make a folder, with mount and kind."""
    user = os.path.basename(os.path.expanduser("~"))
    found = []
    for mount, kind in mounts:
        if kind in ("tmpfs", "ramfs", "aufs") or not os.path.isdir(mount):
            continue
        for folder in (os.path.join(mount, user), mount):
            if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
                found.append((os.path.join(folder, FOLDER), mount, kind))
                break
    return found


def _write_rate(folder: str, free: int) -> float:
    """Return how fast a few MiB reach the disk, 0 where there is no room or nothing may be written."""
    if free < _TRIAL_ROOM:
        return 0.0
    path = os.path.join(folder, ".luthier-trial-{}".format(secrets.token_hex(8)))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return 0.0
    try:
        begun = time.monotonic()
        os.write(descriptor, b"\xa5" * _TRIAL_BYTES)
        os.fsync(descriptor)
        return round(_TRIAL_BYTES / max(1e-6, time.monotonic() - begun))
    except OSError:
        return 0.0
    finally:
        os.close(descriptor)
        os.unlink(path)
