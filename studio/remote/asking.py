"""What only a person knows: passphrases, passwords and one-time codes; asked once, kept in memory or where wished.

The person is asked through a call that blocks the connecting thread for a bounded time; whoever connects for a window
or a terminal provides it. Answers never reach a log, an argument list or a file of ours.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Protocol

ANSWER_S = 110.0
"""How long a person has, in seconds; servers close a login that takes longer than 120 s (LoginGraceTime)."""

PASSPHRASE, PASSWORD, CODE = "passphrase", "password", "code"


@dataclasses.dataclass(frozen=True)
class Prompt:
    """One line to answer; ``hidden`` where what is typed must not be seen."""

    text: str
    hidden: bool = True


@dataclasses.dataclass(frozen=True)
class SecretQuestion:
    """What a person is asked. The texts of a code's prompts come from the server and are shown as plain text.

    ``kind`` is passphrase, password or code; ``node`` the node's name, ``where`` the login as user@host (port N);
    ``subject`` the key file of a passphrase; ``again`` says that the last answer was wrong; ``account`` is the name
    under which the answer may be kept, empty where it may not.
    """

    kind: str
    node: str
    where: str
    prompts: tuple[Prompt, ...]
    subject: str = ""
    title: str = ""
    instruction: str = ""
    again: bool = False
    account: str = ""


@dataclasses.dataclass(frozen=True)
class SecretAnswer:
    """One text for each prompt; ``keep`` asks for the system's keyring."""

    texts: tuple[str, ...] = dataclasses.field(repr=False)
    keep: bool = False


class Keeper(Protocol):
    """Where secrets outlive the program; both calls return at once where there is no such place."""

    def secret(self, account: str) -> str:
        """Return what is kept, "" where nothing is."""

    def keep(self, account: str, secret: str) -> None:
        """Keep a secret."""

    def forget(self, account: str) -> None:
        """Drop what is kept."""


AskPerson = Callable[[SecretQuestion], SecretAnswer | None]
"""Blocks until a person has answered, at most `ANSWER_S`; None where nobody did or nobody wants to."""


class Asker:
    """Asks a person, and remembers answers while the program runs. Used from any thread; one question at a time."""

    def __init__(self, ask: AskPerson | None = None, keeper: Keeper | None = None) -> None:
        self.ask = ask
        self.keeper = keeper
        self._memory: dict[str, str] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @property
    def has_person(self) -> bool:
        """Say whether there is anybody to ask."""
        return self.ask is not None

    def one(self, question: SecretQuestion) -> str | None:
        """Return the answer to a question with one prompt, from memory where it was given before; None without one."""
        known = self._known(question.account)
        if known is not None:
            return known
        with self._turn:
            known = self._known(question.account)  # another connection may have asked meanwhile
            if known is not None:
                return known
            answer = self._asked(question)
            if answer is None:
                return None
            text = answer.texts[0]
            if question.account:
                with self._lock:
                    self._memory[question.account] = text
                if answer.keep and self.keeper is not None:
                    self.keeper.keep(question.account, text)
            return text

    def several(self, question: SecretQuestion) -> tuple[str, ...] | None:
        """Return the answers to all prompts; nothing of them is kept. None where nobody answered."""
        with self._turn:
            answer = self._asked(question)
        return None if answer is None else answer.texts

    def was_wrong(self, account: str) -> None:
        """Forget an answer that was not accepted."""
        with self._lock:
            self._memory.pop(account, None)
        if self.keeper is not None:
            self.keeper.forget(account)

    def _asked(self, question: SecretQuestion) -> SecretAnswer | None:
        answer = self.ask(question) if self.ask is not None else None
        if answer is None or len(answer.texts) != len(question.prompts):
            return None
        return answer

    def _known(self, account: str) -> str | None:
        if not account:
            return None
        with self._lock:
            if account in self._memory:
                return self._memory[account]
        kept = self.keeper.secret(account) if self.keeper is not None else ""
        if not kept:
            return None
        with self._lock:
            self._memory[account] = kept
        return kept


NOBODY = Asker()
"""Asks nobody: whatever needs a person fails with a sentence."""
