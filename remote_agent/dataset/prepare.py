"""Makes data ready for training, once: ids, labels and boundaries in a folder that is whole or absent."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from remote_agent.contract.data_report import PreparedData
from remote_agent.contract.data_steps import AugmentStep
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.wire import to_wire
from remote_agent.dataset.augmented import augmented_hash
from remote_agent.dataset.corpus import Corpus, DataPaths, Plan
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.findings.found import rows_word
from remote_agent.dataset.inputs import ContentHashes, content_hashes, prepared_key
from remote_agent.dataset.part_writer import PartWriter
from remote_agent.dataset.planning import remixed, source_parts
from remote_agent.dataset.prepared import HELD_OUT, REPORT, TRAIN, open_prepared, read_report
from remote_agent.dataset.sources import Advance, Cancelled, data_files, never, no_progress
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from remote_agent.run_files.atomic_write import sync_folder

PHASE, LENGTHS_PHASE = "data", "tokens"


def prepare(
    job: JobSpec,
    model_path: Path,
    paths: DataPaths,
    data_root: Path,
    progress: Advance = no_progress,
    cancelled: Cancelled = never,
    augmented: Path | None = None,
) -> tuple[PreparedData, Path]:
    """Write ``data_root/<key>`` unless it is there already; return its report and folder.

    Args:
        job: which rows, shapes, steps, template, length and packing, and the seed.
        model_path: the folder with tokenizer.json.
        paths: where the training sources lie; without a held-out file a share of them is set aside.
        data_root: where prepared data lies; made if absent.
        progress: told of rows done.
        cancelled: asked before each batch.
        augmented: the file of rows that the job's augment steps made.

    Raises:
        DataError: data or model cannot be used; names file, line and what to do.
        CancelledError: nothing is left behind then.
        OSError: the disk is full or not writable; nothing is left behind then either.
    """
    started = time.monotonic()
    model = load_tokenizer(model_path, job.data.chat_template, job.data.added_tokens)
    progress(PHASE, 0, 0, "rows")
    _check_made(job, augmented)
    before = _stamps(paths)
    hashes = content_hashes(paths, cancelled)
    key = prepared_key(job, model, hashes, augmented_hash(augmented))
    folder = data_root / key
    there = _whole(folder)
    if there is not None:
        return there, folder
    data_root.mkdir(parents=True, exist_ok=True)
    _remove_left_over(data_root, key)
    aside = data_root / f".{key}.{socket.gethostname()}.{os.getpid()}.partial"
    aside.mkdir()
    try:
        parts = _write_parts(job, model, Corpus(job, model, paths, augmented=augmented), aside, progress, cancelled)
        if _stamps(paths) != before:
            raise DataError(f"{paths.data[0].name}: the data changed while it was prepared. Prepare it again.")
        report = _report(job, model, key, hashes, parts, time.monotonic() - started)
        _commit(report, aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return read_report(folder), folder


def _whole(folder: Path) -> PreparedData | None:
    """Return the report of data that is there already; what somebody cut or removed a file of is taken away."""
    if not folder.is_dir():
        return None
    try:
        return open_prepared(folder).report
    except DataError:
        if folder.is_symlink():  # to where prepared data lay before the folder was placed elsewhere
            folder.unlink()
        else:
            shutil.rmtree(folder)  # it is written anew rather than trained on
        return None


def _check_made(job: JobSpec, augmented: Path | None) -> None:
    if any(isinstance(step, AugmentStep) for step in job.data.steps) and (augmented is None or not augmented.is_file()):
        raise DataError("The rows of the augment step have not been made yet. Make them, or take the step out.")


def _stamps(paths: DataPaths) -> list[tuple[str, int, int]]:
    files = [file for path in (*paths.data, paths.held_out) if path is not None for _, file in data_files(path)]
    return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


class _Parts:
    """The two parts being written, why rows were left out, and the classes of those that are trained."""

    def __init__(self, folder: Path) -> None:
        self.train = PartWriter(folder, TRAIN)
        self.held_out = PartWriter(folder, HELD_OUT)
        self.left_out: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.first_rows: tuple[int, ...] = ()

    def add(self, plan: Plan, rows: Sequence[EncodedRow], max_length: int) -> None:
        """Put each row into its part as often as the plan says."""
        times = [int(plan.train[row.row.index]) for row in rows]
        self.train.add(rows, times)
        self.held_out.add([row for row in rows if plan.held_out[row.row.index]])
        for row, count in zip(rows, times, strict=True):
            if not row.pieces:
                self.leave_out(row, max_length)
            elif count and row.conversation is not None and row.conversation.label:
                self.labels[row.conversation.label] += count

    def leave_out(self, row: EncodedRow, max_length: int) -> None:
        """Count a row of which nothing is trained."""
        self.left_out["long" if len(row.ids) > max_length else "untrained"] += 1

    def close(self) -> None:
        """Let go of the files."""
        self.train.close()
        self.held_out.close()


def _write_parts(
    job: JobSpec, model: ModelTokenizer, corpus: Corpus, folder: Path, progress: Advance, cancelled: Cancelled
) -> _Parts:
    plan = corpus.plan(progress, cancelled, with_reports=False)
    if plan.problems:
        raise DataError(plan.problems[0])
    parts = _Parts(folder)
    parts.first_rows = tuple(source.first_row for source in corpus.sources)
    encoder = RowEncoder(model, job.data)
    try:
        plan = _at_length(corpus, plan, encoder, parts, progress, cancelled)
        total = int(((plan.train > 0) | plan.held_out).sum())
        done = 0
        progress(PHASE, 0, total, "rows")
        for batch in encoder.encode(corpus.examples(plan, used_only=True), strict=True, cancelled=cancelled):
            parts.add(plan, batch, job.data.max_length)
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


def _at_length(
    corpus: Corpus, plan: Plan, encoder: RowEncoder, parts: _Parts, progress: Advance, cancelled: Cancelled
) -> Plan:
    """Return the plan with the sources' shares made up of the rows of which something is trained at the job's length.

    Only where there are shares: all rows that could be in the mixture are then read once before.
    """
    if plan.before is None:
        return plan
    read = np.append(plan.before, np.zeros(plan.made, dtype=np.int32))
    candidates = plan._replace(train=read, held_out=np.zeros(plan.rows, dtype=np.bool_))
    is_used = np.zeros(plan.rows, dtype=np.bool_)
    total, done = int((read > 0).sum()), 0
    for batch in encoder.encode(corpus.examples(candidates, used_only=True), strict=False, cancelled=cancelled):
        for one in batch:
            # a row that cannot be read stops the preparation where it is trained; it does not leave quietly
            is_used[one.row.index] = bool(one.pieces or one.problem)
            if not is_used[one.row.index]:
                parts.leave_out(one, corpus.job.data.max_length)
        done += len(batch)
        progress(LENGTHS_PHASE, done, total, "rows")
    return remixed(plan, is_used, source_parts(corpus), corpus.job.data, corpus.job.seed)


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
        label_counts=dict(sorted(parts.labels.items())) or None,
        first_rows=parts.first_rows,
    )


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
