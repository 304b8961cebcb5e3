"""The terminal that opens in a run's folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.remote.transport import NodeAddress
from studio.session.terminal import shell_in, terminal_command


def test_that_a_local_shell_starts_in_the_folder_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it's a; $(folder)"
    folder.mkdir()
    shell = tmp_path / "shell"
    shell.write_text("#!/bin/sh\npwd\n")
    shell.chmod(0o700)
    monkeypatch.setenv("SHELL", str(shell))
    monkeypatch.setenv("HOME", str(tmp_path))
    for told in (str(folder), f"~/{folder.name}"):
        command = shell_in(NodeAddress("here"), told)
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == str(folder)


def test_that_a_node_behind_ssh_is_reached_as_its_address_says() -> None:
    address = NodeAddress("box", "ssh", "10.0.0.7", 2222, "dana", "/k", jump="gate")
    command = shell_in(address, "~/.luthier/runs/r-1")
    assert command[:-1] == ["ssh", "-t", "-p", "2222", "-i", "/k", "-J", "gate", "--", "dana@10.0.0.7"]
    assert command[-1].startswith('cd "$HOME"/.luthier/runs/r-1')
    with pytest.raises(ValueError, match="reached by a command"):
        shell_in(NodeAddress("box", "command", command="docker exec -i box"), "/r")


def test_that_the_first_terminal_found_is_used_and_none_is_said() -> None:
    found = {"konsole": "/usr/bin/konsole", "xterm": "/usr/bin/xterm"}
    assert terminal_command(["sh"], found.get, "linux") == ["/usr/bin/konsole", "-e", "sh"]
    with pytest.raises(ValueError, match="No terminal"):
        terminal_command(["sh"], lambda _: None, "linux")
