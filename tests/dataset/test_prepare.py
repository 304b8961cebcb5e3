"""Prepared data is written once, whole or not at all, and holds what the rows say."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import (
    AugmentStep,
    BalanceStep,
    DeduplicateStep,
    DropStep,
    NormaliseStep,
    ReplaceStep,
    Step,
)
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.dataset.augmented import AugmentedRow, augmented_line
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.encoding import MASKED, RowEncoder, row_fingerprint
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from remote_agent.dataset.row_views import row_view
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.tiny import CHATML_TEMPLATE, tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=200))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def test_that_prepared_data_holds_every_row_once_with_its_tokens(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    report, folder = prepare(JOB, model, DataPaths((data,)), tmp_path / "data")
    assert folder == tmp_path / "data" / report.key
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == [report.key]
    prepared = open_prepared(folder)
    assert prepared.report == report
    tokenizer = load_tokenizer(model)
    rows = Corpus(JOB, tokenizer, DataPaths((data,))).rows_at(0, 40)
    encoded = RowEncoder(tokenizer, JOB.data).encode(rows, strict=True, offsets=True)
    views = {row.row.index: row_view(row, tokenizer, JOB.data) for batch in encoded for row in batch}
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
    first, folder = prepare(JOB, model, DataPaths((data,)), tmp_path / "data")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    elsewhere = tiny_rows(tmp_path / "elsewhere")
    told: list[str] = []
    again, same = prepare(JOB, model, DataPaths((elsewhere,)), tmp_path / "data", lambda *what: told.append(what[0]))
    assert (again, same, told) == (first, folder, ["data"])
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_that_damaged_data_is_written_anew(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    _, folder = prepare(JOB, model, DataPaths((data,)), tmp_path / "data")
    whole = (folder / "train.ids.npy").read_bytes()
    (folder / "train.ids.npy").write_bytes(whole[:-40])
    assert prepare(JOB, model, DataPaths((data,)), tmp_path / "data")[1] == folder
    assert (folder / "train.ids.npy").read_bytes() == whole


def test_that_the_same_inputs_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    folders = [prepare(JOB, model, DataPaths((data,)), tmp_path / name)[1] for name in ("a", "b")]
    for file in folders[0].glob("*.npy"):
        assert file.read_bytes() == (folders[1] / file.name).read_bytes()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 3),
        ("data.max_length", 100),
        ("data.packing", False),
        ("data.over_length", "drop"),
        ("data.over_length", "split"),
        ("data.system_prompt", "Be kind"),
        ("data.chat_template", CHATML_TEMPLATE + " "),
        ("data.held_out_fraction", 0.2),
        ("data.held_out_rows", 2),
        ("data.max_rows", 20),
        ("data.columns.system", "input"),
        ("data.train_on", "all"),
        ("data.added_tokens", ("<|new|>",)),
        ("data.weight", 1.0),
        ("data.steps", (ReplaceStep("any", "x", "y"),)),
    ],
)
def test_that_what_changes_a_token_or_its_place_changes_the_key(
    model: Path, tmp_path: Path, path: str, value: object
) -> None:
    paths = DataPaths((tiny_rows(tmp_path),))
    key = prepare(JOB, model, paths, tmp_path / "data")[0].key
    assert prepare(with_value(JOB, path, value), model, paths, tmp_path / "data")[0].key != key
    for other in ("optimizer.learning_rate", "batch.epochs"):
        assert prepare(with_value(JOB, other, 0.5), model, paths, tmp_path / "data")[0].key == key


def test_that_a_held_out_file_is_never_trained_and_may_be_capped(model: Path, tmp_path: Path) -> None:
    data, held_out = tiny_rows(tmp_path), tiny_rows(tmp_path / "held_out", 12)
    report, folder = prepare(JOB, model, DataPaths((data,), held_out), tmp_path / "data")
    assert (report.train_rows, report.held_out_rows) == (40, 12)
    assert report.held_out_content_hash and report.held_out_content_hash != report.content_hash
    assert open_prepared(folder).held_out.row_ids.tolist() == list(range(40, 52))
    capped = with_value(JOB, "data.held_out_rows", 5)
    assert prepare(capped, model, DataPaths((data,), held_out), tmp_path / "data")[0].held_out_rows == 5


def test_that_nothing_need_be_held_out(model: Path, tmp_path: Path) -> None:
    job = with_value(JOB, "data.held_out_fraction", 0.0)
    report, folder = prepare(job, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data")
    assert (report.train_rows, report.held_out_rows, report.held_out_sequences) == (40, 0, 0)
    prepared = open_prepared(folder)
    assert len(prepared.held_out) == prepared.held_out.tokens == 0


def test_that_unpacked_data_is_a_row_a_sequence_in_file_order(model: Path, tmp_path: Path) -> None:
    job = with_value(with_value(JOB, "data.packing", False), "data.held_out_fraction", 0.0)
    _, folder = prepare(job, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data")
    train = open_prepared(folder).train
    assert [train.sequence(number).row_ids.tolist() for number in range(len(train))] == [[row] for row in range(40)]


def test_that_rows_without_a_lesson_are_left_out_and_said(model: Path, tmp_path: Path) -> None:
    long = {"prompt": "What does the river hear? " * 60, "completion": "A song."}
    asks = {"prompt": "a", "completion": "b"}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([asks, long, asks]), encoding="utf-8")
    job = with_value(JOB, "data.held_out_fraction", 0.0)
    report, folder = prepare(job, model, DataPaths((path,)), tmp_path / "data")
    assert report.problems == ("1 row over the sequence length left out.",)
    assert open_prepared(folder).train.row_ids.tolist() == [0, 2]
    path.write_text(json.dumps([long]), encoding="utf-8")
    with pytest.raises(DataError, match="No row is left to train on"):
        prepare(job, model, DataPaths((path,)), tmp_path / "data")


def test_that_a_bad_row_or_a_cancel_leaves_nothing_behind(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 600 + '{"prompt": "a", "completion": null}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl line 601 \(row 601\): 'completion' is null"):
        prepare(with_value(JOB, "data.held_out_fraction", 0.0), model, DataPaths((path,)), tmp_path / "data")
    asked: list[bool] = []

    def in_the_middle() -> bool:
        asked.append(True)
        return any((tmp_path / "data").glob(".*.partial"))

    with pytest.raises(CancelledError):
        prepare(JOB, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data", cancelled=in_the_middle)
    assert asked
    assert list((tmp_path / "data").iterdir()) == []


def test_that_what_a_dead_process_left_is_removed_and_what_a_live_one_writes_is_not(
    model: Path, tmp_path: Path
) -> None:
    data = tiny_rows(tmp_path)
    key = prepare(JOB, model, DataPaths((data,)), tmp_path / "first")[0].key
    root = tmp_path / "data"
    dead, alive = (root / f".{key}.{socket.gethostname()}.{pid}.partial" for pid in (2**22 + 1, os.getppid()))
    for aside in (dead, alive):
        aside.mkdir(parents=True)
    prepare(JOB, model, DataPaths((data,)), root)
    assert not dead.exists()
    assert alive.exists()


def test_that_data_that_changes_while_it_is_prepared_is_refused(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)

    for when in (0, 40):
        tiny_rows(tmp_path)

        def meddle(phase: str, done: float, total: float, unit: str, when: int = when) -> None:
            if phase == "data" and done == when:
                tiny_rows(tmp_path, 45)

        with pytest.raises(DataError, match="while it was"):
            prepare(JOB, model, DataPaths((data,)), tmp_path / "data", progress=meddle)
        assert list((tmp_path / "data").iterdir()) == []


def test_that_progress_counts_rows_to_the_last(model: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float, float, str]] = []
    prepare(JOB, model, DataPaths((tiny_rows(tmp_path, 600),)), tmp_path / "data", lambda *what: told.append(what))
    assert [what for what in told if what[0] != "index"] == [
        ("data", 0, 0, "rows"),
        ("data", 0, 600, "rows"),
        ("data", 512, 600, "rows"),
        ("data", 600, 600, "rows"),
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pairs(path: Path, name: str, count: int) -> Path:
    return write(path, [{"prompt": f"{name} {number}", "completion": f"{name}!"} for number in range(count)])


def test_that_several_sources_are_mixed_and_rows_written_as_often_as_a_pass_trains_them(
    model: Path, tmp_path: Path
) -> None:
    paths = DataPaths((pairs(tmp_path / "a.jsonl", "a", 30), pairs(tmp_path / "b.jsonl", "b", 10)))
    more = (SourceSpec(path="b", weight=2.0, max_epochs=2.5),)
    job = JobSpec(data=DataSpec(max_length=64, weight=1.0, more=more, held_out_fraction=0.0))
    report, folder = prepare(job, model, paths, tmp_path / "data")
    train = open_prepared(folder).train
    rows = [row for number in range(len(train)) for row in train.sequence(number).row_ids.tolist()]
    times = [rows.count(row) for row in range(40)]
    assert sum(times[:30]) == 12 and max(times[:30]) == 1
    assert sum(times[30:]) == 25 and set(times[30:]) == {2, 3}
    assert report.train_rows == 37 == train.rows
    one = prepare(JOB, model, DataPaths((paths.data[0],)), tmp_path / "data")[0].content_hash
    other = prepare(JOB, model, DataPaths((paths.data[1],)), tmp_path / "data")[0].content_hash
    assert one == hashlib.sha256(paths.data[0].read_bytes()).hexdigest()
    assert report.content_hash == hashlib.sha256(f"{one}\n{other}\n".encode()).hexdigest()


def test_that_the_order_of_sources_and_each_ones_fields_change_the_key(model: Path, tmp_path: Path) -> None:
    paths = [pairs(tmp_path / "a.jsonl", "a", 30), pairs(tmp_path / "b.jsonl", "b", 10)]
    keys = set()
    for more in (
        SourceSpec(),
        SourceSpec(max_rows=5),
        SourceSpec(max_epochs=2.0),
        SourceSpec(shape="prompt_completion"),
    ):
        job = JobSpec(data=DataSpec(max_length=64, more=(more,)))
        keys.add(prepare(job, model, DataPaths(tuple(paths)), tmp_path / "data")[0].key)
        keys.add(prepare(job, model, DataPaths(tuple(paths[::-1])), tmp_path / "data")[0].key)
    assert len(keys) == 8
    elsewhere = JobSpec(data=DataSpec(path="x", source="node", max_length=64, more=(SourceSpec(path="y", split="z"),)))
    assert prepare(elsewhere, model, DataPaths(tuple(paths)), tmp_path / "data")[0].key in keys


def test_that_each_piece_of_a_split_row_is_a_document_of_its_own(model: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"prompt": "Say", "completion": "The river hears a song. " * 30}]
    path = write(tmp_path / "rows.jsonl", [*rows, {"prompt": "a", "completion": "b"}])
    job = JobSpec(data=DataSpec(max_length=50, over_length="split", held_out_fraction=0.0))
    report, folder = prepare(job, model, DataPaths((path,)), tmp_path / "data")
    train = open_prepared(folder).train
    tokenizer = load_tokenizer(model)
    encoded = next(
        RowEncoder(tokenizer, job.data).encode(Corpus(job, tokenizer, DataPaths((path,))).rows_at(0, 1), True)
    )
    assert len(encoded[0].pieces) > 3
    assert report.train_rows == 2 and train.rows == len(encoded[0].pieces) + 1
    documents = []
    for number in range(len(train)):
        sequence = train.sequence(number)
        starts = np.flatnonzero(sequence.positions == 0).tolist()
        for row, start, end in zip(sequence.row_ids, starts, [*starts[1:], len(sequence.ids)], strict=True):
            assert sequence.labels[start] == MASKED
            documents += [sequence.ids[start:end].tolist()] if row == 0 else []
    whole = encoded[0].ids.tolist()
    assert sorted(documents) == sorted(whole[start:end] for start, end in encoded[0].pieces)


def test_that_weights_are_written_where_a_turn_counts_less_and_only_there(model: Path, tmp_path: Path) -> None:
    turns: list[dict[str, object]] = [
        {"messages": [
            {"role": "user", "content": f"q {number}"},
            {"role": "assistant", "content": "half", **({"weight": 0.5} if number == 3 else {})},
        ]}
        for number in range(6)
    ]  # fmt: skip
    path = write(tmp_path / "rows.jsonl", turns)
    job = JobSpec(data=DataSpec(max_length=64, held_out_fraction=0.0, packing=False))
    _, folder = prepare(job, model, DataPaths((path,)), tmp_path / "data")
    train = open_prepared(folder).train
    for number in range(6):
        sequence = train.sequence(number)
        assert sequence.weights is not None and sequence.weights.dtype == np.float32
        trained = sequence.weights[sequence.labels != MASKED]
        assert set(trained.tolist()) == {0.5 if number == 3 else 1.0}
    _, plain = prepare(JOB, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data")
    assert not list(plain.glob("*.weights.npy"))
    assert open_prepared(plain).train.sequence(0).weights is None


def test_that_classes_of_the_trained_rows_are_counted_as_often_as_they_come(model: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"text": f"t {number}", "label": "ab"[number % 5 == 0]} for number in range(40)]
    path = write(tmp_path / "rows.jsonl", rows)
    job = JobSpec(data=DataSpec(shape="classification", held_out_by="class", steps=(BalanceStep("up"),)))
    report, _ = prepare(job, model, DataPaths((path,)), tmp_path / "data")
    assert report.label_counts == {"a": 29, "b": 29}
    assert (report.train_rows, report.held_out_rows) == (58, 4)
    assert prepare(JOB, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data")[0].label_counts is None


def test_that_a_bad_row_stops_unless_a_step_drops_it(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 5 + '{"prompt": "a", "compl\n', encoding="utf-8")
    job = JobSpec(data=DataSpec(held_out_fraction=0.0))
    with pytest.raises(DataError, match=r"rows\.jsonl line 6 \(row 6\)"):
        prepare(job, model, DataPaths((path,)), tmp_path / "data")
    for step in (DropStep("bad_row"), DropStep(rows=(5,))):
        report, folder = prepare(with_value(job, "data.steps", (step,)), model, DataPaths((path,)), tmp_path / "data")
        assert report.train_rows == 5
        assert open_prepared(folder).train.row_ids.tolist() == [0, 1, 2, 3, 4]


def test_that_steps_give_the_same_bytes_twice_and_never_touch_the_source(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    before = data.read_bytes()
    steps: tuple[Step, ...] = (
        NormaliseStep(), ReplaceStep("any", "(river|cat)", r"<\1>", True), DeduplicateStep(), DeduplicateStep(0.9),
        DropStep("over_length", (3,)),
    )  # fmt: skip
    job = with_value(JOB, "data.steps", steps)
    folders = [prepare(job, model, DataPaths((data,)), tmp_path / name)[1] for name in ("a", "b")]
    for file in folders[0].glob("*.npy"):
        assert file.read_bytes() == (folders[1] / file.name).read_bytes()
    assert data.read_bytes() == before
    tokenizer = load_tokenizer(model)
    train = open_prepared(folders[0]).train
    text = tokenizer.tokenizer.decode(
        np.concatenate([train.sequence(number).ids for number in range(len(train))]).tolist()
    )
    assert "<river>" in text and 3 not in train.row_ids


def test_that_a_split_that_cannot_be_made_stops(model: Path, tmp_path: Path) -> None:
    job = JobSpec(data=DataSpec(held_out_by="group", held_out_column="nowhere"))
    with pytest.raises(DataError, match="No row has the group column 'nowhere'"):
        prepare(job, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data")


def test_that_made_rows_are_trained_and_change_the_key(model: Path, tmp_path: Path) -> None:
    data, made = tiny_rows(tmp_path), tmp_path / "made.jsonl"
    job = with_value(JOB, "data.steps", (AugmentStep(model="m"),))
    with pytest.raises(DataError, match="have not been made yet"):
        prepare(job, model, DataPaths((data,)), tmp_path / "data", augmented=made)
    said = Conversation((Turn("user", "other words"), Turn("assistant", "answer")))
    keys = set()
    for count in (1, 2):
        lines = [augmented_line(AugmentedRow(0, row, said, "Paraphrase")) for row in range(count)]
        made.write_text("".join(lines), encoding="utf-8")
        report, folder = prepare(job, model, DataPaths((data,)), tmp_path / "data", augmented=made)
        assert report.train_rows == 36 + count and report.held_out_rows == 4
        assert open_prepared(folder).train.row_ids.tolist()[36:] == list(range(40, 40 + count))
        keys.add(report.key)
    assert len(keys) == 2
