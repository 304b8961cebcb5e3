"""Whatever a file holds, reading gives rows, problems with file and line, or one clear error: nothing is lost."""

from __future__ import annotations

import codecs
import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row, read_file
from remote_agent.dataset.row_file import RowFile

GOOD = '{"a": "first"}\n'
LONG_BYTES = 200 << 20


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def all_rows(path: Path) -> list[Row]:
    """Return every row, the same in order, by number and through the index."""
    rows = list(RowFile(path).iterate())
    file = RowFile(path)
    assert file.index() == len(rows)
    assert file.rows(0, len(rows) + 1) == rows
    return rows


def fields(path: Path) -> list[dict[str, Any]]:
    rows = all_rows(path)
    assert not [row.problem for row in rows if row.problem]
    return [row.fields for row in rows]


def seen(path: Path) -> list[Any]:
    """Return the field a of every row, and None for each that is a problem; every problem names file and place."""
    rows = all_rows(path)
    for row in rows:
        assert not row.problem or row.problem.startswith(f"{row.where()}: "), row.problem
        assert not row.problem or row.problem.endswith("."), row.problem
    return [None if row.problem else row.fields.get("a", "") for row in rows]


def problem(path: Path, number: int) -> str:
    return all_rows(path)[number].problem


def test_that_a_strict_reader_raises_what_others_keep_as_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", GOOD + "{oops\n" + GOOD)
    assert seen(path) == ["first", None, "first"]
    assert problem(path, 1).startswith("rows.jsonl line 2 (row 2): not valid JSON (Expecting property name")
    with pytest.raises(DataError, match=r"rows\.jsonl line 2: not valid JSON"):
        list(read_file(path, path.name))


def test_that_truncated_json_gives_the_rows_before_the_cut(tmp_path: Path) -> None:
    listed = json.dumps([{"a": "first"}, {"a": "second"}, {"a": "third"}])
    for kept, wanted in ((-1, 3), (-4, 2), (-13, 2), (-15, 2), (18, 1)):
        rows = all_rows(write(tmp_path, "cut.json", listed[:kept]))
        assert [row.fields["a"] for row in rows[:-1]] == ["first", "second", "third"][:wanted]
        assert "cut off" in rows[-1].problem
        assert rows[-1].problem.startswith("cut.json line 1 (row ")
    assert seen(write(tmp_path, "cut.jsonl", GOOD + GOOD[:-5])) == ["first", None]


@pytest.mark.parametrize(
    ("name", "before", "inside", "behind"),
    [
        ("long.jsonl", GOOD, b'{"a": "' + b"x" * 1000, b'"}\n' + GOOD.encode()),
        ("long.json", '[{"a": "first"},\n', b'{"a": "' + b"x" * 1000, b'"},\n{"a": "first"}]'),
        ("long.csv", "a,b\nfirst,1\n", b"x" * 1000, b",2\nfirst,3\n"),
        ("long.txt", "first\n", b"x" * 1000, b"\nfirst"),
    ],
)
def test_that_a_line_of_200_mb_is_passed_over_and_not_held(
    tmp_path: Path, name: str, before: str, inside: bytes, behind: bytes
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(before.encode() + inside)
        for _ in range(LONG_BYTES >> 20):
            file.write(b"x" * (1 << 20))
        file.write(behind)
    tracemalloc.start()
    try:
        rows = list(RowFile(path).iterate())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert rows[0].fields == rows[2].fields or name == "long.csv"
    assert "longer than 32 MiB" in rows[1].problem
    assert rows[1].problem.startswith(f"{name} line {rows[1].line} (row 2)")
    assert peak < LONG_BYTES


def test_that_nul_bytes_spoil_their_line_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "nul.jsonl", GOOD * 50 + "\0" * 40 + "\n" + '{"a": "x\0"}\n' + GOOD)
    assert seen(path) == ["first"] * 50 + [None, None, "first"]
    assert "line 51" in problem(path, 50)
    assert "NUL bytes" in problem(path, 50)
    assert "NUL bytes" in problem(path, 51)
    assert fields(write(tmp_path, "nul.csv", "a,b\n" + "x,y\n" * 99 + "a\0b,c\n"))[99] == {"a": "a\0b", "b": "c"}
    with pytest.raises(DataError, match=r"zeros\.jsonl: it holds NUL bytes throughout"):
        RowFile(write(tmp_path, "zeros.jsonl", b"\0" * 4096))


ENCODED = "Höhe und Größe, naïve café – drei"


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "txt"])
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("utf-32", "UTF-32"),
        ("utf-32-be", "UTF-32-BE"),
        ("latin-1", "windows-1252"),
        ("cp1252", "windows-1252"),
    ],
)
def test_that_other_encodings_are_read_and_noted(tmp_path: Path, encoding: str, name: str, ending: str) -> None:
    text = ENCODED.replace("–", "-") if encoding == "latin-1" else ENCODED
    contents = {
        "jsonl": "".join(json.dumps({"text": text, "n": n}, ensure_ascii=False) + "\n" for n in range(200)),
        "json": json.dumps([{"text": text, "n": n} for n in range(200)], ensure_ascii=False),
        "csv": "text,n\n" + "".join(f'"{text}",{n}\n' for n in range(200)),
        "txt": "".join(f"{text}\n" for _ in range(200)),
    }
    path = write(tmp_path, f"rows.{ending}", contents[ending].encode(encoding))
    assert [row["text"] for row in fields(path)] == [text] * 200
    cache = tmp_path / "cache"
    for _ in range(2):
        file = RowFile(path, cache)
        assert [row.fields["text"] for row in file.rows(150, 3)] == [text] * 3
        assert file.index() == 200
        assert f"rows.{ending} is read as {name}" in file.notes


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "café"),
        ("cp1251", "Привет, как дела? Это русский текст для проверки кодировки."),
        ("gb18030", "这是中文文本，用来测试编码检测。我们希望它被正确识别。"),
        ("cp932", "これは日本語のテキストです。文字コードの判定を試験します。"),
        ("cp1250", "Zażółć gęślą jaźń, proszę bardzo, źdźbło trawy."),
    ],
)
def test_that_the_language_of_a_text_tells_its_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    line = json.dumps({"a": text}, ensure_ascii=False) + "\n"
    assert seen(write(tmp_path, "rows.jsonl", (GOOD + line * 3).encode(encoding))) == ["first", text, text, text]


