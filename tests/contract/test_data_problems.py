"""What stands against a job's sources, steps and held-out part, and that each fix really mends it."""

from __future__ import annotations

from typing import Any

import pytest

from remote_agent.contract.data_report import (
    ClassCount,
    DataFix,
    DataReport,
    Finding,
    ModelReport,
    PackingReport,
    SourceReport,
    TokenCounts,
)
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import (
    AugmentStep,
    BalanceStep,
    DeduplicateStep,
    DropStep,
    MapLabelsStep,
    NormaliseStep,
    ReplaceStep,
    Step,
    TruncateStep,
)
from remote_agent.contract.job_spec import DataSpec, JobSpec, ModelSpec, StrategySpec, with_value
from remote_agent.contract.problems import ERROR, WARNING, Known, Problem, problems
from remote_agent.contract.step_problems import expression_fault

SOUND = JobSpec(
    model=ModelSpec(id="/models/small"), data=DataSpec(path="/data/rows.json"), strategy=StrategySpec(precision="fp32")
)
NO_COUNTS = TokenCounts(0, 0, 0.0, 0.0, 0, 0, (), ())


def report(
    classes: tuple[ClassCount, ...] = (), findings: tuple[Finding, ...] = (), complete: bool = True,
    columns: tuple[tuple[str, ...], ...] = (("prompt", "completion"),), shape: str = "prompt_completion",
    train_sequences: int = 9,
) -> DataReport:  # fmt: skip
    sources = tuple(
        SourceReport(f"/data/{number}.json", 9, shape, "", names, (), 0, 9) for number, names in enumerate(columns)
    )
    return DataReport(
        "/data/rows.json", 9, shape, "", 9, 1, NO_COUNTS, NO_COUNTS, NO_COUNTS, PackingReport(1024, 9, 0.9),
        train_sequences, 1, 100, 50, findings, "hash", complete=complete, classes=classes, sources=sources,
    )  # fmt: skip


def with_steps(*steps: Step) -> JobSpec:
    return with_value(SOUND, "data.steps", steps)  # type: ignore[no-any-return]


def with_more(*more: SourceSpec, **fields: Any) -> JobSpec:
    spec = with_value(SOUND, "data.more", more)
    for name, value in fields.items():
        spec = with_value(spec, "data." + name, value)
    return spec  # type: ignore[no-any-return]


FURTHER = SourceSpec(path="/data/more.json")
REPLAYED = SourceSpec(path="/data/general.json", replay=True, weight=2.0)
ENDPOINT = AugmentStep(method="endpoint", url="https://example.org/say", consent=True)
BACK = AugmentStep(method="back_translation", model="m", source_language="en", other_language="de")

CASES = [
    (with_steps(NormaliseStep(), DeduplicateStep(0.2)), Known(), ERROR, "data.steps[1].threshold"),
    (with_steps(TruncateStep(role="nobody")), Known(), ERROR, "data.steps[0].role"),
    (with_more(FURTHER, SourceSpec(path="x", max_epochs=0.0)), Known(), ERROR, "data.more[1].max_epochs"),
    (with_more(SourceSpec(path="x", shape="odd")), Known(), ERROR, "data.more[0].shape"),
    (with_more(SourceSpec()), Known(), ERROR, "data.more[0].path"),
    (with_more(FURTHER, weight=2.0), Known(), ERROR, "data.more[0].weight"),
    (with_more(FURTHER, SourceSpec(path="x", weight=0.5)), Known(), ERROR, "data.weight"),
    (with_more(FURTHER, replay_share=0.05), Known(), ERROR, "data.replay_share"),
    (with_more(replay_share=0.05), Known(), ERROR, "data.replay_share"),
    (with_more(FURTHER, SourceSpec(path="x", replay=True)), Known(), ERROR, "data.replay_share"),
    (with_more(REPLAYED, SourceSpec(path="x", replay=True), replay_share=0.1), Known(), ERROR, "data.more[1].weight"),
    (with_value(SOUND, "data.held_out_by", "group"), Known(), ERROR, "data.held_out_column"),
    (with_more(held_out_by="group", held_out_column="id"), Known(data=report()), ERROR, "data.held_out_column"),
    (with_value(SOUND, "data.held_out_by", "class"), Known(data=report()), ERROR, "data.held_out_by"),
    (with_value(SOUND, "data.chat_template", "builtin:nonsense"), Known(), ERROR, "data.chat_template"),
    (with_more(shape="classification", classification_prompt="Which?"), Known(), ERROR, "data.classification_prompt"),
    (with_value(SOUND, "data.classification_prompt", ""), Known(data=report(shape="classification")), ERROR,
     "data.classification_prompt"),
    (with_value(SOUND, "data.added_tokens", ("<a>", "<a>", " ")), Known(), ERROR, "data.added_tokens"),
    (with_steps(ReplaceStep()), Known(), ERROR, "data.steps[0].find"),
    (with_steps(ReplaceStep(find="(a", regex=True)), Known(), ERROR, "data.steps[0].find"),
    (with_steps(ReplaceStep(find="a", put="\\1", regex=True)), Known(), ERROR, "data.steps[0].find"),
    (with_steps(ReplaceStep(find="a", put="\ud83d")), Known(), ERROR, "data.steps[0].put"),
    (with_steps(MapLabelsStep(("a=b", "c"))), Known(), ERROR, "data.steps[0].labels"),
    (with_steps(MapLabelsStep(("c",))), Known(), ERROR, "data.steps[0].labels"),
    (with_steps(DropStep(rows=(3, -1))), Known(), ERROR, "data.steps[0].rows"),
    (with_steps(DropStep()), Known(), WARNING, "data.steps[0].finding"),
    (with_steps(BalanceStep()), Known(data=report()), WARNING, "data.steps[0].method"),
    (with_steps(with_value(ENDPOINT, "consent", False)), Known(), ERROR, "data.steps[0].consent"),
    (with_steps(with_value(ENDPOINT, "url", "ftp://example.org")), Known(), ERROR, "data.steps[0].url"),
    (with_steps(AugmentStep()), Known(), ERROR, "data.steps[0].model"),
    (with_steps(with_value(BACK, "other_language", "")), Known(), ERROR, "data.steps[0].back_model"),
]  # fmt: skip


