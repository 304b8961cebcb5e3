"""Paramiko's client with two additions: it offers the key types we want, and knows whether the server said goodbye."""

from __future__ import annotations

import paramiko


class ClientTransport(paramiko.Transport):
    """A client's side of a connection.

    Attributes:
        wanted_keys: the types of host keys to ask for, in order.
        was_dismissed: the server ended the connection with a message of its own, as it does after too many keys. Where
            it is False and the connection is gone, it was cut.
    """

    wanted_keys: tuple[str, ...] = ()
    was_dismissed = False

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Return the types of host keys to ask for."""
        return self.wanted_keys

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        self.was_dismissed = True
        super()._parse_disconnect(m)  # type: ignore[misc]