def test_that_a_damaged_character_does_not_make_utf8_another_encoding(tmp_path: Path) -> None:
    line = json.dumps({"a": ENCODED}, ensure_ascii=False).encode() + b"\n"
    path = write(tmp_path, "rows.jsonl", line * 3 + line.replace("ö".encode(), b"\xc3") + line)
    assert seen(path) == [ENCODED] * 3 + [None, ENCODED]
    assert "line 4" in problem(path, 3)
    assert "not UTF-8 (byte 0xc3" in problem(path, 3)
    listed = b"[" + line + b"," + line.replace("ö".encode(), b"\xc3") + b"," + line + b"]"
    assert seen(write(tmp_path, "rows.json", listed)) == [ENCODED, None, ENCODED]
    table = f"a,b\n{ENCODED.replace(',', '')},1\n".encode()
    path = write(tmp_path, "rows.csv", table + table.partition(b"\n")[2].replace("ö".encode(), b"\xc3") + b"x,2\n")
    assert [bool(row.problem) for row in all_rows(path)] == [False, True, False]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_that_byte_order_marks_and_line_ends_of_other_systems_are_no_part_of_the_rows(
    tmp_path: Path, ending: str
) -> None:
    bom = codecs.BOM_UTF8.decode()
    lines = ['{"a": 1}', '{"a": 2}', "", '{"a": 3}']
    assert fields(write(tmp_path, "a.jsonl", bom + ending.join(lines))) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert fields(write(tmp_path, "a.json", bom + f'[{{"a": 1}},{ending}{{"a": 2}}]')) == [{"a": 1}, {"a": 2}]
    table = ending.join(("a,b", '1,"x"', "2,y", ""))
    assert fields(write(tmp_path, "a.csv", bom + table)) == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]
    assert fields(write(tmp_path, "a.txt", bom + ending.join("xy"))) == [{"text": "x"}, {"text": "y"}]


