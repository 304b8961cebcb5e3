"""The agent's end of a talk: frames in from standard input, frames out under one lock, pings answered at once."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import Any, Callable, Dict, List, Optional

from remote_agent.contract.frames import Frame, FrameError, FrameReader, encode_frame, greeting
from remote_agent.run_files.atomic_write import write_all

_QUEUED_FRAMES = 16
_READ_BYTES = 1 << 18
_LOOK_S = 1.0
_PROGRESS_EVERY_S = 0.1


class CommandError(Exception):
    """The command cannot be done. ``sentence`` says why and what to do; ``kind`` is one of the protocol's."""

    def __init__(self, sentence: str, kind: str = "failed") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.kind = kind


class Talk:
    """A talk with one client. A thread reads; whoever works sends.

    ``aborted`` is set when the client cancels or is gone; what was registered with `when_aborted` is then called.
    """

    def __init__(self, read_descriptor: int = 0, write_descriptor: int = 1) -> None:
        self._in = read_descriptor
        self._out = write_descriptor
        self._sending = threading.Lock()
        self._frames: "queue.Queue[Optional[Frame]]" = queue.Queue(_QUEUED_FRAMES)
        self._abort_guard = threading.RLock()
        self._on_abort: List[Callable[[], None]] = []
        self.aborted = threading.Event()
        self.gone = threading.Event()
        self.last_heard = time.monotonic()
        self.acknowledged_bytes = 0
        self._phase = ""
        self._next_progress = 0.0

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="talk", daemon=True).start()

    def greet(self, nonce: str) -> None:
        """Print the line that comes before the first frame."""
        self._write(greeting(nonce))

    def send(self, frame: str, body: bytes = b"", **head: Any) -> None:
        """Send a frame of a kind. Where the client is gone it goes nowhere, and `aborted` is set."""
        self._write(encode_frame(Frame(dict(head, frame=frame), body)))

    def progress(self, phase: str, done: float, total: float, unit: str = "") -> None:
        """Send how far a phase is; ``total`` is 0 where it is unknown.

        Ten times a second is enough for eyes, and a client that sends much and reads late is not held up by it.
        """
        now = time.monotonic()
        if phase == self._phase and now < self._next_progress and (done < total or not total):
            return
        self._phase, self._next_progress = phase, now + _PROGRESS_EVERY_S
        self.send("progress", phase=phase, done=done, total=total, unit=unit)

    def receive(self, timeout_s: Optional[float] = None) -> Optional[Frame]:
        """Return the client's next frame that is neither ping nor ack nor cancel; None at its end or at the timeout."""
        try:
            frame = self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if frame is None:
            self._frames.put(None)  # for whoever asks again
        return frame

    def check(self) -> None:
        """Raise CommandError where the client has cancelled or is gone."""
        if self.aborted.is_set():
            raise CommandError("The command was cancelled.", "interrupted")

    def when_aborted(self, callback: Callable[[], None]) -> None:
        """Call back from the reading thread when the client cancels or is gone; at once where that has happened."""
        with self._abort_guard:
            if not self.aborted.is_set():
                self._on_abort.append(callback)
                return
        callback()

    def leave_when_silent(self, seconds: float) -> None:
        """End this process when the client has said nothing for so long, even while a write to it hangs."""

        def watch() -> None:
            while time.monotonic() - self.last_heard < seconds:
                time.sleep(_LOOK_S)
            os._exit(1)

        threading.Thread(target=watch, name="silence", daemon=True).start()

    def abort(self) -> None:
        """Do what a cancel does."""
        with self._abort_guard:
            self.aborted.set()
            callbacks, self._on_abort = self._on_abort, []
        for callback in callbacks:
            callback()

    def _write(self, data: bytes) -> None:
        with self._sending:
            try:
                write_all(self._out, data)
            except OSError:
                self.gone.set()
        if self.gone.is_set() and not self.aborted.is_set():
            self.abort()

    def _read(self) -> None:
        reader = FrameReader()
        while True:
            try:
                data = os.read(self._in, _READ_BYTES)
                frames = reader.feed(data)
            except (OSError, FrameError):
                data, frames = b"", []
            if not data:
                self.gone.set()
                self.abort()
                self._frames.put(None)
                return
            self.last_heard = time.monotonic()
            for frame in frames:
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.kind == "ping":
            self.send("pong", id=frame.head.get("id"))
        elif frame.kind == "cancel":
            self.abort()
        elif frame.kind == "ack":
            received = frame.head.get("bytes")
            if isinstance(received, int):
                self.acknowledged_bytes = max(self.acknowledged_bytes, received)
        else:
            self._frames.put(frame)


def text_argument(arguments: Dict[str, Any], name: str, default: Optional[str] = None) -> str:
    """Return an argument that has to be text without a NUL. Raises CommandError."""
    value = arguments.get(name, default)
    if not isinstance(value, str) or "\0" in value:
        raise CommandError("The argument {} has to be text.".format(name), "bad_request")
    return value


def whole_argument(arguments: Dict[str, Any], name: str, default: Optional[int] = None) -> int:
    """Return an argument that has to be a whole number of at least 0. Raises CommandError."""
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CommandError("The argument {} has to be a whole number.".format(name), "bad_request")
    return value


def group_argument(arguments: Dict[str, Any], name: str) -> Dict[str, Any]:
    """Return an argument that has to be an object, empty where it is missing. Raises CommandError."""
    value = arguments.get(name, {})
    if not isinstance(value, dict):
        raise CommandError("The argument {} has to be an object.".format(name), "bad_request")
    return value
