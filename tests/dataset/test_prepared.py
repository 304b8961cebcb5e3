"""Damaged or absent prepared data is refused with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from tests.support.tiny import tiny_rows, tiny_tokenizer_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    job = JobSpec(data=DataSpec(max_length=200))
    model = tiny_tokenizer_files(tmp_path / "model")
    return prepare(job, model, DataPaths((tiny_rows(tmp_path),)), tmp_path / "data")[1]


def test_that_a_sequence_beyond_the_last_is_an_index_error(folder: Path) -> None:
    part = open_prepared(folder).train
    for index in (-1, len(part)):
        with pytest.raises(IndexError):
            part.sequence(index)


def test_that_the_arrays_are_mapped_and_not_read(folder: Path) -> None:
    part = open_prepared(folder).train
    assert type(part._ids).__name__ == "memmap"
    assert part.rows == len(part.row_ids)


def test_that_a_folder_without_a_report_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="no prepared data"):
        open_prepared(tmp_path)


@pytest.mark.parametrize("name", ["train.ids.npy", "held_out.labels.npy", "train.sequences.npy"])
def test_that_a_cut_or_missing_array_is_named(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"prepare the data again|Prepare the data again"):
        open_prepared(folder)
    path.unlink()
    with pytest.raises(DataError, match=name):
        open_prepared(folder)


def test_that_a_damaged_report_is_named(folder: Path) -> None:
    (folder / "prepared.json").write_text('{"key": 3}', encoding="utf-8")
    with pytest.raises(DataError, match=r"prepared\.json: damaged"):
        open_prepared(folder)
