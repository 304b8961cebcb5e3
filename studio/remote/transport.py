"""What carries bytes to an agent: channel and transport as protocols, a node's address, this computer as a node."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import math
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, Protocol

from studio.remote.bootstrap import interpreter_arguments
from studio.remote.errors import (
    AgentFailed,
    AuthenticationFailed,
    Cancelled,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    LinkTimeout,
    NeedsPerson,
    NodeRefused,
    RemoteError,
)

__all__ = [
    "AgentFailed", "AuthenticationFailed", "Cancelled", "Channel", "Ending", "HostKeyChanged", "HostKeyUnknown",
    "LinkError", "LinkTimeout", "LocalTransport", "NeedsPerson", "NodeAddress", "NodeRefused", "RemoteError",
    "Transport",
]  # fmt: skip

SEND_STALL_S = 15.0
CHUNK_BYTES = 256 << 10
COMPLAINT_BYTES = 4096
_LOCAL_GRACE_S = 5.0


@dataclasses.dataclass(frozen=True)
class NodeAddress:
    """How a node is reached. ``kind`` is "local" or "ssh"; ``host`` may be a name of the user's ssh config.

    ``port`` 0 and empty ``user`` and ``identity_file`` leave the choice to the ssh config; ``home`` is the agent's
    folder there, ``python`` the interpreter for the trainer, empty to let the probe find one.
    """

    name: str
    kind: str = "local"
    host: str = ""
    port: int = 0
    user: str = ""
    identity_file: str = ""
    home: str = "~/.luthier"
    python: str = ""


@dataclasses.dataclass(frozen=True)
class Ending:
    """How the process behind a channel ended: ``exit_code`` None where the link ended first or a signal killed it.

    ``complaint`` is the end of what it wrote to standard error, at most 4 KiB.
    """

    exit_code: int | None
    complaint: str


class Channel(Protocol):
    """A byte stream to one agent process. One thread owns it; no call waits without an end."""

    def send(self, data: bytes) -> None:
        """Send all bytes. Raises LinkTimeout where none could be sent for 15 s, LinkError where the stream is gone."""

    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived, b"" at the end of the stream. Raises LinkTimeout where nothing arrived in time."""

    def ending(self, timeout_s: float) -> Ending:
        """Return how the process ended; waits that long for it to be known."""

    def quiet_s(self) -> float:
        """Return for how long nothing at all arrived over the link under this channel, infinite where it has none."""

    def close(self) -> None:
        """End the stream; the process behind it sees the end of its input."""

    def abandon(self, silence_s: float) -> None:
        """End a stream that no longer answers, and the link under it where all of it has been silent for that long."""


class Transport(Protocol):
    """A way to one node."""

    def open(self) -> Channel:
        """Return a new channel on which the bootstrap is about to run. Raises RemoteError."""

    def close(self) -> None:
        """Let go of the node; channels end."""

    def describe(self) -> str:
        """Return the node as a sentence names it."""


class LocalTransport:
    """This computer as a node: every channel is a child process in a session of its own, started in the user's home."""

    def __init__(self, python: str = "", pipes: bool = os.name == "nt") -> None:
        self._python = python or sys.executable
        self._pipes = pipes
        self._lock = threading.Lock()
        self._channels: list[_LocalChannel] = []

    def open(self) -> Channel:
        """Start the bootstrap as a child. Raises NodeRefused where the interpreter cannot be started."""
        channel = (_PipeChannel if self._pipes else _SocketChannel)([self._python, *interpreter_arguments()])
        with self._lock:
            self._channels = [earlier for earlier in self._channels if not earlier.closed]
            self._channels.append(channel)
        return channel

    def close(self) -> None:
        """End all children."""
        with self._lock:
            channels, self._channels = self._channels, []
        for channel in channels:
            channel.close()

    def describe(self) -> str:
        """Return "this computer"."""
        return "this computer"


