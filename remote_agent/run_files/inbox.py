"""Commands as files: renamed in whole, named by an id that the sender makes, so that sending twice is sending once."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from remote_agent.contract.run_dir import is_plain_name
from remote_agent.run_files.atomic_write import atomic_write_json

_MAX_COMMAND_BYTES = 1 << 20
_SUFFIX = ".json"


class Command(NamedTuple):
    """What someone asks of a run. ``command_id`` is a plain name; ``arguments`` depend on the verb."""

    command_id: str
    verb: str
    arguments: Dict[str, Any]


def put_command(folder: str, command: Command) -> bool:
    """Put a command into inbox/ or control/; say whether it was not there yet.

    Raises:
        ValueError: the id may not be a file name.
        OSError: the disk is full, or the run is gone.
    """
    if not is_plain_name(command.command_id) or len(command.command_id) + len(_SUFFIX) > 64:
        raise ValueError("{!r} may not be the id of a command.".format(command.command_id[:80]))
    path = os.path.join(folder, command.command_id + _SUFFIX)
    if os.path.lexists(path):
        return False
    atomic_write_json(path, command._asdict())
    return True


def list_commands(folder: str) -> Tuple[List[Command], List[str]]:
    """Return the commands in a folder, oldest first, and the names of files that are no readable command."""
    commands: List[Tuple[int, str, Command]] = []
    broken: List[str] = []
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return [], []
    for name in names:
        if name.startswith(".") or not name.endswith(_SUFFIX):
            continue
        path = os.path.join(folder, name)
        try:
            age = os.lstat(path).st_mtime_ns
            commands.append((age, name, _read(path, name[: -len(_SUFFIX)])))
        except FileNotFoundError:
            continue  # taken meanwhile
        except (OSError, ValueError, RecursionError):
            broken.append(name)
    return [command for _, _, command in sorted(commands, key=lambda item: item[:2])], sorted(broken)


def remove_command(folder: str, command_id: str) -> None:
    """Take a command out of a folder; it may be gone already."""
    try:
        os.unlink(os.path.join(folder, command_id + _SUFFIX))
    except FileNotFoundError:
        return


def _read(path: str, command_id: str) -> Command:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        body: Mapping[str, Any] = json.loads(file.read(_MAX_COMMAND_BYTES).decode("utf-8"))
    if not isinstance(body, dict) or body.get("command_id") != command_id:
        raise ValueError("the file is no command of its name")
    verb, arguments = body.get("verb"), body.get("arguments", {})
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        raise ValueError("the command lacks a verb")
    return Command(command_id, verb, arguments)
