"""A server, a small agent and the file of accepted host keys, for every test of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.deploy import AgentArchive
from studio.remote.ssh import SshTransport
from tests.remote.fake_agent import fake_agent
from tests.support.sshd import make_known, node_address, running_sshd


@pytest.fixture
def archive(tmp_path: Path) -> AgentArchive:
    """Return the small agent's archive."""
    return fake_agent(tmp_path / "agent-source")


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateSshd]:
    """Run a server with noisy logins; neither the user's ssh configuration nor their ssh-agent is looked at."""
    config = tmp_path / "ssh_config"
    config.write_text("", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(config))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with running_sshd(tmp_path / "server") as server:
        yield server


@pytest.fixture
def known_hosts(sshd: PrivateSshd, tmp_path: Path) -> Path:
    """Return our own file of host keys, which holds the server's."""
    return make_known(sshd, tmp_path / "config" / "known_hosts")


@pytest.fixture
def transport(sshd: PrivateSshd, known_hosts: Path, tmp_path: Path) -> Iterator[SshTransport]:
    """Return the way to the server with the server's own key."""
    transport = SshTransport(node_address(sshd), known_hosts, tmp_path / "ssh_config")
    yield transport
    transport.close()
