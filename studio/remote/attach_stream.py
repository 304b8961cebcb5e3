"""The stream of all followed runs of a node: journal and log frames, with acknowledgement and a heartbeat."""

from __future__ import annotations

from collections.abc import Iterator

from remote_agent.contract.frames import Frame
from studio.remote.call import Call

_WAIT_S = 1.0


class AttachStream:
    """Frames of an `attach`, owned by one thread. ``ended`` turns true with the result of one that does not follow.

    Pings go out by themselves while `receive` is called; it has to be called at least every few seconds.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._received_bytes = 0
        self._acknowledged_bytes = 0
        self.ended = False

    @property
    def heard_s(self) -> float:
        """Return the `time.monotonic` of the agent's last word."""
        return self._call.heard_s

    def receive(self, timeout_s: float) -> list[Frame]:
        """Return the frames that arrived, [] where none did in time or the stream has ended. Raises RemoteError."""
        if self.ended:
            return []
        frames = self._call.receive(timeout_s)
        for frame in frames:
            if frame.kind in ("journal", "log"):
                self._received_bytes += len(frame.body)
            self.ended = self.ended or frame.kind == "result"
        return frames

    def __iter__(self) -> Iterator[Frame]:
        while not self.ended:
            yield from self.receive(_WAIT_S)
            self.ack()

    def ack(self) -> None:
        """Tell the agent how many bytes of journals and logs arrived, so that it sends on: once they are stored."""
        if self._received_bytes > self._acknowledged_bytes and not self.ended:
            self._acknowledged_bytes = self._received_bytes
            self._call.tell("ack", bytes=self._received_bytes)

    def ping(self) -> None:
        """Ask for a sign of life now; any frame that arrives moves `heard_s`."""
        self._call.ping()

    def close(self) -> None:
        """End the stream; the agent exits, the runs go on."""
        self.ended = True
        self._call.close()
