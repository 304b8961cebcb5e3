"""Prepared data is written once, whole or not at all, and holds what the rows say."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.encoding import MASKED, row_fingerprint
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from remote_agent.dataset.row_views import row_views
from tests.support.tiny import CHATML_TEMPLATE, tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=200))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def test_that_prepared_data_holds_every_row_once_with_its_tokens(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    report, folder = prepare(JOB, model, data, None, tmp_path / "data")
    assert folder == tmp_path / "data" / report.key
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == [report.key]
    prepared = open_prepared(folder)
    assert prepared.report == report
    views = {view.index: view for view in row_views(JOB, model, data, 0, 40)}
    seen: list[int] = []
    for part in (prepared.train, prepared.held_out):
        for number in range(len(part)):
            sequence = part.sequence(number)
            assert len(sequence.ids) == len(sequence.labels) == len(sequence.positions) <= 200
            starts = [*np.flatnonzero(sequence.positions == 0), len(sequence.ids)]
            assert len(starts) == len(sequence.row_ids) + 1
            for row, start, end in zip(sequence.row_ids.tolist(), starts, starts[1:], strict=False):
                pieces = [values[start:end] for values in (sequence.ids, sequence.labels, sequence.positions)]
                # The data page shows these very tokens: both fingerprints are over ids, labels and positions.
                assert row_fingerprint(*pieces) == views[row].fingerprint
                assert [token.id for token in views[row].tokens] == pieces[0].tolist()
                assert [token.trained for token in views[row].tokens] == (pieces[1] != MASKED).tolist()
                seen.append(row)
    assert sorted(seen) == list(range(40))
    assert (report.train_rows, report.held_out_rows) == (36, 4)
    assert (
        report.train_tokens
        == prepared.train.tokens
        == sum(len(prepared.train.sequence(number).ids) for number in range(len(prepared.train)))
    )
    assert report.train_supervised_tokens == sum(
        int((prepared.train.sequence(number).labels != MASKED).sum()) for number in range(len(prepared.train))
    )
    assert (report.pad_token_id, report.eos_token_id) == (2, 2)


def test_that_data_prepared_once_is_found_again_by_any_path_to_it(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    first, folder = prepare(JOB, model, data, None, tmp_path / "data")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    elsewhere = tiny_rows(tmp_path / "elsewhere")
    told: list[str] = []
    again, same = prepare(JOB, model, elsewhere, None, tmp_path / "data", lambda *what: told.append(what[0]))
    assert (again, same, told) == (first, folder, ["data"])
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_that_damaged_data_is_written_anew(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    _, folder = prepare(JOB, model, data, None, tmp_path / "data")
    whole = (folder / "train.ids.npy").read_bytes()
    (folder / "train.ids.npy").write_bytes(whole[:-40])
    assert prepare(JOB, model, data, None, tmp_path / "data")[1] == folder
    assert (folder / "train.ids.npy").read_bytes() == whole


def test_that_the_same_inputs_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    folders = [prepare(JOB, model, data, None, tmp_path / name)[1] for name in ("a", "b")]
    for file in folders[0].glob("*.npy"):
        assert file.read_bytes() == (folders[1] / file.name).read_bytes()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 3),
        ("data.max_length", 100),
        ("data.packing", False),
        ("data.over_length", "drop"),
        ("data.system_prompt", "Be kind"),
        ("data.chat_template", CHATML_TEMPLATE + " "),
        ("data.held_out_fraction", 0.2),
        ("data.held_out_rows", 2),
        ("data.max_rows", 20),
    ],
)
def test_that_what_changes_a_token_or_its_place_changes_the_key(
    model: Path, tmp_path: Path, path: str, value: object
) -> None:
    data = tiny_rows(tmp_path)
    key = prepare(JOB, model, data, None, tmp_path / "data")[0].key
    assert prepare(with_value(JOB, path, value), model, data, None, tmp_path / "data")[0].key != key
    for other in ("optimizer.learning_rate", "batch.epochs"):
        assert prepare(with_value(JOB, other, 0.5), model, data, None, tmp_path / "data")[0].key == key


def test_that_a_held_out_file_is_never_trained_and_may_be_capped(model: Path, tmp_path: Path) -> None:
    data, held_out = tiny_rows(tmp_path), tiny_rows(tmp_path / "held_out", 12)
    report, folder = prepare(JOB, model, data, held_out, tmp_path / "data")
    assert (report.train_rows, report.held_out_rows) == (40, 12)
    assert report.held_out_content_hash and report.held_out_content_hash != report.content_hash
    assert open_prepared(folder).held_out.row_ids.tolist() == list(range(12))
    capped = with_value(JOB, "data.held_out_rows", 5)
    assert prepare(capped, model, data, held_out, tmp_path / "data")[0].held_out_rows == 5


def test_that_nothing_need_be_held_out(model: Path, tmp_path: Path) -> None:
    job = with_value(JOB, "data.held_out_fraction", 0.0)
    report, folder = prepare(job, model, tiny_rows(tmp_path), None, tmp_path / "data")
    assert (report.train_rows, report.held_out_rows, report.held_out_sequences) == (40, 0, 0)
    prepared = open_prepared(folder)
    assert len(prepared.held_out) == prepared.held_out.tokens == 0


def test_that_unpacked_data_is_a_row_a_sequence_in_file_order(model: Path, tmp_path: Path) -> None:
    job = with_value(with_value(JOB, "data.packing", False), "data.held_out_fraction", 0.0)
    _, folder = prepare(job, model, tiny_rows(tmp_path), None, tmp_path / "data")
    train = open_prepared(folder).train
    assert [train.sequence(number).row_ids.tolist() for number in range(len(train))] == [[row] for row in range(40)]


def test_that_rows_without_a_lesson_are_left_out_and_said(model: Path, tmp_path: Path) -> None:
    long = {"prompt": "What does the river hear? " * 60, "completion": "A song."}
    asks = {"prompt": "a", "completion": "b"}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([asks, long, asks]), encoding="utf-8")
    job = with_value(JOB, "data.held_out_fraction", 0.0)
    report, folder = prepare(job, model, path, None, tmp_path / "data")
    assert report.problems == ("1 row over the sequence length left out.",)
    assert open_prepared(folder).train.row_ids.tolist() == [0, 2]
    path.write_text(json.dumps([long]), encoding="utf-8")
    with pytest.raises(DataError, match="No row is left to train on"):
        prepare(job, model, path, None, tmp_path / "data")


def test_that_a_bad_row_or_a_cancel_leaves_nothing_behind(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 600 + '{"prompt": "a", "completion": null}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl line 601 \(row 601\): 'completion' is null"):
        prepare(with_value(JOB, "data.held_out_fraction", 0.0), model, path, None, tmp_path / "data")
    asked: list[bool] = []

    def in_the_middle() -> bool:
        asked.append(True)
        return any((tmp_path / "data").glob(".*.partial"))

    with pytest.raises(CancelledError):
        prepare(JOB, model, tiny_rows(tmp_path), None, tmp_path / "data", cancelled=in_the_middle)
    assert asked
    assert list((tmp_path / "data").iterdir()) == []


def test_that_what_a_dead_process_left_is_removed_and_what_a_live_one_writes_is_not(
    model: Path, tmp_path: Path
) -> None:
    data = tiny_rows(tmp_path)
    key = prepare(JOB, model, data, None, tmp_path / "first")[0].key
    root = tmp_path / "data"
    dead, alive = (root / f".{key}.{socket.gethostname()}.{pid}.partial" for pid in (2**22 + 1, os.getppid()))
    for aside in (dead, alive):
        aside.mkdir(parents=True)
    prepare(JOB, model, data, None, root)
    assert not dead.exists()
    assert alive.exists()


def test_that_data_that_changes_while_it_is_prepared_is_refused(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)

    def meddle(phase: str, done: float, total: float, unit: str) -> None:
        if done:
            tiny_rows(tmp_path, 45)

    with pytest.raises(DataError, match="changed while it was prepared"):
        prepare(JOB, model, data, None, tmp_path / "data", progress=meddle)
    assert list((tmp_path / "data").iterdir()) == []


def test_that_progress_counts_rows_to_the_last(model: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float, float, str]] = []
    prepare(JOB, model, tiny_rows(tmp_path, 600), None, tmp_path / "data", lambda *what: told.append(what))
    assert told == [
        ("data", 0, 0, "rows"),
        ("data", 0, 600, "rows"),
        ("data", 512, 600, "rows"),
        ("data", 600, 600, "rows"),
    ]
