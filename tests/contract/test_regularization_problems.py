"""What stands against a job's regularization, and that each fix really mends it."""

from __future__ import annotations

from typing import Any

import pytest

from remote_agent.contract.averaging_span import averaged_steps, first_averaged_step
from remote_agent.contract.data_report import ModelReport
from remote_agent.contract.dropout_fields import dropout_fields, dropouts
from remote_agent.contract.job_spec import DataSpec, JobSpec, ModelSpec, StrategySpec, value_at, with_value
from remote_agent.contract.knob import described_fields
from remote_agent.contract.problem import ERROR, WARNING
from remote_agent.contract.problems import Known, Problem, problems
from remote_agent.contract.recipe_spec import RegularizationSpec
from remote_agent.contract.regularization_problems import regularization_costs

SOUND = JobSpec(
    model=ModelSpec(id="/models/small"), data=DataSpec(path="/data/rows.json"), strategy=StrategySpec(precision="fp32")
)


def _spec(**changes: Any) -> JobSpec:
    spec = SOUND
    for path, value in changes.items():
        spec = with_value(spec, path.replace("__", "."), value)
    return spec


def _model(**config: Any) -> Known:
    return Known(model=ModelReport("/models/small", config, "{{ messages }}", "hash", 10, (), "print"))


def _of(spec: JobSpec, known: Known, field: str) -> list[Problem]:
    return [one for one in problems(spec, known) if one.field == "regularization." + field]


LLAMA = _model(model_type="llama", attention_dropout=0.0)
CASES: list[tuple[dict[str, Any], Known, str, str]] = [
    ({"mixup_alpha": 0.2, "data.packing": True, "batch.micro_batch": 2}, Known(), "mixup_alpha", ERROR),
    ({"mixup_alpha": 0.2, "data.packing": False, "batch.micro_batch": 1}, Known(), "mixup_alpha", ERROR),
    ({"mixup_alpha": 0.2, "data.packing": False, "batch.micro_batch": 2, "strategy.attention": "flash_attention_2",
      "strategy.precision": "bf16"}, Known(), "mixup_alpha", ERROR),
    ({"mixup_alpha": 0.2, "r_drop_alpha": 1.0, "residual_dropout": 0.1, "data.packing": False,
      "batch.micro_batch": 2}, Known(), "mixup_alpha", ERROR),
    ({"r_drop_alpha": 1.0, "residual_dropout": 0.1, "data.packing": True}, Known(), "r_drop_alpha", ERROR),
    ({"r_drop_alpha": 1.0, "data.packing": False}, LLAMA, "r_drop_alpha", ERROR),
    ({"r_drop_alpha": 1.0, "residual_dropout": 0.1, "data.packing": False, "batch.micro_batch": 2,
      "strategy.attention": "flash_attention_2", "strategy.precision": "bf16"}, LLAMA, "r_drop_alpha", ERROR),
    ({"r_drop_alpha": 1.0, "data.packing": False, "override_dropout": True}, _model(model_type="own"), "r_drop_alpha",
     ERROR),
    ({"r_drop_alpha": 1.0, "data.packing": False, "override_dropout": True, "dropout": 0.0}, LLAMA, "r_drop_alpha",
     ERROR),
    ({"override_dropout": True}, _model(model_type="own"), "override_dropout", WARNING),
    ({"patience": 3, "evaluation.every_steps": 0, "batch.max_steps": 100}, Known(), "patience", ERROR),
    ({"patience": 3, "evaluation.every_steps": 10, "batch.max_steps": 100, "data.held_out_fraction": 0.0}, Known(),
     "patience", ERROR),
    ({"patience": 3, "evaluation.every_steps": 40, "batch.max_steps": 100}, Known(), "patience", WARNING),
    ({"patience": 30, "evaluation.every_steps": 1, "batch.max_steps": 10}, Known(), "patience", WARNING),
    ({"averaging": "tail", "tail_percent": 5.0, "batch.max_steps": 20}, Known(), "tail_percent", ERROR),
    ({"averaging": "tail", "batch.max_steps": 1}, Known(), "tail_percent", ERROR),
    ({"averaging": "ema", "batch.max_steps": 100}, Known(), "ema_decay", WARNING),
    ({"averaging": "ema", "batch.max_steps": 1000}, Known(), "ema_decay", WARNING),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "known", "field", "severity"), CASES)
