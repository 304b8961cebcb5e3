"""Two processes that compute in turns of a second, so that whatever else the machine does slows both alike."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

TURN_S = 1.0


class Turns(NamedTuple):
    """When a process was let run: pairs of begin and end, in seconds since the epoch."""

    spans: list[tuple[float, float]]

    def running_s(self, begin: float, end: float) -> float:
        """Return how much of the time between two moments the process was let run."""
        return sum(max(0.0, min(end, until) - max(begin, since)) for since, until in self.spans)


def run_in_turns(*processes: subprocess.Popen[str]) -> list[Turns]:
    """Let one process and its children run while the others stand still, until all have ended."""
    turns = [Turns([]) for _ in processes]
    for process in processes:
        _signal_all(process, signal.SIGSTOP)
    while any(process.poll() is None for process in processes):
        for process, turn in zip(processes, turns, strict=True):
            if process.poll() is not None:
                continue
            began = time.time()
            _signal_all(process, signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TURN_S)
            _signal_all(process, signal.SIGSTOP)
            turn.spans.append((began, time.time()))
    return turns


def _signal_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a process that has not been waited for, and to its children, each after its parent."""
    waiting = [process.pid] if process.poll() is None else []
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.kill(pid, number)
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
