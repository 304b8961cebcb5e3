"""What may not be asked of a schedule, and whether a click mends it."""

from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.problem import ERROR, WARNING, Known, Problem, changed_fields
from remote_agent.contract.problems import problems
from remote_agent.contract.recipe_spec import PointSpec
from remote_agent.contract.schedule import Horizon
from remote_agent.contract.schedule_problems import known_horizon, schedule_problems

DATA = Known(train_sequences=100, train_tokens=50_000)
CASES: list[tuple[dict[str, Any], Known, str, str]] = [
    ({"warmup.amount": 100.0}, Known(), ERROR, "schedule.warmup.amount"),
    ({"warmup.amount": 1.0, "warmup.unit": "epochs"}, DATA, ERROR, "schedule.warmup.amount"),
    ({"warmup.amount": 60_000.0, "warmup.unit": "tokens"}, DATA, ERROR, "schedule.warmup.amount"),
    ({"warmup.amount": 1.0, "warmup.unit": "epochs"}, Known(), WARNING, "schedule.warmup.amount"),
    ({"shape": "wsd", "cooldown.amount": 91.0}, Known(), ERROR, "schedule.cooldown.amount"),
    ({"shape": "wsd", "warmup.amount": 85.0}, Known(), ERROR, "schedule.cooldown.amount"),
    ({"shape": "wsd", "cooldown.amount": 1e3, "cooldown.unit": "tokens"}, Known(), WARNING, "schedule.cooldown.amount"),
    ({"shape": "piecewise"}, Known(), ERROR, "schedule.points"),
    ({"shape": "multi_step"}, Known(), ERROR, "schedule.points"),
    ({"shape": "piecewise", "points": (PointSpec(50.0, 1.0), PointSpec(20.0, 0.5), PointSpec(50.0, 0.1))}, Known(),
     ERROR, "schedule.points"),
    ({"shape": "piecewise", "points": (PointSpec(50.0, 1.5), PointSpec(60.0, 0.1))}, Known(), ERROR, "schedule.points"),
    ({"shape": "one_cycle", "momentum_low": 0.95}, Known(), WARNING, "schedule.momentum_low"),
]  # fmt: skip


def _job(values: dict[str, Any]) -> JobSpec:
    spec: JobSpec = with_value(JobSpec(), "batch.max_steps", 100)
    for path, value in values.items():
        spec = with_value(spec, "schedule." + path, value)
    return spec


def _of_schedule(spec: JobSpec, known: Known) -> list[Problem]:
    return list(schedule_problems(spec, known))


@pytest.mark.parametrize(("values", "known", "severity", "path"), CASES)
def test_that_a_schedule_that_cannot_be_is_one_problem_and_its_fix_mends_it(
    values: dict[str, Any], known: Known, severity: str, path: str
) -> None:
    spec = _job(values)
    found = _of_schedule(spec, known)
    assert [(problem.severity, problem.field) for problem in found] == [(severity, path)]
    assert found[0] in problems(spec, known)
    if found[0].fix is None:
        assert _of_schedule(spec, DATA) == [] or "epochs" in found[0].sentence
        return
    for changed, value in changed_fields(found[0].fix).items():
        spec = with_value(spec, changed, value)
    assert _of_schedule(spec, known) == []


def test_that_what_a_shape_does_not_use_is_no_problem() -> None:
    assert _of_schedule(_job({"cooldown.amount": 99.0, "points": (PointSpec(9.0), PointSpec(1.0))}), Known()) == []
    assert _of_schedule(_job({"momentum_low": 0.99}), Known()) == []
    assert _of_schedule(_job({"warmup.amount": 0.0, "warmup.unit": "tokens"}), Known()) == []
    assert _of_schedule(_job({"shape": "wsd", "cooldown.amount": 90.0}), Known()) == []


def test_that_points_in_one_place_leave_the_last_of_them() -> None:
    points = (PointSpec(50.0, 1.0), PointSpec(20.0, 0.5), PointSpec(50.0, 0.1))
    fix = _of_schedule(_job({"shape": "piecewise", "points": points}), Known())[0].fix
    assert fix is not None
    assert changed_fields(fix) == {"schedule.points": (PointSpec(20.0, 0.5), PointSpec(50.0, 0.1))}


def test_that_the_length_of_the_run_comes_from_prepared_data_where_there_is_some() -> None:
    spec = with_value(JobSpec(), "batch.accumulation", 10)
    assert known_horizon(spec, DATA) == Horizon(30, 10, 5000.0)
    assert known_horizon(spec, Known()) == Horizon(0, 0, 0.0)
