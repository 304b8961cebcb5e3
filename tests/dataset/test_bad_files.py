"""Files that are damaged, packed to deceive, forbidden or changed under the reader are told, and no row is lost."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.row_file import RowFile
from tests.dataset.test_bad_input import GOOD, all_rows, fields, problem, seen, write


def test_that_a_folder_of_unlike_files_is_read_each_by_its_kind(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", GOOD)
    write(tmp_path, "b.csv", "a,b\nsecond,1\n")
    write(tmp_path, "c.parquet", "not at all")
    write(tmp_path, "d.json.gz", gzip.compress(b'[{"a": "third"}]'))
    write(tmp_path, "e.jsonl", "")
    write(tmp_path, "f.txt", "fourth")
    write(tmp_path, "image.png", b"\x89PNG")
    write(tmp_path, "README.md", "# About")
    rows = list(RowFile(tmp_path).iterate())
    assert [(row.file, row.fields.get("a", row.fields.get("text"))) for row in rows] == [
        ("a.jsonl", "first"), ("b.csv", "second"), ("c.parquet", None), ("d.json.gz", "third"), ("f.txt", "fourth"),
    ]  # fmt: skip
    assert rows[2].problem.startswith("c.parquet (row 3): not a whole Parquet file")
    file = RowFile(tmp_path)
    assert file.index() == 5
    assert [row.file for row in file.rows(2, 3)] == ["c.parquet", "d.json.gz", "f.txt"]
    notes = "\n".join(file.notes)
    assert "README.md, image.png; that is not read" in notes
    assert "e.jsonl: the file is empty" in notes


def test_that_a_parquet_folder_with_a_schema_per_file_is_read_file_by_file(tmp_path: Path) -> None:
    tables = [{"a": ["x"], "b": [1]}, {"a": [7], "c": [[[1], []]]}, {"messages": [[{"role": "user", "content": "hi"}]]}]
    for number, table in enumerate(tables):
        pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / f"{number}.parquet")
    assert fields(tmp_path) == [
        {"a": "x", "b": 1},
        {"a": 7, "c": [[1], []]},
        {"messages": [{"role": "user", "content": "hi"}]},
    ]


def test_that_a_damaged_parquet_page_costs_its_row_group_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pyarrow.table({"a": [f"{number} " + "x" * 50 for number in range(90)]})
    pyarrow.parquet.write_table(table, path, row_group_size=30, compression="zstd", use_dictionary=False)
    raw = bytearray(path.read_bytes())
    start = pyarrow.parquet.read_metadata(path).row_group(1).column(0).data_page_offset
    raw[start + 5 : start + 60] = b"\xff" * 55
    path.write_bytes(raw)
    rows = seen(path)
    assert [row is None for row in rows] == [False] * 30 + [True] * 30 + [False] * 30
    assert "row group 2 is damaged" in problem(path, 30)


@pytest.mark.parametrize("ending", ["jsonl.gz", "json.gz", "csv.gz", "txt.gz", "jsonl.zst"])
def test_that_an_archive_cut_short_gives_its_rows_and_then_says_so(tmp_path: Path, ending: str) -> None:
    rows = [{"a": os.urandom(40).hex(), "b": number} for number in range(4000)]
    texts = {
        "jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "json": json.dumps(rows),
        "csv": "a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in rows),
        "txt": "".join(f"{row['a']}\n" for row in rows),
    }
    pack = gzip.compress if ending.endswith("gz") else zstandard.ZstdCompressor().compress
    packed = pack(texts[ending.partition(".")[0]].encode())
    path = write(tmp_path, f"rows.{ending}", packed[: len(packed) * 2 // 3])
    found = all_rows(path)
    assert len(found) > 1000
    assert [bool(row.problem) for row in found] == [False] * (len(found) - 1) + [True]
    assert [row.fields.get("a", row.fields.get("text")) for row in found[:-1]] == [
        row["a"] for row in rows[: len(found) - 1]
    ]
    assert f"rows.{ending} (row {len(found)}): the file ends in the middle of its packed data" in found[-1].problem
    for _ in range(2):
        file = RowFile(path, tmp_path / "cache")
        assert file.index() == len(found)
        assert file.rows(len(found) - 3, 9) == found[-3:]


def test_that_damage_within_an_archive_is_told(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(os.urandom(20).hex().encode() + b"\n" for _ in range(20_000))))
    packed[len(packed) // 2 :] = os.urandom(len(packed) // 2)
    rows = all_rows(write(tmp_path, "rows.txt.gz", bytes(packed)))
    assert "damaged within its packed data" in rows[-1].problem


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_that_a_zip_bomb_is_stopped_and_named(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = write(tmp_path, "bomb.jsonl.gz", pack(GOOD.encode()) + pack(b" " * (16 << 20)) * 1000)
    tracemalloc.start()
    try:
        rows = list(RowFile(path).iterate())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows[0].fields == {"a": "first"}
    assert "unpacks to more than 300 times its size and is read no further" in rows[-1].problem
    assert peak < 300 << 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + GOOD.encode()), "grew from"),
        (lambda path: os.truncate(path, 40), "shrank from"),
        (lambda path: path.write_text(GOOD.replace("first", "other") * 500), "was written again"),
        (lambda path: path.unlink(), "no longer there"),
    ],
    ids=["grows", "shrinks", "written again", "vanishes"],
)
@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_that_a_file_that_changes_while_it_is_read_is_told_before_a_wrong_row_is_given(
    tmp_path: Path, change: Callable[[Path], object], words: str, ending: str
) -> None:
    text = GOOD * 500
    path = write(tmp_path, f"rows.{ending}", text if ending == "jsonl" else gzip.compress(text.encode()))
    os.utime(path, ns=(1, 1))
    opened, read_on = RowFile(path), RowFile(path)
    rows = read_on.iterate()
    next(rows)
    change(path)
    if words == "was written again" and ending != "jsonl":
        words = "grew|shrank"
    for reading in (lambda: opened.rows(0, 9), lambda: list(rows), opened.index, lambda: list(opened.iterate(300))):
        with pytest.raises(DataError, match=words) as caught:
            reading()
        assert str(caught.value).startswith(f"rows.{ending}: ")
        assert isinstance(caught.value, NotThereError) == (words == "no longer there")


_AS_NOBODY = """
import os, sys
from pathlib import Path
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.row_file import RowFile
if os.geteuid() == 0:
    os.seteuid(65534)
