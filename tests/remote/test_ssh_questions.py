"""Logins that ask a person, on real servers: passphrases, passwords, one-time codes, and two proofs in a row."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent
from studio.remote.asking import CODE as ASKS_CODE
from studio.remote.asking import PASSPHRASE, Asker, SecretAnswer, SecretQuestion
from studio.remote.asking import PASSWORD as ASKS_PASSWORD
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AuthenticationFailed, NeedsPerson
from tests.support.asking_sshd import CODE, PASSWORD, asking_library, asking_sshd
from tests.support.sshd import logins, make_known, open_ssh

ONLY_PASSWORD = ("PasswordAuthentication yes", "PubkeyAuthentication no")
ONLY_QUESTIONS = ("KbdInteractiveAuthentication yes", "PubkeyAuthentication no")


class Person:
    """Answers from a list, and notes what was asked; keeps what is to be kept in a dictionary."""

    def __init__(self, *answers: tuple[str, ...] | None, keep: bool = False) -> None:
        self.answers = list(answers)
        self.asked: list[SecretQuestion] = []
        self.kept: dict[str, str] = {}
        self._keep = keep

    def __call__(self, question: SecretQuestion) -> SecretAnswer | None:
        self.asked.append(question)
        texts = self.answers.pop(0) if self.answers else None
        return None if texts is None else SecretAnswer(texts, self._keep)

    def secret(self, account: str) -> str:
        return self.kept.get(account, "")

    def keep(self, account: str, secret: str) -> None:
        self.kept[account] = secret

    def forget(self, account: str) -> None:
        self.kept.pop(account, None)

    @property
    def asker(self) -> Asker:
        return Asker(self, self)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asking_library(tmp_path_factory.mktemp("pam"))


@pytest.fixture
def reach(
    tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> Callable[[PrivateSshd, Asker], int]:
    """Return what logs in and returns the cores that the node tells."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")

    def go(server: PrivateSshd, asker: Asker) -> int:
        transport = open_ssh(server, make_known(server, tmp_path / "config" / "known_hosts"), asker=asker)
        try:
            return Agent(transport, "~/.luthier", archive).probe().cores
        finally:
            transport.close()

    return go


def test_that_a_password_is_asked_once_and_again_only_after_a_wrong_one(
    tmp_path: Path, library: Path, reach: Callable[[PrivateSshd, Asker], int]
) -> None:
    with asking_sshd(tmp_path / "server", library, ONLY_PASSWORD) as server:
        person = Person(("wrong",), (PASSWORD,))
        asker = person.asker
        assert reach(server, asker) == 1
        assert [(one.kind, one.again) for one in person.asked] == [(ASKS_PASSWORD, False), (ASKS_PASSWORD, True)]
        assert reach(server, asker) == 1
        assert len(person.asked) == 2 and not person.kept
        assert PASSWORD not in repr(SecretAnswer((PASSWORD,))) + server.log


def test_that_a_password_is_kept_only_where_wished_and_dropped_once_it_is_wrong(
    tmp_path: Path, library: Path, reach: Callable[[PrivateSshd, Asker], int]
) -> None:
    with asking_sshd(tmp_path / "server", library, ONLY_PASSWORD) as server:
        person = Person((PASSWORD,), keep=True)
        assert reach(server, person.asker) == 1
        assert list(person.kept.values()) == [PASSWORD]
        assert reach(server, Asker(person, person)) == 1 and len(person.asked) == 1
        person.kept = dict.fromkeys(person.kept, "out of date")
        with pytest.raises(AuthenticationFailed, match="takes no keys, only password"):
            reach(server, Asker(person, person))
        assert not person.kept


