"""Rows come out of every kind of file, and a broken file is named with its line and what to do."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import READERS, read_file
from remote_agent.dataset.row_file import RowFile

ROWS = [{"prompt": "Höhe?\nZwei", "completion": 'drei "vier", fünf'}, {"prompt": "a", "completion": ""}]


def read(path: Path) -> list[tuple[int, dict[str, object]]]:
    return list(read_file(path, path.name))


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def fails(path: Path, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(path)
    for word in (path.name, *words):
        assert word in str(caught.value), str(caught.value)


def test_that_the_same_rows_come_from_every_kind_of_file(tmp_path: Path) -> None:
    written = [
        write(tmp_path, "a.json", json.dumps(ROWS, indent=2)),
        write(tmp_path, "flat.json", b"\xef\xbb\xbf" + json.dumps(ROWS).encode()),
        write(tmp_path, "really_lines.json", "\n".join(map(json.dumps, ROWS))),
        write(tmp_path, "a.jsonl", "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\r\n"),
    ]
    for name, delimiter in (("a.csv", ","), ("semicolons.csv", ";"), ("a.tsv", "\t")):
        with (tmp_path / name).open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file, delimiter=delimiter)
            table.writerows([ROWS[0].keys(), *(row.values() for row in ROWS)])
        written.append(tmp_path / name)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    for path in [*written, tmp_path / "a.parquet"]:
        assert [fields for _, fields in read(path)] == ROWS, path.name


def test_that_rows_know_the_line_they_start_on(tmp_path: Path) -> None:
    assert [line for line, _ in read(write(tmp_path, "a.json", '[\n {"a": 1,\n  "b": 2},\n\n {"a": 3}\n]'))] == [2, 5]
    assert [line for line, _ in read(write(tmp_path, "a.jsonl", '{"a": 1}\n\n{"a": 2}\n'))] == [1, 3]
    assert [line for line, _ in read(write(tmp_path, "a.csv", 'a,b\n1,"x\ny"\n2,z\n'))] == [2, 4]


def test_that_a_list_larger_than_a_read_comes_whole(tmp_path: Path) -> None:
    rows = [{"text": "é" * 3000 + str(number)} for number in range(1200)]
    path = write(tmp_path, "large.json", json.dumps(rows, ensure_ascii=False))
    assert path.stat().st_size > 3 << 20
    assert [fields for _, fields in read(path)] == rows


def test_that_a_row_larger_than_a_read_comes_whole(tmp_path: Path) -> None:
    rows = [{"text": "x" * (5 << 20)}, {"text": "y"}]
    assert [fields for _, fields in read(write(tmp_path, "wide.json", json.dumps(rows)))] == rows


def test_that_a_json_file_cut_anywhere_is_refused_and_called_cut_off(tmp_path: Path) -> None:
    whole = json.dumps([{"a": "first \\ one", "n": [1, 2]}, {"a": "ö", "b": None}], indent=1, ensure_ascii=False)
    for kept in range(1, len(whole.encode())):
        path = write(tmp_path, "cut.json", whole.encode()[:kept])
        fails(path)
    for kept in (12, 30, whole.index("},") + 1, whole.index("},") + 2, len(whole) - 1):
        fails(write(tmp_path, "cut.json", whole[:kept]), "cut off", "again")


def test_that_the_place_of_a_cut_is_the_line_where_the_row_starts(tmp_path: Path) -> None:
    path = write(tmp_path, "cut.json", '[\n{"a": "b"},\n{"a": "and then no')
    fails(path, "line 3", "in the middle of this row", "cut off", "again")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.json", "", ("empty",)),
        ("text.json", '"just text"', ("list of rows",)),
        ("numbers.json", "[1, 2]", ("line 1", "a number")),
        ("behind.json", '[{"a": 1}]\n[]', ("line 2", "after the closing")),
        ("quotes.json", "[{'a': 1}]", ("not valid JSON",)),
        ("digits.json", '[{"a": ' + "1" * 5000 + "}]", ("line 1", "cannot be read")),
        ("deep.json", "[" + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]", ("line 1", "cannot be read")),
        ("cut.jsonl", '{"a": 1}\n{"a": ', ("line 2", "one whole JSON object a line")),
        ("list.jsonl", '{"a": 1}\n[1]', ("line 2", "a list")),
        ("deep.jsonl", '{"a": 1}\n' + "[" * 100_000, ("line 2", "nested too deeply")),
        ("more.csv", "a,b\n1,2\n1,2,3\n", ("line 3", "3 fields", "2 columns")),
        ("fewer.csv", "a,b\n1\n", ("line 2", "1 fields")),
        ("open.csv", 'a,b\n1,2\n"open,3\n4,5\n', ("line 3", "not valid CSV")),
        ("twice.csv", "a,a\n1,2\n", ("'a'", "twice")),
        ("none.parquet", "PAR1 nothing of the kind", ("not a whole Parquet file",)),
        ("none.arrow", "ARROW1 nothing of the kind", ("not a whole Arrow file",)),
    ],
)
def test_that_a_broken_file_is_told_with_its_line_and_what_to_do(
    tmp_path: Path, name: str, content: str | bytes, words: tuple[str, ...]
) -> None:
    fails(write(tmp_path, name, content), *words)


def test_that_a_parquet_file_cut_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS * 100), path)
    path.write_bytes(path.read_bytes()[:-200])
    fails(path, "not a whole Parquet file")


_VALUES = st.recursive(st.none() | st.booleans() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.dictionaries(st.text(max_size=5), _VALUES, max_size=4), max_size=6),
    indent=st.sampled_from((None, 1)),
)
def test_that_any_list_of_objects_is_read_as_json_reads_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], indent: int | None
) -> None:
    path = write(tmp_path_factory.mktemp("json"), "any.json", json.dumps(rows, indent=indent))
    assert [fields for _, fields in read(path)] == rows


def test_that_every_list_of_a_json_file_is_read_and_a_row_knows_its_list(tmp_path: Path) -> None:
    text = '{"version": "1.0",\n"train": [{"a": 1},\n{"a": 2}], "names": ["x", "y"],\n"test": [{"a": 3}], "none": []}'
    file = RowFile(write(tmp_path, "rows.json", text))
    assert [(row.file, row.line, row.fields["a"]) for row in file.iterate()] == [
        ("rows.json (train)", 2, 1), ("rows.json (train)", 3, 2), ("rows.json (test)", 4, 3),
    ]  # fmt: skip
    assert file.notes == (
        "rows.json line 1 has 'version' beside its lists of rows; it is not read",
        "rows.json line 3 has 'names' beside its lists of rows; it is not read",
        "rows.json holds several lists of rows, read one after the other: train, test, none",
    )
    large = json.dumps({"data": [{"a": "x" * 999} for _ in range(3000)]})
    assert len(read(write(tmp_path, "large.json", large))) == 3000


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_that_json_is_read_by_what_it_is_whatever_its_name_says(tmp_path: Path, name: str) -> None:
    for text in (
        "\n".join(map(json.dumps, ROWS)),
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "".join(json.dumps(row, indent=2) for row in ROWS),
        "\n\n".join(json.dumps(row, indent=2) for row in ROWS),
    ):
        assert [fields for _, fields in read(write(tmp_path, name, text))] == ROWS, text
    turns = {"messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "f"}]}
    for text in (json.dumps(turns), json.dumps(turns, indent=1)):
        assert [fields for _, fields in read(write(tmp_path, name, text))] == [turns]


def test_that_plain_text_is_split_where_its_owner_would(tmp_path: Path) -> None:
    def texts(name: str, content: str) -> list[object]:
        return [fields["text"] for _, fields in read(write(tmp_path, name, content))]

    assert texts("lines.txt", "one\n  two\nthree") == ["one", "  two", "three"]
    assert texts("blocks.txt", "\n\none\n two\n\n \nthree\n") == ["one\n two", "three"]
    assert texts("whole.md", "# One\n\ntwo\n\n\nthree\n") == ["# One\n\ntwo\n\n\nthree"]
    file = RowFile(tmp_path / "blocks.txt")
    assert file.notes == ("blocks.txt holds blank lines: each block of lines between them is one row",)


def test_that_tables_give_what_json_could_give(tmp_path: Path) -> None:
    made = pyarrow.table(
        {
            "text": pyarrow.array([b"as bytes", b"\xff\xfe"]),
            "when": pyarrow.array([0, None], pyarrow.timestamp("s")),
            "price": pyarrow.array([1.5, 2]).cast(pyarrow.decimal128(5, 2)),
            "map": pyarrow.array([[("k", 1)], []], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
            "kind": pyarrow.array(["x", "y"]).dictionary_encode(),
            "list": pyarrow.array([[{"role": "user"}], None]),
        }
    )
    wanted = [
        {"text": "as bytes", "when": "1970-01-01T00:00:00", "price": "1.50", "map": [["k", 1]], "kind": "x",
         "list": [{"role": "user"}]},
        {"text": "(2 bytes)", "when": None, "price": "2.00", "map": [], "kind": "y", "list": None},
    ]  # fmt: skip
    pyarrow.parquet.write_table(made, tmp_path / "a.parquet")
    with pyarrow.ipc.new_stream(str(tmp_path / "a.arrow"), made.schema) as writer:
        writer.write_table(made)
    for name in ("a.parquet", "a.arrow"):
        assert [fields for _, fields in read(tmp_path / name)] == wanted
        json.dumps(wanted)


def test_that_every_ending_has_a_reader() -> None:
    assert set(READERS) == {".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md"}
