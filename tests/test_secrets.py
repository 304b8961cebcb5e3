"""The keeper of secrets on a computer with a keyring and on one without."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from studio.secrets import KeyringKeeper


class _Ring(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("locked")
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.held:
            raise PasswordDeleteError("not there")
        del self.held[service, username]


@pytest.fixture
def ring() -> Iterator[_Ring]:
    before = keyring.get_keyring()
    ring = _Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_that_a_secret_is_kept_and_forgotten(ring: _Ring) -> None:
    keeper = KeyringKeeper()
    assert keeper.unavailable() == "" and keeper.secret("a") == ""
    keeper.keep("a", "word")
    assert keeper.secret("a") == "word" and ring.held == {("luthier", "a"): "word"}
    keeper.forget("a")
    keeper.forget("a")
    assert not ring.held


def test_that_a_locked_keyring_holds_nothing_and_breaks_nothing(ring: _Ring) -> None:
    ring.locked = True
    keeper = KeyringKeeper()
    keeper.keep("a", "word")
    assert keeper.secret("a") == "" and not ring.held


def test_that_a_computer_without_a_keyring_says_so() -> None:
    keeper = KeyringKeeper()
    keeper.keep("a", "word")
    keeper.forget("a")
    assert keeper.secret("a") == ""
    assert "has no keyring" in keeper.unavailable() and "in memory" in keeper.unavailable()
