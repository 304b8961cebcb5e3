"""One call of the agent: open a channel, deploy where needed, send the request, and talk in frames with a heartbeat."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from remote_agent.contract.frames import Frame, FrameError, FrameReader, encode_frame, greeting
from remote_agent.contract.node_network import NodeNetwork
from remote_agent.contract.wire import to_wire
from studio.remote.bootstrap import EXIT_NO_PYTHON
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AgentFailed, Cancelled, LinkError, LinkTimeout, NodeRefused
from studio.remote.terminal_only import is_terminal_only, no_command_sentence
from studio.remote.transport import Channel, Transport

MAX_NOISE_BYTES = 1 << 20
OWN_NETWORK = NodeNetwork()
_SLICE_S = 0.2
_CANCEL_S = 3.0
_KILLED = range(128, 160)
"""How a shell tells that a signal, whose number is added to the first of these, ended what it ran."""


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long a call waits, in seconds: for the agent to start, between pings, and for any answer at all.

    Where other channels of the same connection are still heard, an answer may take four times as long, because a
    slow line delivers it behind the data that is under way.
    """

    start_s: float = 60.0
    ping_every_s: float = 5.0
    dead_after_s: float = 15.0


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a call is. ``total`` is 0 where it is unknown, ``rate`` in units a second, 0 where it is unknown."""

    phase: str
    done: float
    total: float
    unit: str = ""
    rate: float = 0.0


OnProgress = Callable[[Progress], None]


def progress_of(frame: Frame) -> Progress:
    """Return what a ``progress`` frame says; what is missing or no number counts as 0."""
    head = frame.head
    done, total = (head.get(name, 0) for name in ("done", "total"))
    return Progress(
        phase=str(head.get("phase", "")),
        done=float(done) if isinstance(done, (int, float)) else 0.0,
        total=float(total) if isinstance(total, (int, float)) else 0.0,
        unit=str(head.get("unit", "")),
    )


class Call:
    """A talk with one agent process. Used by one thread; a context manager that ends the channel."""

    def __init__(
        self,
        transport: Transport,
        home: str,
        archive: AgentArchive,
        patience: Patience,
        cancelled: threading.Event | None = None,
        network: NodeNetwork = OWN_NETWORK,
    ) -> None:
        self._transport = transport
        self._home = home
        self._network = network
        self._archive = archive
        self._patience = patience
        self._cancelled = cancelled
        self._where = transport.describe()
        self._channel: Channel | None = None
        self._reader = FrameReader()
        self._pending: list[Frame] = []
        self._command = ""
        self._heard_s = 0.0
        self._pinged_s = 0.0
        self._unanswered_s: float | None = None
        self._pings = 0

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def heard_s(self) -> float:
        """Return the `time.monotonic` of the agent's last word."""
        return self._heard_s

    def close(self) -> None:
        """End the channel; the agent sees the end of its input."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def begin(self, command: str, arguments: Mapping[str, Any]) -> None:
        """Start the agent's command. Raises RemoteError."""
        assert self._channel is None
        self._stop_if_cancelled()
        self._command = command
        self._channel = self._transport.open()
        nonce = secrets.token_hex(16)
        head = {"frame": "request", "nonce": nonce, "home": self._home, "arguments": dict(arguments)}
        if self._network != OWN_NETWORK:
            head["network"] = to_wire(self._network)
        rest = self._boot(nonce, encode_frame(Frame(head)))
        self._heard_s = self._pinged_s = time.monotonic()
        self._take(rest)

    def _boot(self, nonce: str, request: bytes) -> bytes:
        """See the bootstrap through and return what came behind the agent's greeting."""
        archive = self._archive
        line = {
            "nonce": nonce, "home": self._home, "sha256": archive.sha256, "tree": archive.tree,
            "size": len(archive.data), "command": self._command,
        }  # fmt: skip
        self._send_or_hear_why(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
        mark = re.escape(b"\nLUTHIER-BOOT " + nonce.encode("ascii"))
        answer = re.compile(mark + rb" (have|need|refused ([^\n]*))\n")
        until = time.monotonic() + self._patience.start_s
        found, rest = self._find(answer, b"", until)
        if found.group(1) == b"need":
            self._send_or_hear_why(archive.data)
            until = time.monotonic() + self._patience.start_s
        self._refuse(found)
        self._send_or_hear_why(request)
        agent_or_refusal = re.compile(mark + rb" (refused ([^\n]*))\n|" + re.escape(greeting(nonce)))
        found, rest = self._find(agent_or_refusal, rest, until)
        self._refuse(found)
        return rest

    def _find(self, pattern: re.Pattern[bytes], rest: bytes, until: float) -> tuple[re.Match[bytes], bytes]:
        """Wait for a line that carries the nonce; whatever login scripts print before it is passed over."""
        noise = rest
        while True:
            found = pattern.search(noise)
            if found is not None:
                return found, noise[found.end() :]
            if len(noise) > MAX_NOISE_BYTES:
                noise = noise[-(1 << 16) :]
            try:
                data = self._some(min(_SLICE_S, max(0.0, until - time.monotonic())))
            except LinkTimeout:
                if time.monotonic() >= until:
                    self._abandon()
                    raise self._no_start(noise) from None
                continue
            if not data:
                raise self._not_started(noise)
            noise += data

    def _no_start(self, noise: bytes) -> NodeRefused | LinkError:
        said = noise[-4096:].decode("utf-8", "replace")
        if is_terminal_only(said):
            return NodeRefused(no_command_sentence(self._where, said))
        return LinkError(f"{self._where} did not start the agent within {self._patience.start_s:.0f} s.")

    def _refuse(self, found: re.Match[bytes]) -> None:
        if found.re.groups and found.group(2) is not None:
            try:
                sentence = str(json.loads(found.group(2)))
            except ValueError:
                sentence = found.group(2).decode("utf-8", "replace")
            raise NodeRefused(f"{self._where}: {sentence}")

    def _not_started(self, noise: bytes) -> NodeRefused | LinkError:
        assert self._channel is not None
        ending = self._channel.ending(2.0)
        told = ending.complaint.strip() or noise.decode("utf-8", "replace").strip()
        if ending.exit_code is None:
            return LinkError(f"The connection to {self._where} ended before the agent started.")
        if ending.exit_code == EXIT_NO_PYTHON:
            return NodeRefused(f"{self._where} has no python3. Install Python 3.8 or later there.")
        if is_terminal_only(told):
            return NodeRefused(no_command_sentence(self._where, told))
        return NodeRefused(
            f"The login shell of {self._where} did not start the agent (exit code {ending.exit_code}): "
            f"{told[-500:] or 'it said nothing'}"
        )

    def send(self, kind: str, body: bytes = b"", /, **values: Any) -> None:
        """Send a frame. Raises LinkError."""
        self._send(encode_frame(Frame({"frame": kind, **values}, body)))

    def ping(self) -> None:
        """Ask the agent for a sign of life now."""
        self._pings += 1
        self._pinged_s = time.monotonic()
        if self._unanswered_s is None:
            self._unanswered_s = self._pinged_s
        self.tell("ping", id=self._pings)

    def tell(self, kind: str, /, **values: Any) -> None:
        """Send a frame that nothing hangs on; where nobody takes it any more, `receive` says what became of them.

        An agent that is done closes its end while its last words are still on the way here. Raises LinkTimeout.
        """
        self._send_or_hear_why(encode_frame(Frame({"frame": kind, **values})))

    def receive(self, timeout_s: float) -> list[Frame]:
        """Return the frames that arrived, pongs left out, [] where none did in time.

        Raises:
            Cancelled: the caller's event was set; the agent was told and the channel is closed.
            AgentFailed: the agent sent an error frame, or ended without a result.
            LinkError: the link ended, or nothing was heard for too long; it was then abandoned.
        """
        until = time.monotonic() + timeout_s
        while True:
            self._stop_if_cancelled()
            if self._pending:
                frames, self._pending = self._pending, []
                return frames
            left = until - time.monotonic()
            try:
                data = self._some(max(0.0, min(_SLICE_S, left)))
            except LinkTimeout:
                self._keep_alive()
                if left <= 0:
                    return []
                continue
            if not data:
                raise self._ended()
            self._heard_s = time.monotonic()
            self._unanswered_s = None
            self._take(data)
            if self._heard_s - self._pinged_s >= self._patience.ping_every_s:
                self.ping()

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the result, which is the last."""
        while True:
            for frame in self.receive(self._patience.ping_every_s):
                yield frame
                if frame.kind == "result":
                    return

    def _take(self, data: bytes) -> None:
        try:
            frames = self._reader.feed(data)
        except FrameError as error:
            self._abandon()
            raise LinkError(f"What {self._where} sends is not the agent's language: {error}.") from None
        for frame in frames:
            if frame.kind == "error":
                head = frame.head
                raise AgentFailed(
                    str(head.get("sentence", "The agent failed and did not say why.")), str(head.get("kind", "failed"))
                )
            if frame.kind != "pong":
                self._pending.append(frame)

    def _keep_alive(self) -> None:
        now = time.monotonic()
        patience = self._patience
        asked_for_s = now - self._unanswered_s if self._unanswered_s is not None else 0.0
        silent_s = now - self._heard_s
        # After a sleep of this computer the ping before it is old too; the answer to a fresh one decides.
        if silent_s >= patience.dead_after_s and asked_for_s >= patience.dead_after_s - patience.ping_every_s:
            assert self._channel is not None
            if self._channel.quiet_s() >= patience.dead_after_s or silent_s >= 4 * patience.dead_after_s:
                self._abandon()
                raise LinkError(f"{self._where} has not answered for {silent_s:.0f} s.")
        if now - self._pinged_s >= patience.ping_every_s:
            self.ping()

    def _some(self, timeout_s: float) -> bytes:
        self._stop_if_cancelled()
        if self._channel is None:
            raise LinkError(f"The call to {self._where} is over.")
        return self._channel.receive(timeout_s)

    def _send(self, data: bytes) -> None:
        if self._channel is None:
            raise LinkError(f"The call to {self._where} is over.")
        try:
            self._channel.send(data)
        except LinkTimeout:
            self._abandon()
            raise

    def _send_or_hear_why(self, data: bytes) -> None:
        """Send where somebody still takes it; what the other side said before it went tells more than the failure."""
        try:
            self._send(data)
        except LinkTimeout:
            raise
        except LinkError:
            return

    def _ended(self) -> AgentFailed | LinkError:
        assert self._channel is not None
        ending = self._channel.ending(2.0)
        if ending.exit_code is None:
            return LinkError(f"The connection to {self._where} ended in the middle of {self._command}.")
        if ending.exit_code in _KILLED:
            number = ending.exit_code - _KILLED.start
            return LinkError(
                f"The agent on {self._where} was killed (signal {number}) in the middle of {self._command}."
            )
        return AgentFailed(
            f"The agent on {self._where} ended in the middle of {self._command} (exit code {ending.exit_code}). "
            f"{ending.complaint.strip()[-1000:]}".rstrip(),
            "failed",
        )

    def _abandon(self) -> None:
        if self._channel is not None:
            self._channel.abandon(self._patience.dead_after_s)
            self._channel = None

    def _stop_if_cancelled(self) -> None:
        if self._cancelled is None or not self._cancelled.is_set():
            return
        self._say_cancel()
        self.close()
        raise Cancelled("Cancelled.")

    def _say_cancel(self) -> None:
        """Let the agent end its children itself; the end of its input would do the same a little later."""
        channel = self._channel
        if channel is None:
            return
        try:
            channel.send(encode_frame(Frame({"frame": "cancel"})))
            until = time.monotonic() + _CANCEL_S
            while channel.receive(max(0.0, until - time.monotonic())):
                pass
        except LinkError:
            return
