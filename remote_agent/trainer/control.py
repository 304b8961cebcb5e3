"""Commands for a run that trains: rank 0 finds them in control/, all ranks act on them at the same update."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.run_dir import CONTROL

SAVE, EVALUATE, STOP = 1, 2, 4
"""Bits of the number by which rank 0 tells the others what to do; STOP | SAVE saves first."""


class Command(NamedTuple):
    """A command that was found: its file is removed once it is done."""

    command_id: str
    verb: str
    wishes: int
    path: Path


def pending(run_dir: Path) -> list[Command]:
    """Return the commands in control/, in the order of their names; a file that is no command is left alone."""
    folder = run_dir / CONTROL
    if not folder.is_dir():
        return []
    found = [_command(path) for path in sorted(folder.iterdir()) if path.suffix == ".json"]
    return [command for command in found if command is not None]


def _command(path: Path) -> Command | None:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("command_id"), str):
        return None
    verb, arguments = data.get("verb"), data.get("arguments")
    save = isinstance(arguments, dict) and bool(arguments.get("save", False))
    wishes = {"save": SAVE, "evaluate": EVALUATE, "stop": STOP | (SAVE if save else 0)}.get(str(verb), 0)
    return Command(data["command_id"], str(verb), wishes, path) if wishes else None
