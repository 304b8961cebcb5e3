"""The command `browse`: what lies in a folder of the node."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List

from remote_agent.contract.frames import MAX_HEAD_BYTES
from remote_agent.supervisor.talk import CommandError, Talk, text_argument

MOST_ENTRIES = 5000


def browse(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{path, parent, entries}``, folders first, at most 5000 or what a frame holds; no path: the home."""
    path = os.path.abspath(os.path.expanduser(text_argument(arguments, "path", "") or "~"))
    entries: List[Dict[str, Any]] = []
    try:
        with os.scandir(path) as found:
            entries = [_entry(item) for item in found]
    except FileNotFoundError:
        raise CommandError("There is no folder {} on the node.".format(path), "not_found") from None
    except NotADirectoryError:
        raise CommandError("{} is a file, not a folder.".format(path), "bad_request") from None
    except PermissionError:
        raise CommandError("The node does not let you read {}.".format(path), "failed") from None
    entries.sort(key=lambda entry: (not entry["is_dir"], entry["name"].lower(), entry["name"]))
    return {"path": _text(path), "parent": _text(os.path.dirname(path)), "entries": _fitting(entries)}


def _fitting(entries: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return as many entries as the answer's frame holds."""
    room = MAX_HEAD_BYTES - (64 << 10)
    for index, entry in enumerate(entries[:MOST_ENTRIES]):
        room -= len(json.dumps(entry)) + 1
        if room < 0:
            return entries[:index]
    return entries[:MOST_ENTRIES]


def _entry(item: "os.DirEntry[str]") -> Dict[str, Any]:
    try:
        is_dir = item.is_dir()
        size = 0 if is_dir else item.stat().st_size
    except OSError:  # a link that leads nowhere, or into a circle
        is_dir, size = False, 0
    return {"name": _text(item.name), "is_dir": is_dir, "size_bytes": size}


def _text(name: str) -> str:
    """Return a name that any reader takes; bytes that are no UTF-8 become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
