"""The test of a way to a node, step by step, and servers that hand out only a terminal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.asking import NOBODY
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AuthenticationFailed, HostKeyUnknown, NeedsPerson, NodeRefused
from studio.remote.ssh import SshTransport
from studio.remote.terminal_only import is_terminal_only
from studio.remote.transport import NodeAddress
from studio.remote.walk import Step, walk
from tests.support.sshd import make_known, node_address, open_ssh


def _walk(address: NodeAddress, known: Path) -> tuple[bool, list[Step]]:
    steps: list[Step] = []
    return walk(address, known, NOBODY, steps.append), steps


@pytest.mark.parametrize("program", ["", "ssh"])
def test_that_every_step_is_a_sentence(sshd: PrivateSshd, known_hosts: Path, program: str) -> None:
    went, steps = _walk(replace(node_address(sshd), program=program), known_hosts)
    said = [step.sentence for step in steps]
    assert went and all(
        sentence.endswith(".") and step.error is None for sentence, step in zip(said, steps, strict=True)
    )
    if not program:
        wanted = (
            "accepts connections at 127.0.0.1",
            "is an SSH server: SSH-2.0-OpenSSH",
            f"host key {sshd.fingerprint} is the one in {known_hosts}:1",
            f"lets {sshd.user} in with the key {sshd.identity_file}",
            "runs commands without a terminal",
            "The agent answered",
        )
        assert [part in sentence for part, sentence in zip(wanted, said, strict=True)] == [True] * len(wanted)


def test_that_the_last_sentence_says_where_the_way_ends(sshd: PrivateSshd, known_hosts: Path, tmp_path: Path) -> None:
    went, steps = _walk(replace(node_address(sshd), identity_file=str(tmp_path / "none")), known_hosts)
    assert not went and isinstance(steps[-1].error, AuthenticationFailed) and len(steps) == 4
    went, steps = _walk(node_address(sshd), tmp_path / "nothing known")
    assert not went and isinstance(steps[-1].error, HostKeyUnknown) and len(steps) == 3
    assert steps[-1].error.art.startswith("+-") and steps[-1].error.art.count("\n") == 10


def test_that_a_shell_which_ignores_the_command_is_recognised(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    menu = tmp_path / "menu.sh"
    menu.write_text("#!/bin/sh\nprintf 'Welcome\\nuser@gate:~$ '\ncat >/dev/null\n", encoding="ascii")
    menu.chmod(0o700)
    for words, patience in ((f"{menu}", Patience(start_s=1.0)), ("echo 'Error: needs a PTY'; exit 1", Patience())):
        with PrivateSshd(tmp_path / f"server{len(words)}", options=[f"ForceCommand {words}"]) as server:
            transport = open_ssh(server, make_known(server, tmp_path / "config" / "known_hosts"))
            with pytest.raises(NodeRefused, match=r"gives a terminal but runs no command .*direct SSH"):
                Agent(transport, "~/.luthier", archive, patience).probe()
            transport.close()


class _TerminalOnly(paramiko.ServerInterface):
    """Lets anybody in and grants a session, a terminal and a shell, but no command."""

    def check_auth_none(self, username: str) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "none"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED


@contextmanager
def _terminal_only_server() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(paramiko.ECDSAKey.generate())
        transport.start_server(threading.Event(), _TerminalOnly())
        ended.wait(20)
        transport.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        thread.join()
        listener.close()


def test_that_a_server_which_refuses_commands_is_recognised(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("StrictHostKeyChecking accept-new\nUserKnownHostsFile /dev/null\n", encoding="ascii")
    with _terminal_only_server() as port:
        transport = SshTransport(NodeAddress("gate", "ssh", "127.0.0.1", port, "me"), tmp_path / "known", config)
        with pytest.raises(NeedsPerson, match="gives a terminal but runs no command"):
            transport.open()
        transport.close()


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        ("Error: Your SSH client doesn't support PTY", True),
        ("PTY allocation required\n", True),
        ("stdin: is not a tty", True),
        ("Welcome\n\x1b[32mroot@pod\x1b[0m:~# ", True),
        ("exec request not allowed", True),
        ("bash: python3: command not found", False),
        ("This account is not available.", False),
        ("Last login: never\n", False),
    ],
)
def test_that_words_for_a_terminal_are_told_from_other_words(said: str, is_one: bool) -> None:
    assert is_terminal_only(said) is is_one
