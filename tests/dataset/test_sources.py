"""Which files a data path means, and what their content hashes to."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from remote_agent.dataset.data_error import CancelledError, DataError, NotThereError
from remote_agent.dataset.sources import chosen_files, content_hash, count_rows, data_files, rows_of


def test_that_a_folder_is_its_data_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.jsonl", "a.jsonl", "sub/c.jsonl", "README.md", ".hidden.jsonl"):
        (tmp_path / name).write_text(f'{{"file": "{name}"}}\n', encoding="utf-8")
    assert [name for name, _ in data_files(tmp_path)] == ["a.jsonl", "b.jsonl", "sub/c.jsonl"]
    rows = list(rows_of(tmp_path))
    assert [(row.index, row.file, row.fields["file"]) for row in rows] == [
        (0, "a.jsonl", "a.jsonl"), (1, "b.jsonl", "b.jsonl"), (2, "sub/c.jsonl", "sub/c.jsonl"),
    ]  # fmt: skip
    assert [row.index for row in rows_of(tmp_path, 2)] == [0, 1]
    assert rows[1].where() == "b.jsonl line 1 (row 2)"


def test_that_what_is_about_the_data_is_left_out_and_named(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.txt", "notes.md", "README.md", "LICENSE.txt", "dataset_infos.json", "x.py"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    chosen = chosen_files(tmp_path)
    assert [name for name, _ in chosen.files] == ["a.jsonl.gz", "b.txt"]
    assert chosen.notes == (
        f"{tmp_path.name} also holds LICENSE.txt, README.md, dataset_infos.json and 2 more; that is not read",
        f"{tmp_path.name} holds files of several kinds (.jsonl, .txt); each is read by its own",
    )
    for name in ("a.jsonl.gz", "b.txt"):
        (tmp_path / name).unlink()
    assert [name for name, _ in data_files(tmp_path)] == ["notes.md"]


def test_that_a_file_hashes_as_its_bytes_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    raw = b'{"a": "b"}\n'
    for name in ("x.jsonl", "other/y.jsonl"):
        (tmp_path / name).write_bytes(raw)
        assert content_hash(tmp_path / name) == hashlib.sha256(raw).hexdigest()
    before = content_hash(tmp_path)
    (tmp_path / "other" / "y.jsonl").write_bytes(raw + raw)
    assert content_hash(tmp_path) != before


def test_that_what_is_not_there_or_not_known_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="no such file or folder"):
        data_files(tmp_path / "absent.json")
    (tmp_path / "notes.docx").write_text("hello", encoding="utf-8")
    with pytest.raises(DataError, match=r"ending in \.docx cannot be read; known: \.json"):
        data_files(tmp_path / "notes.docx")
    with pytest.raises(DataError, match="holds no data file"):
        data_files(tmp_path)
    (tmp_path / "none.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="no row in it"):
        count_rows(tmp_path / "none.jsonl")


def test_that_counting_and_hashing_stop_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": "b"}\n' * 3000, encoding="utf-8")
    for work in (lambda: count_rows(path, 0, lambda: True), lambda: content_hash(path, lambda: True)):
        with pytest.raises(CancelledError):
            work()
    assert count_rows(path) == 3000
    assert count_rows(path, 7) == 7