def found(spec: JobSpec, known: Known, field: str) -> list[Problem]:
    return [problem for problem in problems(spec, known) if problem.field == field]


@pytest.mark.parametrize(("spec", "known", "severity", "field"), CASES, ids=[case[3] for case in CASES])
def test_that_a_fault_is_said_at_its_field_and_its_fix_mends_it(
    spec: JobSpec, known: Known, severity: str, field: str
) -> None:
    problem = found(spec, known, field)[0]
    assert problem.severity == severity and problem.sentence.endswith(".")
    assert problem.fix is not None
    for path, value in problem.fix.changes:
        spec = with_value(spec, path, value)
    assert not [left for left in problems(spec, known) if left.severity == severity]


@pytest.mark.parametrize(
    "spec",
    [
        with_steps(DropStep("empty_response"), DropStep(rows=(3,)), DeduplicateStep(), MapLabelsStep(("a=b",))),
        with_steps(ReplaceStep(find="(a)", put="\\1", regex=True), ReplaceStep(find="(a"), ENDPOINT, BACK),
        with_steps(AugmentStep(model="m"), AugmentStep(method="back_translation", model="m", back_model="n")),
        with_more(SourceSpec(path="x", weight=1.0), weight=0.5),
        with_more(FURTHER, held_out_by="group", held_out_column="prompt"),
        with_value(SOUND, "data.chat_template", "builtin:chatml"),
    ],
)
def test_that_sound_data_has_no_problem(spec: JobSpec) -> None:
    assert problems(spec, Known(data=report(columns=(("prompt", "completion"), ("prompt",))))) == []


def test_that_hub_data_without_a_revision_is_a_warning_for_each_source() -> None:
    spec = with_more(SourceSpec("hub", "org/b"), SourceSpec("hub", "org/c", revision="abc"), source="hub")
    hub = [problem for problem in problems(spec) if "pinned" in problem.sentence]
    assert [(problem.severity, problem.field) for problem in hub] == [
        (WARNING, "data.revision"), (WARNING, "data.more[0].revision"),
    ]  # fmt: skip


def test_that_a_group_column_that_one_source_lacks_is_a_warning() -> None:
    spec = with_more(FURTHER, held_out_by="group", held_out_column="id")
    problem = found(spec, Known(data=report(columns=(("id", "prompt"), ("prompt",)))), "data.held_out_column")[0]
    assert problem.severity == WARNING and "/data/1.json" in problem.sentence


def test_that_nothing_is_said_of_classes_before_all_rows_are_read() -> None:
    spec = with_value(with_steps(BalanceStep()), "data.held_out_by", "class")
    assert problems(spec, Known(data=report(complete=False))) == []
    classes = (ClassCount("a", 5, 1),)
    assert problems(spec, Known(data=report(classes=classes))) == []


def test_that_no_way_of_splitting_matters_where_a_file_is_held_out() -> None:
    spec = with_more(held_out_by="group", held_out_path="/data/held.json")
    assert problems(spec, Known(data=report())) == []


def test_that_an_error_of_the_report_brings_its_first_fix() -> None:
    fixes = (DataFix("Drop them", {"kind": "drop", "finding": "bad_row"}), DataFix("Never", {"kind": "drop"}))
    bad = Finding("bad_row", "error", 2, "2 rows cannot be used.", fixes=fixes)
    spec = with_steps(NormaliseStep())
    problem = found(spec, Known(data=report(findings=(bad,))), "data.path")[0]
    assert problem.fix is not None
    assert dict(problem.fix.changes) == {"data.steps": (NormaliseStep(), DropStep("bad_row"))}
    changes = Finding("x", "error", 1, "Too long.", fixes=(DataFix("Cut", changes={"data.max_length": 64}),))
    problem = found(SOUND, Known(data=report(findings=(changes,))), "data.path")[0]
    assert problem.fix is not None and problem.fix.changes == (("data.max_length", 64),)
    unknown = Finding("x", "error", 1, "New.", fixes=(DataFix("Do", {"kind": "from_the_future"}),))
    assert found(SOUND, Known(data=report(findings=(unknown,))), "data.path")[0].fix is None


def test_that_no_row_left_is_an_error_once_all_are_read() -> None:
    assert found(SOUND, Known(data=report(train_sequences=0)), "data.path")[0].severity == ERROR
    assert not found(SOUND, Known(data=report(train_sequences=0, complete=False)), "data.path")


def test_that_plain_text_needs_no_chat_template() -> None:
    model = ModelReport("/models/small", {}, "", "hash", 10, (), "print")
    assert found(SOUND, Known(model=model), "data.chat_template")
    assert not found(with_value(SOUND, "data.shape", "text"), Known(model=model), "data.chat_template")


def test_that_a_look_at_an_expression_never_runs_it() -> None:
    assert expression_fault("(?:a?){999999999}", "x") == ""
    assert expression_fault("(?P<name>a)(b)", r"\g<name>\2") == ""
    assert "invalid group reference" in expression_fault("(a)", r"\2")
    assert expression_fault("[[a]", "") == ""
