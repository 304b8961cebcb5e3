"""Usual ranges: sourced, met by the defaults, and a value outside one is a warning whose fix lies inside."""

from __future__ import annotations

import re

import pytest

from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.knob import described_fields
from remote_agent.contract.problems import WARNING, changed_fields, problems
from remote_agent.contract.usual_ranges import USUAL_RANGES, UsualRange, usual_range, usual_range_problems

FIELDS = {field.path: field for field in described_fields(JobSpec)}


def named(usual: UsualRange) -> str:
    return f"{usual.path} {usual.low:g}"


@pytest.mark.parametrize("usual", USUAL_RANGES, ids=named)
def test_that_a_range_names_a_published_source_and_lies_in_what_the_field_allows(usual: UsualRange) -> None:
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", usual.source)
    knob = FIELDS[usual.path].knob
    assert usual.low < usual.high
    assert knob.low is None or usual.low >= knob.low
    assert knob.high is None or usual.high <= knob.high


def test_that_a_new_job_is_inside_every_range() -> None:
    assert list(usual_range_problems(JobSpec())) == []


def test_that_the_ends_of_a_range_belong_to_it() -> None:
    for value in (2e-6, 3e-4):
        assert list(usual_range_problems(with_value(JobSpec(), "optimizer.learning_rate", value))) == []


def test_that_a_value_outside_is_a_warning_with_its_source_and_a_fix_that_holds() -> None:
    spec = with_value(JobSpec(), "optimizer.learning_rate", 1e-3)
    (found,) = usual_range_problems(spec)
    assert (found.severity, found.field) == (WARNING, "optimizer.learning_rate")
    assert found.sentence.startswith("Peak learning rate is 0.001; published recipes use 2e-06 to 0.0003 (from 2e-6 in")
    assert found.fix is not None and changed_fields(found.fix) == {"optimizer.learning_rate": 3e-4}
    assert found in problems(with_value(with_value(spec, "model.id", "m"), "data.path", "d"))
    for path, value in changed_fields(found.fix).items():
        spec = with_value(spec, path, value)
    assert list(usual_range_problems(spec)) == []


def test_that_the_range_is_the_one_of_the_optimizer_chosen() -> None:
    lion = with_value(JobSpec(), "optimizer.kind", "lion")
    assert usual_range("optimizer.learning_rate", lion) != usual_range("optimizer.learning_rate", JobSpec())
    assert usual_range("optimizer.learning_rate", with_value(JobSpec(), "optimizer.kind", "sgd")) is None
    assert "optimizer.beta2" in {problem.field for problem in usual_range_problems(lion)}


def test_that_what_is_turned_off_has_no_usual_range() -> None:
    for path in ("regularization.neftune_alpha", "regularization.mixup_alpha", "regularization.clip_norm"):
        spec = with_value(JobSpec(), path, 0.0)
        assert usual_range(path, spec) is None
        assert value_at(spec, path) == 0.0
