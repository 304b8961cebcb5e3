"""The rows' numbers alone give the documents that the encoder makes, at every length."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.conversation import Conversation, Example, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.documents import Documents, counts_at, documents
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.findings import FindingsPass, Found
from remote_agent.dataset.length_findings import BY_LENGTH, at_length
from remote_agent.dataset.readers import Row
from remote_agent.dataset.row_arrays import CHUNK_ROWS, ArrayWriter, RowArrays, read_arrays
from remote_agent.dataset.scan import without_length
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.tiny import tiny_tokenizer_files

WORDS = ("the river", "a song", "seven apples", "and", "remembers", "é", "🎻", "1815")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelTokenizer:
    return load_tokenizer(tiny_tokenizer_files(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arrays")


def examples(texts: list[list[str] | None]) -> list[Example]:
    found = []
    for index, turns in enumerate(texts):
        row = Row(index, "some.jsonl", index + 1, {})
        if turns is None:
            found.append(Example(row, None, "it has none"))
            continue
        spoken = tuple(Turn(("user", "assistant")[number % 2], text) for number, text in enumerate(turns))
        found.append(Example(row, Conversation(spoken, label=f"class {index % 3}" if index % 4 else "")))
    return found


def encoded(model: ModelTokenizer, data: DataSpec, rows: list[Example]) -> list[EncodedRow]:
    return [row for batch in RowEncoder(model, data).encode(rows, strict=False) for row in batch]


def arrays_of(folder: Path, batches: list[list[EncodedRow]]) -> RowArrays:
    writer = ArrayWriter(folder)
    for batch in batches:
        writer.add(batch)
    writer.close()
    return read_arrays(folder)


def whole_rows(model: ModelTokenizer, rows: list[Example], folder: Path) -> RowArrays:
    some = encoded(model, without_length(JobSpec()).data, rows)
    return arrays_of(folder, [some[: len(some) // 2], some[len(some) // 2 :]] if len(some) > 1 else [some])


def used_rows(arrays: RowArrays, data: DataSpec) -> NDArray[np.bool_]:
    return counts_at(arrays, data, None, None).is_used


LONG = "the river the river the river a song the river a song a song"
text = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
rows_of_texts = st.lists(st.none() | st.lists(text, min_size=1, max_size=5), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(texts=rows_of_texts, length=st.integers(8, 160), over_length=st.sampled_from(["truncate", "drop", "split"]))
def test_that_documents_are_the_encoders_pieces(
    model: ModelTokenizer, folder: Path, texts: list[list[str] | None], length: int, over_length: str
) -> None:
    data = DataSpec(max_length=length, over_length=over_length)
    arrays = whole_rows(model, examples(texts), folder)
    found = documents(arrays, data)
    expected = [
        (row.row.index, start, end - start, int(np.count_nonzero(row.labels[start:end] != -100)))
        for row in encoded(model, data, examples(texts))
        for start, end in row.pieces
    ]
    assert list(zip(*(values.tolist() for values in found), strict=True)) == expected


@settings(max_examples=40, deadline=None)
@given(texts=rows_of_texts, length=st.integers(8, 160), over_length=st.sampled_from(["truncate", "drop", "split"]))
@example(texts=[[LONG, ""], [LONG, "", ""]], length=63, over_length="drop")
def test_that_findings_of_a_length_are_those_of_a_pass_at_that_length(
    model: ModelTokenizer, folder: Path, texts: list[list[str] | None], length: int, over_length: str
) -> None:
    job = JobSpec(data=DataSpec(max_length=length, over_length=over_length))
    arrays = whole_rows(model, examples(texts), folder)
    kinds = BY_LENGTH | {"duplicate", "conflicting_answers"}
    whole = FindingsPass(without_length(job), model, kinds - BY_LENGTH)
    whole.take(encoded(model, without_length(job).data, examples(texts)), ["train"] * len(texts))
    kept = np.ones(len(texts), dtype=np.bool_)
    found = at_length(whole.finish(), arrays, kept, used_rows(arrays, job.data), job.data)
    oracle = FindingsPass(job, model, kinds)
    oracle.take(encoded(model, job.data, examples(texts)), ["train"] * len(texts))
    expected = {one.kind: (one.count, one.rows.tolist(), one.detail, one.figures) for one in oracle.finish()}
    assert {one.kind: (one.count, one.rows.tolist(), one.detail, one.figures) for one in found} == expected


def test_that_rows_of_a_step_and_their_pairs_leave_their_findings(model: ModelTokenizer, folder: Path) -> None:
    job = JobSpec(data=DataSpec(max_length=500))
    texts: list[list[str] | None] = [["a", "b"], ["a", "b"], ["a", "b"], ["c", " "], ["d", " "]]
    arrays = whole_rows(model, examples(texts), folder)
    whole = FindingsPass(without_length(job), model, {"duplicate", "empty_response"})
    whole.take(encoded(model, job.data, examples(texts)), ["train"] * 5)
    kept = np.array([True, True, False, False, False])
    (found,) = at_length(whole.finish(), arrays, kept, used_rows(arrays, job.data), job.data)
    assert (found.kind, found.count, found.rows.tolist()) == ("duplicate", 1, [1])
    assert [(pair.row, pair.other) for pair in found.pairs] == [(1, 0)]


@pytest.mark.parametrize(
    ("gone", "rows", "firsts"),
    [
        ([], [2, 4, 5], [1, 1, 3]),
        ([2], [4, 5], [1, 3]),
        ([1], [4, 5], [2, 3]),
        ([1, 2], [5], [3]),
        ([3], [2, 4], [1, 1]),
        ([1, 2, 3], [], []),
    ],
)
def test_that_the_next_of_rows_that_are_nearly_equal_stands_for_the_rest_where_their_first_is_cut_away(
    model: ModelTokenizer, folder: Path, gone: list[int], rows: list[int], firsts: list[int]
) -> None:
    job = JobSpec(data=DataSpec(max_length=500))
    texts: list[list[str] | None] = [["a", letter] for letter in "bcdefg"]
    arrays = whole_rows(model, examples(texts), folder)
    nearly = Found("near_duplicate", 3, np.array([2, 4, 5]), threshold=0.8, firsts=np.array([1, 1, 3]))
    used = used_rows(arrays, job.data)
    used[gone] = False
    found = {one.kind: one for one in at_length([nearly], arrays, np.ones(6, dtype=np.bool_), used, job.data)}
    if not rows:
        assert "near_duplicate" not in found
        return
    left = found["near_duplicate"]
    assert (left.count, left.rows.tolist(), left.firsts.tolist()) == (len(rows), rows, firsts)


def test_that_a_row_that_comes_again_brings_all_its_documents_again() -> None:
    rows = np.array([0, 2, 2, 5], dtype=np.int32)
    found = Documents(rows, np.array([0, 0, 8, 0], np.int32), np.array([8, 8, 3, 7], np.int32), rows + 1)
    times = np.array([1, 0, 2, 0, 0, 3], dtype=np.int32)
    again = found.of(times)
    assert again.rows.tolist() == [0, 2, 2, 2, 2, 5, 5, 5]
    assert again.starts.tolist() == [0, 0, 8, 0, 8, 0, 0, 0]
    assert found.of(np.array([1, 1, 1, 1, 1, 0])).rows.tolist() == [0, 2, 2]
    assert found.row_numbers().tolist() == [0, 2, 5]


def test_that_arrays_are_read_as_far_as_they_are_written(model: ModelTokenizer, tmp_path: Path) -> None:
    rows = encoded(model, DataSpec(), examples([["a", "b"], None, ["c"], ["d", "e", "f", "g"]]))
    writer = ArrayWriter(tmp_path)
    assert read_arrays(tmp_path).rows == 0
    writer.add(rows[:2])
    early = read_arrays(tmp_path)
    writer.add(rows[2:])
    writer.close()
    late = read_arrays(tmp_path)
    assert (early.rows, late.rows) == (2, 4)
    assert late.tokens.tolist() == [len(row.ids) for row in rows]
    assert late.usable.tolist() == [True, False, True, True]
    assert late.trained().tolist() == [np.count_nonzero(row.labels != -100) for row in rows]
    assert [late.names[number] if number >= 0 else "" for number in late.classes] == ["", "", "class 2", "class 0"]
    assert len(late.runs_of(3)) == 2
    assert late.first_trained()[[1, 2]].tolist() == [-1, -1]
    (tmp_path / "tokens").write_bytes(b"1234")
    with pytest.raises(DataError, match="do not fit"):
        read_arrays(tmp_path)


def test_that_many_rows_are_worked_on_in_pieces(tmp_path: Path) -> None:
    rows = CHUNK_ROWS + 7
    np.arange(rows, dtype="<i4").tofile(tmp_path / "tokens")
    np.ones(rows, dtype=np.bool_).tofile(tmp_path / "usable")
    np.full(rows, -1, dtype="<i4").tofile(tmp_path / "classes")
    np.stack([np.ones(rows), np.arange(rows)], axis=1).astype("<i4").tofile(tmp_path / "runs")
    np.arange(1, rows + 1, dtype="<i8").tofile(tmp_path / "run_ends")
    (tmp_path / "classes.json").write_text(json.dumps([]))
    found = documents(read_arrays(tmp_path), DataSpec(max_length=100))
    assert found.rows.tolist() == list(range(2, rows))
    assert found.tokens[-1] == 100 and found.supervised[-1] == 99


@pytest.mark.parametrize(
    ("gone", "likes"),
    [
        ([], [[3, 0], [3, 1], [4, 1], [5, 2]]),
        ([0], [[3, 1], [4, 1], [5, 2]]),
        ([1], [[3, 0], [5, 2]]),
        ([2], [[3, 0], [3, 1], [4, 1]]),
        ([4], [[3, 0], [3, 1], [5, 2]]),
        ([0, 1, 2], []),
    ],
)
def test_that_a_held_out_row_nearly_leaks_while_a_row_it_is_like_is_still_trained_on(
    model: ModelTokenizer, folder: Path, gone: list[int], likes: list[list[int]]
) -> None:
    job = JobSpec(data=DataSpec(max_length=500))
    texts: list[list[str] | None] = [["a", letter] for letter in "bcdefg"]
    arrays = whole_rows(model, examples(texts), folder)
    pairs = np.array([[3, 0], [3, 1], [4, 1], [5, 2]])
    nearly = Found("near_leakage", 3, np.array([3, 4, 5]), threshold=0.8, likes=pairs)
    used = used_rows(arrays, job.data)
    used[gone] = False
    found = {one.kind: one for one in at_length([nearly], arrays, np.ones(6, dtype=np.bool_), used, job.data)}
    rows = sorted({row for row, _ in likes})
    if not rows:
        assert "near_leakage" not in found
        return
    left = found["near_leakage"]
    assert (left.count, left.rows.tolist(), left.likes.tolist()) == (len(rows), rows, likes)
