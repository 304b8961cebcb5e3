"""The job under edit: history, problems, plan and what inputs make stale."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from remote_agent.contract.data_report import DataReport, Finding, ModelReport, PackingReport, TokenCounts
from remote_agent.contract.data_steps import DropStep
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.problems import Fix
from studio.state.draft import Draft

_COUNTS = TokenCounts(10, 1, 5.0, 5.0, 9, 50, (10,), (0.0, 10.0))
_SPEC = dataclasses.replace(
    JobSpec(),
    model=dataclasses.replace(JobSpec().model, id="/models/a"),
    data=dataclasses.replace(JobSpec().data, path="/data/rows.jsonl"),
)


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _model(tokenizer: str = "t1", limit: int = 8192) -> ModelReport:
    return ModelReport("/models/a", {"max_position_embeddings": limit}, "{{ x }}", tokenizer, 1000, (), "f")


def _data(sequences: int = 100) -> DataReport:
    return DataReport(
        "/data/rows.jsonl", 110, "alpaca", "columns", 100, 10, _COUNTS, _COUNTS, _COUNTS, PackingReport(1024, 100, 0.9),
        sequences, 10, 5000, 2500, (), "h",
    )  # fmt: skip


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def draft(clock: _Clock) -> Draft:
    return Draft(_SPEC, clock=clock)


def _said(draft: Draft) -> list[str]:
    said: list[str] = []
    draft.notice.connect(lambda severity, sentence: said.append(sentence))
    return said


def test_that_undo_and_redo_walk_over_whole_specs(draft: Draft) -> None:
    draft.set_value("optimizer.learning_rate", 1e-4)
    draft.set_value("seed", 3)
    draft.undo()
    assert (draft.spec.seed, draft.spec.optimizer.learning_rate) == (17, 1e-4)
    draft.undo()
    assert draft.spec == _SPEC
    assert not draft.can_undo
    draft.redo()
    draft.redo()
    assert (draft.spec.seed, draft.spec.optimizer.learning_rate) == (3, 1e-4)
    assert not draft.can_redo


def test_that_a_new_edit_drops_what_was_taken_back(draft: Draft) -> None:
    draft.set_value("seed", 3)
    draft.undo()
    draft.set_value("seed", 4)
    assert not draft.can_redo


def test_that_a_drag_is_one_step_of_the_undo(draft: Draft, clock: _Clock) -> None:
    for rate in (1e-5, 2e-4, 3e-4):
        draft.set_value("optimizer.learning_rate", rate)
        clock.now += 0.1
    clock.now += 2.0
    draft.set_value("optimizer.learning_rate", 9e-4)
    draft.undo()
    assert draft.spec.optimizer.learning_rate == 3e-4
    draft.undo()
    assert draft.spec == _SPEC


def test_that_setting_the_same_value_is_no_change(draft: Draft) -> None:
    seen: list[None] = []
    draft.changed.connect(lambda: seen.append(None))
    draft.set_value("seed", 17)
    assert not seen
    assert not draft.can_undo


def test_that_a_whole_number_in_a_field_of_floats_becomes_a_float(draft: Draft) -> None:
    draft.set_value("batch.epochs", 2)
    assert type(draft.spec.batch.epochs) is float


def test_that_an_unknown_field_is_a_key_error_and_changes_nothing(draft: Draft) -> None:
    with pytest.raises(KeyError):
        draft.set_value("optimizer.learning_rat", 1.0)
    assert draft.spec == _SPEC


def test_that_a_fix_is_applied_as_one_step(draft: Draft) -> None:
    draft.apply(Fix("both", (("seed", 1), ("batch.micro_batch", 2))))
    assert (draft.spec.seed, draft.spec.batch.micro_batch) == (1, 2)
    draft.undo()
    assert draft.spec == _SPEC


def test_that_problems_follow_the_spec_and_tell_when_they_differ(draft: Draft) -> None:
    told: list[None] = []
    draft.problems_changed.connect(lambda: told.append(None))
    draft.set_value("batch.micro_batch", 0)
    assert [problem.field for problem in draft.problems if problem.severity == "error"] == ["batch.micro_batch"]
    draft.set_value("seed", 1)
    draft.set_value("batch.micro_batch", 1)
    assert len(told) == 2


def test_that_the_plan_follows_data_and_spec(draft: Draft) -> None:
    assert draft.plan.total_steps == 0
    draft.set_known(model=_model(), data=_data(100))
    draft.edit({"batch.micro_batch": 4, "batch.accumulation": 5, "batch.epochs": 2.0})
    assert draft.plan.global_batch == 20
    assert draft.plan.total_steps == 10


def test_that_a_report_in_the_making_shows_but_neither_counts_steps_nor_refuses_the_job(draft: Draft) -> None:
    draft.edit({"model.id": "/m", "data.path": "/d", "strategy.precision": "fp32"})
    partial = dataclasses.replace(_data(0), complete=False)
    draft.set_known(data=partial)
    assert draft.known.data is partial
    assert "tokens" in draft.stale
    assert draft.plan.total_steps == 0
    assert not any("No row is left" in problem.sentence for problem in draft.problems)
    draft.set_known(data=_data(0))
    assert "tokens" not in draft.stale
    assert any("No row is left" in problem.sentence for problem in draft.problems)


def test_that_an_error_among_the_findings_blocks_while_the_rest_is_still_read(draft: Draft) -> None:
    draft.edit({"model.id": "/m", "data.path": "/d"})
    found = (Finding("leak", "error", 1, "A row leaks."), Finding("odd", "warning", 1, "A row is odd."))
    draft.set_known(data=dataclasses.replace(_data(), complete=False, findings=found))
    assert [problem.sentence for problem in draft.problems if problem.field == "data.path"] == ["A row leaks."]


def test_that_changes_that_stand_alone_are_a_step_of_the_undo_each_however_quick(draft: Draft) -> None:
    first, second = DropStep(rows=(1,)), DropStep(rows=(2,))
    draft.edit({"data.steps": (first,)}, alone=True)
    draft.edit({"data.steps": (first, second)}, alone=True)
    draft.edit({"data.steps": (second,)})
    for steps in ((first, second), (first,), ()):
        draft.undo()
        assert draft.spec.data.steps == steps
    draft.redo()
    assert draft.spec.data.steps == (first,)


def test_that_another_model_makes_tokens_template_and_length_stale(draft: Draft) -> None:
    draft.set_known(model=_model(), data=_data())
    assert draft.stale == frozenset()
    draft.set_value("model.id", "/models/b")
    assert draft.stale == {"tokens", "template", "length"}
    assert draft.known.model is None
    assert draft.known.data is None


def test_that_another_length_makes_only_the_tokens_stale_and_keeps_the_reports(draft: Draft) -> None:
    draft.set_known(model=_model(), data=_data())
    draft.set_value("data.max_length", 512)
    assert draft.stale == {"tokens"}
    assert draft.known.data is not None


def test_that_undoing_the_choice_of_a_model_and_its_report_is_fresh_again(draft: Draft) -> None:
    draft.set_known(model=_model(), data=_data())
    draft.set_value("model.id", "/models/b")
    draft.undo()
    draft.set_known(model=_model(), data=_data())
    assert draft.stale == frozenset()


def test_that_another_tokenizer_resets_template_and_length_and_says_so(draft: Draft) -> None:
    said = _said(draft)
    draft.edit({"data.chat_template": "{{ mine }}", "data.max_length": 4096})
    draft.set_known(model=_model())
    draft.set_value("model.id", "/models/b")
    draft.set_known(model=_model("t2", limit=2048))
    assert draft.spec.data.chat_template == ""
    assert draft.spec.data.max_length == 2048
    assert len(said) == 1
    assert "4096" in said[0]
    assert "2048" in said[0]
    assert "template" in said[0]


def test_that_a_model_with_the_same_tokenizer_resets_nothing(draft: Draft) -> None:
    said = _said(draft)
    draft.set_value("data.chat_template", "{{ mine }}")
    draft.set_known(model=_model())
    draft.set_value("model.id", "/models/b")
    draft.set_known(model=_model())
    assert draft.spec.data.chat_template == "{{ mine }}"
    assert not said


def test_that_the_first_model_of_a_job_resets_nothing(draft: Draft) -> None:
    said = _said(draft)
    draft.set_value("data.chat_template", "{{ mine }}")
    draft.set_known(model=_model())
    assert draft.spec.data.chat_template == "{{ mine }}"
    assert not said


def test_that_other_data_forgets_its_report_and_keeps_the_model(draft: Draft) -> None:
    draft.set_known(model=_model(), data=_data())
    draft.set_value("data.path", "/data/other.jsonl")
    assert draft.known.model is not None
    assert draft.known.data is None
    assert draft.stale == {"tokens"}


def test_that_opening_another_job_begins_a_new_history_and_keeps_the_node(draft: Draft) -> None:
    node: Any = dataclasses.replace(_node_report())
    draft.set_known(model=_model(), node=node)
    draft.set_value("seed", 3)
    draft.replace_spec(with_value(_SPEC, "name", "other"))
    assert not draft.can_undo
    assert draft.known.model is None
    assert draft.known.node is node


def _node_report() -> Any:
    from remote_agent.contract.node_report import NodeReport

    return NodeReport("box", "me", "Linux", "/h", "3.11", 8, 1, 1, 1, (), None, "", "", "b", 0.0)
