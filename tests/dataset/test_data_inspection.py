"""The report counts what `prepare` would write, and finds what a person should know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.data_inspection import inspect_data, token_counts
from remote_agent.dataset.prepare import prepare
from tests.support.tiny import tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=200, held_out_fraction=0.0))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def report_of(model: Path, folder: Path, rows: Sequence[object], job: JobSpec = JOB) -> DataReport:
    path = folder / "some.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return inspect_data(job, model, path, None)


def asks(prompt: str, completion: object = "b") -> dict[str, object]:
    return {"prompt": prompt, "completion": completion}


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("with_file", [True, False])
def test_that_the_report_counts_what_is_prepared(model: Path, tmp_path: Path, packing: bool, with_file: bool) -> None:
    job = JobSpec(data=DataSpec(max_length=80, packing=packing, held_out_rows=3))
    held_out = tiny_rows(tmp_path / "held_out", 12) if with_file else None
    data = tiny_rows(tmp_path)
    report = inspect_data(job, model, data, held_out)
    prepared, _ = prepare(job, model, data, held_out, tmp_path / "data")
    for name in ("train_rows", "held_out_rows", "train_sequences", "held_out_sequences", "train_tokens",
                 "train_supervised_tokens", "content_hash"):  # fmt: skip
        assert getattr(report, name) == getattr(prepared, name), name
    assert (report.rows, report.shape) == (40, "alpaca")
    assert report.total.count == 40
    assert report.total.total == report.prompt.total + report.response.total
    assert report.packing.efficiency == report.train_tokens / (80 * report.train_sequences)


def test_that_clean_data_has_no_findings(model: Path, tmp_path: Path) -> None:
    assert inspect_data(JOB, model, tiny_rows(tmp_path), None).findings == ()


def test_that_each_finding_names_its_rows(model: Path, tmp_path: Path) -> None:
    rows = [asks("a"), asks("c", " "), asks("d" * 300), asks("e", "f" * 300), asks("a"), asks("g", None)]
    found = {finding.kind: finding for finding in report_of(model, tmp_path, rows).findings}
    assert {kind: finding.rows for kind, finding in found.items()} == {
        "bad_row": (5,), "empty_response": (1,), "over_length": (2, 3), "duplicate": (4,),
    }  # fmt: skip
    assert found["bad_row"].severity == "error"
    assert "some.json line 1 (row 6): 'completion' is null" in found["bad_row"].sentence
    assert found["over_length"].sentence == "2 rows over 200 tokens, cut at the end."
    dropped = report_of(model, tmp_path, rows, with_value(JOB, "data.over_length", "drop"))
    assert dropped.train_rows == 3
    assert "left out" in next(finding for finding in dropped.findings if finding.kind == "over_length").sentence


def test_that_a_conversation_without_an_answer_trains_nothing(model: Path, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": "a"}]}]
    report = report_of(model, tmp_path, rows)
    assert [finding.kind for finding in report.findings] == ["nothing_trained"]
    assert report.train_sequences == report.train_tokens == 0


def test_that_a_held_out_row_that_is_trained_too_is_found(model: Path, tmp_path: Path) -> None:
    data, held_out = tiny_rows(tmp_path), tiny_rows(tmp_path / "held_out", 12)
    findings = inspect_data(JOB, model, data, held_out).findings
    assert [(finding.kind, finding.count, finding.rows) for finding in findings] == [("leakage", 12, ())]
    assert findings[0].sentence.startswith("Held-out file: 12 rows")
    mixed = report_of(model, tmp_path, [asks(f"row {number % 20}") for number in range(40)],
                      with_value(JOB, "data.held_out_fraction", 0.5))  # fmt: skip
    assert {finding.kind for finding in mixed.findings} == {"duplicate", "leakage"}


def test_that_columns_that_are_not_read_are_said(model: Path, tmp_path: Path) -> None:
    rows = [{"instruction": "a", "input": "", "output": "b", "history": [], "id": 3}]
    (finding,) = report_of(model, tmp_path, rows).findings
    assert (finding.severity, finding.sentence) == ("info", "Columns that are not read: 'history', 'id'.")


def test_that_a_template_with_a_date_is_warned_of(model: Path, tmp_path: Path) -> None:
    job = with_value(
        JOB,
        "data.chat_template",
        "{{ strftime_now('%Y') }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}",
    )
    assert [finding.kind for finding in inspect_data(job, model, tiny_rows(tmp_path), None).findings] == [
        "dated_template"
    ]


def test_that_a_file_that_cannot_be_read_is_an_error_and_a_cancel_stops(model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no shape fits"):
        report_of(model, tmp_path, [{"text": "a"}])
    with pytest.raises(CancelledError):
        inspect_data(JOB, model, tiny_rows(tmp_path), None, cancelled=lambda: True)


@pytest.mark.parametrize("values", [[], [0], [5, 5, 5], list(range(1000)), [1, 100_000]])
def test_that_a_distribution_loses_no_row(values: list[int]) -> None:
    counts = token_counts(np.array(values, dtype=np.int64))
    assert sum(counts.histogram) == counts.count == len(values)
    assert len(counts.histogram) <= 40
    if values:
        assert len(counts.edges) == len(counts.histogram) + 1
        assert counts.edges[0] <= min(values) and max(values) < counts.edges[-1]
        assert (counts.minimum, counts.maximum, counts.total) == (min(values), max(values), sum(values))
