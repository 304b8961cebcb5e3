"""The ways to a node beside the built-in SSH over TCP: the system's ssh, commands, proxies, chains of jump hosts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.command_transport import CommandTransport
from studio.remote.deploy import AgentArchive
from studio.remote.errors import (
    AuthenticationFailed,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    NeedsPerson,
    NodeRefused,
)
from studio.remote.reach import accept_host_key, open_transport
from studio.remote.ssh import SshTransport
from studio.remote.system_ssh import SystemSshTransport
from studio.remote.transport import NodeAddress
from tests.support.sshd import logins, make_known, node_address, running_sshd, wait_until

SHORT = Patience(ping_every_s=0.3, dead_after_s=1.5)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


@pytest.fixture
def system(sshd: PrivateSshd, known_hosts: Path, tmp_path: Path) -> Iterator[SystemSshTransport]:
    transport = SystemSshTransport(node_address(sshd), known_hosts, tmp_path / "ssh_config")
    yield transport
    transport.close()


def test_that_the_systems_ssh_carries_all_channels_over_one_connection(
    system: SystemSshTransport, sshd: PrivateSshd, archive: AgentArchive, tmp_path: Path
) -> None:
    agent = Agent(system, "~/.luthier", archive)
    stream = agent.attach(CURSOR, follow=True)
    assert stream.receive(10.0)
    assert agent.probe().cores == 1
    source = tmp_path / "big"
    source.write_bytes(os.urandom(4 << 20))
    assert Path(agent.send_file("data", source)).read_bytes() == source.read_bytes()
    stream.close()
    assert logins(sshd) == 1
    system.close()
    wait_until(lambda: not sshd.sessions())


def test_that_the_systems_ssh_reconnects_after_its_connection_died(
    system: SystemSshTransport, sshd: PrivateSshd, archive: AgentArchive
) -> None:
    agent = Agent(system, "~/.luthier", archive)
    stream = agent.attach(CURSOR, follow=True)
    assert stream.receive(10.0)
    sshd.kill_sessions()
    with pytest.raises(LinkError):
        for _ in stream:
            pass
    stream.close()
    assert agent.probe().cores == 1
    assert logins(sshd) == 2


def test_that_a_stopped_server_is_noticed_through_the_systems_ssh(
    system: SystemSshTransport, sshd: PrivateSshd, archive: AgentArchive
) -> None:
    agent = Agent(system, "~/.luthier", archive, SHORT)
    stream = agent.attach(CURSOR, follow=True)
    assert stream.receive(10.0)
    sshd.pause()
    try:
        with pytest.raises(LinkError, match="has not answered"):
            while True:
                stream.receive(0.5)
        stream.close()
    finally:
        sshd.resume()
    assert agent.probe().cores == 1
    assert logins(sshd) == 2


def test_that_the_systems_ssh_asks_about_host_keys_as_the_built_in_one_does(
    sshd: PrivateSshd, tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    config = tmp_path / "ssh_config"
    config.write_text(f"UserKnownHostsFile {theirs}\n", encoding="ascii")
    ours = tmp_path / "config" / "a file with spaces"
    transport = SystemSshTransport(node_address(sshd), ours, config)
    agent = Agent(transport, "~/.luthier", archive)
    with pytest.raises(HostKeyUnknown) as caught:
        agent.probe()
    assert caught.value.fingerprint == sshd.fingerprint
    accept_host_key(ours, caught.value)
    assert agent.probe().cores == 1
    transport.close()
    sshd.renew_host_key()
    with pytest.raises(HostKeyChanged):
        agent.probe()
    assert not theirs.exists()


def test_that_the_systems_ssh_tells_why_it_fails(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    config = tmp_path / "ssh_config"
    address = replace(node_address(sshd), identity_file=str(tmp_path / "none"))
    with pytest.raises(AuthenticationFailed, match="Permission denied"):
        Agent(SystemSshTransport(address, known_hosts, config), "~/.luthier", archive).probe()
    elsewhere = replace(node_address(sshd), port=1)
    with pytest.raises(LinkError, match="Connection refused"):
        Agent(SystemSshTransport(elsewhere, known_hosts, config), "~/.luthier", archive).probe()


def test_that_a_node_chooses_its_program(sshd: PrivateSshd, known_hosts: Path, archive: AgentArchive) -> None:
    transport = open_transport(replace(node_address(sshd), program="ssh"), known_hosts)
    assert Agent(transport, "~/.luthier", archive).probe().cores == 1
    transport.close()


def test_that_a_command_carries_the_frames(tmp_path: Path, archive: AgentArchive) -> None:
    box = tmp_path / "box"
    box.mkdir()
    # what docker exec does: it starts the words that follow, with a home of their own
    command = f"""sh -c 'export HOME={box}; cd; exec "$@"' stand-in"""
    address = NodeAddress("box", "command", command=command)
    transport = open_transport(address, tmp_path / "known")
    agent = Agent(transport, "~/.luthier", archive)
    stream = agent.attach(CURSOR, follow=True)
    assert stream.receive(10.0)
    assert f'"cwd": "{box}"' in agent.probe().hostname
    assert (box / ".luthier").stat().st_mode & 0o077 == 0
    stream.close()
    transport.close()


def test_that_a_command_takes_the_bootstrap_as_one_text_where_it_says_so(tmp_path: Path, archive: AgentArchive) -> None:
    command = f"sh -c 'export HOME={tmp_path}; cd; eval \"$1\"' stand-in {{command}}"
    transport = CommandTransport(NodeAddress("box", "command", command=command))
    assert Agent(transport, "~/.luthier", archive).probe().cores == 1
    transport.close()


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        ("", NeedsPerson, "needs a command"),
        ("docker exec 'box", NeedsPerson, "quote"),
        ("docker exec -it box", NeedsPerson, "Write -i instead of -it"),
        ("no-such-program-anywhere x", NodeRefused, "no-such-program-anywhere cannot be used on this computer"),
        ("sh -c 'echo no such container >&2; exit 1'", NodeRefused, r"exit code 1\): no such container"),
    ],
)
def test_that_a_command_that_reaches_nothing_is_told(
    command: str, error: type[Exception], said: str, archive: AgentArchive
) -> None:
    transport = CommandTransport(NodeAddress("box", "command", command=command))
    with pytest.raises(error, match=said):
        Agent(transport, "~/.luthier", archive).probe()
    transport.close()


def test_that_a_command_that_hangs_is_ended_with_all_it_started(archive: AgentArchive, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    command = f"sh -c 'sleep 600 & echo $! > {mark}; wait'"
    transport = CommandTransport(NodeAddress("box", "command", command=command))
    with pytest.raises(LinkError, match="did not start the agent"):
        Agent(transport, "~/.luthier", archive, Patience(start_s=1.0)).probe()
    pid = int(mark.read_text(encoding="ascii"))
    wait_until(lambda: not Path(f"/proc/{pid}").exists() or "Z (zombie)" in Path(f"/proc/{pid}/status").read_text())
    transport.close()


PUMP = """
import os, socket, sys, threading
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
os.write(2, b"x" * (1 << 20))
def up():
    while data := os.read(0, 65536):
        link.sendall(data)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
