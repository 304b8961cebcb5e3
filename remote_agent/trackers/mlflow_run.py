"""A run in MLflow by its own client: a file store that stays here, or a tracking server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from remote_agent.contract.events import FAILED, FINISHED, INTERRUPTED, STOPPED
from remote_agent.contract.tracker_points import Point, mlflow_names
from remote_agent.trackers.sink import Told

_TAG = "luthier.run"
_POINTS_A_REQUEST = 100
"""A request takes at most 1,000 metrics; a point has ten."""
_MOST_PARAMS, _MOST_LETTERS = 100, 500
_STATUS = {FINISHED: "FINISHED", FAILED: "FAILED", INTERRUPTED: "FAILED", STOPPED: "KILLED"}


class MlflowRun:
    """A run of MLflow that is found again by its tag."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._run_id = ""
        # without these a server that does not answer holds the feed for many minutes, unheard
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "30"
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # a database needs packages that mlflow-skinny leaves out
        told.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._client: Any = MlflowClient(
            told.tracker.server if told.tracker.online else told.folder.absolute().as_uri()
        )

    def open(self) -> int:
        """Find the run or make it."""
        told = self._told
        experiment = self._experiment()
        found = self._client.search_runs([experiment], f"tags.`{_TAG}` = '{told.run_id}'")
        if found and not told.tracker.online:
            # it is written anew from the journal, which knows which attempt's updates count
            self._client.delete_run(found[0].info.run_id)
            found = []
        if found:
            self._run_id = found[0].info.run_id
            self._client.set_terminated(self._run_id, "RUNNING")
            return max((metric.step for metric in found[0].data._metric_objs), default=-1)
        run = self._client.create_run(experiment, run_name=told.tracker.run_name, tags={_TAG: told.run_id})
        self._run_id = run.info.run_id
        params = [Param(name, str(value)[:_MOST_LETTERS]) for name, value in told.recipe.items()]
        for start in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._run_id, params=params[start : start + _MOST_PARAMS])
        return -1

    def _experiment(self) -> str:
        name = self._told.tracker.project
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        try:
            return str(self._client.create_experiment(name))
        except MlflowException:
            found = self._client.get_experiment_by_name(name)  # another run's feed was first
            if found is None:
                raise
            return str(found.experiment_id)

    def write(self, points: Sequence[Point]) -> None:
        """Log points, as many as a request takes."""
        for start in range(0, len(points), _POINTS_A_REQUEST):
            # a step's values go together, so that the last step the server holds is a whole one
            metrics = [
                Metric(name, value, round(point.time_s * 1000.0), point.step)
                for point in points[start : start + _POINTS_A_REQUEST]
                for name, value in mlflow_names(point.values)
            ]
            self._client.log_batch(self._run_id, metrics=metrics)

    def close(self, outcome: str) -> None:
        """Say how the run ended."""
        if self._run_id and outcome in _STATUS:
            self._client.set_terminated(self._run_id, _STATUS[outcome])
