"""The report counts what `prepare` would write, and finds what a person should know."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import DeduplicateStep, DropStep
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.data_inspection import inspect_data
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from tests.support.tiny import tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=200, held_out_fraction=0.0))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def report_of(model: Path, folder: Path, rows: Sequence[object], job: JobSpec = JOB) -> DataReport:
    path = folder / "some.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return look(model, path, job)


def look(model: Path, data: Path, job: JobSpec = JOB, held_out: Path | None = None) -> DataReport:
    if held_out is not None:
        job = with_value(job, "data.held_out_path", str(held_out))
    return inspect_data(Inputs(job, model, DataPaths((data,), held_out)))


def asks(prompt: str, completion: object = "b") -> dict[str, object]:
    return {"prompt": prompt, "completion": completion}


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("with_file", [True, False])
def test_that_the_report_counts_what_is_prepared(model: Path, tmp_path: Path, packing: bool, with_file: bool) -> None:
    job = JobSpec(data=DataSpec(max_length=80, packing=packing, held_out_rows=3))
    held_out = tiny_rows(tmp_path / "held_out", 12) if with_file else None
    data = tiny_rows(tmp_path)
    if held_out is not None:
        job = with_value(job, "data.held_out_path", str(held_out))
    report = look(model, data, job, held_out)
    prepared, _ = prepare(job, model, DataPaths((data,), held_out), tmp_path / "data")
    for name in ("train_rows", "held_out_rows", "train_sequences", "held_out_sequences", "train_tokens",
                 "train_supervised_tokens", "content_hash"):  # fmt: skip
        assert getattr(report, name) == getattr(prepared, name), name
    assert (report.rows, report.shape) == (40, "alpaca")
    assert report.total.count == 40
    assert report.total.total == report.prompt.total + report.response.total
    assert report.packing.efficiency == report.train_tokens / (80 * report.train_sequences)


@pytest.mark.parametrize("over_length", ["drop", "truncate", "split"])
@pytest.mark.parametrize("weighted", [True, False])
def test_that_shares_hold_of_what_is_left_once_rows_are_too_long_for_both_report_and_preparation(
    model: Path, tmp_path: Path, over_length: str, weighted: bool
) -> None:
    def written(name: str, short: int, long: int) -> Path:
        # of a long question nothing is left to train on where it is cut, and an answer where it is split
        rows = [asks(f"{name} {number}" * (1 + 40 * (number >= short))) for number in range(short + long)]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path

    paths = (written("main", 60, 30), written("general", 8, 24))
    more = SourceSpec(path="g", weight=1.0, max_epochs=5.0) if weighted else SourceSpec(path="g", replay=True)
    data = DataSpec(
        max_length=80, over_length=over_length, held_out_fraction=0.0, more=(more,), weight=2.0 if weighted else 0.0,
        replay_share=0.0 if weighted else 0.25,
    )  # fmt: skip
    inputs = Inputs(JobSpec(data=data), model, DataPaths(paths))
    report, (prepared, folder) = inspect_data(inputs), prepare(*inputs, tmp_path / "data")
    for name in ("train_rows", "train_sequences", "train_tokens", "train_supervised_tokens"):
        assert getattr(report, name) == getattr(prepared, name), name
    trained = open_prepared(folder).train
    rows = np.unique(np.concatenate([trained.sequence(number).row_ids for number in range(len(trained))]))
    usable = 60 + 30 * (over_length == "split")
    if over_length != "split":
        assert set(rows.tolist()) <= {*range(60), *range(90, 98)}
    # 60 rows and a third of them replayed; or twice as many as of the general source, which may give 5 x 8
    assert prepared.train_rows == (usable + usable // 2 if weighted else usable * 4 // 3)
    general = sum(source.used_rows for source in report.sources[1:])
    assert general == (usable // 2 if weighted else usable // 3)
    assert prepared.problems == (() if over_length == "split" else ("54 rows over the sequence length left out.",))


def test_that_clean_data_has_no_more_than_remarks(model: Path, tmp_path: Path) -> None:
    assert {finding.severity for finding in look(model, tiny_rows(tmp_path)).findings} <= {"info"}


def test_that_each_finding_names_its_rows_and_what_can_be_done(model: Path, tmp_path: Path) -> None:
    rows = [asks("a"), asks("c", " "), asks("d" * 300), asks("e", "f" * 300), asks("a"), asks("g", None)]
    found = {finding.kind: finding for finding in report_of(model, tmp_path, rows).findings}
    expected = {"bad_row": (5,), "empty_response": (1,), "over_length": (2, 3), "duplicate": (4,)}
    assert {kind: found[kind].rows for kind in expected} == expected
    assert found["bad_row"].severity == "error"
    assert "some.json line 1 (row 6): 'completion' is null" in found["bad_row"].sentence
    assert found["over_length"].sentence == "2 rows over 200 tokens, cut at the end."
    assert all(found[kind].title and found[kind].why and found[kind].fixes for kind in expected)
    dropped = report_of(model, tmp_path, rows, with_value(JOB, "data.over_length", "drop"))
    assert dropped.train_rows == 3
    assert "left out" in next(finding for finding in dropped.findings if finding.kind == "over_length").sentence


def test_that_a_step_takes_its_finding_away_and_reports_itself(model: Path, tmp_path: Path) -> None:
    rows = [asks("a"), asks("c", " "), asks("e", "f"), asks("a"), asks("g", None)]
    steps = (DropStep(finding="bad_row"), DropStep(finding="empty_response"), DeduplicateStep())
    report = report_of(model, tmp_path, rows, dataclasses.replace(JOB, data=dataclasses.replace(JOB.data, steps=steps)))
    assert not {"bad_row", "empty_response", "duplicate"} & {finding.kind for finding in report.findings}
    assert [step.dropped for step in report.steps] == [1, 1, 1]
    assert (report.rows, report.train_rows, report.total.count) == (5, 2, 2)


def test_that_a_conversation_without_an_answer_trains_nothing(model: Path, tmp_path: Path) -> None:
    report = report_of(model, tmp_path, [{"messages": [{"role": "user", "content": "a"}]}])
    assert "nothing_trained" in [finding.kind for finding in report.findings]
    assert report.train_sequences == report.train_tokens == 0


def test_that_a_held_out_row_that_is_trained_too_is_found(model: Path, tmp_path: Path) -> None:
    data, held_out = tiny_rows(tmp_path), tiny_rows(tmp_path / "held_out", 12)
    found = {finding.kind: finding for finding in look(model, data, JOB, held_out).findings}
    assert (found["leakage"].count, found["leakage"].rows) == (12, tuple(range(40, 52)))


def test_that_a_run_that_is_short_or_long_for_its_data_is_said(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    short = look(model, data, with_value(with_value(JOB, "data.packing", False), "batch.max_steps", 1))
    assert "unseen_rows" in {finding.kind for finding in short.findings}
    long = look(model, data, with_value(JOB, "batch.epochs", 9.0))
    assert "many_epochs" in {finding.kind for finding in long.findings}


def test_that_a_split_that_cannot_be_made_is_an_error(model: Path, tmp_path: Path) -> None:
    job = JobSpec(data=DataSpec(held_out_by="group", held_out_column="document"))
    (finding,) = [one for one in look(model, tiny_rows(tmp_path), job).findings if one.severity == "error"]
    assert (finding.kind, "'document'" in finding.sentence) == ("held_out_split", True)


def test_that_classes_sources_lengths_and_batches_are_told(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "films.jsonl"
    rows = [{"text": f"Film {number} is {'dull ' * number}.", "label": ("good", "bad")[number % 4 == 0], "id": number}
            for number in range(40)]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = look(model, path, JobSpec(data=DataSpec(max_length=120, held_out_by="class", held_out_fraction=0.2)))
    counted = {one.label: (one.train_rows, one.held_out_rows) for one in report.classes}
    assert counted == {"good": (24, 6), "bad": (8, 2)}
    (source,) = report.sources
    assert (source.shape, source.unused_columns) == ("classification", ("id",))
    assert source.columns == ("text", "label", "id")
    assert (source.rows, source.first_row, source.used_rows) == (40, 0, 40)
    assert report.lengths.lengths[-1] >= max(100, report.total.maximum - 30)
    assert report.lengths.rows_over[-1] == 0
    packed, free, padded = report.batching
    assert packed.sequences == report.train_sequences
    assert packed.tokens == free.tokens == padded.tokens == report.train_tokens
    assert padded.held_tokens >= free.held_tokens == free.tokens


def test_that_a_file_that_cannot_be_read_is_an_error_and_a_cancel_stops(model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no shape fits"):
        report_of(model, tmp_path, [{"wood": "a"}])
    with pytest.raises(CancelledError):
        inspect_data(Inputs(JOB, model, DataPaths((tiny_rows(tmp_path),))), cancelled=lambda: True)
