"""A session answers at once while its scan reads everything, and nothing of it outlives its client."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remote_agent.contract.data_report import BatchingReport, StepReport, TableQuery
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import DeduplicateStep
from remote_agent.contract.frames import Frame
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.contract.wire import from_wire
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.data_inspection import inspect_data
from remote_agent.dataset.encoding import row_fingerprint
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from remote_agent.dataset.row_losses import RowLosses
from tests.support.data_session import SessionClient, is_running
from tests.support.tiny import tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=128))
MANY = 30_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "inspected"


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def some_rows(count: int = 60) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"prompt": f"What is told of number {number}? ", "completion": f"{number} is it. " * (1 + number * 7 % 13)}
        for number in range(count)
    ]
    rows[7] = {"prompt": "Who is there? ", "completion": " "}
    rows[11] = {"prompt": "Who was that? ", "completion": None}
    rows[20] = dict(rows[19])
    return rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path / "rows.jsonl", some_rows())


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return written(tmp_path / "many.jsonl", some_rows(MANY))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_that_the_first_report_says_what_is_there_before_a_token_is_counted(
    model: Path, data: Path, cache: Path
) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        first = session.report(complete=False)
    assert (first.shape, first.rows, first.rows_read, first.total.count) == ("prompt_completion", 60, 0, 0)
    assert first.sources[0].columns == ("prompt", "completion")
    assert "'prompt'" in first.shape_reason


@pytest.mark.parametrize("over_length", ["truncate", "drop", "split"])
def test_that_the_last_report_is_that_of_a_look_in_one_go(
    model: Path, data: Path, cache: Path, over_length: str
) -> None:
    job = with_value(JOB, "data.over_length", over_length)
    with SessionClient(job, model, [data], cache) as session:
        report = session.report()
    assert report == inspect_data(Inputs(job, model, DataPaths((data,))))
    assert {"bad_row", "duplicate", "empty_response"} <= {finding.kind for finding in report.findings}


def test_that_a_page_of_the_table_has_texts_at_once_and_counts_once_they_are_known(
    model: Path, data: Path, cache: Path
) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        page = session.page(start=5, count=4)
        assert [row.index for row in page.rows] == [5, 6, 7, 8]
        assert page.rows[0].prompt == "What is told of number 5? "
        assert page.rows[0].response.startswith("5 is it.")
        report = session.report()
        page = session.page(start=0, count=100)
    assert (page.count, page.complete, len(page.rows)) == (60, True, 60)
    assert "'completion' is null" in page.rows[11].problem
    assert page.rows[11].tokens == 0
    usable = [row for row in page.rows if not row.problem]
    assert sum(row.tokens for row in usable) == report.total.total
    assert sum(row.supervised for row in usable) == report.response.total
    parts = [row.part for row in page.rows]
    assert (parts.count("train"), parts.count("held_out")) == (54, 6)


def test_that_rows_of_a_finding_a_search_and_an_order_are_listed(model: Path, data: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        report = session.report()
        for finding in report.findings:
            if finding.rows:
                page = session.page(TableQuery(finding=finding.kind))
                assert (page.count, page.complete) == (finding.count, True)
                assert [row.index for row in page.rows][:20] == list(finding.rows)
        longest = session.page(TableQuery(order="tokens"), count=60).rows
        assert [row.tokens for row in longest] == sorted((row.tokens for row in longest), reverse=True)
        page = session.whole_page(TableQuery(search="NUMBER 4"))
        assert [row.index for row in page.rows] == [4, *range(40, 50)]
        both = session.whole_page(TableQuery(search="number 4", order="tokens", finding="over_length"))
        assert 0 < both.count < page.count
        assert {row.index for row in both.rows} <= {row.index for row in page.rows}


@pytest.mark.parametrize("over_length", ["truncate", "split"])
def test_that_a_rows_fingerprint_and_sequence_are_those_that_are_trained(
    model: Path, data: Path, cache: Path, tmp_path: Path, over_length: str
) -> None:
    job = with_value(JOB, "data.over_length", over_length)
    rows = [row for row in some_rows() if row["completion"] is not None]
    written(data, rows)
    _, folder = prepare(job, model, DataPaths((data,)), tmp_path / "data")
    train = open_prepared(folder).train
    trained: dict[int, list[tuple[int, Any, Any, Any]]] = {}
    for number in range(len(train)):
        sequence = train.sequence(number)
        starts = np.flatnonzero(sequence.positions == 0)
        for row, start, end in zip(sequence.row_ids.tolist(), starts, [*starts[1:], len(sequence.ids)], strict=True):
            ids, labels, positions = (
                values[start:end] for values in (sequence.ids, sequence.labels, sequence.positions)
            )
            trained.setdefault(row, []).append((number, ids, labels, positions))
    with SessionClient(job, model, [data], cache) as session:
        session.report()
        for row in list(trained)[:12]:
            view = session.row(row)
            pieces = trained[row]
            if len(pieces) == 1:
                (number, ids, labels, positions), *_ = pieces
                assert view.fingerprint == row_fingerprint(ids, labels, positions)
                assert view.sequence == number
            assert view.sequence in [number for number, *_ in pieces]
            sequence = train.sequence(view.sequence)
            assert [packed.row for packed in view.packed] == sequence.row_ids.tolist()
            assert [packed.start for packed in view.packed] == np.flatnonzero(sequence.positions == 0).tolist()
            assert sum(packed.tokens for packed in view.packed) == len(sequence.ids)


def test_that_a_row_says_where_it_stands_and_what_was_found_of_it(
    model: Path, data: Path, cache: Path, tmp_path: Path
) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        early = session.row(7)
        assert [turn.role for turn in early.turns] == ["user", "assistant"]
        session.report()
        view = session.row(7)
        assert (view.file, view.line, view.part) == ("rows.jsonl", 8, "train")
        assert "empty_response" in view.findings
        assert view.tokens == early.tokens and view.text == early.text
        frame = session.answer_to(session.begin("row", index=600))
        assert frame.head["kind"] == "bad_request" and "no row 601" in frame.head["sentence"]
        counts = session.row(3)
        trained = [span.trained for span in counts.tokens]
        losses = np.where(trained, np.arange(len(trained)) / 8, np.nan).astype(np.float16)
        kept = losses[: sum(not span.truncated for span in counts.tokens)]
        RowLosses(
            np.array([3, 9]), np.array([1.5, 2.5], np.float32), np.array([4, 5], np.int32), token_losses={3: kept}
        ).save(tmp_path / "row_losses.npz")
        assert session.ask("losses", path=str(tmp_path / "row_losses.npz")) == {"rows": 2}
        assert [row.index for row in session.page(TableQuery(order="loss")).rows] == [9, 3]
        view = session.row(3)
        assert view.loss == 1.5
        found = [span.loss for span in view.tokens]
        assert [loss is not None for loss in found[: len(kept)]] == trained[: len(kept)]


def test_that_another_length_is_worked_out_from_what_is_known(model: Path, data: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        session.report()
        for version, (path, value) in enumerate(
            [("data.max_length", 48), ("data.packing", False), ("data.over_length", "split"), ("batch.epochs", 9.0)], 1
        ):
            job = with_value(JOB, path, value)
            assert session.ask("job", job=spec_to_dict(job), version=version) == {}
            began = time.monotonic()
            report = session.report(version)
            took = time.monotonic() - began
            assert report == inspect_data(Inputs(job, model, DataPaths((data,)))), path
            assert not session.processes(), "nothing had to be read again"
            assert took < 5
        batching = session.ask("batching", length=48)["batching"]
        assert [one["kind"] for one in batching] == ["packed", "padding_free", "padded"]
        assert from_wire(BatchingReport, batching[0]).length == 48


def test_that_another_split_keeps_the_counts_and_finds_anew(model: Path, data: Path, cache: Path) -> None:
    job = with_value(JOB, "data.held_out_fraction", 0.5)
    with SessionClient(JOB, model, [data], cache) as session:
        session.report()
        session.ask("job", job=spec_to_dict(job), version=1)
        early = session.report(1, complete=False)
        assert early.total.count == 59
        report = session.report(1)
    assert report == inspect_data(Inputs(job, model, DataPaths((data,))))
    assert report.held_out_rows == 30


def test_that_a_job_that_does_not_fit_is_refused_and_the_old_one_stays(model: Path, data: Path, cache: Path) -> None:
    wrong = dataclasses.replace(JOB, data=dataclasses.replace(JOB.data, shape="messages"))
    with SessionClient(JOB, model, [data], cache) as session:
        session.report()
        frame = session.answer_to(session.begin("job", job=spec_to_dict(wrong), version=1))
        assert frame.kind == "failed" and frame.head["kind"] == "bad_request"
        assert session.page().count == 60
        frame = session.answer_to(session.begin("job", job={"seeed": 1}, version=2))
        assert "did you mean seed" in frame.head["sentence"]
        frame = session.answer_to(session.begin("poem"))
        assert frame.head["kind"] == "bad_request"


def test_that_a_step_is_tried_out_before_it_is_taken(model: Path, data: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        session.report()
        tried = from_wire(StepReport, session.ask("step", step={"kind": "deduplicate", "threshold": 1.0}))
        assert (tried.dropped, tried.rows) == (1, (20,))
        first = session.begin("step", step={"kind": "drop", "finding": "duplicate"})
        second = session.begin("step", step={"kind": "drop", "rows": [1, 2]})
        assert session.answer_to(first).kind in ("failed", "answer")
        assert session.answer_to(second).head["value"]["dropped"] == 2
        frame = session.answer_to(session.begin("step", step={"kind": "dorp"}))
        assert frame.kind == "failed" and "drop" in frame.head["sentence"]
        job = dataclasses.replace(JOB, data=dataclasses.replace(JOB.data, steps=(DeduplicateStep(),)))
        session.ask("job", job=spec_to_dict(job), version=1)
        report = session.report(1)
        assert "duplicate" not in {finding.kind for finding in report.findings}
        assert report.steps[0].dropped == 1
        page = session.page(count=60)
        assert (page.rows[20].part, page.count) == ("", 60)
    assert report == inspect_data(Inputs(job, model, DataPaths((data,))))


def test_that_data_that_was_looked_at_before_is_reported_at_once(model: Path, data: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        report = session.report()
    with SessionClient(JOB, model, [data], cache) as session:
        again = session.until(lambda frame: True)
        assert (again.kind, again.head["value"]["complete"]) == ("report", True)
        assert session.report() == report
        assert session.page().rows[0].tokens > 0
        assert not session.processes()
        assert "over_length" in session.row(12).findings


def test_that_a_damaged_cache_is_made_anew(model: Path, data: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        report = session.report()
    for path in cache.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with SessionClient(JOB, model, [data], cache) as session:
        assert session.report() == report
        assert "over_length" in session.row(12).findings


def test_that_data_that_changes_under_the_session_is_told_and_not_shown(model: Path, data: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [data], cache) as session:
        session.report()
        with data.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"prompt": "new", "completion": "row"}) + "\n")
        frame = session.answer_to(session.begin("table", query={}, start=0, count=5))
        assert frame.kind == "failed" and "rows.jsonl" in frame.head["sentence"]
        data.unlink()
        frame = session.answer_to(session.begin("row", index=1))
        assert frame.kind == "failed" and "rows.jsonl" in frame.head["sentence"]
    with SessionClient(JOB, model, [data], cache) as session:
        assert session.to_end().head["kind"] == "not_found"


@pytest.mark.parametrize("end", ["end of input", "cancel", "terminate", "kill"])
def test_that_the_scan_ends_with_its_session(model: Path, many: Path, cache: Path, end: str) -> None:
    with SessionClient(JOB, model, [many], cache) as session:
        session.until(lambda frame: frame.kind == "progress" and frame.head["phase"] == "data")
        (scan,) = session.processes()
        if end == "end of input":
            assert session.process.stdin
            session.process.stdin.close()
        elif end == "cancel":
            session.send({"frame": "cancel"})
        else:
            session.process.send_signal(signal.SIGTERM if end == "terminate" else signal.SIGKILL)
        session.process.wait(30)
        wait_until(lambda: not is_running(scan))


def test_that_the_death_of_the_scan_is_told_and_rows_are_still_shown(model: Path, many: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [many], cache) as session:
        session.until(lambda frame: frame.kind == "progress" and frame.head["phase"] == "data")
        (scan,) = session.processes()
        os.kill(scan, signal.SIGKILL)
        frame = session.until(lambda frame: frame.kind == "failed")
        assert frame.head["id"] == 0
        assert "ended by signal 9" in frame.head["sentence"]
        assert session.page().rows[0].index == 0
        assert session.row(5).tokens


def test_that_rows_are_answered_while_the_scan_reads(model: Path, many: Path, cache: Path) -> None:
    with SessionClient(JOB, model, [many], cache) as session:
        session.until(lambda frame: frame.kind == "progress" and frame.head["phase"] == "data")
        (scan,) = session.processes()
        assert os.getpriority(os.PRIO_PROCESS, scan) >= os.getpriority(os.PRIO_PROCESS, 0) + 10
        page = session.page(start=MANY - 10, count=50)
        assert [row.index for row in page.rows] == list(range(MANY - 10, MANY))
        assert is_running(scan)

        def has_counts(frame: Frame) -> bool:
            return frame.kind == "report" and 0 < frame.head["value"]["rows_read"] < MANY

        partial = session.until(has_counts).head["value"]
        assert not partial["complete"] and partial["total"]["count"] > 0
        assert session.page().rows[0].tokens > 0


def test_that_several_sources_and_a_held_out_file_are_numbered_through(
    model: Path, data: Path, cache: Path, tmp_path: Path
) -> None:
    job = JobSpec(data=dataclasses.replace(JOB.data, more=(SourceSpec(max_rows=12),)))
    other, held_out = tiny_rows(tmp_path / "other", 30), tiny_rows(tmp_path / "held_out", 8)
    held_out = written(tmp_path / "held_out.jsonl", some_rows(25)[12:19])
    job = with_value(job, "data.held_out_path", str(held_out))
    with SessionClient(job, model, [data, other], cache, held_out) as session:
        report = session.report()
        page = session.page(count=100)
        assert (report.rows, page.count) == (72, 79)
        assert [source.first_row for source in report.sources] == [0, 60]
        assert page.rows[60].prompt.startswith("What does the cat do on day 0?")
        assert [row.part for row in page.rows[72:]] == ["held_out"] * 7
        assert session.row(74).file == "held_out.jsonl"
    assert report == inspect_data(Inputs(job, model, DataPaths((data, other), held_out)))
