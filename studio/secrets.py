"""Passphrases and passwords in the system's keyring, for those who wish it; without one they live in memory only."""

from __future__ import annotations

import contextlib

_SERVICE = "luthier"


class KeyringKeeper:
    """The system's keyring, found when it is first needed. A computer without one keeps nothing and says so."""

    def __init__(self, service: str = _SERVICE) -> None:
        self._service = service

    def unavailable(self) -> str:
        """Return why nothing can be kept, as a sentence; "" where it can."""
        import keyring  # its back ends cost time to find
        from keyring.backends import fail, null

        found = keyring.get_keyring()
        if isinstance(found, (fail.Keyring, null.Keyring)):
            return (
                "This computer has no keyring (such as GNOME Keyring, KWallet or the keychain), so the answer is kept "
                "in memory until Luthier ends."
            )
        return ""

    def secret(self, account: str) -> str:
        """Return what is kept, "" where nothing is or the keyring is locked."""
        import keyring
        from keyring.errors import KeyringError

        with contextlib.suppress(KeyringError, RuntimeError, OSError):
            return keyring.get_password(self._service, account) or ""
        return ""

    def keep(self, account: str, secret: str) -> None:
        """Keep a secret; where the keyring refuses, memory has to do."""
        import keyring
        from keyring.errors import KeyringError

        with contextlib.suppress(KeyringError, RuntimeError, OSError):
            keyring.set_password(self._service, account, secret)

    def forget(self, account: str) -> None:
        """Drop what is kept."""
        import keyring
        from keyring.errors import KeyringError

        with contextlib.suppress(KeyringError, RuntimeError, OSError):
            keyring.delete_password(self._service, account)
