"""The SSH transport against a real OpenSSH server whose logins are noisy: channels, sharing, jumps."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.deploy import AgentArchive
from studio.remote.errors import (
    NeedsPerson,
)
from studio.remote.reach import open_transport
from studio.remote.ssh import SshTransport
from studio.remote.transport import NodeAddress
from tests.support.sshd import logins, make_known, node_address, open_ssh, running_sshd, wait_until

SHORT = Patience(ping_every_s=0.3, dead_after_s=1.5)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


def test_that_calls_share_one_connection_and_survive_banner_noise_and_false_marks(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    agent = Agent(transport, "~/.luthier", archive)
    for _ in range(3):
        assert agent.probe().cores == 1
    assert logins(sshd) == 1


def test_that_json_in_the_login_folder_is_not_imported(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    home = sshd.folder.parent / "home"
    for name in ("json.py", "sitecustomize.py", "remote_agent.py"):
        (home / name).write_text("raise SystemExit('planted')", encoding="ascii")
    hostname = Agent(transport, "~/.luthier", archive).probe().hostname
    assert f'"cwd": "{home}"' in hostname
    assert "/json/__init__.py" in hostname


def test_that_megabytes_of_noise_before_the_agent_are_passed_over(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    with running_sshd(tmp_path / "server", b"\x00\xff noise \n" * 300_000) as sshd:
        transport = open_ssh(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()


def test_that_eight_megabytes_of_complaints_fill_no_window(transport: SshTransport, archive: AgentArchive) -> None:
    assert Agent(transport, "~/.luthier", archive).browse("flood").path == "flood"


def test_that_a_node_that_allows_one_session_a_connection_still_serves_two(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    with running_sshd(tmp_path / "server", options=["MaxSessions 1"]) as sshd:
        transport = open_ssh(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        agent = Agent(transport, "~/.luthier", archive)
        stream = agent.attach(CURSOR, follow=True)
        assert agent.probe().cores == 1
        assert stream.receive(5.0)
        stream.close()
        transport.close()
        assert logins(sshd) == 2


def test_that_several_threads_share_the_connection(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    agent = Agent(transport, "~/.luthier", archive)
    agent.probe()
    cores: list[int] = []
    threads = [threading.Thread(target=lambda: cores.append(agent.probe().cores)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cores == [1, 1, 1, 1]
    assert logins(sshd) == 1


def test_that_a_jump_host_leads_to_the_node(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    config = tmp_path / "jump_config"
    config.write_text(
        f"Host inner\n HostName 127.0.0.1\n Port {sshd.port}\n ProxyJump outer\n"
        f"Host outer\n HostName 127.0.0.1\n Port {sshd.port}\n"
        f"Match all\n User {sshd.user}\n IdentityFile {sshd.identity_file}\n",
        encoding="ascii",
    )
    transport = SshTransport(NodeAddress("n", "ssh", "inner"), known_hosts, config)
    assert Agent(transport, "~/.luthier", archive).probe().cores == 1
    assert logins(sshd) == 2
    transport.close()


def test_that_jumps_in_a_circle_are_refused(sshd: PrivateSshd, known_hosts: Path, tmp_path: Path) -> None:
    config = tmp_path / "circle"
    config.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n", encoding="ascii")
    with pytest.raises(NeedsPerson, match="circle"):
        SshTransport(NodeAddress("n", "ssh", "a"), known_hosts, config).open()


def test_that_users_of_one_node_share_its_connection_until_the_last_leaves(
    sshd: PrivateSshd, known_hosts: Path, archive: AgentArchive
) -> None:
    first = open_transport(node_address(sshd), known_hosts)
    second = open_transport(node_address(sshd), known_hosts)
    Agent(first, "~/.luthier", archive).probe()
    first.close()
    first.close()
    Agent(second, "~/.luthier", archive).probe()
    assert logins(sshd) == 1
    second.close()
    wait_until(lambda: not sshd.sessions())
    third = open_transport(node_address(sshd), known_hosts)
    Agent(third, "~/.luthier", archive).probe()
    third.close()
    assert logins(sshd) == 2
