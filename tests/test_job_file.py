"""Job files: commented, exact, and precise about mistakes."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.data_spec import ColumnsSpec, SourceSpec
from remote_agent.contract.data_steps import DeduplicateStep, DropStep, ReplaceStep
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.knob import DescribedField, described_fields
from remote_agent.contract.spec_json import SpecError, spec_to_json
from studio.job_file import job_from_yaml, job_to_yaml, read_job_file, write_job_file
from tests.support.spec_lists import list_fields

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\u2028:#'\"-"))
_LISTS = list_fields(_TEXT)


def _values(field: DescribedField) -> st.SearchStrategy[Any]:
    if field.path == "schema_version":
        return st.just(1)
    if field.path in _LISTS:
        return _LISTS[field.path]
    if field.kind is bool:
        return st.booleans()
    if field.kind is int:
        return st.integers(-(2**40), 2**40)
    if field.kind is float:
        return st.floats(allow_nan=False)
    if field.kind is str:
        return _TEXT
    return st.lists(_TEXT, max_size=3).map(tuple)


@st.composite
def _specs(draw: st.DrawFn) -> JobSpec:
    spec = JobSpec()
    for field in described_fields(JobSpec):
        if draw(st.booleans()):
            spec = with_value(spec, field.path, draw(_values(field)))
    return spec


@settings(max_examples=30, deadline=None)
@given(_specs())
def test_that_any_job_comes_back_from_its_file_without_loss(spec: JobSpec) -> None:
    assert job_from_yaml(job_to_yaml(spec)) == spec


def test_that_every_field_has_a_comment_with_its_label_and_unit() -> None:
    text = job_to_yaml(with_value(JobSpec(), "evaluation.sample_prompts", ("one", "two")))
    for field in described_fields(JobSpec):
        unit = f" [{field.knob.unit}]" if field.knob.unit else ""
        assert f"# {field.knob.label}{unit}: " in text, field.path


def test_that_the_order_of_fields_is_the_order_of_the_spec() -> None:
    top = [line.split(":")[0] for line in job_to_yaml(JobSpec()).splitlines() if line[:1].isalpha()]
    assert top == [field.name for field in dataclasses.fields(JobSpec)]


def test_that_a_learning_rate_in_exponent_form_is_a_number() -> None:
    assert job_from_yaml("optimizer: {learning_rate: 2e-5}").optimizer.learning_rate == 2e-5


def test_that_yes_is_text_and_not_true() -> None:
    assert job_from_yaml("name: yes").name == "yes"


def test_that_json_is_read_too() -> None:
    spec = with_value(JobSpec(), "batch.max_steps", 7)
    assert job_from_yaml(spec_to_json(spec)) == spec


def test_that_an_empty_file_is_the_default_job() -> None:
    assert job_from_yaml("# nothing yet\n") == JobSpec()


def test_that_a_misspelt_field_is_told_with_its_line_and_the_nearest_name() -> None:
    with pytest.raises(SpecError) as caught:
        job_from_yaml("name: x\noptimizer:\n  learning_rat: 2e-5\n", "my.yaml")
    assert str(caught.value).startswith("my.yaml, line 3: optimizer.learning_rat: ")
    assert "optimizer.learning_rate?" in str(caught.value)


def test_that_a_wrong_type_is_told_with_its_line() -> None:
    with pytest.raises(SpecError, match=r"job.yaml, line 2: batch.epochs: expected a number, found \"three\""):
        job_from_yaml("batch:\n  epochs: three\n")


@pytest.mark.parametrize(
    "text",
    [
        "a: [", "- 1", "name: x\nname: y", "\t- x", "\x00", "seed: 1\n---\nseed: 2", "[" * 5000, 'name: "\\ud800"',
        "*b", "seed: 1.5", "just words", "? [1, 2]\n: 3", "model: 3", "schema_version: 99",
        "a: !!python/object:os.system x",
        "name: !!binary aGk=", "&a a: *a",
    ],
)  # fmt: skip
def test_that_what_is_no_job_is_a_sentence(text: str) -> None:
    with pytest.raises(SpecError, match=r"^job\.yaml"):
        job_from_yaml(text)


def test_that_infinity_survives_so_that_the_problems_can_name_it() -> None:
    assert math.isinf(job_from_yaml("batch: {epochs: .inf}").batch.epochs)


def test_that_a_file_is_replaced_in_one_step_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    write_job_file(path, JobSpec())
    write_job_file(path, with_value(JobSpec(), "seed", 3))
    assert read_job_file(path).seed == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["job.yaml"]


def test_that_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(SpecError, match="UTF-8"):
        read_job_file(tmp_path / "job.yaml")


def test_that_steps_and_sources_come_back_and_the_rows_of_a_step_take_one_line() -> None:
    sources = (SourceSpec(path="a: b.json", columns=ColumnsSpec(prompt="q")), SourceSpec(source="node", path="/x"))
    steps = (DropStep(rows=tuple(range(3000))), ReplaceStep(find="a\nb", put="\\1"), DeduplicateStep())
    spec = with_value(with_value(JobSpec(), "data.more", sources), "data.steps", steps)
    text = job_to_yaml(spec)
    assert job_from_yaml(text) == spec
    assert text.count("\n") < 300


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("data:\n  steps:\n    - kind: drop\n      finding: x\n    - kind: dropp\n", "line 5: data.steps[1].kind: "),
        ("data:\n  more:\n    - path: x\n      weigt: 3\n", "line 4: data.more[0].weigt: "),
        ("data:\n  more:\n    - path: x\n      columns:\n        promt: q\n", "line 5: data.more[0].columns.promt: "),
        ("data:\n  steps: drop\n", "line 2: data.steps: "),
    ],
)
def test_that_a_mistake_inside_a_list_is_told_with_its_own_line(text: str, mistake: str) -> None:
    with pytest.raises(SpecError) as caught:
        job_from_yaml(text)
    assert mistake in caught.value.mistakes[0]
