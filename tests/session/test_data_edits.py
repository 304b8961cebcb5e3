"""What the verbs of the Data page change in a job, and that rows named by steps keep their meaning."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.data_report import DataFix, SourceReport
from remote_agent.contract.data_spec import DataSpec, SourceSpec
from remote_agent.contract.data_steps import DeduplicateStep, DropStep, NormaliseStep, Step, TruncateStep
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import SpecError
from studio.session import data_edits

STEPS: tuple[Step, ...] = (DropStep(finding="empty_response"), DeduplicateStep(), TruncateStep(tokens=9))


def _data(**changes: Any) -> DataSpec:
    return dataclasses.replace(DataSpec(), path="a.json", **changes)


def _source(first_row: int, rows: int) -> SourceReport:
    return SourceReport("", rows, "text", "", (), (), first_row, rows)


@pytest.mark.parametrize(("number", "to", "order"), [(0, 2, "120"), (2, 0, "201"), (1, 1, "012")])
def test_that_a_step_is_moved_to_its_place_among_the_others(number: int, to: int, order: str) -> None:
    changes = data_edits.with_step_moved(_data(steps=STEPS), number, to)
    assert changes == {"data.steps": tuple(STEPS[int(at)] for at in order)}


def test_that_steps_are_added_behind_and_taken_out_by_number() -> None:
    assert data_edits.with_step(_data(), STEPS[0]) == {"data.steps": STEPS[:1]}
    assert data_edits.without_step(_data(steps=STEPS), 1) == {"data.steps": (STEPS[0], STEPS[2])}
    with pytest.raises(IndexError):
        data_edits.without_step(_data(steps=STEPS), 3)


def test_that_a_fix_brings_its_step_and_its_fields_in_the_types_of_the_job() -> None:
    fix = DataFix(
        "Mend it",
        step={"kind": "normalise", "encoding": True},
        changes={"data.added_tokens": ["<|im_start|>", "<|im_end|>"], "data.max_length": 64, "batch.epochs": 2},
    )
    assert data_edits.of_fix(JobSpec(), fix) == {
        "data.added_tokens": ("<|im_start|>", "<|im_end|>"),
        "data.max_length": 64,
        "batch.epochs": 2.0,
        "data.steps": (NormaliseStep(encoding=True),),
    }


@pytest.mark.parametrize(
    "fix",
    [
        DataFix("x", step={"kind": "conjure"}),
        DataFix("x", step={"kind": "drop", "rows": "all"}),
        DataFix("x", changes={"data.max_len": 3}),
        DataFix("x", changes={"data.max_length": "long"}),
    ],
)
def test_that_a_fix_of_another_version_is_refused(fix: DataFix) -> None:
    with pytest.raises(SpecError):
        data_edits.of_fix(JobSpec(), fix)


def test_that_the_first_source_of_an_empty_job_becomes_its_data_and_the_next_stand_behind() -> None:
    source = SourceSpec(source="node", path="/srv/a.parquet", weight=2.0)
    first = data_edits.with_source(DataSpec(), source)
    assert (first["data.source"], first["data.path"], first["data.weight"]) == ("node", "/srv/a.parquet", 2.0)
    assert data_edits.with_source(_data(), source) == {"data.more": (source,)}


def test_that_a_source_that_goes_takes_its_rows_out_of_the_steps_and_renumbers_those_behind() -> None:
    more = (SourceSpec(path="b.json"), SourceSpec(path="c.json"))
    steps = (DropStep(rows=(3, 10, 14, 15, 22)), DeduplicateStep(), DropStep(rows=(11,)))
    known = (_source(0, 10), _source(10, 5), _source(15, 9))
    changes = data_edits.without_source(_data(more=more, steps=steps), 0, known)
    assert changes == {"data.more": more[1:], "data.steps": (DropStep(rows=(3, 10, 17)), DeduplicateStep())}


def test_that_rows_named_by_steps_are_forgotten_where_nobody_knows_whose_they_are() -> None:
    steps = (DropStep(rows=(3,)), DropStep(finding="leak"))
    changes = data_edits.without_source(_data(more=(SourceSpec(path="b.json"),), steps=steps), 0, ())
    assert changes == {"data.more": (), "data.steps": steps[1:]}


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.data())
def test_that_a_row_named_by_a_step_is_the_same_row_after_any_source_has_gone(sizes: list[int], data: Any) -> None:
    texts = [f"{source}:{row}" for source, size in enumerate(sizes) for row in range(size)]
    rows = tuple(sorted(data.draw(st.sets(st.integers(0, len(texts) - 1), min_size=1))))
    gone = data.draw(st.integers(1, len(sizes) - 1))
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    known = tuple(_source(start, size) for start, size in zip(starts, sizes, strict=True))
    more = tuple(SourceSpec(path=str(number)) for number in range(1, len(sizes)))
    job = _data(more=more, steps=(DropStep(rows=rows),))
    changes = data_edits.without_source(job, gone - 1, known)
    left = [text for text in texts if not text.startswith(f"{gone}:")]
    steps = changes.get("data.steps", job.steps)
    named = [left[row] for step in steps for row in step.rows]
    assert named == [texts[row] for row in rows if not texts[row].startswith(f"{gone}:")]
