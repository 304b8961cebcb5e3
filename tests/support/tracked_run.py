"""A run's folder with a journal for trackers: two attempts, the second from an earlier step, told as on a node."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remote_agent.contract.events import Evaluated, Event, StateChanged, StepCompleted, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, RANK0_WRITER, SUPERVISOR_WRITER, TRACKERS
from remote_agent.contract.tracker_spec import Tracker, recipe_of
from remote_agent.run_files.journal import JournalWriter

RUN_ID = "r-261124-120000-abcdef"
BEGAN_S = 1_790_000_000.0
CHILD = Path(__file__).parents[2] / "remote_agent" / "trackers" / "__main__.py"


def started(attempt: int, first_step: int) -> TrainingStarted:
    return TrainingStarted(attempt, first_step, 20, 10, 1, 1000, 80, 8)


def step(attempt: int, number: int, loss: float | None = None) -> StepCompleted:
    """Return an update whose loss tells attempt and number."""
    value = attempt + 1.0 / number if loss is None else loss
    return StepCompleted(
        attempt, number, value, 1e-4 * number, 0.5 * number, 64, 32, 100.0 + number, 0.5, 0, number / 10
    )


def evaluated(attempt: int, number: int) -> Evaluated:
    return Evaluated(attempt, number, 3.0 - number / 100, math.exp(3.0 - number / 100), 32, 8, 1.5)


def first_attempt(steps: int = 10) -> list[Event]:
    return [started(1, 0), evaluated(1, 0), *(step(1, number) for number in range(1, steps + 1)), evaluated(1, steps)]


def second_attempt(after: int = 6, steps: int = 15) -> list[Event]:
    events: list[Event] = [started(2, after), *(step(2, number) for number in range(after + 1, steps + 1))]
    return [*events, evaluated(2, steps)]


class TrackedRun:
    """The folder of a run, and the feeds of its trackers as the supervisor starts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / RUN_ID
        self.journal = self.folder / JOURNAL
        self.journal.mkdir(parents=True)
        self._seconds = BEGAN_S
        self.rank0 = JournalWriter(str(self.journal), RANK0_WRITER, RUN_ID, self._now)
        self.supervisor = JournalWriter(str(self.journal), SUPERVISOR_WRITER, RUN_ID, self._now)

    def _now(self) -> float:
        self._seconds += 1.0
        return self._seconds

    def tell(self, events: Sequence[Event], state: str = "") -> None:
        """Journal what rank 0 says, then the state that follows."""
        for event in events:
            self.rank0.write(event)
        if state:
            self.supervisor.write(StateChanged(state, 1))

    def close(self) -> None:
        self.rank0.close()
        self.supervisor.close()

    def place(self, kind: str) -> Path:
        return self.folder / TRACKERS / kind

    def start(self, tracker: Tracker, secrets: dict[str, str] | None = None, **more: Any) -> subprocess.Popen[bytes]:
        """Start a feed; its last words go to its standard output."""
        request = {
            "tracker": tracker._asdict(),
            "run_id": RUN_ID,
            "folder": str(self.place(tracker.kind)),
            "recipe": recipe_of(JobSpec()),
            "journal": str(self.journal),
            "secrets": secrets or {},
            **more,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        child = subprocess.Popen(
            [sys.executable, "-I", "-B", str(CHILD), tracker.kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment, cwd=self.folder,
        )  # fmt: skip
        assert child.stdin is not None
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        return child

    def feed(self, tracker: Tracker, secrets: dict[str, str] | None = None, **more: Any) -> str:
        """Run a feed to its end and return what it printed."""
        child = self.start(tracker, secrets, **more)
        said, _ = child.communicate(timeout=100)
        assert child.returncode == 0, said.decode()
        return said.decode()
