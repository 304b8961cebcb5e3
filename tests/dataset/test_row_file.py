"""Any row of any kind of file is found by its number, at once, and the same one that reading in order gives."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.row_file import RowFile

Fields = dict[str, Any]
SCHEMA = pyarrow.table({"text": ["x"], "i": [1]}).schema


def jsonl(rows: list[Fields]) -> bytes:
    lines = [json.dumps(row, ensure_ascii=number % 2 == 0) for number, row in enumerate(rows)]
    # Blank lines are no rows; damaged lines are, as problems.
    return "\n".join(line + ("\n \r\n" if number % 7 == 3 else "") for number, line in enumerate(lines)).encode()


def damaged_jsonl(rows: list[Fields]) -> bytes:
    lines = [json.dumps(row) if number % 5 else f"{number} {{" for number, row in enumerate(rows)]
    return "".join(f"{line}\r\n" for line in ['{"i": 0}', *lines]).encode()


def json_list(rows: list[Fields]) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def indented_json(rows: list[Fields]) -> bytes:
    return json.dumps(rows, indent=1).encode()


def json_splits(rows: list[Fields]) -> bytes:
    return json.dumps({"train": rows[: len(rows) // 2], "version": 1, "test": rows[len(rows) // 2 :]}).encode()


def csv_table(rows: list[Fields]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["text", "i"])
    writer.writerows([row["text"], row["i"]] for row in rows)
    return file.getvalue().encode()


def ragged_csv(rows: list[Fields]) -> bytes:
    damage = {0: b'"open,1\n', 1: b"1,2,3\n", 2: b'x"y,"z\n'}
    lines = [csv_table([row]).partition(b"\n")[2] for row in rows]
    return b"text,i\n" + b"".join(
        (damage.get(number % 9, b"") + line) if number % 3 == 0 else line for number, line in enumerate(lines)
    )


def text_lines(rows: list[Fields]) -> bytes:
    return "\n".join(f"{row['i']} {row['text']}".replace("\n", " ") for row in rows).encode()


def text_documents(rows: list[Fields]) -> bytes:
    return "\n\n".join(f"{row['i']} {row['text']}\n  more" for row in rows).encode()


def parquet(rows: list[Fields]) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, SCHEMA), file, row_group_size=37)
    return file.getvalue()


def arrow_stream(rows: list[Fields], start: Callable[..., Any] = pyarrow.ipc.new_stream) -> bytes:
    file = io.BytesIO()
    with start(file, SCHEMA) as writer:
        writer.write_table(pyarrow.Table.from_pylist(rows, SCHEMA), max_chunksize=29)
    return file.getvalue()


def arrow_file(rows: list[Fields]) -> bytes:
    return arrow_stream(rows, pyarrow.ipc.new_file)


WRITERS: dict[str, tuple[str, Callable[[list[Fields]], bytes]]] = {
    "jsonl": ("jsonl", jsonl),
    "damaged jsonl": ("jsonl", damaged_jsonl),
    "lines named json": ("json", jsonl),
    "json": ("json", json_list),
    "indented json": ("json", indented_json),
    "splits": ("json", json_splits),
    "csv": ("csv", csv_table),
    "ragged csv": ("csv", ragged_csv),
    "text lines": ("txt", text_lines),
    "text documents": ("txt", text_documents),
    "parquet": ("parquet", parquet),
    "arrow stream": ("arrow", arrow_stream),
    "arrow file": ("arrow", arrow_file),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@settings(max_examples=5, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), min_size=1, max_size=5),
    count=st.integers(1, 260),
    seed=st.integers(0, 1 << 16),
    packing=st.sampled_from(list(PACKERS)),
)
@pytest.mark.parametrize("kind", WRITERS)
def test_that_rows_by_number_are_those_of_reading_in_order(
    tmp_path_factory: pytest.TempPathFactory, kind: str, packing: str, texts: list[str], count: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = [{"text": texts[number % len(texts)] + '\n,;"x"' * (number % 3), "i": number} for number in range(count)]
    ending, write = WRITERS[kind]
    path = folder / f"rows.{ending}{packing}"
    path.write_bytes(PACKERS[packing](write(rows)))
    wanted = list(RowFile(path).iterate())
    assert [row.index for row in wanted] == list(range(len(wanted)))
    good = [row.fields for row in wanted if not row.problem]
    if kind in (
        "jsonl",
        "lines named json",
        "json",
        "indented json",
        "splits",
        "parquet",
        "arrow stream",
        "arrow file",
    ):
        assert good == rows
    chance = random.Random(seed)
    for cache in (None, folder / "cache", folder / "cache"):
        for first in ("rows", "index", "iterate"):
            file = RowFile(path, cache)
            if first == "index":
                assert file.index() == len(wanted)
                assert file.complete
            if first == "iterate":
                start = chance.randrange(len(wanted))
                assert list(file.iterate(start)) == wanted[start:]
            for _ in range(3):
                start, size = chance.randrange(len(wanted) + 2), chance.randrange(90)
                assert file.rows(start, size) == wanted[start : start + size], (kind, packing, cache, first)
            assert file.index() == file.estimate() == file.indexed == len(wanted)


_INSERTS = [b'"', b"\n", b"\0\0", b"\\", b"[", b"]", b"{", b"}", b",", b"\r", b"\xff", b"\xc3", b'"""', b"\\ud83d"]
_EDITS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 30), st.sampled_from(_INSERTS)), max_size=6)


