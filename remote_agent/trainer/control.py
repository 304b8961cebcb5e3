"""Commands for a run that trains: rank 0 finds them in control/, all ranks act on them at the same update."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.run_dir import CONTROL

SAVE, EVALUATE, STOP, SAMPLE, AMEND, PAUSE = 1, 2, 4, 8, 16, 32
"""Bits of the number by which rank 0 tells the others what to do; STOP | SAVE saves first. PAUSE stops only where the
full state could be saved."""

_VERBS = {
    "save": SAVE, "evaluate": EVALUATE, "sample": SAMPLE, "amend": AMEND, "stop": STOP, "pause": PAUSE | SAVE,
}  # fmt: skip


class Command(NamedTuple):
    """A command that was found: its file is removed once it is done."""

    command_id: str
    verb: str
    wishes: int
    path: Path
    arguments: Mapping[str, Any]


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
    verb, arguments = str(data.get("verb")), data.get("arguments")
    arguments = arguments if isinstance(arguments, dict) else {}
    wishes = _VERBS.get(verb, 0)
    if verb == "stop" and arguments.get("save", False):
        wishes |= SAVE
    return Command(data["command_id"], verb, wishes, path, arguments) if wishes else None
