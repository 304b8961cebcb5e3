"""Rows of a Hub data set, streamed by the datasets library into a file on the node and pinned to their commit."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.run_dir import DATA, hub_data_folder, is_commit
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.sources import Advance, Cancelled, check, never, no_progress
from remote_agent.run_files.atomic_write import sync_folder

ROWS_FILE = "rows.jsonl"
_PARTIAL = ".rows.partial"
_LOOK_EVERY_ROWS = 256
_LARGEST_ROW_BYTES = 1 << 26


class HubData(NamedTuple):
    """Which rows: ``revision`` a branch, tag or commit, empty for the default branch; ``max_rows`` 0 for all."""

    repo: str
    revision: str
    subset: str
    split: str
    max_rows: int


class FetchedData(NamedTuple):
    """Where the rows lie: ``revision`` is the commit they were taken at, ``path`` a JSONL file."""

    revision: str
    path: Path
    rows: int


def fetch_hub_data(
    wanted: HubData, home: Path, token: str, progress: Advance = no_progress, cancelled: Cancelled = never
) -> FetchedData:
    """Write the rows below ``home``/data unless they lie there, and return their file.

    An interrupted call's whole lines are kept and what they hold is not written again.

    Raises:
        DataError: the split or subset is none of the data set's, or a row cannot be written as JSON.
        CancelledError: what was fetched is kept.
        Exception: what huggingface_hub and datasets raise where the Hub refuses or is out of reach.
    """
    progress("asking the Hub", 0, 0, "rows")
    commit = wanted.revision if is_commit(wanted.revision) else _commit_of(wanted, token)
    folder = home / DATA / hub_data_folder(wanted.repo, commit, wanted.subset, wanted.split, wanted.max_rows)
    final = folder / ROWS_FILE
    if final.is_file():
        return FetchedData(commit, final, _lines(final))
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / _PARTIAL
    there = _keep_whole_lines(aside)
    with aside.open("ab") as file:
        count = there
        for row in _stream(wanted, commit, token, there):
            file.write(_line(row, count))
            count += 1
            if count % _LOOK_EVERY_ROWS == 0:
                check(cancelled)
                progress("streaming from the Hub", count, wanted.max_rows, "rows")
        file.flush()
        os.fsync(file.fileno())
    if not count:
        raise DataError(f"{wanted.repo}: the split {wanted.split!r} holds no row.")
    aside.replace(final)
    sync_folder(str(folder))
    return FetchedData(commit, final, count)


def _commit_of(wanted: HubData, token: str) -> str:
    from huggingface_hub import HfApi

    return str(HfApi().dataset_info(wanted.repo, revision=wanted.revision or None, token=token or False).sha)


def _stream(wanted: HubData, commit: str, token: str, skipped: int) -> Iterator[dict[str, Any]]:
    import datasets

    datasets.disable_progress_bars()
    try:
        rows = datasets.load_dataset(
            wanted.repo,
            wanted.subset or None,
            split=wanted.split or "train",
            revision=commit,
            streaming=True,
            token=token or False,
        )
    except ValueError as error:
        # an unknown split or subset; the library names those that there are
        raise DataError(f"{wanted.repo}: {' '.join(str(error).split())[:600]}") from None
    rows = rows.skip(skipped) if skipped else rows
    yield from rows.take(wanted.max_rows - skipped) if wanted.max_rows else rows


def _line(row: dict[str, Any], number: int) -> bytes:
    line = json.dumps(row, ensure_ascii=False, default=_plain).encode("utf-8", "surrogatepass") + b"\n"
    if len(line) > _LARGEST_ROW_BYTES:
        raise DataError(f"Row {number + 1} of the Hub's data takes {len(line) >> 20} MiB; it is no text to train on.")
    return line


def _plain(value: Any) -> Any:
    """Return what JSON has no type for as text."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def _keep_whole_lines(path: Path) -> int:
    """Cut off a line that was being written when its process died, and return how many are left."""
    if not path.is_file():
        return 0
    with path.open("rb+") as file:
        size = 0
        lines = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            size += len(line)
            lines += 1
        file.truncate(size)
    return lines


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
