"""Makes data ready for training, once: ids, labels and boundaries in a folder that is whole or absent."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from remote_agent.contract.data_report import PreparedData
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.wire import to_wire
from remote_agent.dataset.conversation import example
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.inputs import ContentHashes, Source, content_hashes, prepared_key, sources
from remote_agent.dataset.part_writer import PartWriter
from remote_agent.dataset.prepared import HELD_OUT, REPORT, TRAIN, open_prepared, read_report
from remote_agent.dataset.sources import Advance, Cancelled, data_files, never, no_progress, rows_of
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from remote_agent.run_files.atomic_write import sync_folder

PHASE = "data"


def prepare(
    job: JobSpec,
    model_path: Path,
    data_path: Path,
    held_out_path: Path | None,
    data_root: Path,
    progress: Advance = no_progress,
    cancelled: Cancelled = never,
) -> tuple[PreparedData, Path]:
    """Write ``data_root/<key>`` unless it is there already; return its report and folder.

    Args:
        job: which rows, shape, template, length and packing, and the seed.
        model_path: the folder with tokenizer.json.
        data_path: the training file or folder; ``held_out_path`` None sets a share of it aside.
        data_root: where prepared data lies; made if absent.
        progress: told of rows done.
        cancelled: asked before each batch.

    Raises:
        DataError: data or model cannot be used; names file, line and what to do.
        CancelledError: nothing is left behind then.
        OSError: the disk is full or not writable; nothing is left behind then either.
    """
    started = time.monotonic()
    model = load_tokenizer(model_path, job.data.chat_template)
    progress(PHASE, 0, 0, "rows")
    before = _stamps(data_path, held_out_path)
    hashes = content_hashes(data_path, held_out_path, cancelled)
    key = prepared_key(job, model, hashes)
    folder = data_root / key
    if folder.is_dir():
        try:
            return open_prepared(folder).report, folder
        except DataError:
            # Somebody cut or removed a file of it; it is written anew rather than trained on.
            shutil.rmtree(folder)
    data_root.mkdir(parents=True, exist_ok=True)
    _remove_left_over(data_root, key)
    aside = data_root / f".{key}.{socket.gethostname()}.{os.getpid()}.partial"
    aside.mkdir()
    try:
        parts = _write_parts(job, model, sources(job, data_path, held_out_path, cancelled), aside, progress, cancelled)
        if _stamps(data_path, held_out_path) != before:
            raise DataError(f"{data_path.name}: the data changed while it was prepared. Prepare it again.")
        report = _report(job, model, key, hashes, parts, time.monotonic() - started)
        _commit(report, aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return read_report(folder), folder


def _stamps(*paths: Path | None) -> list[tuple[str, int, int]]:
    files = [file for path in paths if path is not None for _, file in data_files(path)]
    return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


class _Parts:
    """The two parts being written, and why rows were left out."""

    def __init__(self, folder: Path) -> None:
        self.train = PartWriter(folder, TRAIN)
        self.held_out = PartWriter(folder, HELD_OUT)
        self.left_out: Counter[str] = Counter()

    def add(self, source: Source, rows: list[EncodedRow], max_length: int) -> None:
        """Put each row into its part."""
        self.train.add([row for row in rows if source.train[row.row.index]])
        self.held_out.add([row for row in rows if source.held_out[row.row.index]])
        for row in rows:
            if not row.kept:
                self.left_out["long" if len(row.ids) > max_length else "untrained"] += 1

    def close(self) -> None:
        """Let go of the files."""
        self.train.close()
        self.held_out.close()


def _write_parts(
    job: JobSpec, model: ModelTokenizer, found: list[Source], folder: Path, progress: Advance, cancelled: Cancelled
) -> _Parts:
    total = sum(int((source.train | source.held_out).sum()) for source in found)
    done = 0
    progress(PHASE, 0, total, "rows")
    parts = _Parts(folder)
    try:
        for source in found:
            encoder = RowEncoder(model, job.data)
            used = source.train | source.held_out
            rows = (
                example(row, source.shape.name, job.data.system_prompt)
                for row in rows_of(source.path, source.rows)
                if used[row.index]
            )
            for batch in encoder.encode(rows, strict=True, cancelled=cancelled):
                parts.add(source, batch, job.data.max_length)
                done += len(batch)
                progress(PHASE, done, total, "rows")
        if not parts.train.rows:
            raise DataError(
                "No row is left to train on: none has an assistant's part within the sequence length "
                f"of {job.data.max_length} tokens. Raise the length or look at the data."
            )
        for part in (parts.train, parts.held_out):
            part.finish(job.data.packing, job.data.max_length)
    finally:
        parts.close()
    return parts


def _report(
    job: JobSpec, model: ModelTokenizer, key: str, hashes: ContentHashes, parts: _Parts, seconds: float
) -> PreparedData:
    train, held_out = parts.train, parts.held_out
    return PreparedData(
        key=key,
        max_length=job.data.max_length,
        packing=job.data.packing,
        train_rows=train.rows,
        train_sequences=train.sequences,
        train_tokens=train.tokens,
        train_supervised_tokens=train.supervised_tokens,
        held_out_rows=held_out.rows,
        held_out_sequences=held_out.sequences,
        held_out_tokens=held_out.tokens,
        held_out_supervised_tokens=held_out.supervised_tokens,
        content_hash=hashes.data,
        held_out_content_hash=hashes.held_out,
        pad_token_id=max(model.pad_token_id, 0),
        eos_token_id=model.eos_token_id,
        seconds=seconds,
        problems=tuple(_LEFT_OUT[why](count) for why, count in sorted(parts.left_out.items())),
    )


def rows_word(count: int) -> str:
    """Return a number of rows in words: "1 row", "3 rows"."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


_LEFT_OUT: dict[str, Callable[[int], str]] = {
    "long": lambda count: f"{rows_word(count)} over the sequence length left out.",
    "untrained": lambda count: f"{rows_word(count)} with nothing to train on left out.",
}


def _commit(report: PreparedData, aside: Path, folder: Path) -> None:
    path = aside / REPORT
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(to_wire(report), indent=2, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(str(aside))
    try:
        aside.rename(folder)
    except OSError:
        # Another process may have been first with the same key, and so with the same content.
        if not (folder / REPORT).is_file():
            raise
    sync_folder(str(folder.parent))


def _remove_left_over(data_root: Path, key: str) -> None:
    """Remove what a process of this machine that died left of the same preparation."""
    host = socket.gethostname()
    for aside in data_root.glob(f".{key}.{host}.*.partial"):
        number = aside.name.split(".")[-2]
        if number == str(os.getpid()) or (number.isdigit() and not _is_alive(int(number))):
            shutil.rmtree(aside, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
