"""Certificates of hosts and users, made by ssh-keygen and judged by us and by a real server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent
from studio.remote.asking import NOBODY
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AuthenticationFailed, HostKeyChanged, HostKeyUnknown, NeedsPerson
from studio.remote.ssh import SshTransport
from studio.remote.transport import NodeAddress
from tests.support.sshd import logins, make_known, node_address, open_ssh, running_sshd


def _keygen(*words: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *words], check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    key = tmp_path / "authority"
    _keygen("-t", "ed25519", "-N", "", "-f", str(key))
    return key


def _public(key: Path) -> str:
    return " ".join(key.with_name(key.name + ".pub").read_text(encoding="ascii").split()[:2])


def _probe(server: PrivateSshd, known: Path, archive: AgentArchive) -> int:
    transport = open_ssh(server, known)
    try:
        return Agent(transport, "~/.luthier", archive).probe().cores
    finally:
        transport.close()


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_that_a_known_authority_vouches_for_a_server(
    tmp_path: Path, archive: AgentArchive, authority: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    known = tmp_path / "config" / "known_hosts"
    known.parent.mkdir()
    key = tmp_path / "certified"
    _keygen("-t", kind, "-N", "", "-f", str(key))
    _certify(authority, key, "127.0.0.1,*.example")
    options = [f"HostKey {key}", f"HostCertificate {key}-cert.pub"]
    with running_sshd(tmp_path / "server", options=options) as server:
        known.write_text(f"@cert-authority *.0.0.1,[*.0.0.1]:* {_public(authority)}\n", encoding="ascii")
        assert _probe(server, known, archive) == 1
        if kind != "ed25519":
            return
        for line, error, said in (
            (f"@cert-authority elsewhere {_public(authority)}", HostKeyUnknown, "not known yet"),
            (f"@cert-authority * {_public(key)}", HostKeyUnknown, "not known yet"),
        ):
            known.write_text(f"{line}\n", encoding="ascii")
            with pytest.raises(error, match=said):
                _probe(server, known, archive)
        line = f"@cert-authority * {_public(authority)}\n@revoked * {_public(authority)}\n"
        known.write_text(line, encoding="ascii")
        with pytest.raises(HostKeyChanged, match="revoked"):
            _probe(server, known, archive)


@pytest.mark.parametrize(
    ("names", "more", "said"),
    [
        ("elsewhere.example", (), "it is not for 127.0.0.1 but for elsewhere.example"),
        ("127.0.0.1", ("-V", "20200101:20210101"), "it expired on 2021-01-01"),
        ("127.0.0.1", ("-V", "20990101:20990201"), "it is valid only from 2099-01-01"),
    ],
)
def test_that_a_certificate_that_does_not_hold_is_refused_with_the_reason(
    tmp_path: Path,
    archive: AgentArchive,
    authority: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: str,
    more: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    known = tmp_path / "config" / "known_hosts"
    known.parent.mkdir()
    key = tmp_path / "certified"
    _keygen("-t", "ed25519", "-N", "", "-f", str(key))
    _certify(authority, key, names, *more)
    options = [f"HostKey {key}", f"HostCertificate {key}-cert.pub"]
    with running_sshd(tmp_path / "server", options=options) as server:
        known.write_text(f"@cert-authority * {_public(authority)}\n", encoding="ascii")
        with pytest.raises(NeedsPerson, match=said):
            _probe(server, known, archive)
        assert "publickey" not in server.log
        # the key itself may still be on file, and then it holds
        known.write_text(f"@cert-authority * {_public(authority)}\n* {_public(key)}\n", encoding="ascii")
        assert _probe(server, known, archive) == 1


def test_that_a_users_certificate_opens_a_server_that_knows_only_its_authority(
    tmp_path: Path, archive: AgentArchive, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    config = tmp_path / "ssh_config"
    config.write_text("", encoding="ascii")
    options = [f"TrustedUserCAKeys {authority}.pub"]
    with running_sshd(tmp_path / "server", options=options) as server:
        known = make_known(server, tmp_path / "config" / "known_hosts")
        (server.folder / "authorized_keys").write_text("", encoding="ascii")
        with pytest.raises(AuthenticationFailed):
            _probe(server, known, archive)
        _keygen("-s", str(authority), "-I", "me", "-n", server.user, f"{server.identity_file}.pub")
        beside = server.folder / "user_key-cert.pub"
        assert _probe(server, known, archive) == 1
        elsewhere = tmp_path / "elsewhere-cert.pub"
        beside.rename(elsewhere)
        with pytest.raises(AuthenticationFailed):
            _probe(server, known, archive)
        config.write_text(f"IdentityFile {server.identity_file}\nCertificateFile {elsewhere}\n", encoding="ascii")
        address = NodeAddress("n", "ssh", server.host, server.port, server.user)
        transport = SshTransport(address, known, config, NOBODY)
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()
        assert logins(server) == 2 and "ID me" in server.log


def test_that_a_key_filed_without_a_port_is_good_for_every_port(
    sshd: PrivateSshd, tmp_path: Path, archive: AgentArchive
) -> None:
    known = tmp_path / "config" / "known_hosts"
    known.parent.mkdir()
    words = sshd.known_hosts_line.split()
    known.write_text(f"{sshd.host} {words[1]} {words[2]}\n", encoding="ascii")
    assert _probe(sshd, known, archive) == 1
    sshd.renew_host_key()
    with pytest.raises(HostKeyUnknown):  # another port of the host may well be another machine
        _probe(sshd, known, archive)


@pytest.mark.parametrize(("setting", "taken"), [("accept-new", True), ("no", True), ("yes", False)])
def test_that_strict_host_key_checking_is_honoured(
    sshd: PrivateSshd, tmp_path: Path, archive: AgentArchive, setting: str, taken: bool
) -> None:
    config = tmp_path / "strict_config"
    config.write_text(f"StrictHostKeyChecking {setting}\nUserKnownHostsFile /dev/null\n", encoding="ascii")
    ours = tmp_path / "config" / "ours"
    agent = Agent(SshTransport(node_address(sshd), ours, config), "~/.luthier", archive)
    if taken:
        assert agent.probe().cores == 1
        assert ours.read_text(encoding="ascii") == sshd.known_hosts_line
        sshd.renew_host_key()
        with pytest.raises(HostKeyChanged):
            Agent(SshTransport(node_address(sshd), ours, config), "~/.luthier", archive).probe()
    else:
        with pytest.raises(NeedsPerson, match="StrictHostKeyChecking is yes") as caught:
            agent.probe()
        assert not isinstance(caught.value, HostKeyUnknown) and not ours.exists()


def _certify(authority: Path, key: Path, names: str, *more: str) -> None:
    _keygen("-s", str(authority), "-h", "-I", "a host", "-n", names, *more, str(key.with_name(key.name + ".pub")))