def test_that_a_password_nobody_gives_is_one_sentence_for_all_who_wait(
    tmp_path: Path, library: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    at_once = threading.Barrier(3)
    person = Person()

    def ask(question: SecretQuestion) -> None:
        person(question)
        threading.Event().wait(0.5)  # the others arrive meanwhile

    with asking_sshd(tmp_path / "server", library, ONLY_PASSWORD) as server:
        known = make_known(server, tmp_path / "config" / "known_hosts")
        transport = open_ssh(server, known, asker=Asker(ask))
        failures: list[NeedsPerson] = []

        def call() -> None:
            at_once.wait()
            with pytest.raises(NeedsPerson) as caught:
                transport.open()
            failures.append(caught.value)

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        transport.close()
    assert len(failures) == 3 and len(person.asked) == 1


def test_that_questions_in_several_rounds_are_put_as_the_server_puts_them(
    tmp_path: Path, library: Path, reach: Callable[[PrivateSshd, Asker], int]
) -> None:
    with asking_sshd(tmp_path / "server", library, ONLY_QUESTIONS, code=True) as server:
        person = Person((PASSWORD,), (CODE,), ("1",), (CODE,))
        asker = person.asker
        assert reach(server, asker) == 1
        assert [(one.kind, one.prompts[0].text, one.prompts[0].hidden) for one in person.asked] == [
            (ASKS_PASSWORD, "Password: ", True),
            (ASKS_CODE, "Code of the day: ", False),
        ]
        assert person.asked[1].account == ""
        with pytest.raises(AuthenticationFailed, match="what was answered was wrong"):
            reach(server, Person((PASSWORD,), ("1",), (PASSWORD,), ("2",)).asker)


def test_that_a_question_nobody_answers_ends_the_login_without_an_attempt(
    tmp_path: Path, library: Path, reach: Callable[[PrivateSshd, Asker], int]
) -> None:
    with asking_sshd(tmp_path / "server", library, ONLY_QUESTIONS, password=False, code=True) as server:
        with pytest.raises(NeedsPerson, match="asks for Code of the day, and nobody answered"):
            reach(server, Person().asker)
        with pytest.raises(AuthenticationFailed, match="there is nobody to answer them here"):
            reach(server, Asker())
        assert "Failed" not in server.log


def test_that_a_key_and_then_a_code_open_a_server_that_wants_both(
    tmp_path: Path, library: Path, reach: Callable[[PrivateSshd, Asker], int]
) -> None:
    options = ("KbdInteractiveAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive")
    with asking_sshd(tmp_path / "server", library, options, password=False, code=True) as server:
        person = Person((CODE,))
        assert reach(server, person.asker) == 1
        assert [one.kind for one in person.asked] == [ASKS_CODE]
        with pytest.raises(AuthenticationFailed, match=r"accepted the key .*, wants keyboard-interactive as well"):
            reach(server, Asker())


@pytest.mark.parametrize("cipher", ["aes256-ctr", "aes256-gcm@openssh.com"])
def test_that_a_passphrase_is_asked_once_whatever_the_files_cipher(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive, cipher: str
) -> None:
    locked = _locked(sshd, tmp_path, cipher)
    person = Person(("no",), ("a phrase",))
    asker = person.asker
    for _ in range(2):
        transport = open_ssh(sshd, known_hosts, str(locked), asker)
        assert Agent(transport, "~/.luthier", archive).probe().cores == 1
        transport.close()
    assert [(one.kind, one.subject, one.again) for one in person.asked] == [
        (PASSPHRASE, str(locked), False),
        (PASSPHRASE, str(locked), True),
    ]
    assert logins(sshd) == 2


def test_that_a_wrong_passphrase_never_reaches_the_server(
    sshd: PrivateSshd, known_hosts: Path, tmp_path: Path, archive: AgentArchive
) -> None:
    locked = _locked(sshd, tmp_path, "aes256-ctr")
    person = Person(("a",), ("b",), ("c",))
    with pytest.raises(AuthenticationFailed, match="was wrong three times"):
        Agent(open_ssh(sshd, known_hosts, str(locked), person.asker), "~/.luthier", archive).probe()
    assert "Failed" not in sshd.log


def _locked(sshd: PrivateSshd, folder: Path, cipher: str) -> Path:
    locked = folder / "locked"
    shutil.copyfile(sshd.identity_file, locked)
    locked.chmod(0o600)
    words = ["ssh-keygen", "-q", "-p", "-Z", cipher, "-N", "a phrase", "-f", str(locked)]
    subprocess.run(words, check=True, capture_output=True)
    return locked
