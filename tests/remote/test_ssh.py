"""The SSH transport against a real OpenSSH server whose logins are noisy."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, AttachStream, Patience, Progress
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
from studio.remote.transport import NodeAddress
from tests.support.sshd import make_known, node_address, running_sshd

SHORT = Patience(ping_every_s=0.3, dead_after_s=1.5)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


@pytest.fixture
def transport(sshd: PrivateSshd, known_hosts: Path, tmp_path: Path) -> Iterator[SshTransport]:
    transport = SshTransport(node_address(sshd), known_hosts, tmp_path / "ssh_config")
    yield transport
    transport.close()


def _open(sshd: PrivateSshd, known_hosts: Path, identity_file: str | None = None) -> SshTransport:
    address = node_address(sshd)
    if identity_file is not None:
        address = replace(address, identity_file=identity_file)
    return SshTransport(address, known_hosts, known_hosts.parents[1] / "ssh_config")


def _logins(sshd: PrivateSshd) -> int:
    return sshd.log.count("Accepted publickey")


def test_that_calls_share_one_connection_and_survive_banner_noise_and_false_marks(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    agent = Agent(transport, "~/.luthier", archive)
    for _ in range(3):
        assert agent.probe().cores == 1
    assert _logins(sshd) == 1


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
        transport = _open(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()


def test_that_eight_megabytes_of_complaints_fill_no_window(transport: SshTransport, archive: AgentArchive) -> None:
    assert Agent(transport, "~/.luthier", archive).browse("flood").path == "flood"


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
            transport = _open(sshd, known)
            assert Agent(transport, "~/.luthier", archive).probe().cores == 1
            transport.close()


def test_that_a_wrong_key_fails_once_and_is_not_offered_again(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    wrong = tmp_path / "wrong"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(wrong)], check=True)
    transport = _open(sshd, known_hosts, identity_file=str(wrong))
    with pytest.raises(AuthenticationFailed, match=f"accepted none of these keys: {re.escape(str(wrong))}"):
        Agent(transport, "~/.luthier", archive).probe()
    assert len(re.findall(r"Connection closed by authenticating|Connection reset by authenticating", sshd.log)) <= 1
    assert sshd.log.count("Connection from") <= 2  # one is the fixture's own look whether the server answers
    assert _logins(sshd) == 0


def test_that_a_key_with_a_passphrase_says_how_to_unlock_it(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    locked = tmp_path / "locked"
    shutil.copyfile(sshd.identity_file, locked)
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "a phrase", "-f", str(locked)], check=True, capture_output=True)
    with pytest.raises(AuthenticationFailed, match=f"passphrase: unlock it with ssh-add {re.escape(str(locked))}"):
        Agent(_open(sshd, known_hosts, identity_file=str(locked)), "~/.luthier", archive).probe()


def test_that_a_key_file_that_is_missing_or_no_key_is_named(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a key\n", encoding="ascii")
    for path, told in ((tmp_path / "nowhere", "there is no key file"), (junk, "holds no private key")):
        with pytest.raises(AuthenticationFailed, match=told):
            Agent(_open(sshd, known_hosts, identity_file=str(path)), "~/.luthier", archive).probe()


def test_that_the_keys_of_an_ssh_agent_are_used(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agent.socket"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        _wait(path.exists)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        subprocess.run(["ssh-add", "-q", str(sshd.identity_file)], env=environment, check=True, capture_output=True)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        monkeypatch.setenv("HOME", str(tmp_path))
        transport = _open(sshd, known_hosts, identity_file="")
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()
    finally:
        process.terminate()
        process.wait()


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
    assert _logins(sshd) == 2


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
    assert _logins(sshd) == 2


def test_that_a_stopped_server_bounds_the_sending_of_much_data(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.remote.ssh.SEND_STALL_S", 2.0)
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


def test_that_a_node_that_allows_one_session_a_connection_still_serves_two(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    with running_sshd(tmp_path / "server", options=["MaxSessions 1"]) as sshd:
        transport = _open(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        agent = Agent(transport, "~/.luthier", archive)
        stream = agent.attach(CURSOR, follow=True)
        assert agent.probe().cores == 1
        assert stream.receive(5.0)
        stream.close()
        transport.close()
        assert _logins(sshd) == 2


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
    assert _logins(sshd) == 1


def test_that_rekeying_every_megabyte_stalls_nothing(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    source = tmp_path / "big"
    source.write_bytes(os.urandom(8 << 20))
    with running_sshd(tmp_path / "server", options=["RekeyLimit 1M"]) as sshd:
        transport = _open(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        path = Agent(transport, "~/.luthier", archive).send_file("data", source)
        assert Path(path).read_bytes() == source.read_bytes()
        transport.close()


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
    assert _logins(sshd) == 2
    transport.close()


def test_that_jumps_in_a_circle_are_refused(sshd: PrivateSshd, known_hosts: Path, tmp_path: Path) -> None:
    config = tmp_path / "circle"
    config.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n", encoding="ascii")
    with pytest.raises(NeedsPerson, match="circle"):
        SshTransport(NodeAddress("n", "ssh", "a"), known_hosts, config).open()


def test_that_a_shell_that_runs_nothing_is_told(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    with PrivateSshd(
        tmp_path / "server", options=["ForceCommand echo 'This account is not available.'; exit 1"]
    ) as sshd:
        transport = _open(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
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
        transport = _open(sshd, make_known(sshd, tmp_path / "config" / "known_hosts"))
        with pytest.raises(NodeRefused, match=r"has no python3\. Install Python 3\.8 or later"):
            Agent(transport, "~/.luthier", archive).probe()
        transport.close()


def test_that_users_of_one_node_share_its_connection_until_the_last_leaves(
    sshd: PrivateSshd, known_hosts: Path, archive: AgentArchive
) -> None:
    first = open_transport(node_address(sshd), known_hosts)
    second = open_transport(node_address(sshd), known_hosts)
    Agent(first, "~/.luthier", archive).probe()
    first.close()
    first.close()
    Agent(second, "~/.luthier", archive).probe()
    assert _logins(sshd) == 1
    second.close()
    _wait(lambda: not sshd.sessions())
    third = open_transport(node_address(sshd), known_hosts)
    Agent(third, "~/.luthier", archive).probe()
    third.close()
    assert _logins(sshd) == 2


def test_that_an_agent_of_a_closed_connection_ends(
    transport: SshTransport, archive: AgentArchive, sshd: PrivateSshd
) -> None:
    stream = Agent(transport, "~/.luthier", archive).attach(CURSOR, follow=True)
    assert stream.receive(5.0)
    transport.close()
    with pytest.raises(LinkError):
        _drain(stream)
    stream.close()
    _wait(lambda: not sshd.sessions())


def _wait(until: object, seconds: float = 5.0) -> None:
    assert callable(until)
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "the condition did not come true"
        threading.Event().wait(0.02)
