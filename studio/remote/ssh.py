"""A node over SSH: paramiko driven by hand, with our own socket, host key check and choice of keys.

Nothing here waits without an end, no key of a server is accepted unasked, and a failed authentication is never
repeated. A connection that no longer answers is abandoned, never joined.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH
from paramiko.ssh_exception import BadAuthenticationType, ChannelException, IncompatiblePeer

from studio.remote import bootstrap
from studio.remote.errors import AuthenticationFailed, LinkError, LinkTimeout, NeedsPerson
from studio.remote.known_hosts import HostKey, KnownKey, check_host_key, known_as, known_keys
from studio.remote.link_socket import LinkSocket, Stream, connect_tcp
from studio.remote.ssh_config import SshTarget, jump_address, resolve
from studio.remote.transport import CHUNK_BYTES, COMPLAINT_BYTES, SEND_STALL_S, Channel, Ending, NodeAddress

HANDSHAKE_S = 20.0
OPEN_S = 10.0
TOUCH_S = 120.0  # a key on a hardware token waits for a finger
MAX_KEYS = 5  # OpenSSH's MaxAuthTries is 6
MAX_CONNECTIONS = 4
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
# Its thread logs what our exceptions tell already, at ERROR and with tracebacks.
_LOG = "luthier.paramiko"
logging.getLogger(_LOG).setLevel(logging.CRITICAL + 1)
_BROKEN = (EOFError, OSError, paramiko.SSHException)


class SshTransport:
    """A node over SSH. Several threads may open channels; each channel belongs to the thread that opened it.

    One connection carries them all. Only a server that allows fewer sessions a connection gets further connections,
    at most four. A dead connection is replaced at the next `open`.
    """

    def __init__(self, address: NodeAddress, known_hosts: Path, config_file: Path | None = None) -> None:
        self._address = address
        self._known_hosts = known_hosts
        self._config_file = config_file
        self._lock = threading.Lock()
        self._connections: list[_Connection] = []

    def open(self) -> Channel:
        """Return a channel that runs the bootstrap, connecting first where needed. Raises RemoteError."""
        with self._lock:
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
            connection = self._connect(self._address, ())
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

    def _connect(self, address: NodeAddress, passed: tuple[str, ...]) -> _Connection:
        target = resolve(address, self._config_file)
        if address.host in passed or len(passed) > 8:
            raise NeedsPerson(f"The ssh configuration's ProxyJump leads in a circle at {address.host}.")
        further = [resolve(jump_address(jump), self._config_file) for jump in target.jumps[1:]]
        below: _Connection | None = None
        if target.jumps:  # only the nearest may have jumps of its own, as with OpenSSH
            below = self._connect(jump_address(target.jumps[0]), (*passed, address.host))
        for jump in further:
            below = self._one(jump, below)
        return self._one(target, below)

    def _one(self, target: SshTarget, below: _Connection | None) -> _Connection:
        files = (*target.known_hosts, self._known_hosts)
        known = known_keys(files, known_as(target.host, target.port, target.alias))
        connection: _Connection | None = None
        try:
            if below is None:
                stream: Stream = connect_tcp(target.host, target.port, target.hint)
            else:
                stream = below.forward(target.host, target.port)
            connection = _Connection(target, stream, below)
            connection.shake_hands(known)
            connection.authenticate()
        except Exception:
            if connection is not None:
                connection.close()
            elif below is not None:
                below.close()
            raise
        return connection


class _Connection:
    """One SSH connection, and the one below it that leads through a jump host."""

    def __init__(self, target: SshTarget, stream: Stream, below: _Connection | None) -> None:
        self._target = target
        self._below = below
        self._where = f"{target.host} (port {target.port})"
        self.link = LinkSocket(stream)
        self._transport = paramiko.Transport(self.link)  # type: ignore[arg-type]
        self._transport.set_log_channel(_LOG)
        self._transport.banner_timeout = HANDSHAKE_S
        self._transport.handshake_timeout = HANDSHAKE_S
        options = self._transport.get_security_options()
        options.ciphers = _CIPHERS
        options.digests = _MACS

    @property
    def alive(self) -> bool:
        return self._transport.is_active()

    def close(self) -> None:
        self.link.close()
        self._transport.close()
        if self._below is not None:
            self._below.close()

    def shake_hands(self, known: list[KnownKey]) -> None:
        """Agree on keys and judge the server's; nothing of ours is sent before."""
        filed = {entry.key.type for entry in known if not entry.revoked}
        filed |= {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in filed else set()
        self._transport.get_security_options().key_types = sorted(_KEY_TYPES, key=lambda name: name not in filed)
        try:
            with self.link.within(HANDSHAKE_S + 1):
                self._transport.start_client(timeout=HANDSHAKE_S)
            key = self._transport.get_remote_server_key()
        except IncompatiblePeer as error:
            raise NeedsPerson(f"{self._where} offers only methods that are no longer safe: {error}.") from None
        except _BROKEN as error:
            raise LinkError(
                f"{self._where} did not answer as an SSH server within {HANDSHAKE_S:.0f} s "
                f"({str(error) or 'it closed the connection'}). It may be busy, or refuse this address."
            ) from None
        offered = HostKey(key.get_name(), key.asbytes())
        target = self._target
        check_host_key(known, offered, target.host, target.port, known_as(target.host, target.port, target.alias))

    def authenticate(self) -> None:
        """Offer the keys one after the other, each once. Raises AuthenticationFailed."""
        user = self._target.user or getpass.getuser()
        offered: list[str] = []
        notes: list[str] = []
        with _agent(self._target, notes) as agent_keys:
            for label, key in _keys(self._target, agent_keys, notes):
                if len(offered) == MAX_KEYS:
                    notes.append(f"only {MAX_KEYS} keys are offered; name one in the node's settings")
                    break
                offered.append(label)
                if self._offer(user, key, notes):
                    return
                if not self.alive:
                    break
        tried = f"accepted none of these keys: {', '.join(offered)}" if offered else "needs a key, and there is none"
        also = "".join(f" ({note})" for note in notes)
        raise AuthenticationFailed(
            f"{self._where} does not let {user} in: it {tried}.{also} Add the public key to ~/.ssh/authorized_keys "
            "there, or choose another key file for this node."
        )

    def _offer(self, user: str, key: paramiko.PKey, notes: list[str]) -> bool:
        self._transport.auth_timeout = TOUCH_S
        try:
            with self.link.within(TOUCH_S + 5):
                further = self._transport.auth_publickey(user, key)
        except BadAuthenticationType as error:
            notes.append(f"it takes no keys, only {', '.join(error.allowed_types)}")
            return False
        except paramiko.AuthenticationException as error:
            if not self.alive:
                notes.append("it then ended the connection")
            elif "timeout" in str(error).lower():
                notes.append("a key on a token waits for a touch")
            return False
        except _BROKEN as error:
            if self.alive:
                notes.append(str(error))
                return False
            raise LinkError(f"{self._where} ended the connection while it looked at the key ({error}).") from None
        if further:
            raise NeedsPerson(
                f"{self._where} accepted the key and asks for a second factor ({', '.join(further)}), which Luthier "
                "cannot answer yet."
            )
        return True

    def run(self, command: str) -> Channel:
        """Return a channel that runs a command. Raises ChannelException where the server allows no further session."""
        try:
            with self.link.within(OPEN_S + 1):
                channel = self._transport.open_session(timeout=OPEN_S)
                channel.exec_command(command)
        except ChannelException:
            raise
        except _BROKEN as error:
            self.close()
            raise LinkError(f"{self._where} no longer answers ({error}).") from None
        return _SshChannel(channel, self, self._where)

    def forward(self, host: str, port: int) -> Stream:
        """Return a stream to a host as the server reaches it."""
        try:
            with self.link.within(OPEN_S + 1):
                return self._transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=OPEN_S)
        except ChannelException as error:
            raise LinkError(f"{self._where} cannot reach {host} (port {port}) for us: {error.text}.") from None
        except _BROKEN as error:
            raise LinkError(f"{self._where} no longer answers ({error}).") from None