for path in sys.argv[1:]:
    try:
        RowFile(Path(path)).rows(0, 1)
    except DataError as error:
        print(error)
"""


def test_that_a_file_without_permission_is_told(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        path = write(folder, "rows.jsonl", GOOD)
        path.chmod(0)
        closed = folder / "closed"
        closed.mkdir(mode=0)
        ran = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, str(path), str(closed), str(closed / "rows.jsonl")],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        closed.chmod(0o700)
    assert ran.stderr == ""
    told = ran.stdout.splitlines()
    assert len(told) == 3
    assert all("there is no permission to read it" in line for line in told)
    assert told[0].startswith("rows.jsonl: ")


def test_that_a_folder_in_the_place_of_a_file_is_read_as_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "rows.jsonl"
    folder.mkdir()
    with pytest.raises(DataError, match="the folder holds no data file"):
        RowFile(folder)
    write(folder, "part.jsonl", GOOD)
    assert fields(folder) == [{"a": "first"}]


def test_that_text_in_an_arrow_column_that_is_not_utf8_is_a_problem_of_its_row(tmp_path: Path) -> None:
    offsets, data = pyarrow.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pyarrow.py_buffer(b"x\xffy")
    column = pyarrow.StringArray.from_buffers(3, offsets, data)
    file = io.BytesIO()
    with pyarrow.ipc.new_stream(file, pyarrow.schema([("a", pyarrow.string())])) as writer:
        writer.write_batch(pyarrow.record_batch([column], names=["a"]))
    path = write(tmp_path, "rows.arrow", file.getvalue())
    assert seen(path) == ["x", None, "y"]
    assert "the column 'a' is damaged (Invalid UTF8 sequence" in problem(path, 1)
    cut = write(tmp_path, "cut.arrow", file.getvalue()[:-100])
    assert seen(cut) == [None]
