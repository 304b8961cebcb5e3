"""A byte stream to one agent process, as a protocol, with what every kind of it shares."""

from __future__ import annotations

import dataclasses
from typing import Protocol

SEND_STALL_S = 15.0
CHUNK_BYTES = 256 << 10
COMPLAINT_BYTES = 4096


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
