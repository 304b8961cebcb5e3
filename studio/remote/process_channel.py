"""A child process as a channel: the agent of this computer, or a program that carries bytes to another machine."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import math
import os
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from studio.remote.channel import CHUNK_BYTES, COMPLAINT_BYTES, SEND_STALL_S, Ending
from studio.remote.errors import LinkError, LinkTimeout, NodeRefused

_GRACE_S = 5.0
_ENOUGH_BYTES = 8 << 20


@dataclasses.dataclass(frozen=True)
class Line:
    """What a channel's sentences call the other end, and the link that it shares with others.

    ``whole_group`` ends the child with all it started, for programs that start others to carry the bytes; ``lost_code``
    is the exit code by which such a program says that the link ended; ``heard``
    is called with everything that arrives, ``quiet_s`` says how long all of the link has been silent, and ``cut`` ends
    the link under the channel.
    """

    who: str = "The agent on this computer"
    whole_group: bool = False
    lost_code: int | None = None
    environment: Mapping[str, str] | None = None
    heard: Callable[[], None] | None = None
    quiet_s: Callable[[], float] = lambda: math.inf
    cut: Callable[[], None] | None = None


_LOCAL = Line()


class OpenChannels:
    """The channels that a transport opened, to end them with it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: list[ProcessChannel] = []

    def add(self, channel: ProcessChannel) -> None:
        """Remember a channel; those that ended by themselves are forgotten."""
        with self._lock:
            self._channels = [earlier for earlier in self._channels if not earlier.closed]
            self._channels.append(channel)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            channels, self._channels = self._channels, []
        for channel in channels:
            channel.close()


class ProcessChannel(abc.ABC):
    """A child process; standard error goes to an unnamed file, which nobody has to drain."""

    def __init__(self, stdin: int, stdout: int, command: list[str], line: Line) -> None:
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        _append_only(self._complaint)
        self._line = line
        self.closed = False
        try:
            self._child = start_child(command, stdin, stdout, self._complaint, line.environment)
        except OSError as error:
            self._complaint.close()
            what = error.filename or command[0]  # the home folder, where that is what is missing
            raise NodeRefused(f"{what} cannot be used on this computer: {error.strerror}.") from None

    def ending(self, timeout_s: float) -> Ending:
        """Return how the process ended."""
        if self.closed:  # by the transport, from another thread
            return Ending(None, "")
        try:
            code: int | None = self._child.wait(timeout_s)
            complaint = self.complaint()
        except (subprocess.TimeoutExpired, ValueError):
            return Ending(None, "")
        ended_itself = code is not None and code >= 0 and code != self._line.lost_code
        return Ending(code if ended_itself else None, complaint)

    def complaint(self) -> str:
        """Return the end of what the child wrote to standard error so far."""
        with contextlib.suppress(ValueError):  # closed by the transport, from another thread
            size = os.fstat(self._complaint.fileno()).st_size
            where = max(0, size - COMPLAINT_BYTES)
            if hasattr(os, "pread"):  # the child writes at the same position
                return os.pread(self._complaint.fileno(), COMPLAINT_BYTES, where).decode("utf-8", "replace")
            self._complaint.seek(where)
            return self._complaint.read().decode("utf-8", "replace")
        return ""

    def close(self) -> None:
        """End the stream; the process behind it sees the end of its input."""
        self._finish(_GRACE_S)

    def quiet_s(self) -> float:
        """Return for how long nothing arrived over the link."""
        return self._line.quiet_s()

    def abandon(self, silence_s: float) -> None:
        """End a stream that no longer answers, and a link that has been silent for that long."""
        cut = self._line.cut
        if cut is not None and self.quiet_s() >= silence_s:
            cut()
        self._finish(0.0)

    def _heard(self, data: bytes) -> bytes:
        if data and self._line.heard is not None:
            self._line.heard()
        if os.name != "nt":
            with contextlib.suppress(ValueError):  # closed by the transport, from another thread
                if os.fstat(self._complaint.fileno()).st_size > _ENOUGH_BYTES:
                    os.ftruncate(self._complaint.fileno(), 0)
        return data

    def _finish(self, grace_s: float) -> None:
        if self.closed:
            return
        self.closed = True
        self._end_input()
        try:
            self._child.wait(grace_s)
        except subprocess.TimeoutExpired:
            end_child(self._child, self._line.whole_group)
        self._end_output()
        self._complaint.close()

    @abc.abstractmethod
    def _end_input(self) -> None: ...

    @abc.abstractmethod
    def _end_output(self) -> None: ...

    @abc.abstractmethod
    def send(self, data: bytes) -> None:
        """Send all bytes. Raises LinkTimeout, LinkError."""

    @abc.abstractmethod
    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived, b"" at the end. Raises LinkTimeout."""


class SocketChannel(ProcessChannel):
    """The child's standard input and output are one end of a socket pair: no wait on it is without an end."""

    def __init__(self, command: list[str], line: Line = _LOCAL) -> None:
        self._socket, theirs = socket.socketpair()
        try:
            super().__init__(theirs.fileno(), theirs.fileno(), command, line)
        except NodeRefused:
            self._socket.close()
            raise
        finally:
            theirs.close()

    def send(self, data: bytes) -> None:
        """Send all bytes. Raises LinkTimeout, LinkError."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(SEND_STALL_S)
            try:
                rest = rest[self._socket.send(rest[:CHUNK_BYTES]) :]
            except TimeoutError:
                raise LinkTimeout(f"{self._line.who} took nothing for {SEND_STALL_S:.0f} s.") from None
            except OSError:
                raise LinkError(f"{self._line.who} ended.") from None

    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived, b"" at the end. Raises LinkTimeout, LinkError."""
        try:
            self._socket.settimeout(max(0.0, timeout_s))
            return self._heard(self._socket.recv(CHUNK_BYTES))
        except (TimeoutError, BlockingIOError):
            raise LinkTimeout(f"{self._line.who} said nothing.") from None
        except (OSError, ValueError):
            return b""

    def _end_input(self) -> None:
        # A child that is still writing must not wait for a reader that has gone.
        for how in (socket.SHUT_WR, socket.SHUT_RD):
            with contextlib.suppress(OSError):
                self._socket.shutdown(how)

    def _end_output(self) -> None:
        self._socket.close()


