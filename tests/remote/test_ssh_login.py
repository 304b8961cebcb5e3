"""How the SSH transport logs in: keys, agents, passphrases, passwords, codes and certificates, on real servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.deploy import AgentArchive
from studio.remote.errors import (
    AuthenticationFailed,
)
from tests.support.sshd import logins, open_ssh, wait_until

SHORT = Patience(ping_every_s=0.3, dead_after_s=1.5)
CURSOR = {"r": {"cursors": {"rank0": [0, "i", 0]}, "logs": {}}}


def test_that_a_wrong_key_fails_once_and_is_not_offered_again(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    wrong = tmp_path / "wrong"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(wrong)], check=True)
    transport = open_ssh(sshd, known_hosts, identity_file=str(wrong))
    with pytest.raises(AuthenticationFailed, match=f"accepted none of these keys: {re.escape(str(wrong))}"):
        Agent(transport, "~/.luthier", archive).probe()
    assert len(re.findall(r"Connection closed by authenticating|Connection reset by authenticating", sshd.log)) <= 1
    assert sshd.log.count("Connection from") <= 2  # one is the fixture's own look whether the server answers
    assert logins(sshd) == 0


def test_that_a_key_with_a_passphrase_says_how_to_unlock_it(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    locked = tmp_path / "locked"
    shutil.copyfile(sshd.identity_file, locked)
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "a phrase", "-f", str(locked)], check=True, capture_output=True)
    with pytest.raises(AuthenticationFailed, match=f"passphrase: unlock it with ssh-add {re.escape(str(locked))}"):
        Agent(open_ssh(sshd, known_hosts, identity_file=str(locked)), "~/.luthier", archive).probe()


def test_that_a_key_file_that_is_missing_or_no_key_is_named(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a key\n", encoding="ascii")
    for path, told in ((tmp_path / "nowhere", "there is no key file"), (junk, "holds no private key")):
        with pytest.raises(AuthenticationFailed, match=told):
            Agent(open_ssh(sshd, known_hosts, identity_file=str(path)), "~/.luthier", archive).probe()


def test_that_the_keys_of_an_ssh_agent_are_used(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agent.socket"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        wait_until(path.exists)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        subprocess.run(["ssh-add", "-q", str(sshd.identity_file)], env=environment, check=True, capture_output=True)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        monkeypatch.setenv("HOME", str(tmp_path))
        transport = open_ssh(sshd, known_hosts, identity_file="")
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()
    finally:
        process.terminate()
        process.wait()
