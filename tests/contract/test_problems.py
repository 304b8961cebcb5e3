"""What stands against a job, and that each fix really mends it."""

from typing import Any

import pytest

from remote_agent.contract.data_report import ModelReport
from remote_agent.contract.job_spec import DataSpec, JobSpec, ModelSpec, StrategySpec, with_value
from remote_agent.contract.node_report import Gpu, NodeReport
from remote_agent.contract.problems import ERROR, Known, Problem, problems

SOUND = JobSpec(
    model=ModelSpec(id="/models/small"), data=DataSpec(path="/data/rows.json"), strategy=StrategySpec(precision="fp32")
)
GIB = 1 << 30


def _node(gpus: int = 0, cores: int = 8, capability: str = "9.0") -> NodeReport:
    each = tuple(Gpu(i, f"GPU-{i}", "Test GPU", 80 * GIB, 0, 0.0, 30.0, 60.0, capability) for i in range(gpus))
    return NodeReport(
        "box", "me", "Linux", "/home/me", "3.11", cores, 64 * GIB, 60 * GIB, 500 * GIB, each, None, "", "", "boot", 0.0
    )


def _model(**config: Any) -> ModelReport:
    return ModelReport("/models/small", config, "{{ messages }}", "hash", 10, (), "print")


def _found(spec: JobSpec, known: Known, field: str) -> Problem:
    matching = [problem for problem in problems(spec, known) if problem.field == field]
    assert matching, f"nothing is said of {field}"
    return matching[0]


CASES = [
    ({"optimizer.learning_rate": 0.0}, Known(), "optimizer.learning_rate"),
    ({"optimizer.learning_rate": float("nan")}, Known(), "optimizer.learning_rate"),
    ({"schedule.shape": "zigzag"}, Known(), "schedule.shape"),
    ({"batch.micro_batch": 0}, Known(), "batch.micro_batch"),
    ({"schedule.warmup.unit": "steps", "schedule.warmup.amount": 50.0, "batch.max_steps": 20}, Known(),
     "schedule.warmup.amount"),
    ({"checkpointing.weights_every_steps": 100, "batch.max_steps": 20}, Known(), "checkpointing.weights_every_steps"),
    ({"checkpointing.state_every_steps": 100, "batch.max_steps": 20}, Known(), "checkpointing.state_every_steps"),
    ({"evaluation.every_steps": 100, "batch.max_steps": 20}, Known(), "evaluation.every_steps"),
    ({"checkpointing.save_at_end": False, "batch.max_steps": 20}, Known(), "checkpointing.save_at_end"),
    ({"strategy.offload_optimizer": True, "strategy.zero_stage": 0}, Known(), "strategy.offload_optimizer"),
    ({"strategy.offload_parameters": True, "strategy.zero_stage": 2}, Known(), "strategy.offload_parameters"),
    ({"data.max_length": 9000}, Known(model=_model(max_position_embeddings=2048)), "data.max_length"),
    ({"data.max_length": 2000}, Known(model=_model(n_positions=1024)), "data.max_length"),
    ({"strategy.precision": "bf16"}, Known(node=_node()), "strategy.precision"),
    ({"strategy.precision": "bf16"}, Known(node=_node(2, capability="7.5")), "strategy.precision"),
    ({"strategy.ranks": 16, "batch.accumulation": 2}, Known(node=_node(8)), "strategy.ranks"),
    ({"strategy.ranks": 16}, Known(node=_node(0, cores=2)), "strategy.ranks"),
    ({"strategy.attention": "flash_attention_2"}, Known(), "strategy.attention"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "known", "field"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_that_a_fault_is_an_error_at_its_field_and_its_fix_mends_it(
    changes: dict[str, Any], known: Known, field: str
) -> None:
    spec = SOUND
    for path, value in changes.items():
        spec = with_value(spec, path, value)
    problem = _found(spec, known, field)
    assert problem.severity == ERROR and problem.sentence.endswith(".")
    assert problem.fix is not None
    for path, value in problem.fix.changes:
        spec = with_value(spec, path, value)
    assert not [left for left in problems(spec, known) if left.severity == ERROR and left.field == field]


def test_that_a_sound_job_has_no_problem() -> None:
    assert problems(SOUND, Known(node=_node(), train_sequences=100)) == []


def test_that_an_empty_job_asks_for_model_and_data() -> None:
    fields = {problem.field for problem in problems(JobSpec()) if problem.severity == ERROR}
    assert {"model.id", "data.path"} <= fields


def test_that_fewer_gpus_keep_the_global_batch() -> None:
    spec = with_value(with_value(SOUND, "strategy.ranks", 16), "batch.accumulation", 4)
    fix = _found(spec, Known(node=_node(8)), "strategy.ranks").fix
    assert fix is not None and dict(fix.changes) == {"strategy.ranks": 8, "batch.accumulation": 8}


def test_that_errors_come_before_warnings() -> None:
    spec = with_value(with_value(SOUND, "data.held_out_fraction", 0.0), "model.id", "")
    severities = [problem.severity for problem in problems(spec)]
    assert severities == sorted(severities)
    assert "warning" in severities
