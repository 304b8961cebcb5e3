"""A run in Weights & Biases by its own library: offline written anew from the journal, online gone on with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

import wandb

from remote_agent.contract.events import FAILED, INTERRUPTED
from remote_agent.contract.tracker_points import GLOBAL_STEP, Point
from remote_agent.trackers.sink import Told


class WandbRun:
    """A run of W&B whose id is Luthier's. Its axis is `train/global_step`, as transformers sets it."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._run: Any = None

    def open(self) -> int:
        """Begin the run, or go on with one that a server has."""
        told, folder = self._told, self._told.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("CACHE", "CONFIG", "DATA", "ARTIFACT"):
            os.environ[f"WANDB_{name}_DIR"] = str(folder / "library")
        if told.tracker.server:
            os.environ["WANDB_BASE_URL"] = told.tracker.server
        if not told.tracker.online:
            self._drop_unsent()
        settings = wandb.Settings(
            x_disable_stats=True, x_disable_meta=True, disable_git=True, disable_code=True, console="off", silent=True
        )
        self._run = wandb.init(
            project=told.tracker.project, name=told.tracker.run_name, id=told.run_id, dir=str(folder),
            mode="online" if told.tracker.online else "offline", config=dict(told.recipe), settings=settings,
            resume="allow" if told.tracker.online else None,
        )  # fmt: skip
        self._run.define_metric(GLOBAL_STEP)
        self._run.define_metric("*", step_metric=GLOBAL_STEP, step_sync=True)
        held = self._run.summary.get(GLOBAL_STEP) if told.tracker.online else None
        return int(held) if held is not None else -1

    def _drop_unsent(self) -> None:
        """Take away what an earlier opening wrote for this run; what was uploaded already is marked and stays."""
        for folder in (self._told.folder / "wandb").glob(f"offline-run-*-{self._told.run_id}"):
            if not list(folder.glob("*.synced")):
                shutil.rmtree(folder)

    def write(self, points: Sequence[Point]) -> None:
        """Log points, each with its step."""
        for point in points:
            self._run.log({**point.values, GLOBAL_STEP: point.step})

    def close(self, outcome: str) -> None:
        """Finish; online this waits for the upload."""
        if self._run is not None:
            run, self._run = self._run, None
            run.finish(exit_code=1 if outcome in (FAILED, INTERRUPTED) else 0)