class _SshChannel:
    """One command over a connection; standard error is drained aside, so that it never fills the window."""

    def __init__(self, channel: paramiko.Channel, connection: _Connection, where: str) -> None:
        self._channel = channel
        self._connection = connection
        self._where = where
        self._complaint = b""

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                self._channel.settimeout(SEND_STALL_S)
                count = self._channel.send(bytes(rest[:CHUNK_BYTES]))
            except TimeoutError:
                raise LinkTimeout(f"{self._where} took nothing for {SEND_STALL_S:.0f} s.") from None
            except _BROKEN:
                count = 0
            if not count:
                raise LinkError(f"The connection to {self._where} ended.")
            rest = rest[count:]

    def receive(self, timeout_s: float) -> bytes:
        until = time.monotonic() + timeout_s
        while True:
            try:
                self._drain()
                left = until - time.monotonic()
                self._channel.settimeout(min(max(left, 0.0), 0.5))
                return self._channel.recv(CHUNK_BYTES)
            except TimeoutError:
                if left <= 0:
                    raise LinkTimeout(f"{self._where} said nothing.") from None
            except _BROKEN:
                raise LinkError(f"The connection to {self._where} ended.") from None

    def _drain(self) -> None:
        while self._channel.recv_stderr_ready():
            part = self._channel.recv_stderr(CHUNK_BYTES)
            if not part:
                return
            self._complaint = (self._complaint + part)[-COMPLAINT_BYTES:]

    def ending(self, timeout_s: float) -> Ending:
        self._channel.status_event.wait(timeout_s)
        with contextlib.suppress(*_BROKEN):
            self._drain()
        code = self._channel.exit_status if self._connection.alive and self._channel.exit_status >= 0 else None
        return Ending(code, self._complaint.decode("utf-8", "replace"))

    def quiet_s(self) -> float:
        return self._connection.link.quiet_s()

    def close(self) -> None:
        with contextlib.suppress(*_BROKEN):
            self._channel.close()

    def abandon(self, silence_s: float) -> None:
        if self.quiet_s() >= silence_s or not self._connection.alive:
            self._connection.close()
        else:
            self.close()