def test_that_a_problem_is_named_at_its_field_and_its_fix_mends_it(
    changes: dict[str, Any], known: Known, field: str, severity: str
) -> None:
    spec = SOUND
    for path, value in changes.items():
        spec = with_value(spec, path if "." in path else "regularization." + path, value)
    found = _of(spec, known, field)
    assert [one.severity for one in found] == [severity]
    (problem,) = found
    assert problem.fix is not None
    assert all(value_at(spec, path) != value for path, value in problem.fix.changes)
    for path, value in problem.fix.changes:
        spec = with_value(spec, path, value)
    assert problem.sentence not in [one.sentence for one in problems(spec, known)]


SOUND_ONES: list[tuple[dict[str, Any], Known]] = [
    ({"neftune_alpha": 5.0, "mixup_alpha": 0.2, "data.packing": False, "batch.micro_batch": 2}, Known()),
    ({"neftune_alpha": 5.0, "data.packing": True}, Known()),
    ({"r_drop_alpha": 1.0, "data.packing": False, "residual_dropout": 0.1}, LLAMA),
    ({"r_drop_alpha": 1.0, "data.packing": False, "override_dropout": True}, LLAMA),
    ({"r_drop_alpha": 1.0, "data.packing": False}, _model(model_type="gpt2")),
    ({"r_drop_alpha": 1.0, "data.packing": False}, Known()),
    ({"override_dropout": True}, LLAMA),
    ({"patience": 3, "evaluation.every_steps": 10, "batch.max_steps": 100}, Known()),
    ({"averaging": "tail", "batch.max_steps": 100}, Known()),
    ({"averaging": "ema", "ema_decay": 0.9, "batch.max_steps": 100}, Known()),
    ({"averaging": "ema"}, Known()),
    ({"base_penalty": 0.01}, Known()),
]


@pytest.mark.parametrize(("changes", "known"), SOUND_ONES)
def test_that_nothing_is_said_against_what_works(changes: dict[str, Any], known: Known) -> None:
    spec = SOUND
    for path, value in changes.items():
        spec = with_value(spec, path if "." in path else "regularization." + path, value)
    paths = [field.path for field in described_fields(JobSpec) if field.path.startswith("regularization.")]
    said = [one for one in problems(spec, known) if one.field in paths and "published recipes" not in one.sentence]
    assert said == []


def test_that_a_micro_batch_of_two_keeps_the_global_batch_where_it_can() -> None:
    for accumulation, expected in ((8, 4), (3, 3)):
        spec = _spec(
            regularization__mixup_alpha=0.2, data__packing=False, batch__micro_batch=1,
            batch__accumulation=accumulation,
        )  # fmt: skip
        (problem,) = _of(spec, Known(), "mixup_alpha")
        assert problem.fix is not None
        mended = spec
        for path, value in problem.fix.changes:
            mended = with_value(mended, path, value)
        assert (mended.batch.micro_batch, mended.batch.accumulation) == (2, expected)


def test_that_the_dropouts_are_those_the_config_names_and_its_class_has() -> None:
    assert dropout_fields({"model_type": "llama"}) == ("attention_dropout",)
    assert dropouts({"model_type": "gpt2", "resid_pdrop": 0.2}) == {
        "resid_pdrop": 0.2, "attn_pdrop": 0.1, "embd_pdrop": 0.1,
    }  # fmt: skip
    others = {"model_type": "own", "classifier_dropout": 0.1, "layerdrop": 0.1, "hidden_dropout": True, "dropout": None}
    assert dropout_fields(others) == ()
    assert dropout_fields({"model_type": "own", "resid_pdrop": 0, "embd_pdrop": 0.5}) == ("embd_pdrop", "resid_pdrop")


def test_that_the_tail_is_the_runs_last_updates_and_a_moving_average_takes_all() -> None:
    tail = RegularizationSpec(averaging="tail", tail_percent=20.0)
    assert [averaged_steps(tail, total) for total in (1, 4, 5, 6, 100)] == [1, 1, 1, 2, 20]
    assert first_averaged_step(tail, 100) == 81
    assert first_averaged_step(RegularizationSpec(averaging="ema"), 100) == 1


def test_that_costs_are_stated_for_every_part_that_can_be_turned_on() -> None:
    settings = {"tail_percent", "ema_decay", "dropout", "patience_threshold"}
    paths = {field.path for field in described_fields(JobSpec) if field.path.startswith("regularization.")}
    assert set(regularization_costs(SOUND)) == paths - {"regularization." + name for name in settings}


def test_that_costs_say_where_a_copy_of_the_weights_lies() -> None:
    path = "regularization.averaging"
    assert "on each GPU for" in regularization_costs(_spec(strategy__zero_stage=0, strategy__ranks=4))[path]
    assert "on each GPU, split over the 4 GPUs" in regularization_costs(_spec(strategy__ranks=4))[path]
    assert "in host memory" in regularization_costs(_spec(strategy__offload_optimizer=True))[path]
