"""A terminal window of the person's own desktop in a run's folder, on this computer or through ssh."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from studio.remote.transport import NodeAddress

_LINUX = (
    ("x-terminal-emulator", "-e"), ("gnome-terminal", "--"), ("konsole", "-e"), ("xfce4-terminal", "-x"),
    ("kitty", ""), ("alacritty", "-e"), ("foot", ""), ("wezterm", "start"), ("xterm", "-e"),
)  # fmt: skip
"""Terminals, and what stands before the command that runs in one."""


def shell_in(address: NodeAddress, folder: str) -> list[str]:
    """Return the command that gives a shell in a folder of a node. A folder may begin with ``~/``.

    Raises:
        ValueError: nothing is known that opens a terminal on this kind of node.
    """
    place = f'"$HOME"/{shlex.quote(folder[2:])}' if folder.startswith("~/") else shlex.quote(folder)
    inner = f'cd {place} && exec "${{SHELL:-/bin/sh}}" -l'
    if address.kind == "local":
        return ["/bin/sh", "-c", inner]
    if address.kind != "ssh":
        raise ValueError(f"{address.name} is reached by a command of yours; open a terminal there with it.")
    options = [
        *(("-p", str(address.port)) if address.port else ()),
        *(("-i", address.identity_file) if address.identity_file else ()),
        *(("-J", address.jump) if address.jump else ()),
    ]
    target = f"{address.user}@{address.host}" if address.user else address.host
    return ["ssh", "-t", *options, "--", target, inner]


def terminal_command(
    command: Sequence[str], which: Callable[[str], str | None] = shutil.which, platform: str = sys.platform
) -> list[str]:
    """Return what opens a terminal window on this desktop with a command in it.

    Raises:
        ValueError: no terminal was found.
    """
    if platform == "darwin":
        told = shlex.join(command).replace("\\", "\\\\").replace('"', '\\"')
        return ["osascript", "-e", f'tell application "Terminal" to do script "{told}"',
                "-e", 'tell application "Terminal" to activate']  # fmt: skip
    if platform == "win32":
        found = which("wt.exe") or which("cmd.exe")
        if found is None:
            raise ValueError("No terminal was found on this computer.")
        return [found, *command] if found.lower().endswith("wt.exe") else [found, "/c", "start", "", *command]
    for name, before in _LINUX:
        found = which(name)
        if found is not None:
            return [found, *([before] if before else []), *command]
    raise ValueError("No terminal was found on this computer; install one, such as xterm.")


def open_terminal(address: NodeAddress, folder: str) -> None:
    """Open a terminal window in a folder of a node; it lives on by itself. Raises ValueError, OSError."""
    command = terminal_command(shell_in(address, folder))
    subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=os.name != "nt",
    )  # fmt: skip
