"""A run in trackio by its own library: a database that stays here, or a Space of the Hub."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from remote_agent.contract.tracker_points import GLOBAL_STEP, Point
from remote_agent.trackers.sink import Told


class TrackioRun:
    """A run of trackio, which knows runs by their names alone: Luthier's id stands in it."""

    def __init__(self, told: Told) -> None:
        told.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # read when the library is imported
        os.environ["TRACKIO_DIR"] = str(told.folder)
        import trackio
        from trackio.sqlite_storage import SQLiteStorage

        self._told = told
        self._name = f"{told.tracker.run_name} {told.run_id}"
        self._trackio: Any = trackio
        self._storage: Any = SQLiteStorage
        self._run: Any = None

    def open(self) -> int:
        """Begin the run; offline it is written anew, for a Space what the database here holds was sent."""
        tracker = self._told.tracker
        held = self._storage.get_max_step_for_run(tracker.project, self._name)
        if held is not None and not tracker.online:
            self._storage.delete_run(tracker.project, self._name)
            held = None
        self._run = self._trackio.init(
            project=tracker.project, name=self._name, space_id=tracker.server or None, config=dict(self._told.recipe),
            resume="allow", embed=False, auto_log_gpu=False, auto_log_cpu=False,
        )  # fmt: skip
        return int(held) if held is not None else -1

    def write(self, points: Sequence[Point]) -> None:
        """Log points, each with its step."""
        for point in points:
            self._run.log({**point.values, GLOBAL_STEP: point.step}, step=point.step)

    def close(self, outcome: str) -> None:
        """Finish; for a Space this waits for the upload."""
        if self._run is not None:
            run, self._run = self._run, None
            run.finish()
