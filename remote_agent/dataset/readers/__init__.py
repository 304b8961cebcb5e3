"""Rows from JSON, JSONL, CSV, Parquet, Arrow and text files, packed or not, each with the place it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers.indexed_file import IndexedFile
from remote_agent.dataset.readers.opening import ENDINGS, ending_of
from remote_agent.dataset.readers.rows import Entry, Row, kind_of

__all__ = ["ENDINGS", "READERS", "Entry", "IndexedFile", "Located", "Row", "ending_of", "kind_of", "read_file"]

Located = tuple[int, dict[str, Any]]
"""A row's line and fields, before it has its index."""


def read_file(path: Path, name: str) -> Iterator[Located]:
    """Yield line and fields of every row of one file; ``name`` stands for it in errors.

    Raises:
        DataError: the file is no data file, or a row of it cannot be read.
    """
    file = IndexedFile(path, name)
    for entry in file.entries(0):
        if entry.problem:
            place = f"{name} line {entry.line}" if entry.line else name
            raise DataError(f"{place}: {entry.problem}.")
        yield entry.line, entry.fields
    file.source.check_unchanged()


READERS: dict[str, Callable[[Path, str], Iterator[Located]]] = dict.fromkeys(ENDINGS, read_file)
"""The reader of each file name's ending."""
