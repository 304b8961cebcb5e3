"""From a node's address to the transport that reaches it; users of one node share its connection."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from studio.remote.asking import NOBODY, Asker
from studio.remote.command_transport import CommandTransport
from studio.remote.errors import NeedsPerson
from studio.remote.known_hosts import accept_host_key
from studio.remote.system_ssh import SystemSshTransport
from studio.remote.transport import Channel, LocalTransport, NodeAddress, Transport

__all__ = ["SSH_CONFIG_VARIABLE", "SYSTEM_SSH", "accept_host_key", "open_transport", "unshared_transport"]

SYSTEM_SSH = "ssh"
"""The `NodeAddress.program` that chooses the system's ssh."""

SSH_CONFIG_VARIABLE = "LUTHIER_SSH_CONFIG"
"""Names a file that takes the place of the user's and the system's ssh configuration."""

_lock = threading.Lock()
_shared: dict[tuple[NodeAddress, Path], _Shared] = {}


class _Shared:
    """A transport and the number of its users."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.users = 0


class _Share:
    """One user's share of a transport: the last one to close it closes the connection."""

    def __init__(self, key: tuple[NodeAddress, Path], shared: _Shared) -> None:
        self._key = key
        self._shared = shared
        self._open = True

    def open(self) -> Channel:
        return self._shared.transport.open()

    def close(self) -> None:
        with _lock:
            if not self._open:
                return
            self._open = False
            self._shared.users -= 1
            if self._shared.users:
                return
            if _shared.get(self._key) is self._shared:
                del _shared[self._key]
        self._shared.transport.close()

    def describe(self) -> str:
        return self._shared.transport.describe()


def open_transport(address: NodeAddress, known_hosts: Path, asker: Asker = NOBODY) -> Transport:
    """Return a way to the node; nothing is connected before its first `open`.

    Calls with the same address and file of accepted host keys share one connection until the last is closed; ``asker``
    is that of the first.

    Raises:
        NeedsPerson: the address names no machine.
    """
    if address.kind == "local":
        return LocalTransport()
    key = (address, known_hosts)
    with _lock:
        shared = _shared.get(key)
        if shared is None:
            shared = _shared[key] = _Shared(unshared_transport(address, known_hosts, asker))
        shared.users += 1
    return _Share(key, shared)


def unshared_transport(
    address: NodeAddress, known_hosts: Path, asker: Asker = NOBODY, tell: Callable[[str], None] | None = None
) -> Transport:
    """Return a way to the node that nobody else uses; ``tell`` takes a sentence for each step of an SSH connection.

    Raises:
        NeedsPerson: the address names no machine.
    """
    if address.kind == "local":
        return LocalTransport()
    if address.kind == "command":
        return CommandTransport(address)
    if address.kind != "ssh" or not address.host:
        raise NeedsPerson(f"The node {address.name} has no address; give it a host name.")
    if address.program == SYSTEM_SSH:
        return SystemSshTransport(address, known_hosts, ssh_config_file())
    from studio.remote.ssh import SshTransport  # 0.3 s that a person without an SSH node never waits for

    if tell is None:
        return SshTransport(address, known_hosts, ssh_config_file(), asker)
    return SshTransport(address, known_hosts, ssh_config_file(), asker, tell)


def ssh_config_file() -> Path | None:
    """Return the file that takes the place of the user's ssh configuration, None where that is used."""
    config = os.environ.get(SSH_CONFIG_VARIABLE, "")
    return Path(config) if config else None
