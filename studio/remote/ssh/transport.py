"""A node over SSH: the connections that carry its channels, and the way to it through jump hosts and proxies."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from paramiko.ssh_exception import ChannelException

from studio.remote import bootstrap
from studio.remote.asking import NOBODY, Asker
from studio.remote.channel import Channel
from studio.remote.errors import LinkError, NeedsPerson, RemoteError
from studio.remote.link_socket import CONNECT_S, Stream, connect_tcp
from studio.remote.proxy_stream import ProxyStream
from studio.remote.ssh.connection import Connection, Tell
from studio.remote.ssh_config import SshTarget, jump_address, resolve
from studio.remote.transport import NodeAddress

MAX_CONNECTIONS = 4
_MAX_JUMPS = 8


def _silent(sentence: str) -> None:
    """Tell nobody."""


class SshTransport:
    """A node over SSH. Several threads may open channels; each channel belongs to the thread that opened it.

    One connection carries them all. Only a server that allows fewer sessions a connection gets further connections,
    at most four. A dead connection is replaced at the next `open`. ``tell`` takes a sentence for every step on the
    way there that went well.
    """

    def __init__(
        self,
        address: NodeAddress,
        known_hosts: Path,
        config_file: Path | None = None,
        asker: Asker = NOBODY,
        tell: Tell = _silent,
    ) -> None:
        self._address = address
        self._known_hosts = known_hosts
        self._config_file = config_file
        self._asker = asker
        self._tell = tell
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._failures = 0
        self._failure: NeedsPerson | None = None

    def open(self) -> Channel:
        """Return a channel that runs the bootstrap, connecting first where needed. Raises RemoteError.

        Calls that waited while another one met a question that nobody answered meet the same error: a person is not
        asked once for each of them, and no key is offered once more.
        """
        before = self._failures
        with self._lock:
            if self._failures != before and self._failure is not None:
                raise self._failure
            self._connections = [connection for connection in self._connections if connection.alive]
            for connection in tuple(self._connections):
                try:
                    return connection.run(bootstrap.COMMAND)
                except ChannelException:
                    continue
                except LinkError:
                    self._connections.remove(connection)
            if len(self._connections) >= MAX_CONNECTIONS:
                raise LinkError(f"{self.describe()} allows no further session (MaxSessions of its SSH server).")
            connection = self._first_connection()
            self._connections.append(connection)
            try:
                return connection.run(bootstrap.COMMAND)
            except ChannelException as error:
                raise NeedsPerson(f"{self.describe()} lets this user run no command: {error.text}.") from None

    def close(self) -> None:
        """End all connections, and with them their channels."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections = []

    def describe(self) -> str:
        """Return the node's name."""
        return self._address.name or self._address.host

    def look(self) -> None:
        """Shake hands and leave again: only the host key is judged. Raises RemoteError."""
        self._one(resolve(self._address, self._config_file), None, login=False).close()

    def _first_connection(self) -> Connection:
        try:
            return self._connect(self._address, ())
        except NeedsPerson as error:
            self._failures += 1
            self._failure = error
            raise

    def _connect(self, address: NodeAddress, passed: tuple[str, ...]) -> Connection:
        target = resolve(address, self._config_file)
        if address.host in passed or len(passed) > _MAX_JUMPS:
            raise NeedsPerson(f"The ssh configuration's ProxyJump leads in a circle at {address.host}.")
        if target.host != address.host or target.jumps:
            way = f", through {', then '.join(target.jumps)}" if target.jumps else ""
            self._tell(
                f"The ssh configuration makes {address.host} {target.host} (port {target.port}), user {target.user}"
                f"{way}."
            )
        below: Connection | None = None
        for number, jump in enumerate(target.jumps, 1):
            hop = jump_address(jump)
            try:
                if below is None:  # only the nearest may have jumps of its own, as with OpenSSH
                    below = self._connect(hop, (*passed, address.host))
                else:
                    below = self._one(resolve(hop, self._config_file), below)
            except RemoteError as error:
                error.at(f"On the way to {address.host}, at jump host {number} of {len(target.jumps)}, {hop.host}")
                raise
        return self._one(target, below)

    def _one(self, target: SshTarget, below: Connection | None, login: bool = True) -> Connection:
        connection: Connection | None = None
        stream: Stream | None = None
        try:
            stream = self._stream(target, below)
            connection = Connection(target, stream, below, self._tell)
            connection.shake_hands(self._known_hosts)
            if login:
                connection.authenticate(self._asker, self.describe())
        except Exception as error:
            if isinstance(error, LinkError) and isinstance(stream, ProxyStream):
                error.add(stream.last_words())
            if connection is not None:
                connection.close()
            elif below is not None:
                below.close()
            raise
        return connection

    def _stream(self, target: SshTarget, below: Connection | None) -> Stream:
        where = f"{target.host} (port {target.port})"
        if below is not None:
            stream = below.forward(target.host, target.port)
            self._tell(f"The jump host reaches {where}.")
            return stream
        if target.proxy_command:
            self._tell(f"The ssh configuration's ProxyCommand carries the bytes to {where}.")
            return ProxyStream(_shell(target.proxy_command), target.host)
        tcp = connect_tcp(target.host, target.port, target.hint, target.connect_s or CONNECT_S)
        self._tell(f"{where} accepts connections at {tcp.getpeername()[0]}.")
        return tcp


def _shell(command: str) -> list[str]:
    """Return what runs a ProxyCommand as ssh does: the user's shell, which the program then replaces."""
    if os.name == "nt":
        return ["cmd.exe", "/c", command]
    shell = os.environ.get("SHELL", "")
    return [shell if shutil.which(shell) else "/bin/sh", "-c", f"exec {command}"]
