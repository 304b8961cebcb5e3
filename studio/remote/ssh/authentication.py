"""Logs in: keys first, then what a person answers, as many steps as the server wants; nothing is offered twice.

A failed login is never repeated by itself: sites lock addresses out for it. Only a person's new answer is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import paramiko
from paramiko.ssh_exception import BadAuthenticationType

from studio.remote.asking import ANSWER_S, CODE, PASSPHRASE, PASSWORD, Asker, Prompt, SecretQuestion
from studio.remote.errors import AuthenticationFailed, LinkError, NeedsPerson
from studio.remote.link_socket import LinkSocket
from studio.remote.ssh.channel import BROKEN
from studio.remote.ssh.client_transport import ClientTransport
from studio.remote.ssh.keys import TOUCH_S, Candidate, agent_keys, candidates
from studio.remote.ssh_config import SshTarget

MAX_KEYS = 5  # OpenSSH's MaxAuthTries is 6
MAX_ROUNDS = 4
_HUMAN_TRIES = 2
_PASSWORD_PROMPT = re.compile(r"pass\s?(word|phrase|code for)|kennwort|mot de passe|mật khẩu", re.IGNORECASE)
_PERSON_S = 3 * ANSWER_S


class Authentication:
    """One login over one connection. ``node`` is the node's name for whoever is asked; `run` is called once."""

    def __init__(
        self, transport: ClientTransport, link: LinkSocket, target: SshTarget, asker: Asker, node: str
    ) -> None:
        self._transport, self._link, self._target, self._asker, self._node = transport, link, target, asker, node
        self._where = f"{target.host} (port {target.port})"
        self._login = f"{target.user}@{target.host} (port {target.port})"
        self._offered: list[str] = []
        self._notes: list[str] = []
        self._passed: list[str] = []
        self._declined = False

    def run(self) -> str:
        """Log in and return how, such as "the key ~/.ssh/id_ed25519". Raises AuthenticationFailed, NeedsPerson."""
        allowed = self._allowed()
        for _ in range(MAX_ROUNDS):
            if not allowed:
                return " and ".join(self._passed) or "no proof at all"
            further = self._step(allowed)
            if further is None:
                raise self._failure(allowed)
            allowed = further
        raise AuthenticationFailed(f"{self._where} wants more than {MAX_ROUNDS} proofs of who you are, one by one.")

    def _allowed(self) -> list[str]:
        """Return the ways that the server offers, [] where it asks for nothing."""
        try:
            return self._bounded(lambda: self._transport.auth_none(self._target.user), TOUCH_S)
        except BadAuthenticationType as error:
            return list(error.allowed_types)
        except paramiko.AuthenticationException:
            self._check_cut("at the login")
            return ["publickey", "keyboard-interactive", "password"]
        except BROKEN as error:
            raise LinkError(f"{self._where} ended the connection at the login ({error}).") from None

    def _step(self, allowed: list[str]) -> list[str] | None:
        """Pass one step and return what is wanted then, [] for nothing; None where no way led on."""
        ways: tuple[tuple[str, Callable[[], list[str] | None]], ...] = (
            ("publickey", self._with_keys),
            ("keyboard-interactive", self._with_answers),
            ("password", self._with_password),
        )
        for name, way in ways:
            if name in allowed and self._transport.is_active():
                further = way()
                if further is not None:
                    return further
        return None

    def _with_keys(self) -> list[str] | None:
        with agent_keys(self._target, self._notes) as held:
            for candidate in candidates(self._target, held, self._passphrase, self._notes):
                if candidate.label in self._offered:
                    continue
                if len(self._offered) == MAX_KEYS:
                    self._notes.append(f"only {MAX_KEYS} keys are offered; name one in the node's settings")
                    return None
                self._offered.append(candidate.label)
                further = self._offer(candidate)
                if further is not None:
                    self._passed.append(f"the key {candidate.label}")
                    return further
                if not self._transport.is_active():
                    return None
        return None

    def _offer(self, candidate: Candidate) -> list[str] | None:
        try:
            return self._bounded(lambda: self._transport.auth_publickey(self._target.user, candidate.key), TOUCH_S)
        except BadAuthenticationType as error:
            self._notes.append(f"it takes no keys, only {', '.join(error.allowed_types)}")
        except paramiko.AuthenticationException as error:
            self._check_cut("while it looked at the key")
            if not self._transport.is_active():
                self._notes.append("it then ended the connection")
            elif "timeout" in str(error).lower():
                self._notes.append("a key on a token waits for a touch")
        except BROKEN as error:
            if not self._transport.is_active():
                raise LinkError(f"{self._where} ended the connection while it looked at the key ({error}).") from None
            self._notes.append(str(error))
        return None

    def _passphrase(self, file: Path, again: bool) -> str | None:
        account = f"passphrase:{file}"
        if again:
            self._asker.was_wrong(account)
        prompt = Prompt(f"Passphrase of {file}")
        return self._asker.one(
            SecretQuestion(
                PASSPHRASE, self._node, self._login, (prompt,), subject=str(file), again=again, account=account
            )
        )

    @property
    def _account(self) -> str:
        return f"password:{self._target.user}@{self._target.host}:{self._target.port}"

    def _with_password(self) -> list[str] | None:
        for attempt in range(_HUMAN_TRIES):
            password = self._password(Prompt(f"Password of {self._login}"), attempt > 0)
            if password is None:
                return None
            try:
                further = self._bounded(
                    lambda: self._transport.auth_password(self._target.user, password, fallback=False),  # noqa: B023
                    TOUCH_S,
                )
            except BadAuthenticationType:
                return None
            except paramiko.AuthenticationException:
                self._check_cut("at the password")
                self._asker.was_wrong(self._account)
                if not self._transport.is_active():
                    break
                continue
            except BROKEN as error:
                raise LinkError(f"{self._where} ended the connection at the password ({error}).") from None
            self._passed.append("the password")
            return further
        self._notes.append("the password was wrong")
        return None

    def _password(self, prompt: Prompt, again: bool) -> str | None:
        question = SecretQuestion(PASSWORD, self._node, self._login, (prompt,), again=again, account=self._account)
        return self._asker.one(question)

    def _with_answers(self) -> list[str] | None:
        if not self._asker.has_person:
            self._notes.append("it asks questions (keyboard-interactive), and there is nobody to answer them here")
            return None
        for attempt in range(_HUMAN_TRIES):
            asked = _Answering(self, attempt > 0)
            try:
                further = self._bounded(
                    lambda: self._transport.auth_interactive(self._target.user, asked.answer),  # noqa: B023
                    _PERSON_S,
                )
            except BadAuthenticationType:
                return None
            except BROKEN as error:
                if asked.was_declined:
                    raise NeedsPerson(f"{self._where} asks for {asked.wanted}, and nobody answered.") from None
                self._check_cut("at the question")
                if asked.used_password:
                    self._asker.was_wrong(self._account)
                if not isinstance(error, paramiko.AuthenticationException):
                    raise LinkError(f"{self._where} ended the connection at the question ({error}).") from None
                if not asked.rounds or not self._transport.is_active():
                    break
                continue
            self._passed.append("your answers")
            return further
        self._notes.append("what was answered was wrong")
        return None

    def _check_cut(self, moment: str) -> None:
        """Raise LinkError where no answer came because the connection was cut: that refuses nothing."""
        if not self._transport.is_active() and not self._transport.was_dismissed:
            raise LinkError(f"The connection to {self._where} was cut {moment}.")

    def _bounded(self, call: Callable[[], list[str]], seconds: float) -> list[str]:
        self._transport.auth_timeout = seconds
        with self._link.within(seconds + 5):
            return call()

    def _failure(self, allowed: list[str]) -> AuthenticationFailed:
        keys = f"accepted none of these keys: {', '.join(self._offered)}"
        if not self._offered:
            keys = "needs a key, and there is none"
        if "publickey" not in allowed:
            keys = f"takes no keys, only {', '.join(allowed)}"
        if self._passed:
            passed, wanted = " and ".join(self._passed), " or ".join(allowed)
            keys = f"accepted {passed}, wants {wanted} as well, and got none that fits"
        notes = list(dict.fromkeys(self._notes))
        if any(way.startswith("gssapi") for way in allowed):
            notes.append("it also takes Kerberos, which the system's ssh can do: choose it for this node")
        also = "".join(f" ({note})" for note in notes)
        return AuthenticationFailed(
            f"{self._where} does not let {self._target.user} in: it {keys}.{also} Add the public key to "
            "~/.ssh/authorized_keys there, or choose another key file for this node."
        )

    def ask(self, title: str, instruction: str, prompts: tuple[Prompt, ...], again: bool) -> tuple[str, ...] | None:
        """Put one round of the server's questions; one that asks for the password is answered as the password is."""
        if len(prompts) == 1 and prompts[0].hidden and _PASSWORD_PROMPT.search(prompts[0].text):
            password = self._password(prompts[0], again)
            return None if password is None else (password,)
        question = SecretQuestion(
            CODE, self._node, self._login, prompts, title=title, instruction=instruction, again=again
        )
        return self._asker.several(question)

    def hang_up(self) -> None:
        """End the connection: an empty answer would count as a wrong one."""
        self._link.close()


class _Answering:
    """Answers the rounds of one keyboard-interactive login; called on paramiko's thread, which waits meanwhile."""

    def __init__(self, login: Authentication, again: bool) -> None:
        self._login, self._again = login, again
        self._told = ""
        self.rounds = 0
        self.used_password = False
        self.was_declined = False
        self.wanted = ""

    def answer(self, title: str, instruction: str, prompts: list[tuple[str, bool]]) -> list[str]:
        """Return one text for each prompt of a round."""
        if not prompts:  # only something to read, shown with the next question
            self._told = " ".join(part for part in (self._told, title, instruction) if part)[-2000:]
            return []
        self.rounds += 1
        shown = tuple(Prompt(text[:500], not echo) for text, echo in prompts[:16])
        self.wanted = ", ".join(prompt.text.strip(" :") for prompt in shown)[:200]
        instruction = " ".join(part for part in (self._told, instruction[:2000]) if part)
        answers = self._login.ask(title[:200], instruction, shown, self._again)
        self.used_password = self.used_password or bool(_PASSWORD_PROMPT.search(self.wanted))
        if answers is None or len(answers) != len(prompts):
            self.was_declined = True
            self._login.hang_up()
            return []
        return list(answers)