class PipeChannel(ProcessChannel):
    """Plain pipes, for Windows: a pipe cannot be waited for there, so that a thread reads it."""

    def __init__(self, command: list[str], line: Line = _LOCAL) -> None:
        super().__init__(subprocess.PIPE, subprocess.PIPE, command, line)
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
        """Send all bytes. Raises LinkTimeout, LinkError."""
        assert self._child.stdin is not None
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._child.stdin.fileno(), rest[:CHUNK_BYTES]) :]
            except (OSError, ValueError):
                raise LinkError(f"{self._line.who} ended.") from None

    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived, b"" at the end. Raises LinkTimeout, LinkError."""
        if self._ended:
            return b""
        try:
            data = self._arrived.get(timeout=max(0.0, timeout_s)) if timeout_s > 0 else self._arrived.get_nowait()
        except queue.Empty:
            raise LinkTimeout(f"{self._line.who} said nothing.") from None
        self._ended = not data
        return self._heard(data)

    def _end_input(self) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()

    def _end_output(self) -> None:
        assert self._child.stdout is not None
        until = time.monotonic() + _GRACE_S
        while self._reader.is_alive() and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                self._arrived.get(timeout=0.05)
        if not self._reader.is_alive():
            self._child.stdout.close()


def _append_only(file: IO[bytes]) -> None:
    """Let writers go on at the end, also after the file was cut: a child may complain without an end."""
    if os.name != "nt":
        import fcntl

        fcntl.fcntl(file.fileno(), fcntl.F_SETFL, fcntl.fcntl(file.fileno(), fcntl.F_GETFL) | os.O_APPEND)


def start_child(
    command: list[str], stdin: int, stdout: int, stderr: IO[bytes], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own and in the user's home, with nothing else of ours open.

    Raises OSError where it cannot be started.
    """
    options: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        new_group, no_window = 0x00000200, 0x08000000
        options = {"creationflags": new_group | no_window}
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=Path.home(),
        bufsize=0,
        close_fds=True,
        env=environment,
        **options,
    )


def end_child(child: subprocess.Popen[bytes], whole_group: bool = False) -> None:
    """End a child at once, and its group where asked, and take its exit code."""
    if whole_group and os.name != "nt":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
