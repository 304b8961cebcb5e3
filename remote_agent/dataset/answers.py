"""The frames that go back to whoever asked, and what a failure is told as."""

from __future__ import annotations

import errno
import threading
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from remote_agent.contract.frames import Frame, encode_frame
from remote_agent.contract.spec_json import SpecError
from remote_agent.dataset.data_error import CancelledError, DataError, NotThereError

_PROGRESS_EVERY_S = 0.1


class Failure(NamedTuple):
    """What a person is told of an exception: a sentence, and its kind in the protocol."""

    sentence: str
    kind: str


class WorkFailedError(Exception):
    """Another process did not do what it was asked; what a person is told of it is its ``failure``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class Answer:
    """The frames that go back. One lock, so that threads never mix their bytes."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._next_s = 0.0
        self._phase = ""

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Write one frame. Raises OSError where nobody listens any more."""
        raw = encode_frame(Frame(head, body))
        with self._lock:
            self._output.write(raw)
            self._output.flush()

    def progress(self, phase: str, done: float, total: float, unit: str) -> None:
        """Tell how far it is, at most ten times a second but for the first and last of a phase."""
        now = time.monotonic()
        if phase == self._phase and now < self._next_s and (done < total or not total):
            return
        self._phase, self._next_s = phase, now + _PROGRESS_EVERY_S
        self.send({"frame": "progress", "phase": phase, "done": done, "total": total, "unit": unit})

    def result(self, value: dict[str, Any]) -> None:
        """Send the last frame of a success."""
        self.send({"frame": "result", "value": value})

    def error(self, failure: Failure) -> None:
        """Send the last frame of a failure."""
        self.send({"frame": "error", "sentence": failure.sentence, "kind": failure.kind})


def failure_of(error: BaseException) -> Failure:
    """Return what is told of an exception: ours as they are, the disk's with advice, any other as a mistake of ours."""
    if isinstance(error, WorkFailedError):
        return error.failure
    if isinstance(error, NotThereError):
        return Failure(str(error), "not_found")
    if isinstance(error, (DataError, SpecError)):
        return Failure(str(error), "bad_request")
    if isinstance(error, CancelledError):
        return Failure("Cancelled.", "interrupted")
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "Free some space on it." if full else "Check that it is there and may be read and written."
        sentence = f"{error.filename or 'The disk'}: {error.strerror or error}. {advice}"
        return Failure(sentence, "disk_full" if full else "failed")
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in {Path(last[0].filename).name}, line {last[0].lineno}" if last else ""
    return Failure(f"Luthier made a mistake{place}: {type(error).__name__}: {error}. Please report it.", "failed")
