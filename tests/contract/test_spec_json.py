"""Spec to JSON and back: nothing lost, every mistake named with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.knob import DescribedField, described_fields
from remote_agent.contract.spec_json import (
    SpecError,
    spec_from_dict,
    spec_from_json,
    spec_hash,
    spec_to_dict,
    spec_to_json,
)
from tests.support.spec_lists import list_fields

LISTS = list_fields(st.text())


def _values(field: DescribedField) -> st.SearchStrategy[Any]:
    if field.path in LISTS:
        return LISTS[field.path]
    if field.path == "schema_version":
        return st.just(1)
    if field.knob.choices:
        return st.sampled_from(field.knob.choices)
    return {
        bool: st.booleans(),
        int: st.integers(-(2**53), 2**53),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(),
        tuple: st.lists(st.text(), max_size=3).map(tuple),
    }[field.kind]


@st.composite
def specs(draw: st.DrawFn) -> JobSpec:
    spec = JobSpec()
    for field in draw(st.lists(st.sampled_from(list(described_fields(JobSpec))), max_size=8)):
        spec = with_value(spec, field.path, draw(_values(field)))
    return spec


@given(specs())
def test_that_a_spec_survives_json_exactly(spec: JobSpec) -> None:
    assert spec_from_json(spec_to_json(spec)) == spec
    assert spec_hash(spec_from_json(spec_to_json(spec))) == spec_hash(spec)


@given(specs(), st.sampled_from(list(described_fields(JobSpec))))
def test_that_the_hash_tells_two_specs_apart(spec: JobSpec, field: DescribedField) -> None:
    other = with_value(spec, field.path, field.default)
    assert (spec_hash(spec) == spec_hash(other)) == (spec_to_json(spec) == spec_to_json(other))


def test_that_a_misspelt_field_names_the_nearest_one() -> None:
    with pytest.raises(SpecError) as caught:
        spec_from_dict({"optimizer": {"learnig_rate": 1e-5}, "sed": 3})
    assert "optimizer.learnig_rate" in caught.value.mistakes[0]
    assert "did you mean optimizer.learning_rate?" in caught.value.mistakes[0]
    assert "did you mean seed?" in caught.value.mistakes[1]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"optimizer": {"learning_rate": "2e-5"}}, "optimizer.learning_rate: expected a number"),
        ({"batch": {"micro_batch": 1.5}}, "batch.micro_batch: expected a whole number"),
        ({"batch": {"micro_batch": True}}, "batch.micro_batch: expected a whole number"),
        ({"data": None}, "data: expected a group of fields, found null"),
        ({"evaluation": {"sample_prompts": [1]}}, "evaluation.sample_prompts: expected a list of texts"),
        ([], "job: expected a group of fields"),
    ],
)
def test_that_a_wrong_type_names_its_field_and_what_was_expected(data: Any, path: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_from_dict(data)
    assert caught.value.mistakes[0].startswith(path)


def test_that_a_whole_number_is_taken_where_a_number_is_asked_for() -> None:
    assert spec_from_dict({"batch": {"epochs": 2}}).batch.epochs == 2.0


def test_that_a_newer_layout_is_refused_with_a_sentence() -> None:
    with pytest.raises(SpecError, match="newer Luthier"):
        spec_from_dict({"schema_version": 99, "anything": 1})


def test_that_broken_json_names_line_and_column() -> None:
    with pytest.raises(SpecError, match="line 2, column 1"):
        spec_from_json('{"name": "x",\n')
    with pytest.raises(SpecError):
        spec_from_json("[" * 200_000)


def test_that_fields_come_in_the_order_of_their_declaration() -> None:
    assert list(spec_to_dict(JobSpec()))[:4] == ["schema_version", "name", "seed", "model"]
    assert json.loads(spec_to_json(JobSpec())) == spec_to_dict(JobSpec())


def test_that_mistakes_in_a_list_name_the_item_and_what_it_can_be() -> None:
    with pytest.raises(SpecError) as caught:
        spec_from_dict({"data": {"steps": [{"kind": "drip"}, {"kind": "drop", "rows": ["a"]}], "more": [{"pth": ""}]}})
    kind, rows, path = caught.value.mistakes
    assert kind.startswith("data.steps[0].kind: expected one of drop, deduplicate") and '"drip"' in kind
    assert rows == 'data.steps[1].rows: expected a list of whole numbers, found ["a"].'
    assert "did you mean data.more[0].path?" in path
