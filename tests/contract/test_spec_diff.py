"""Two jobs side by side: only what differs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import DeduplicateStep, DropStep
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.knob import described_fields
from remote_agent.contract.spec_diff import ABSENT, FieldDifference, differences
from tests.support.spec_lists import list_fields

_FIELDS = {field.path: field for field in described_fields(JobSpec)}


def test_that_a_job_does_not_differ_from_itself() -> None:
    assert differences(JobSpec(), JobSpec()) == ()


def test_that_only_what_differs_is_told_with_words_and_unit_in_the_order_of_the_fields() -> None:
    second = with_value(with_value(JobSpec(), "batch.micro_batch", 4), "optimizer.learning_rate", 1e-4)
    assert differences(JobSpec(), second) == (
        FieldDifference("optimizer.learning_rate", "Peak learning rate", "", 2e-5, 1e-4),
        FieldDifference("batch.micro_batch", "Micro batch", "sequences", 1, 4),
    )


def test_that_the_layouts_version_is_no_difference() -> None:
    assert differences(JobSpec(), with_value(JobSpec(), "schema_version", 2)) == ()


def test_that_items_of_lists_are_told_one_by_one() -> None:
    one, two = SourceSpec(path="a.json"), SourceSpec(path="b.json", weight=2.0)
    first = with_value(JobSpec(), "data.more", (one, one))
    second = with_value(JobSpec(), "data.more", (one, two))
    assert [found.path for found in differences(first, second)] == ["data.more[1].path", "data.more[1].weight"]
    assert differences(first, second)[0].label == "More sources 2, Training data"


def test_that_an_item_of_one_side_is_absent_on_the_other() -> None:
    second = with_value(JobSpec(), "data.steps", (DeduplicateStep(),))
    found = differences(JobSpec(), second)
    assert found[0][:2] == ("data.steps[0].kind", "Steps 1, kind")
    assert all(one.first is ABSENT and one.second is not ABSENT for one in found)
    other = with_value(JobSpec(), "data.steps", (DropStep(finding="empty_response"),))
    kinds = [one for one in differences(second, other) if one.path.endswith(".kind")]
    assert kinds[0][3:] == ("deduplicate", "drop")
    paths = [one.path for one in differences(second, other)]
    assert len(paths) == len(set(paths))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_that_every_changed_field_is_told_and_no_other(data: st.DataObject) -> None:
    spec, changed = JobSpec(), []
    lists = set(list_fields(st.text()))
    for path, field in _FIELDS.items():
        if path == "schema_version" or path in lists or not data.draw(st.booleans()):
            continue
        values = {bool: not field.default, int: 7, float: 0.123, str: "other", tuple: ("x",)}
        if values[field.kind] != field.default:
            spec = with_value(spec, path, values[field.kind])
            changed.append(path)
    found = differences(JobSpec(), spec)
    assert [one.path for one in found] == changed
    assert [one.first for one in found] == [_FIELDS[path].default for path in changed]
    assert [(one.path, one.second, one.first) for one in found] == [
        (one.path, one.first, one.second) for one in differences(spec, JobSpec())
    ]
