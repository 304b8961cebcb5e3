"""A rank as the supervisor starts it, from its inputs to its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.events import (
    CheckpointCommitted,
    CommandDone,
    Complained,
    Evaluated,
    MemoryMeasured,
    Progressed,
    RowLossesTaken,
    StepCompleted,
    TrainingEnded,
    TrainingStarted,
)
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.run_folder import events_of, job, launch_run, make_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("inputs")
    return tiny_model(root / "model"), tiny_rows(root / "rows")


def test_that_a_run_tells_its_whole_course(tmp_path: Path, inputs: tuple[Path, Path]) -> None:
    spec = job(batch__max_steps=3, determinism__enabled=True, strategy__zero_stage=2)
    run_dir = make_run(tmp_path, "r-261124-101112-abcdef", spec, *inputs)
    for name, verb in (("c1", "save"), ("c2", "evaluate")):
        text = json.dumps({"command_id": name, "verb": verb, "arguments": {}})
        (run_dir / "control" / f"{name}.json").write_text(text, encoding="utf-8")
    assert launch_run(run_dir, ranks=1) == 0
    events = events_of(run_dir)
    told = [type(event) for event in events if not isinstance(event, Progressed)]
    assert told == [
        TrainingStarted,
        Evaluated,
        *(StepCompleted, CheckpointCommitted, Evaluated, CommandDone, CommandDone),
        *(StepCompleted, StepCompleted, CheckpointCommitted, Evaluated, RowLossesTaken, MemoryMeasured, TrainingEnded),
    ]
    started = next(event for event in events if isinstance(event, TrainingStarted))
    assert (started.first_step, started.total_steps, started.world_size) == (0, 3, 1)
    assert started.parameters > 10_000
    saved = [(e.step, e.name, e.has_state) for e in events if isinstance(e, CheckpointCommitted)]
    assert saved == [(1, "step-1", True), (3, "step-3", False)]
    assert [event.step for event in events if isinstance(event, Evaluated)] == [0, 1, 3]
    for event in events:
        if isinstance(event, StepCompleted):
            assert min(event.loss, event.gradient_norm, event.tokens_per_s, event.step_time_s) > 0
            assert event.peak_memory_bytes > 1 << 20
            assert 0 < event.supervised_tokens < event.tokens <= spec.data.max_length
    assert events[-1] == TrainingEnded(1, 3, True)
    phases = list(dict.fromkeys(event.phase for event in events if isinstance(event, Progressed)))
    assert phases[:3] == ["importing", "loading model", "starting engine"]
    log = (run_dir / "log" / "rank0.log").read_text(encoding="utf-8")
    assert "step 3: loss" in log
    assert "Traceback" not in log


def test_that_a_failure_is_one_sentence_in_the_journal_and_exit_code_one(
    tmp_path: Path, inputs: tuple[Path, Path]
) -> None:
    run_dir = make_run(tmp_path, "r-261124-101113-abcdef", job(), *inputs)
    other = json.dumps(deepspeed_config(job(strategy__zero_stage=3)))
    (run_dir / "ds_config.json").write_text(other, encoding="utf-8")
    assert launch_run(run_dir, ranks=1) == 1
    (complaint,) = events_of(run_dir)
    assert isinstance(complaint, Complained)
    assert complaint.severity == "error"
    assert "ds_config.json does not belong to job.json: zero_optimization differ" in complaint.sentence
    assert "Traceback" in (run_dir / "log" / "rank0.log").read_text(encoding="utf-8")