open(sys.argv[3], "w").write(str(os.getpid()))
while data := link.recv(65536):
    os.write(1, data)
"""


def test_that_a_proxy_command_carries_the_connection_and_its_death_is_noticed(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    pump, mark = tmp_path / "pump.py", tmp_path / "pid"
    pump.write_text(PUMP, encoding="ascii")
    config = tmp_path / "proxy_config"
    config.write_text(f"ProxyCommand {sys.executable} {pump} %h %p {mark}\n", encoding="ascii")
    transport = SshTransport(node_address(sshd), known_hosts, config)
    agent = Agent(transport, "~/.luthier", archive)
    stream = agent.attach(CURSOR, follow=True)
    assert stream.receive(10.0)
    os.kill(int(mark.read_text(encoding="ascii")), 9)
    began, busy = time.monotonic(), time.process_time()
    with pytest.raises(LinkError, match="ended"):
        for _ in stream:
            pass
    assert time.monotonic() - began < 5.0 and time.process_time() - busy < 1.0
    stream.close()
    assert agent.probe().cores == 1
    transport.close()


def test_that_a_proxy_command_that_fails_is_told_in_its_own_words(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    config = tmp_path / "proxy_config"
    config.write_text('ProxyCommand sh -c "echo no way to %h >&2; exit 3"\n', encoding="ascii")
    with pytest.raises(LinkError, match=r"The ProxyCommand said: no way to 127\.0\.0\.1\."):
        Agent(SshTransport(node_address(sshd), known_hosts, config), "~/.luthier", archive).probe()


def test_that_the_failing_hop_of_a_chain_is_named(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_sshd(tmp_path / "second") as second:
        known_hosts.write_text(sshd.known_hosts_line + second.known_hosts_line, encoding="ascii")
        config = tmp_path / "chain"
        config.write_text(
            f"Host first\n HostName 127.0.0.1\n Port {sshd.port}\n IdentityFile {sshd.identity_file}\n"
            f"Host second\n HostName 127.0.0.1\n Port {second.port}\n IdentityFile {second.identity_file}\n"
            f"Match all\n User {sshd.user}\n IdentitiesOnly yes\n",
            encoding="ascii",
        )
        address = replace(node_address(sshd), jump="first,second")
        transport = SshTransport(address, known_hosts, config)
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()
        assert (logins(sshd), logins(second)) == (2, 1)
        (second.folder / "authorized_keys").write_text("", encoding="ascii")
        with pytest.raises(AuthenticationFailed, match=r"^On the way to 127\.0\.0\.1, at jump host 2 of 2, second: "):
            Agent(transport, "~/.luthier", archive).probe()
    with pytest.raises(LinkError, match=r"at jump host 2 of 2, second: 127\.0\.0\.1 .* cannot reach 127\.0\.0\.1"):
        Agent(transport, "~/.luthier", archive).probe()
    transport.close()
    wait_until(lambda: not sshd.sessions())


def test_that_a_jump_host_that_dies_is_noticed(
    sshd: PrivateSshd, tmp_path: Path, archive: AgentArchive, known_hosts: Path
) -> None:
    with running_sshd(tmp_path / "jump") as jump:
        known = make_known(jump, known_hosts)
        known.write_text(sshd.known_hosts_line + jump.known_hosts_line, encoding="ascii")
        config = tmp_path / "jump_config"
        config.write_text(
            f"Host outer\n HostName 127.0.0.1\n Port {jump.port}\n User {jump.user}\n"
            f" IdentityFile {jump.identity_file}\n",
            encoding="ascii",
        )
        transport = SshTransport(replace(node_address(sshd), jump="outer"), known, config)
        stream = Agent(transport, "~/.luthier", archive).attach(CURSOR, follow=True)
        assert stream.receive(10.0)
        jump.kill_sessions()
        began = time.monotonic()
        with pytest.raises(LinkError):
            for _ in stream:
                pass
        assert time.monotonic() - began < 5.0
        stream.close()
        transport.close()
