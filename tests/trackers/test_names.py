"""The names under which trackers get values, beside those that transformers gives its own logs."""

from __future__ import annotations

from transformers.integrations.integration_utils import rewrite_logs

from remote_agent.contract.events import Evaluated, StepCompleted
from remote_agent.contract.tracker_points import mlflow_names, values_of

_STEP = StepCompleted(1, 7, 1.5, 2e-5, 0.7, 64, 32, 100.0, 0.5, 0, 0.25)
_EVALUATED = Evaluated(1, 7, 1.25, 3.49, 32, 8, 2.0)


def test_that_the_names_are_those_transformers_gives_its_own_logs() -> None:
    # as its Trainer logs an update and an evaluation
    update = {"loss": 1.5, "grad_norm": 0.7, "learning_rate": 2e-5, "epoch": 0.25}
    evaluation = {"eval_loss": 1.25, "eval_runtime": 2.0}
    assert rewrite_logs(update).items() <= values_of(_STEP).items()
    assert rewrite_logs(evaluation).items() <= values_of(_EVALUATED).items()
    # its callback for MLflow rewrites none
    assert update.items() <= dict(mlflow_names(values_of(_STEP))).items()
    assert evaluation.items() <= dict(mlflow_names(values_of(_EVALUATED))).items()
