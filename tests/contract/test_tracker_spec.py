"""What a job says of trackers: problems with their fixes, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory_probe import memory_probe_job
from remote_agent.contract.problem import Known
from remote_agent.contract.range_test import range_test_job
from remote_agent.contract.tracker_spec import Tracker, recipe_of, tracker_problems, trackers_of


def job(**values: Any) -> JobSpec:
    spec: JobSpec = JobSpec()
    for name, value in values.items():
        spec = with_value(spec, f"trackers.{name}", value)
    return spec


def test_that_nothing_is_tracked_unless_the_job_says_so_and_offline_needs_no_address() -> None:
    assert trackers_of(JobSpec()) == []
    spec = job(tensorboard=True, wandb="offline", mlflow="offline", trackio="offline")
    assert [tracker.online for tracker in trackers_of(spec)] == [False] * 4
    assert list(tracker_problems(spec, Known())) == []


def test_that_an_online_tracker_is_taken_with_its_server_and_name() -> None:
    spec = with_value(job(mlflow="online", mlflow_server="https://ml.example", project="p"), "name", "a job")
    assert trackers_of(spec) == [Tracker("mlflow", True, "p", "a job", "https://ml.example")]
    assert trackers_of(with_value(spec, "trackers.run_name", "n"))[0].run_name == "n"


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"mlflow": "online"}, "mlflow_server", "has no address"),
        ({"trackio": "online"}, "trackio_space", "has no address"),
        ({"mlflow": "online", "mlflow_server": "https://u:p@ml.example"}, "mlflow_server", "would lie in the job"),
        ({"wandb": "online", "wandb_server": "https://w.example?key=1"}, "wandb_server", "would lie in the job"),
        ({"wandb": "online", "wandb_server": "w.example"}, "wandb_server", "http://"),
        ({"mlflow_server": "https://u:p@ml.example"}, "mlflow_server", "would lie in the job"),
        ({"trackio": "online", "trackio_space": "a/b/c"}, "trackio_space", "org/name"),
        ({"tensorboard": True, "project": " "}, "project", "name of a project"),
    ],
)
def test_that_a_tracker_that_cannot_be_fed_is_an_error_at_its_field(
    values: dict[str, Any], field: str, said: str
) -> None:
    [problem] = tracker_problems(job(**values), Known())
    assert (problem.severity, problem.field) == ("error", f"trackers.{field}")
    assert said in problem.sentence
    if problem.fix is not None:
        mended = job(**values)
        for path, value in problem.fix.changes:
            mended = with_value(mended, path, value)
        assert list(tracker_problems(mended, Known())) == []


def test_that_a_tracker_is_told_the_recipe_and_neither_data_nor_prompts() -> None:
    spec = with_value(JobSpec(), "data.path", "/secret/place")
    spec = with_value(spec, "evaluation.sample_prompts", ("what is it",))
    told = recipe_of(with_value(spec, "data.system_prompt", "You are"))
    assert told["optimizer.learning_rate"] == spec.optimizer.learning_rate
    assert not {"/secret/place", "what is it", "You are"} & {str(value) for value in told.values()}


def test_that_what_only_measures_is_not_tracked() -> None:
    spec = job(tensorboard=True, wandb="online")
    assert trackers_of(range_test_job(spec)) == trackers_of(memory_probe_job(spec)) == []
