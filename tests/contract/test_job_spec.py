"""The job spec: described everywhere, frozen, and changed only by making a new one."""

import dataclasses

import pytest

from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.knob import described_fields


def test_that_every_field_has_a_label_and_a_sentence_of_help() -> None:
    for field in described_fields(JobSpec):
        assert field.knob.label, field.path
        assert field.knob.help.endswith("."), field.path
        assert len(field.knob.help) > 20, field.path


def test_that_every_default_lies_within_its_own_range() -> None:
    for field in described_fields(JobSpec):
        if field.knob.choices:
            assert field.default in field.knob.choices, field.path
        if isinstance(field.default, float | int) and not isinstance(field.default, bool):
            assert field.knob.low is None or field.default >= field.knob.low, field.path
            assert field.knob.high is None or field.default <= field.knob.high, field.path
            assert field.knob.above is None or field.default > field.knob.above, field.path


def test_that_a_changed_value_makes_a_new_spec_and_leaves_the_old_one() -> None:
    old = JobSpec()
    new = with_value(old, "schedule.warmup.amount", 3.0)
    assert value_at(new, "schedule.warmup.amount") == 3.0
    assert value_at(old, "schedule.warmup.amount") == 10.0
    assert dataclasses.replace(new, schedule=old.schedule) == old


def test_that_an_unknown_path_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        value_at(JobSpec(), "optimizer.learningrate")
    with pytest.raises(KeyError):
        with_value(JobSpec(), "optimizer.learning_rate.peak", 1.0)
