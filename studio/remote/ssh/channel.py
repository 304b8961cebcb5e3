"""One command over an SSH connection; standard error is drained aside, so that it never fills the window."""

from __future__ import annotations

import contextlib
import time
from typing import Protocol

import paramiko

from studio.remote.channel import CHUNK_BYTES, COMPLAINT_BYTES, SEND_STALL_S, Ending
from studio.remote.errors import LinkError, LinkTimeout

_PACKET_HEAD_BYTES = 64  # what paramiko leaves for it
BROKEN = (EOFError, OSError, paramiko.SSHException)
"""What paramiko raises where a connection is gone."""


class Link(Protocol):
    """The connection under a channel."""

    @property
    def alive(self) -> bool:
        """Say whether it still stands."""

    def quiet_s(self) -> float:
        """Return for how long nothing arrived over it."""

    def close(self) -> None:
        """End it at once."""


class SshChannel:
    """A channel whose owner is the thread that opened it."""

    def __init__(self, channel: paramiko.Channel, link: Link, where: str) -> None:
        self._channel = channel
        self._link = link
        self._where = where
        self._complaint = b""

    def send(self, data: bytes) -> None:
        """Send all bytes. Raises LinkTimeout, LinkError."""
        rest = memoryview(data)
        packet_bytes = max(1, self._channel.out_max_packet_size - _PACKET_HEAD_BYTES)
        self._channel.settimeout(SEND_STALL_S)
        while rest:
            try:
                count = self._channel.send(bytes(rest[:packet_bytes]))  # more would be copied for each packet anew
            except TimeoutError:
                raise LinkTimeout(f"{self._where} took nothing for {SEND_STALL_S:.0f} s.") from None
            except BROKEN:
                count = 0
            if not count:
                raise LinkError(f"The connection to {self._where} ended.")
            rest = rest[count:]

    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived, b"" at the end. Raises LinkTimeout, LinkError."""
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
            except BROKEN:
                raise LinkError(f"The connection to {self._where} ended.") from None

    def _drain(self) -> None:
        while self._channel.recv_stderr_ready():
            part = self._channel.recv_stderr(CHUNK_BYTES)
            if not part:
                return
            self._complaint = (self._complaint + part)[-COMPLAINT_BYTES:]

    def ending(self, timeout_s: float) -> Ending:
        """Return how the process ended."""
        self._channel.status_event.wait(timeout_s)
        with contextlib.suppress(*BROKEN):
            self._drain()
        code = self._channel.exit_status if self._link.alive and self._channel.exit_status >= 0 else None
        return Ending(code, self._complaint.decode("utf-8", "replace"))

    def quiet_s(self) -> float:
        """Return for how long nothing arrived over the link."""
        return self._link.quiet_s()

    def close(self) -> None:
        """End the stream; the process behind it sees the end of its input."""
        with contextlib.suppress(*BROKEN):
            self._channel.close()

    def abandon(self, silence_s: float) -> None:
        """End a stream that no longer answers, and a link that has been silent for that long."""
        if self.quiet_s() >= silence_s or not self._link.alive:
            self._link.close()
        else:
            self.close()
