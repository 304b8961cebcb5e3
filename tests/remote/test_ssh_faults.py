"""What happens to the SSH transport when servers die, stall, lie or are none at all."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, AttachStream, Patience, Progress
from studio.remote.deploy import AgentArchive
from studio.remote.errors import (
    LinkError,
    NodeRefused,
)
from studio.remote.ssh import SshTransport
from studio.remote.ssh.channel import SshChannel
from studio.remote.transport import NodeAddress
from tests.support.sshd import logins, make_known, open_ssh, running_sshd, wait_until

SHORT = Patience(ping_every_s=0.3, dead_after_s=1.5)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


def test_that_a_refused_connection_is_a_sentence(known_hosts: Path, tmp_path: Path, archive: AgentArchive) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        address = NodeAddress("n", "ssh", "127.0.0.1", port, "me")
        with pytest.raises(LinkError, match=f"refused the connection: no SSH server listens on port {port}"):
            Agent(SshTransport(address, known_hosts, tmp_path / "ssh_config"), "~/.luthier", archive).probe()


def test_that_a_name_that_is_none_is_a_sentence(known_hosts: Path, tmp_path: Path, archive: AgentArchive) -> None:
    address = NodeAddress("n", "ssh", "no-such-machine.invalid", 22, "me")
    with pytest.raises(LinkError, match="There is no machine named no-such-machine"):
        Agent(SshTransport(address, known_hosts, tmp_path / "ssh_config"), "~/.luthier", archive).probe()


def test_that_a_service_that_is_no_ssh_server_is_a_sentence(
    known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        answer = threading.Thread(target=_answer_as_web_server, args=(server,))
        answer.start()
        address = NodeAddress("n", "ssh", "127.0.0.1", server.getsockname()[1], "me")
        with pytest.raises(LinkError, match="did not answer as an SSH server"):
            Agent(SshTransport(address, known_hosts, tmp_path / "ssh_config"), "~/.luthier", archive).probe()
        answer.join()


def _answer_as_web_server(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


def test_that_a_killed_session_is_a_link_error_and_a_new_attach_goes_on(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    agent = Agent(transport, "~/.luthier", archive)
    stream = agent.attach(CURSOR, follow=True)
    offset = 0
    for frame in stream:
        assert frame.head["offset"] == offset
        offset += len(frame.body)
        if offset >= 50:
            break
    sshd.kill_sessions()
    began = time.monotonic()
    with pytest.raises(LinkError, match="ended in the middle of attach"):
        _drain(stream)
    assert time.monotonic() - began < 2.0
    stream.close()
    again = agent.attach({"r": {"cursors": {"rank0": [0, "i", offset]}, "logs": {}}}, follow=True)
    assert again.receive(5.0)[0].head["offset"] == offset
    again.close()
    assert logins(sshd) == 2


def test_that_the_last_words_of_an_agent_that_is_gone_are_acknowledged_without_harm(
    transport: SshTransport, archive: AgentArchive
) -> None:
    stream = Agent(transport, "~/.luthier", archive).attach(CURSOR, follow=False)
    channel = stream._call._channel
    assert isinstance(channel, SshChannel)
    wait_until(lambda: channel._channel.closed)
    frames = list(stream)  # each piece is acknowledged, and nobody is there to hear it
    assert [frame.kind for frame in frames] == ["journal"] * 3 + ["result"]
    assert sum(len(frame.body) for frame in frames) == 600_000


def _drain(stream: AttachStream) -> None:
    for _ in stream:
        pass


def test_that_a_stopped_server_is_noticed_and_the_next_connection_goes_on(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    agent = Agent(transport, "~/.luthier", archive, SHORT)
    stream = agent.attach(CURSOR, follow=True)
    assert stream.receive(5.0)
    sshd.pause()
    try:
        began = time.monotonic()
        with pytest.raises(LinkError, match="has not answered"):
            while True:
                stream.receive(0.5)
        assert 1.0 < time.monotonic() - began < 4.0
        stream.close()
    finally:
        sshd.resume()
    assert agent.probe().cores == 1
    assert logins(sshd) == 2


def test_that_a_stopped_server_bounds_the_sending_of_much_data(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.remote.ssh.channel.SEND_STALL_S", 2.0)
    source = tmp_path / "big"
    source.write_bytes(bytes(64 << 20))
    agent = Agent(transport, "~/.luthier", archive, SHORT)
    paused = threading.Event()

    def pause_on_the_way(progress: object) -> None:
        if (
            getattr(progress, "phase", "") == "sending"
            and getattr(progress, "done", 0) > 8 << 20
            and not paused.is_set()
        ):
            sshd.pause()
            paused.set()

    try:
        began = time.monotonic()
        with pytest.raises(LinkError):
            agent.send_folder("data", source, on_progress=pause_on_the_way)
        assert paused.is_set()
        assert time.monotonic() - began < 10.0
    finally:
        sshd.resume()
    assert agent.send_folder("data", source).endswith(tuple("0123456789abcdef"))


def test_that_an_upload_cut_in_the_middle_goes_on_where_it_was(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd, tmp_path: Path
) -> None:
    source = tmp_path / "model"
    source.mkdir()
    (source / "a.bin").write_bytes(os.urandom(3 << 20))
    (source / "b.bin").write_bytes(os.urandom(24 << 20))
    agent = Agent(transport, "~/.luthier", archive)

    def cut(progress: Progress) -> None:
        if progress.phase == "sending" and progress.done > 12 << 20:
            sshd.kill_sessions()

    with pytest.raises(LinkError):
        agent.send_folder("models", source, on_progress=cut)
    seen: list[Progress] = []
    path = agent.send_folder("models", source, on_progress=seen.append)
    sending = [progress.done for progress in seen if progress.phase == "sending"]
    assert sending[0] >= 3 << 20
    assert sending[-1] == 27 << 20
    for name in ("a.bin", "b.bin"):
        assert (Path(path) / name).read_bytes() == (source / name).read_bytes()


def test_that_rekeying_every_megabyte_stalls_nothing(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    source = tmp_path / "big"
    source.write_bytes(os.urandom(8 << 20))
    with running_sshd(tmp_path / "server", options=["RekeyLimit 1M"]) as sshd:
        transport = open_ssh(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        path = Agent(transport, "~/.luthier", archive).send_file("data", source)
        assert Path(path).read_bytes() == source.read_bytes()
        transport.close()


def test_that_a_shell_that_runs_nothing_is_told(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    with PrivateSshd(
        tmp_path / "server", options=["ForceCommand echo 'This account is not available.'; exit 1"]
    ) as sshd:
        transport = open_ssh(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        with pytest.raises(NodeRefused, match=r"exit code 1\): This account is not available"):
            Agent(transport, "~/.luthier", archive).probe()
        transport.close()


def test_that_a_node_without_python_is_a_sentence(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    with PrivateSshd(
        tmp_path / "server", options=['ForceCommand PATH=/nowhere /bin/sh -c "$SSH_ORIGINAL_COMMAND"']
    ) as sshd:
        transport = open_ssh(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        with pytest.raises(NodeRefused, match=r"has no python3\. Install Python 3\.8 or later"):
            Agent(transport, "~/.luthier", archive).probe()
        transport.close()


def test_that_an_agent_of_a_closed_connection_ends(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    stream = Agent(transport, "~/.luthier", archive).attach(CURSOR, follow=True)
    assert stream.receive(5.0)
    transport.close()
    with pytest.raises(LinkError):
        _drain(stream)
    stream.close()
    wait_until(lambda: not sshd.sessions())


def test_that_a_login_cut_at_any_moment_refuses_nobody(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    address = NodeAddress("n", "ssh", sshd.host, sshd.port, sshd.user, str(sshd.identity_file))
    cuts: list[threading.Timer] = []

    def cut_soon(sentence: str) -> None:
        if "host key" in sentence:  # the login comes next
            cuts.append(threading.Timer(len(cuts) * 0.004, sshd.kill_sessions))
            cuts[-1].start()

    cut_in_the_login = 0
    for _ in range(12):
        transport = SshTransport(address, known_hosts, tmp_path / "ssh_config", tell=cut_soon)
        try:
            Agent(transport, "~/.luthier", archive).probe()
        except LinkError as error:  # and nothing that asks a person for another key
            cut_in_the_login += any(word in error.sentence for word in ("at the login", "while it looked at the key"))
        cuts[-1].join()
        transport.close()
    assert cut_in_the_login > 0
