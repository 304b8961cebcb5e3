"""Whom the SSH transport trusts, against real servers that show keys, other keys and certificates."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.deploy import AgentArchive
from studio.remote.errors import (
    HostKeyChanged,
    HostKeyUnknown,
)
from studio.remote.reach import accept_host_key
from studio.remote.ssh import SshTransport
from tests.support.sshd import make_known, node_address, open_ssh, running_sshd

SHORT = Patience(ping_every_s=0.3, dead_after_s=1.5)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


def test_that_an_unknown_host_is_asked_about_once_and_nothing_is_sent(
    sshd: PrivateSshd, tmp_path: Path, archive: AgentArchive
) -> None:
    ours = tmp_path / "config" / "ours"
    transport = SshTransport(node_address(sshd), ours, tmp_path / "ssh_config")
    agent = Agent(transport, "~/.luthier", archive)
    with pytest.raises(HostKeyUnknown) as caught:
        agent.probe()
    assert caught.value.fingerprint == sshd.fingerprint
    assert "publickey" not in sshd.log
    accept_host_key(ours, caught.value)
    assert agent.probe().cores == 1
    transport.close()


def test_that_a_changed_host_key_is_refused_before_anything_is_sent(
    sshd: PrivateSshd, known_hosts: Path, transport: SshTransport, archive: AgentArchive
) -> None:
    before = sshd.fingerprint
    sshd.renew_host_key()
    with pytest.raises(HostKeyChanged) as caught:
        Agent(transport, "~/.luthier", archive).probe()
    for part in (before, sshd.fingerprint, f"{known_hosts}:1"):
        assert part in caught.value.sentence
    assert "publickey" not in sshd.log


def test_that_the_users_own_known_hosts_are_read_and_never_written(
    sshd: PrivateSshd, tmp_path: Path, archive: AgentArchive
) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("@cert-authority * ssh-ed25519 AAAA\n" + sshd.known_hosts_line, encoding="ascii")
    before = theirs.read_bytes(), theirs.stat().st_mtime_ns
    config = tmp_path / "own_config"
    config.write_text(f"UserKnownHostsFile {theirs}\n", encoding="ascii")
    transport = SshTransport(node_address(sshd), tmp_path / "ours", config)
    assert Agent(transport, "~/.luthier", archive).probe().cores == 1
    transport.close()
    assert (theirs.read_bytes(), theirs.stat().st_mtime_ns) == before
    assert not (tmp_path / "ours").exists()


def test_that_a_server_is_recognised_by_whichever_of_its_keys_is_known(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    rsa = tmp_path / "rsa_host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(rsa)], check=True)
    with running_sshd(tmp_path / "server", options=[f"HostKey {rsa}"]) as sshd:
        kind, key = rsa.with_suffix(".pub").read_text(encoding="ascii").split()[:2]
        known = make_known(sshd, tmp_path / "config" / "known_hosts")
        for line in (sshd.known_hosts_line, f"[{sshd.host}]:{sshd.port} {kind} {key}\n"):
            known.write_text(line, encoding="ascii")
            transport = open_ssh(sshd, known)
            assert Agent(transport, "~/.luthier", archive).probe().cores == 1
            transport.close()
