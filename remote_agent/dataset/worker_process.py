"""Long work in a process of its own, so that whoever asks for rows meanwhile does not wait for it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.frames import Frame, FrameError, FrameReader, encode_frame
from remote_agent.dataset.answers import Failure

_READ_BYTES = 1 << 18
_PACKAGE = Path(__file__).resolve().parents[2]
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from remote_agent.dataset.__main__ import main; sys.exit(main())"


class End(NamedTuple):
    """How the work ended: with a value, or with a failure."""

    value: dict[str, Any]
    failure: Failure | None


OnFrame = Callable[[Frame], None]
OnEnd = Callable[[End], None]


class WorkerProcess:
    """A process of the dataset zone that works on one request. It ends at the latest when this process does.

    Its frames and its end are told on a thread of its own; after `stop` nothing is told any more.
    """

    def __init__(self, arguments: dict[str, Any], on_frame: OnFrame, on_end: OnEnd) -> None:
        """Start it. Raises OSError."""
        self._on_frame, self._on_end = on_frame, on_end
        self._guard = threading.RLock()
        self._stopped = False
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _CODE, str(_PACKAGE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._thread = threading.Thread(target=self._run, args=(arguments,), name=arguments["what"], daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    def stop(self) -> None:
        """End it; what it was about to tell is not told."""
        with self._guard:
            self._stopped = True
        self._process.kill()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self, arguments: dict[str, Any]) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        last: Frame | None = None
        # Leaving the block closes its input, which ends it, and waits for it.
        with process:
            try:
                process.stdin.write(encode_frame(Frame({"frame": "request", "arguments": arguments})))
                process.stdin.flush()
                last = self._frames(process.stdout.fileno())
            except (BrokenPipeError, FrameError):
                process.kill()
        end = _end(last, process.returncode)
        with self._guard:
            if not self._stopped:
                self._on_end(end)

    def _frames(self, descriptor: int) -> Frame | None:
        reader = FrameReader()
        while data := os.read(descriptor, _READ_BYTES):
            for frame in reader.feed(data):
                if frame.kind in ("result", "error"):
                    return frame
                with self._guard:
                    if not self._stopped:
                        self._on_frame(frame)
        return None


def _end(last: Frame | None, code: int) -> End:
    if last is None:
        why = f"by signal {-code}" if code < 0 else f"with code {code}"
        hint = " The machine may have run out of memory." if code == -9 else ""
        sentence = f"The process that reads the data was ended {why}, so what it was doing is not done.{hint}"
        return End({}, Failure(f"{sentence} Look at the data again to go on.", "failed"))
    if last.kind == "error":
        return End({}, Failure(str(last.head.get("sentence", "")), str(last.head.get("kind", "failed"))))
    value = last.head.get("value")
    return End(value if isinstance(value, dict) else {}, None)