@settings(max_examples=5, deadline=None)
@given(edits=_EDITS, packing=st.sampled_from(list(PACKERS)), is_packed_first=st.booleans(), start=st.integers(0, 200))
@pytest.mark.parametrize("kind", WRITERS)
def test_that_any_damage_gives_rows_and_problems_or_one_error(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    edits: list[tuple[int, int, bytes]],
    packing: str,
    is_packed_first: bool,
    start: int,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    ending, write = WRITERS[kind]
    content = write([{"text": 'é😀 "q",\n[{"i": 1}, ' * (number % 3), "i": number} for number in range(150)])
    content = PACKERS[packing](content) if is_packed_first else content
    for at, cut, inserted in edits:
        at %= len(content) or 1
        content = content[:at] + inserted + content[at + cut :]
    path = folder / f"rows.{ending}{packing}"
    path.write_bytes(content if is_packed_first else PACKERS[packing](content))
    try:
        wanted = list(RowFile(path).iterate())
    except DataError as error:
        assert path.name in str(error)
        return
    indexed = RowFile(path, folder / "cache")
    assert indexed.index() == len(wanted)
    assert indexed.rows(start, 40) == RowFile(path).rows(start, 40) == wanted[start : start + 40]
    assert RowFile(path, folder / "cache").rows(0, len(wanted) + 1) == wanted
    assert all(row.problem.startswith(row.where()) for row in wanted if row.problem)


def lines(folder: Path, name: str, count: int) -> Path:
    path = folder / name
    path.write_bytes(jsonl([{"i": number} for number in range(count)]))
    return path


def test_that_the_first_rows_of_a_large_file_need_no_more_than_its_beginning(tmp_path: Path) -> None:
    path = lines(tmp_path, "rows.jsonl", 200_000)
    file = RowFile(path)
    assert [row.fields["i"] for row in file.rows(0, 50)] == list(range(50))
    assert 50 <= file.indexed < 100_000
    assert not file.complete
    assert 150_000 < file.estimate() < 250_000
    assert [row.fields["i"] for row in file.rows(199_990, 50)] == list(range(199_990, 200_000))
    assert file.index() == file.estimate() == 200_000


def test_that_reading_in_order_indexes_by_the_way(tmp_path: Path) -> None:
    for ending, write in (("jsonl", jsonl), ("json", json_list), ("csv", csv_table), ("arrow", arrow_stream)):
        path = tmp_path / f"rows.{ending}"
        path.write_bytes(write([{"text": "x", "i": number} for number in range(500)]))
        file = RowFile(path)
        assert sum(1 for _ in file.iterate()) == 500
        assert file.complete
        assert file.indexed == 500


def test_that_rows_of_a_folder_are_numbered_through_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, count in (("a.jsonl", 70), ("b.jsonl", 1), ("c.jsonl", 130)):
        lines(folder, name, count)
    (folder / "aa.jsonl").write_text("\n", encoding="utf-8")
    file = RowFile(folder, source=2, first_row=1000)
    rows = file.rows(68, 5)
    assert [(row.index, row.file, row.fields["i"], row.source) for row in rows] == [
        (1068, "a.jsonl", 68, 2), (1069, "a.jsonl", 69, 2), (1070, "b.jsonl", 0, 2), (1071, "c.jsonl", 0, 2),
        (1072, "c.jsonl", 1, 2),
    ]  # fmt: skip
    assert rows[0].where() == f"a.jsonl line {rows[0].line} (row 1069)"
    assert file.index() == 201
    assert [row.index for row in file.iterate(199)] == [1199, 1200]
    assert RowFile(folder).estimate() > 100


def test_that_no_more_rows_are_given_than_are_wanted(tmp_path: Path) -> None:
    lines(tmp_path, "a.jsonl", 90)
    lines(tmp_path, "b.jsonl", 90)
    file = RowFile(tmp_path, max_rows=100)
    assert len(file.rows(95, 50)) == 5
    assert len(list(file.iterate(10))) == 90
    assert file.index() == file.estimate() == file.indexed == 100
    assert file.complete
    assert RowFile(tmp_path, max_rows=1000).index() == 180


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "arrow stream"])
def test_that_a_kept_index_is_used_until_the_file_changes(tmp_path: Path, kind: str) -> None:
    ending, write = WRITERS[kind]
    path, cache = tmp_path / f"rows.{ending}", tmp_path / "cache"
    path.write_bytes(write([{"text": "x", "i": number} for number in range(300)]))
    assert not RowFile(path, cache).complete
    assert RowFile(path, cache).index() == 300
    again = RowFile(path, cache)
    assert again.complete
    assert again.rows(299, 1)[0].fields["text"] == "x"
    path.write_bytes(write([{"text": "y", "i": number} for number in range(299)]))
    changed = RowFile(path, cache)
    assert not changed.complete
    assert changed.index() == 299


