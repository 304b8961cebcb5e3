"""Hostile names, planted servers, revoked keys and eavesdroppers on the same computer, against a real server."""

from __future__ import annotations

import ipaddress
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent
from studio.remote.asking import Asker, SecretQuestion
from studio.remote.bootstrap import COMMAND
from studio.remote.command_transport import command_words
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AuthenticationFailed, HostKeyChanged, HostKeyUnknown, NeedsPerson
from studio.remote.ssh import SshTransport
from studio.remote.ssh.certificate import CertificateError, parse_certificate
from studio.remote.ssh_config import jump_address, resolve
from studio.remote.system_ssh import SystemSshTransport
from studio.remote.transport import NodeAddress
from tests.support.asking_sshd import asking_library, asking_sshd
from tests.support.sshd import logins, node_address, open_ssh, wait_until

NASTY = (
    "'; touch /tmp/planted; '",
    '"; $(touch planted) `touch planted`',
    "a\nb\r\nc",
    "-rf",
    "../../%h %d ${HOME} ~",
    "\u202egpj.exe \x1b[31m \x07",
    "ü" * 2000,
    "LUTHIER-BOOT 00000000000000000000000000000000 have",
)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


def test_that_no_value_of_a_call_is_seen_by_a_shell(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd, tmp_path: Path
) -> None:
    home = sshd.folder.parent / "home"
    for number, text in enumerate(NASTY):
        folder = f"{home}/{number}{text.replace('/', '_')[:80]}"
        agent = Agent(transport, folder, archive)
        assert agent.browse(text).path == text
        assert Path(folder).is_dir()
    assert not list(tmp_path.rglob("planted")) and not Path("/tmp/planted").exists()
    assert len([path for path in home.iterdir() if path.name[0].isdigit()]) == len(NASTY)


@pytest.mark.parametrize("kind", [SshTransport, SystemSshTransport])
def test_that_arguments_of_processes_hold_nothing_of_a_call(
    kind: type[SshTransport] | type[SystemSshTransport],
    sshd: PrivateSshd,
    known_hosts: Path,
    archive: AgentArchive,
    tmp_path: Path,
) -> None:
    transport = kind(node_address(sshd), known_hosts, tmp_path / "ssh_config")
    canary = "canary-7f3a"
    stream = Agent(transport, "~/.luthier", archive).attach({canary: CURSOR["r"]}, follow=True)
    assert stream.receive(10.0)
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _readable(path)]
    assert any(b"attach" in line for line in lines)
    assert not [line for line in lines if canary.encode() in line]
    stream.close()
    transport.close()


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def test_that_a_key_revoked_while_connected_is_offered_once_by_all_who_reconnect(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    agent = Agent(transport, "~/.luthier", archive)
    agent.probe()
    (sshd.folder / "authorized_keys").write_text("", encoding="ascii")
    sshd.pause()  # so that all of them wait for the same connection
    transport.close()
    before = sshd.log.count("Connection from")
    caught: list[Exception] = []

    def call() -> None:
        with pytest.raises(AuthenticationFailed) as failure:
            transport.open()
        caught.append(failure.value)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: sum(thread.is_alive() for thread in threads) == 3)
    sshd.resume()
    for thread in threads:
        thread.join()
    assert len(caught) == 3
    assert sshd.log.count("Connection from") - before <= 1
    assert logins(sshd) == 1


def test_that_no_password_is_asked_for_a_server_that_nobody_vouches_for(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    asked: list[SecretQuestion] = []
    options = ("PasswordAuthentication yes", "PubkeyAuthentication no")
    with asking_sshd(tmp_path / "server", asking_library(tmp_path), options) as server:
        known = tmp_path / "config" / "known_hosts"
        asker = Asker(asked.append)
        with pytest.raises(HostKeyUnknown):
            Agent(open_ssh(server, known, asker=asker), "~/.luthier", archive).probe()
        known.parent.mkdir()
        known.write_text(server.known_hosts_line, encoding="ascii")
        server.renew_host_key()
        with pytest.raises(HostKeyChanged):
            Agent(open_ssh(server, known, asker=asker), "~/.luthier", archive).probe()
        assert not asked and "Failed" not in server.log and "password" not in server.log


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=st.text(max_size=40), user=st.text(max_size=20), jump=st.text(max_size=30))
def test_that_any_text_as_an_address_is_refused_or_goes_into_its_own_field(
    host: str, user: str, jump: str, tmp_path: Path
) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("", encoding="ascii")
    try:
        target = resolve(NodeAddress("n", "ssh", host, user=user, jump=jump), config)
    except NeedsPerson:
        return
    # ssh writes a number as the address that it is
    assert target.host.lower() in (host.lower(), _as_address(target.host)) and (not user or target.user == user)
    assert not target.proxy_command and all(jump_address(one).host[0] != "-" for one in target.jumps)


def _as_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


@given(st.text(max_size=60))
def test_that_any_command_is_refused_or_ends_with_the_one_constant(command: str) -> None:
    try:
        words = command_words(command)
    except NeedsPerson:
        return
    assert words[-1] in COMMAND or any(COMMAND in word for word in words)


@given(st.binary(max_size=300))
def test_that_bytes_that_are_no_certificate_are_refused(blob: bytes) -> None:
    with pytest.raises(CertificateError):
        parse_certificate(blob)