def test_that_rows_of_any_shape_are_rows(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"instruction": "x", "output": "y"},
        {"messages": [{"role": "user", "content": None}]},
        {"instruction": None},
        {},
        {"instruction": 3, "output": [[1, [2, [None]]], "z"], "more": {"deep": {"er": [True, 1.5]}}},
        {"text": "שלום, مرحبا بالعالم 👩‍👩‍👧 \u202e"},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert fields(write(tmp_path, "mixed.jsonl", lines)) == rows
    assert fields(write(tmp_path, "mixed.json", json.dumps(rows, ensure_ascii=False))) == rows
    path = write(tmp_path, "no_rows.jsonl", GOOD + '[1]\nnull\n3\n"x"\n' + GOOD)
    assert seen(path) == ["first", None, None, None, None, "first"]
    assert "a row is an object with named fields, this one is a list" in problem(path, 1)


def test_that_a_key_that_stands_twice_is_noted_and_its_last_value_read(tmp_path: Path) -> None:
    twice = '{"a": "old", "b": 1, "a": "new"}'
    for name, content in (("twice.jsonl", f"{GOOD}{twice}\n"), ("twice.json", f'[{{"a": "first"}},\n{twice}]')):
        path = write(tmp_path, name, content)
        assert seen(path) == ["first", "new"]
        file = RowFile(path)
        file.rows(0, 2)
        assert file.notes == (f"{name} line 2 names the key 'a' twice in one object; the last value is read",)


def test_that_halves_of_characters_are_mended_and_noted(tmp_path: Path) -> None:
    path = write(tmp_path, "half.jsonl", GOOD + '{"a": "x\\ud83d", "b": [{"\\udc00": 1}]}\n{"a": "\\ud83d\\ude00"}\n')
    assert [row.fields for row in all_rows(path)][1:] == [{"a": "x\ufffd", "b": [{"\ufffd": 1}]}, {"a": "😀"}]
    file = RowFile(path)
    file.rows(0, 3)
    assert "half.jsonl line 2 holds half of a character" in file.notes[0]
    # The same characters as a program writes them that cares for nothing: three bytes each, no valid UTF-8.
    raw = json.dumps({"a": "x"}).replace("x", "\ud83d").encode("utf-8", "surrogatepass")
    assert seen(write(tmp_path, "raw.jsonl", GOOD.replace("first", "für").encode() * 9 + raw)) == ["für"] * 9 + [None]


