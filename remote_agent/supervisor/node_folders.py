"""The command `folders`: which folders of the agent's home lie elsewhere. A placed one is a link there.

What a folder held before stays where it is and is linked into the new one, so that every path that a run, an
environment or a person knows leads on to the same files, and nothing large is moved.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, List, Tuple

from remote_agent.contract.node_folders import FOLDERS, WORK
from remote_agent.contract.node_report import NodeFolder
from remote_agent.contract.run_dir import CHECKPOINTS, RUNS, UPLOADS, is_run_id
from remote_agent.contract.wire import to_wire
from remote_agent.run_files.atomic_write import sync_folder
from remote_agent.run_files.private_folder import make_private
from remote_agent.supervisor.lease import is_supervised
from remote_agent.supervisor.node_disks import mount_of, outlives_a_stop, read_mounts
from remote_agent.supervisor.talk import CommandError, Talk, group_argument

HERE = ".home"
"""The end of the name, below the home, of what a folder held before it was placed elsewhere."""

_KEPT_HIDDEN = (".python",)


def folders(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{folders: [NodeFolder]}`` once those of ``{name: path}`` are placed; "" is the home itself.

    Raises:
        CommandError: a name is none, a path is not absolute or leads into another such folder, or a run goes on.
        UnsafeFolderError, OSError: the folder cannot be made for this user alone.
    """
    asked = group_argument(arguments, "folders")
    now = {folder.name: folder.path for folder in placed_folders(home) if folder.placed}
    changes = []
    for name, path in asked.items():
        if name not in FOLDERS or not isinstance(path, str) or "\0" in path:
            raise CommandError("{!r} is no folder that can be placed.".format(name[:40]), "bad_request")
        path = os.path.expanduser(path.strip())
        if path and not os.path.isabs(path):
            raise CommandError("{} has to be an absolute path or begin with ~.".format(path), "bad_request")
        path = os.path.normpath(path) if path else ""
        if path != now.get(name, ""):
            changes.append((name, path))
    _check_apart(home, dict(now, **dict(changes)))
    if changes:
        _check_idle(home)
    for name, path in changes:
        _place(home, FOLDERS[name], path)
    return {"folders": to_wire(placed_folders(home))}


def placed_folders(home: str, mounts: str = "/proc/self/mounts") -> Tuple[NodeFolder, ...]:
    """Return where the home and each folder of it lie; sizes are 0 where the disk is not there."""
    known = read_mounts(mounts)
    found = []
    for name, path in [(WORK, home), *((name, os.path.join(home, base)) for name, base in FOLDERS.items())]:
        is_link = os.path.islink(path)
        target = _target(path) if is_link else path
        where = target if os.path.isdir(target) else home
        mount, kind = mount_of(where, known)
        total, free = _sizes(target if is_link else where)
        is_placed = is_link and target != path + HERE
        found.append(
            NodeFolder(
                name, target if is_placed else path, mount, kind, total, free, outlives_a_stop(mount, kind), is_placed
            )
        )
    return tuple(found)


def folder_problems(placed: Tuple[NodeFolder, ...]) -> List[str]:
    """Return a sentence for each placed folder that is not there."""
    return [
        "The folder of the {}, {}, is not there; its disk may not be mounted. Mount it, or place the folder "
        "elsewhere in the node's form.".format(folder.name, folder.path)
        for folder in placed
        if folder.placed and not folder.total_bytes
    ]


def uploads_folder(home: str, base: str) -> str:
    """Return where files arrive that are renamed into a folder of the home: on the same file system."""
    placed = os.path.join(home, base)
    if not os.path.islink(placed):
        return os.path.join(home, UPLOADS)
    folder = os.path.join(placed, "." + UPLOADS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def checkpoints_root(home: str) -> str:
    """Return the folder that holds the checkpoints of runs, empty where each run holds its own."""
    path = os.path.join(home, CHECKPOINTS)
    return _target(path) if os.path.islink(path) and _target(path) != path + HERE else ""


def _check_apart(home: str, placed: Dict[str, str]) -> None:
    taken = [("the agent's home", os.path.realpath(home))]
    for name, path in sorted(placed.items()):
        if not path:
            continue
        real = os.path.realpath(path)
        for what, other in taken:
            if os.path.commonpath((real, other)) in (real, other):
                raise CommandError(
                    "{} cannot hold the {}: it lies in, or holds, {}.".format(path, name, what), "bad_request"
                )
        taken.append(("the folder of the " + name, real))


def _check_idle(home: str) -> None:
    runs = os.path.join(home, RUNS)
    going = [name for name in sorted(os.listdir(runs)) if is_run_id(name) and is_supervised(os.path.join(runs, name))]
    if going:
        raise CommandError(
            "{} goes on on this node; folders are placed while no run does.".format(going[0]), "bad_request"
        )


def _place(home: str, base: str, path: str) -> None:
    """Let a folder of the home lie at a path, "" for the home; what it holds now is found there too."""
    link = os.path.join(home, base)
    before = _target(link) if os.path.islink(link) else link
    if path:
        target = make_private(path)
    elif not os.path.islink(link):
        return
    else:
        target = make_private(link + HERE)
    if not os.path.islink(link) and os.path.isdir(link):
        os.rename(link, link + HERE)
        before = link + HERE
    if base != CHECKPOINTS:  # each run leads to its own
        _link_entries(before, target)
    aside = link + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(aside)
    os.symlink(target, aside)
    os.rename(aside, link)
    sync_folder(target)
    sync_folder(home)


def _link_entries(before: str, target: str) -> None:
    """Link what a folder holds into another; what is half done there begins anew here."""
    try:
        names = sorted(os.listdir(before))
    except OSError:
        return  # its disk is not there
    for name in names:
        if name.startswith(".") and name not in _KEPT_HIDDEN:
            continue
        source, link = os.path.realpath(os.path.join(before, name)), os.path.join(target, name)
        if os.path.islink(link) and not os.path.exists(link):
            os.unlink(link)
        if os.path.exists(source) and not os.path.lexists(link):
            os.symlink(source, link)


def _target(link: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))


def _sizes(folder: str) -> Tuple[int, int]:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0, 0
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