class _UnixAgent(AgentSSH):
    """An ssh-agent behind a socket of our choice, with bounded waits."""

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(OPEN_S)
            connection.connect(path)
            self._connect(connection)  # type: ignore[attr-defined]
            connection.settimeout(TOUCH_S)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._close()  # type: ignore[attr-defined]


@contextlib.contextmanager
def _agent(target: SshTarget, notes: list[str]) -> Iterator[tuple[paramiko.PKey, ...]]:
    """Yield the keys of the ssh-agent, none where there is none."""
    path = target.agent or os.environ.get("SSH_AUTH_SOCK", "")
    if target.agent == "none" or (os.name != "nt" and not path):
        yield ()
        return
    try:
        agent = paramiko.Agent() if os.name == "nt" and not target.agent else _UnixAgent(path)
    except _BROKEN as error:
        notes.append(f"the ssh-agent cannot be asked: {error}")
        yield ()
        return
    try:
        yield agent.get_keys()
    finally:
        agent.close()


def _keys(
    target: SshTarget, agent_keys: tuple[paramiko.PKey, ...], notes: list[str]
) -> Iterator[tuple[str, paramiko.PKey]]:
    """Yield what to offer: named files (by the agent where it holds them), the agent's other keys, default files."""
    used: set[bytes] = set()
    for named, files in ((True, target.identity_files), (False, target.default_files)):
        for file in files:
            key = _of_agent(file, agent_keys) or _load(file, named, notes)
            if key is not None and key.asbytes() not in used:
                used.add(key.asbytes())
                yield str(file), key
        if named and not target.identities_only:
            for key in agent_keys:
                if key.asbytes() not in used:
                    used.add(key.asbytes())
                    yield f"{getattr(key, 'comment', '') or key.get_name()} of the ssh-agent", key


def _of_agent(file: Path, agent_keys: tuple[paramiko.PKey, ...]) -> paramiko.PKey | None:
    public = file if file.suffix == ".pub" else file.with_name(file.name + ".pub")
    try:
        words = public.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    return next((key for key in agent_keys if len(words) > 1 and key.get_base64() == words[1]), None)


def _load(file: Path, named: bool, notes: list[str]) -> paramiko.PKey | None:
    try:
        return paramiko.PKey.from_path(file)
    except FileNotFoundError:
        if named:
            notes.append(f"there is no key file {file}")
    except (TypeError, paramiko.PasswordRequiredException):
        notes.append(f"{file} is protected by a passphrase: unlock it with ssh-add {file}")
    except OSError as error:
        notes.append(f"{file} cannot be read: {error.strerror}")
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
        notes.append(f"{file} holds no private key that can be used here")
    return None
