"""A program that carries the bytes of a connection, as ProxyCommand names one; its death is the connection's end."""

from __future__ import annotations

import os

from studio.remote.errors import LinkError, LinkTimeout
from studio.remote.process_channel import Line, PipeChannel, SocketChannel


class ProxyStream:
    """The program's standard input and output as a stream; its complaints are drained aside.

    Raises NodeRefused where the program cannot be started.
    """

    def __init__(self, command: list[str], host: str) -> None:
        line = Line(who=f"The ProxyCommand for {host}", whole_group=True)
        self._channel = (PipeChannel if os.name == "nt" else SocketChannel)(command, line)
        self._timeout_s = 0.1
        self._rest = b""
        self._complaint = ""

    def send(self, data: bytes) -> int:
        """Send all. Raises TimeoutError, OSError."""
        try:
            self._channel.send(data)
        except LinkTimeout as error:
            raise TimeoutError(error.sentence) from None
        except LinkError as error:
            raise ConnectionResetError(error.sentence) from None
        return len(data)

    def recv(self, size: int) -> bytes:
        """Return some bytes, b"" at the end. Raises TimeoutError."""
        if not self._rest:
            try:
                self._rest = self._channel.receive(self._timeout_s)
            except LinkTimeout as error:
                raise TimeoutError(error.sentence) from None
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def last_words(self) -> str:
        """Return what the program complained of, as a sentence, "" where it did not."""
        said = " ".join((self._complaint or self._channel.complaint()).split())[-300:]
        return f"The ProxyCommand said: {said}." if said else ""

    def settimeout(self, seconds: float | None) -> None:
        """Bound the calls above; at most two seconds, so that whoever watches over them gets a turn."""
        self._timeout_s = 2.0 if seconds is None else min(seconds, 2.0)

    def close(self) -> None:
        """End the program at once, with what it started."""
        self._complaint = self._complaint or self._channel.complaint()
        self._channel.abandon(0.0)