def test_that_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    path, cache = lines(tmp_path, "rows.jsonl", 300), tmp_path / "cache"
    RowFile(path, cache).index()
    for kept in sorted(cache.iterdir()):
        whole = kept.read_bytes()
        kept.write_bytes(whole[: len(whole) // 2])
        file = RowFile(path, cache)
        assert not file.complete
        assert file.index() == 300
        assert len(file.rows(250, 90)) == 50


def test_that_an_archive_is_unpacked_once_where_there_is_a_cache(tmp_path: Path) -> None:
    path, cache = tmp_path / "rows.jsonl.gz", tmp_path / "cache"
    text = jsonl([{"i": number} for number in range(3000)])
    path.write_bytes(gzip.compress(text))
    file = RowFile(path, cache)
    file.rows(0, 5)
    file.index()
    assert [copy.read_bytes() for copy in cache.glob("*.unpacked")] == [text]
    assert list(cache.glob("*.part")) == []
    unfinished = RowFile(path, tmp_path / "other")
    unfinished.rows(0, 1)
    del unfinished
    assert list((tmp_path / "other").glob("*.part")) == []


def test_that_indexing_tells_how_far_it_is_and_stops_when_asked(tmp_path: Path) -> None:
    lines(tmp_path, "a.jsonl", 150_000)
    lines(tmp_path, "b.jsonl", 3)
    told: list[Any] = []
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    RowFile(tmp_path).index(lambda phase, done, total, unit: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (size, size)
    assert len(told) > 2
    file = RowFile(tmp_path / "a.jsonl")
    with pytest.raises(CancelledError):
        file.index(cancelled=lambda: True)
    assert file.index() == 150_000


def test_that_folders_of_datasets_are_read_in_their_own_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    # Its progress bars would leave a thread behind.
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)

    rows = [{"text": f"row {number}", "label": number % 2} for number in range(100)]
    datasets.disable_progress_bars()
    made = datasets.Dataset.from_list(rows)
    made.save_to_disk(tmp_path / "one", num_shards=3)
    (tmp_path / "one" / "cache-00ff.arrow").write_bytes(b"a leftover that state.json does not name")
    assert [row.fields for row in RowFile(tmp_path / "one").iterate()] == rows
    splits = datasets.DatasetDict({"train": made, "a_test": made.select(range(10))})
    splits.save_to_disk(tmp_path / "splits")
    file = RowFile(tmp_path / "splits")
    assert [row.fields for row in file.iterate()] == rows + rows[:10]
    assert file.rows(105, 1)[0].file == "a_test/data-00000-of-00001.arrow"
    assert file.notes == ("splits holds the splits train, a_test, read one after the other",)
    (tmp_path / "one" / "data-00001-of-00003.arrow").unlink()
    with pytest.raises(DataError, match=r"state\.json names data-00001-of-00003\.arrow, which is not there"):
        RowFile(tmp_path / "one")


def test_that_lines_are_read_without_the_libraries_for_tables(tmp_path: Path) -> None:
    path = lines(tmp_path, "rows.jsonl", 3)
    code = (
        "import sys; from pathlib import Path; from remote_agent.dataset.row_file import RowFile;"
        f"assert RowFile(Path({str(path)!r})).index() == 3;"
        "print([name for name in ('pyarrow', 'charset_normalizer', 'zstandard') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert ran.stdout == "[]\n"
