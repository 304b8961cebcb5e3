"""A run as TensorBoard's event files: written whole from the journal at each opening, so that no point stands twice."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Sequence
from typing import BinaryIO

from remote_agent.contract.tensorboard_events import restart_record, scalars_record, text_record, version_record
from remote_agent.contract.tracker_points import Point
from remote_agent.trackers.sink import Told

_PATTERN = "events.out.tfevents.*"


class TensorBoardFiles:
    """The event file of a run, in a folder of its own.

    A reader that is open meanwhile forgets what it had: the new file begins with a session's start at step 0.
    """

    def __init__(self, told: Told) -> None:
        self._told = told
        self._file: BinaryIO | None = None

    def open(self) -> int:
        """Begin a new file and take what the older ones hold away."""
        folder = self._told.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        older = sorted(folder.glob(_PATTERN))
        now = time.time()
        # tensorboard reads a folder's files in the order of their names, and goes on with a later one only
        newest = max((_stamp(path.name) for path in older), default=0)
        stamp = max(int(now), newest + 1)
        host = "".join(c if c.isalnum() or c in "-." else "-" for c in socket.gethostname())
        path = folder / f"events.out.tfevents.{stamp:010d}.{host}.{os.getpid()}.0"
        self._file = path.open("xb")
        self._file.write(version_record(now) + restart_record(now, 0))
        recipe = json.dumps(dict(self._told.recipe), indent=2, ensure_ascii=False)
        lines = [f"    {line}" for line in (self._told.tracker.run_name, self._told.run_id, *recipe.splitlines())]
        self._file.write(text_record(now, "job", "\n".join(lines)))
        self._file.flush()
        for one in older[:-1]:
            one.unlink(missing_ok=True)
        for one in older[-1:]:
            # a TensorBoard that is open stops for good at a file that is gone, and goes on from one that is empty
            os.truncate(one, 0)
        return -1

    def write(self, points: Sequence[Point]) -> None:
        """Append points."""
        assert self._file is not None
        for point in points:
            self._file.write(scalars_record(point.time_s, point.step, point.values))
        self._file.flush()

    def close(self, outcome: str) -> None:
        """Put the file on the disk."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def _stamp(name: str) -> int:
    part = name.split(".")[3]
    return int(part) if part.isdigit() else 0