class _LocalChannel(abc.ABC):
    """A child process; standard error goes to an unnamed file, which nobody has to drain."""

    def __init__(self, stdin: int, stdout: int, command: list[str]) -> None:
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self.closed = False
        try:
            self._child = _start(command, stdin, stdout, self._complaint)
        except OSError as error:
            self._complaint.close()
            what = error.filename or command[0]  # the home folder, where that is what is missing
            raise NodeRefused(f"{what} cannot be used on this computer: {error.strerror}.") from None

    def ending(self, timeout_s: float) -> Ending:
        if self.closed:  # by the transport, from another thread
            return Ending(None, "")
        try:
            code: int | None = self._child.wait(timeout_s)
            self._complaint.seek(0, os.SEEK_END)
            self._complaint.seek(max(0, self._complaint.tell() - COMPLAINT_BYTES))
            complaint = self._complaint.read().decode("utf-8", "replace")
        except (subprocess.TimeoutExpired, ValueError):
            return Ending(None, "")
        return Ending(code if code is not None and code >= 0 else None, complaint)

    def close(self) -> None:
        self._finish(_LOCAL_GRACE_S)

    def quiet_s(self) -> float:
        return math.inf

    def abandon(self, silence_s: float) -> None:
        self._finish(0.0)

    def _finish(self, grace_s: float) -> None:
        if self.closed:
            return
        self.closed = True
        self._end_input()
        try:
            self._child.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._end_output()
        self._complaint.close()

    @abc.abstractmethod
    def _end_input(self) -> None: ...

    @abc.abstractmethod
    def _end_output(self) -> None: ...

    @abc.abstractmethod
    def send(self, data: bytes) -> None: ...

    @abc.abstractmethod
    def receive(self, timeout_s: float) -> bytes: ...


class _SocketChannel(_LocalChannel):
    """The child's standard input and output are one end of a socket pair: no wait on it is without an end."""

    def __init__(self, command: list[str]) -> None:
        self._socket, theirs = socket.socketpair()
        try:
            super().__init__(theirs.fileno(), theirs.fileno(), command)
        except NodeRefused:
            self._socket.close()
            raise
        finally:
            theirs.close()

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        self._socket.settimeout(SEND_STALL_S)
        while rest:
            try:
                rest = rest[self._socket.send(rest[:CHUNK_BYTES]) :]
            except TimeoutError:
                raise LinkTimeout("The agent on this computer takes no input.") from None
            except OSError:
                raise LinkError("The agent on this computer ended.") from None

    def receive(self, timeout_s: float) -> bytes:
        self._socket.settimeout(max(0.0, timeout_s))
        try:
            return self._socket.recv(CHUNK_BYTES)
        except (TimeoutError, BlockingIOError):
            raise LinkTimeout("The agent on this computer said nothing.") from None
        except OSError:
            return b""

    def _end_input(self) -> None:
        # A child that is still writing must not wait for a reader that has gone.
        for how in (socket.SHUT_WR, socket.SHUT_RD):
            with contextlib.suppress(OSError):
                self._socket.shutdown(how)

    def _end_output(self) -> None:
        self._socket.close()


class _PipeChannel(_LocalChannel):
    """Plain pipes, for Windows: a pipe cannot be waited for there, so that a thread reads it."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(subprocess.PIPE, subprocess.PIPE, command)
        self._arrived: queue.Queue[bytes] = queue.Queue(maxsize=64)
        self._ended = False
        self._reader = threading.Thread(target=self._read, name="luthier-local-reader", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        while True:
            data = os.read(self._child.stdout.fileno(), CHUNK_BYTES)
            self._arrived.put(data)
            if not data:
                return

    def send(self, data: bytes) -> None:
        assert self._child.stdin is not None
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._child.stdin.fileno(), rest[:CHUNK_BYTES]) :]
            except (OSError, ValueError):
                raise LinkError("The agent on this computer ended.") from None

    def receive(self, timeout_s: float) -> bytes:
        if self._ended:
            return b""
        try:
            data = self._arrived.get(timeout=max(0.0, timeout_s)) if timeout_s > 0 else self._arrived.get_nowait()
        except queue.Empty:
            raise LinkTimeout("The agent on this computer said nothing.") from None
        self._ended = not data
        return data

    def _end_input(self) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()

    def _end_output(self) -> None:
        assert self._child.stdout is not None
        until = time.monotonic() + _LOCAL_GRACE_S
        while self._reader.is_alive() and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                self._arrived.get(timeout=0.05)
        if not self._reader.is_alive():
            self._child.stdout.close()


def _start(command: list[str], stdin: int, stdout: int, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        new_group, no_window = 0x00000200, 0x08000000
        options = {"creationflags": new_group | no_window}
    return subprocess.Popen(
        command, stdin=stdin, stdout=stdout, stderr=stderr, cwd=Path.home(), bufsize=0, close_fds=True, **options
    )
