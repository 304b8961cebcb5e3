"""The command `fetch`: files of a run, by their names below its folder."""

from __future__ import annotations

import os
from typing import Any, Dict, List

from remote_agent.contract.run_dir import CHECKPOINTS
from remote_agent.supervisor.command import run_folder
from remote_agent.supervisor.talk import CommandError, Talk

CHUNK_BYTES = 512 << 10


def fetch(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Send ``file {name, offset, size}`` frames and answer ``{missing}``, which a folder's name is too.

    Raises:
        CommandError: there is no such run, or a name leads out of its folder.
    """
    run_dir = os.path.realpath(run_folder(home, arguments))
    names = arguments.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CommandError("The argument names has to be a list of texts.", "bad_request")
    missing: List[str] = []
    for name in names:
        path = inside(run_dir, name)
        if os.path.isfile(path):
            _send(talk, path, name)
        else:
            missing.append(name)
    return {"missing": missing}


def inside(folder: str, name: str) -> str:
    """Return the path of a relative name below a folder. Raises CommandError where it leads out of it."""
    path = os.path.join(folder, name)
    real = os.path.realpath(path)
    # the checkpoints may lie on another disk, in a folder of the run's own name
    apart = os.path.realpath(os.path.join(folder, CHECKPOINTS))
    roots = [folder, apart] if os.path.basename(apart) == os.path.basename(folder) else [folder]
    is_below = any(real == root or real.startswith(root + os.sep) for root in roots)
    if not name or "\0" in name or os.path.isabs(name) or ".." in name.split("/") or not is_below:
        raise CommandError("{!r} does not lie in the run's folder.".format(name[:200]), "bad_request")
    return path


def _send(talk: Talk, path: str, name: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        offset = 0
        while True:
            talk.check()
            body = file.read(min(CHUNK_BYTES, size - offset))
            if body or offset == 0:
                talk.send("file", body, name=name, offset=offset, size=size)
            offset += len(body)
            if not body or offset >= size:
                return