def test_that_an_empty_file_is_an_error_and_one_without_rows_has_none(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.json", "a.csv", "a.parquet", "a.arrow", "a.txt"):
        with pytest.raises(DataError, match=f"{name}: the file is empty; choose one with rows"):
            RowFile(write(tmp_path, name, ""))
    for name, content in (("b.jsonl", "\n \n"), ("b.json", "[]"), ("b.csv", "a,b\n"), ("b.txt", "\n\n")):
        assert all_rows(write(tmp_path, name, content)) == []
    with pytest.raises(DataError, match=r"c\.jsonl\.gz: there is nothing in the archive"):
        RowFile(write(tmp_path, "c.jsonl.gz", gzip.compress(b"")))


def test_that_what_is_no_data_file_is_refused_by_what_it_is(tmp_path: Path) -> None:
    for content, words in (
        (b"PK\x03\x04rest", "ZIP archive or a spreadsheet"),
        (b"\x89PNG\r\n", "an image"),
        (b"<html>\n<body>\n</body>\n", "line 1: not valid JSON"),
    ):
        with pytest.raises(DataError, match=words):
            RowFile(write(tmp_path, "a.jsonl", content))
    with pytest.raises(DataError, match="starts with"):
        RowFile(write(tmp_path, "a.json", "<html>"))


def test_that_a_ragged_csv_row_is_a_problem_and_the_next_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", 'a,b\n1,2\n1,2,3\n1\n"3\n4",x\n5,6,\n')
    assert seen(path) == ["1", None, None, "3\n4", "5"]
    assert "rows.csv line 3 (row 2): 3 fields, but the header names 2 columns" in problem(path, 1)
    assert [row.line for row in all_rows(path)] == [2, 3, 4, 5, 7]


def test_that_an_open_quote_costs_its_line_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", 'a,b\n1,2\n"open,3\n4,5\n6,"two\nlines"\n' + "7,8\n" * 300)
    assert seen(path) == ["1", None, "4", "6"] + ["7"] * 300
    assert "line 3 (row 2): not valid CSV" in problem(path, 1)
    path = write(tmp_path, "last.csv", 'a,b\n1,2\n"open,3\n4,5\n')
    assert seen(path) == ["1", None, "4"]
    assert "a quote is opened and never closed" in problem(path, 1)
    assert seen(write(tmp_path, "inside.csv", 'a,b\n5" disk,2\n"x"y,3\nz,4\n')) == ['5" disk', None, "z"]


def test_that_a_damaged_row_of_a_list_is_passed_over_where_the_next_is_sure(tmp_path: Path) -> None:
    good = '{"a": "first", "turns": [{"role": "x"}, {"role": "y"}]}'
    for damage in (good.replace(": [", " ["), good.replace('"x"}', '"x}'), good.replace("x", 'x"x'), good[:-1]):
        path = write(tmp_path, "rows.json", f"[{good},\n{damage},\n{good},\n{good}\n]")
        assert seen(path) == ["first", None, "first", "first"], damage
        assert problem(path, 1).startswith("rows.json line 2 (row 2): not valid JSON")
    # With no other row to go by, nothing is sure.
    path = write(tmp_path, "none.json", f"[{damage}, {good}]")
    assert seen(path) == [None]


def test_that_a_list_with_slips_of_the_pen_is_read_and_noted(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.json", '[{"a": 1}\n{"a": 2},\n]')
    assert seen(path) == [1, 2]
    file = RowFile(path)
    file.index()
    assert file.notes == (
        "rows.json line 2 lacks a comma between two rows",
        "rows.json line 3 has a comma before the closing bracket",
    )
    path = write(tmp_path, "behind.json", '[{"a": 1}]\n[{"a": 2}]')
    assert seen(path) == [1, None]
    assert "line 2 (row 2): there is text after the closing ']'" in problem(path, 1)


def test_that_numbers_without_end_and_nesting_without_end_are_problems(tmp_path: Path) -> None:
    digits, deep = '{"a": ' + "1" * 5000 + "}", '{"a":' * 100_000 + "1" + "}" * 100_000
    for value in (digits, deep):
        assert seen(write(tmp_path, "rows.jsonl", f"{GOOD}{value}\n{GOOD}")) == ["first", None, "first"]
        assert seen(write(tmp_path, "rows.json", f'[{{"a": "first"}}, {value}, {{"a": "first"}}]'))[:2] == [
            "first",
            None,
        ]


def test_that_a_hundred_thousand_columns_are_read(tmp_path: Path) -> None:
    columns = [f"c{number}" for number in range(100_000)]
    row = dict.fromkeys(columns, 1)
    text = json.dumps(row)
    table = ",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n"
    for name, content in (("a.jsonl", f"{text}\n{text}\n"), ("a.json", f"[{text}, {text}]"), ("a.csv", table)):
        for found in RowFile(write(tmp_path, name, content)).iterate():
            assert not found.problem
            assert list(found.fields) == columns
