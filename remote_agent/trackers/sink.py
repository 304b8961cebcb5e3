"""What every tracker is to the feed: something that says what it holds, takes points, and is closed with an outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from remote_agent.contract.tracker_points import Point
from remote_agent.contract.tracker_spec import MLFLOW, TENSORBOARD, TRACKIO, WANDB, Tracker


class Told(NamedTuple):
    """What a tracker is told of a run beside its points. ``folder`` is the tracker's own, for what stays here."""

    tracker: Tracker
    run_id: str
    folder: Path
    recipe: Mapping[str, Any]


class Sink(Protocol):
    """One run in one tracker. Whatever its library raises comes through."""

    def open(self) -> int:
        """Find or make the run; return the last step it holds and keeps, -1 where it begins empty."""
        ...

    def write(self, points: Sequence[Point]) -> None:
        """Add points; their steps never go back."""
        ...

    def close(self, outcome: str) -> None:
        """Send what is left. ``outcome`` is the state that the run rests in, empty where it goes on."""
        ...


def sink_for(told: Told) -> Sink:
    """Return the sink of a tracker. Raises ModuleNotFoundError where its library is not installed."""
    kind = told.tracker.kind
    if kind == TENSORBOARD:
        from remote_agent.trackers.tensorboard_files import TensorBoardFiles

        return TensorBoardFiles(told)
    if kind == WANDB:
        from remote_agent.trackers.wandb_run import WandbRun

        return WandbRun(told)
    if kind == MLFLOW:
        from remote_agent.trackers.mlflow_run import MlflowRun

        return MlflowRun(told)
    assert kind == TRACKIO, kind
    from remote_agent.trackers.trackio_run import TrackioRun

    return TrackioRun(told)
