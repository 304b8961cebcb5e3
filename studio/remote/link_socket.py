"""A socket that bounds every wait of an SSH connection, because the library above it waits for ever in places."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from studio.remote.errors import LinkError

STALL_S = 15.0
CONNECT_S = 10.0


class Stream(Protocol):
    """What a link runs over: a TCP socket, or a forwarded channel of another connection."""

    def send(self, data: bytes, /) -> int:
        """Send some bytes."""

    def recv(self, size: int, /) -> bytes:
        """Return some bytes."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound the calls above."""

    def close(self) -> None:
        """End the stream."""


class LinkSocket:
    """Wraps a stream for paramiko, whose own thread calls `recv` ten times a second.

    That thread therefore enforces what the callers may not wait beyond: while a deadline set by `within` has passed,
    or a `send` made no progress for `stall_s`, the link fails with ConnectionAbortedError, which wakes every waiter.
    """

    def __init__(self, stream: Stream, clock: Callable[[], float] = time.monotonic, stall_s: float = STALL_S) -> None:
        self._stream = stream
        self._clock = clock
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}
        self._next_token = 0
        self._stalled_since = 0.0
        self._closed = False  # the name is one that paramiko reads
        self.heard_s = clock()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Fail the whole link unless the block is left within that many seconds."""
        with self._lock:
            self._next_token += 1
            token = self._next_token
            self._deadlines[token] = self._clock() + seconds
        try:
            yield
        finally:
            with self._lock:
                del self._deadlines[token]

    def quiet_s(self) -> float:
        """Return for how long nothing arrived, in seconds."""
        return self._clock() - self.heard_s

    def recv(self, size: int) -> bytes:
        """Return some bytes, b"" at the end; raises TimeoutError when there are none yet."""
        self._check()
        data = self._stream.recv(size)
        self.heard_s = self._clock()
        return data

    def send(self, data: bytes) -> int:
        """Send some bytes and return their number; raises TimeoutError when none could be sent yet."""
        self._check()
        try:
            sent = self._stream.send(data)
        except TimeoutError:
            if not self._stalled_since:
                self._stalled_since = self._clock()
            elif self._clock() - self._stalled_since > self._stall_s:
                raise self._aborted() from None
            raise
        self._stalled_since = 0.0
        return sent

    def settimeout(self, seconds: float | None) -> None:
        """Bound each single call."""
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """End the link at once; no goodbye is sent."""
        self._closed = True
        if isinstance(self._stream, socket.socket):
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _check(self) -> None:
        if self._closed:
            raise self._aborted()
        if self._deadlines:
            with self._lock:
                late = any(self._clock() > deadline for deadline in self._deadlines.values())
            if late:
                raise self._aborted()

    def _aborted(self) -> ConnectionAbortedError:
        return ConnectionAbortedError(errno.ECONNABORTED, "given up: the other side does not answer")


def connect_tcp(host: str, port: int, hint: str = "", wait_s: float = CONNECT_S) -> socket.socket:
    """Return a connected socket that notices a vanished peer as far as the system can.

    Raises LinkError with a sentence of its own for a name that is none, a refusal, and silence; ``hint`` is added
    to the first.
    """
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise LinkError(f"There is no machine named {host}, or this computer is offline.{hint}") from None
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, place in places:
        stream = socket.socket(family, kind, protocol)
        try:
            stream.settimeout(wait_s)
            stream.connect(place)
            _watch(stream)
        except OSError as error:
            stream.close()
            failure = error
            continue
        return stream
    if isinstance(failure, ConnectionRefusedError):
        raise LinkError(f"{host} refused the connection: no SSH server listens on port {port} there.")
    if isinstance(failure, TimeoutError):
        raise LinkError(f"{host} did not answer on port {port} within {wait_s:.0f} s: it is off, or a firewall is.")
    raise LinkError(f"{host} (port {port}) cannot be reached: {failure.strerror or failure}.")


def _watch(stream: socket.socket) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 15000)):
        if hasattr(socket, name):
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
