"""What a data set comes to under a model's tokenizer: counts, distributions, and findings a person should know."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import DataReport, Finding, PackingReport, TokenCounts
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import example
from remote_agent.dataset.encoding import MASKED, EncodedRow, RowEncoder
from remote_agent.dataset.inputs import Source, sources
from remote_agent.dataset.packing import one_row_each, pack
from remote_agent.dataset.prepare import rows_word
from remote_agent.dataset.sources import Advance, Cancelled, content_hash, never, no_progress, rows_of
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer

_ROWS_SHOWN = 20
_BINS = 40
_DIGEST_BYTES = 16


def inspect_data(
    job: JobSpec,
    model_path: Path,
    data_path: Path,
    held_out_path: Path | None,
    progress: Advance = no_progress,
    cancelled: Cancelled = never,
) -> DataReport:
    """Read, render and tokenize every row as `prepare` would, write nothing, and report.

    Rows that cannot be used are a finding of severity error, not an exception.

    Raises:
        DataError: a file cannot be read, its shape is unknown, or the model has no usable tokenizer.
        CancelledError: between batches.
    """
    model = load_tokenizer(model_path, job.data.chat_template)
    found = sources(job, data_path, held_out_path, cancelled)
    tally = _Tally(job.data.max_length)
    done, total = 0, sum(source.rows for source in found)
    for number, source in enumerate(found):
        encoder = RowEncoder(model, job.data)
        rows = (example(row, source.shape.name, job.data.system_prompt) for row in rows_of(source.path, source.rows))
        for batch in encoder.encode(rows, strict=False, cancelled=cancelled):
            for row in batch:
                tally.add(row, source, is_training_file=number == 0)
            done += len(batch)
            progress("data", done, total, "rows")
    return _report(job, model, found, tally, content_hash(data_path, cancelled))


class _Tally:
    """What is remembered of the rows: a few numbers each."""

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self.prompt = array("q")
        self.response = array("q")
        self.train_lengths = array("q")
        self.held_out_lengths = array("q")
        self.supervised = 0
        self.found: dict[tuple[str, bool], tuple[int, list[int]]] = {}
        self.first_problem: dict[bool, str] = {}
        self._seen: set[bytes] = set()
        self._trained: set[bytes] = set()
        self._held_out: list[tuple[int, bool, bytes]] = []

    def add(self, row: EncodedRow, source: Source, is_training_file: bool) -> None:
        """Take in one row."""
        index = row.row.index
        if row.problem:
            self.first_problem.setdefault(is_training_file, row.problem)
            self._note("bad_row", index, is_training_file)
            return
        trained = int(np.count_nonzero(row.labels != MASKED))
        if is_training_file:
            self.response.append(trained)
            self.prompt.append(len(row.ids) - trained)
        self._note_row(row, trained, is_training_file)
        if not row.kept:
            return
        if source.train[index]:
            self.train_lengths.append(row.kept)
            self.supervised += row.supervised
        elif source.held_out[index]:
            self.held_out_lengths.append(row.kept)
        self._compare(row, source, is_training_file)

    def _note_row(self, row: EncodedRow, trained: int, is_training_file: bool) -> None:
        index = row.row.index
        turns = row.conversation.turns if row.conversation else ()
        if any(turn.role == "assistant" and not turn.content.strip() for turn in turns):
            self._note("empty_response", index, is_training_file)
        if len(row.ids) > self._max_length:
            self._note("over_length", index, is_training_file)
        if not trained or (not row.kept and len(row.ids) <= self._max_length):
            self._note("nothing_trained", index, is_training_file)

    def _compare(self, row: EncodedRow, source: Source, is_training_file: bool) -> None:
        index = row.row.index
        digest = hashlib.blake2b(repr(row.conversation).encode(), digest_size=_DIGEST_BYTES).digest()
        if is_training_file:
            if digest in self._seen:
                self._note("duplicate", index, is_training_file)
            self._seen.add(digest)
        if source.train[index]:
            self._trained.add(digest)
        elif source.held_out[index]:
            self._held_out.append((index, is_training_file, digest))

    def note_leaks(self) -> None:
        """Note the held-out rows that are trained on too; called once all rows are in."""
        for index, is_training_file, digest in self._held_out:
            if digest in self._trained:
                self._note("leakage", index, is_training_file)

    def _note(self, kind: str, index: int, is_training_file: bool) -> None:
        count, rows = self.found.get((kind, is_training_file), (0, []))
        # A finding's rows are rows of the training file, which a click on it shows.
        if is_training_file and len(rows) < _ROWS_SHOWN:
            rows.append(index)
        self.found[kind, is_training_file] = (count + 1, rows)


def _report(job: JobSpec, model: ModelTokenizer, found: list[Source], tally: _Tally, digest: str) -> DataReport:
    tally.note_leaks()
    main = found[0]
    lengths = np.array(tally.train_lengths, dtype=np.int64)
    train = _sequences(lengths, job)
    prompt, response = np.array(tally.prompt, dtype=np.int64), np.array(tally.response, dtype=np.int64)
    tokens = int(lengths.sum())
    return DataReport(
        path=str(main.path),
        rows=main.rows,
        shape=main.shape.name,
        shape_reason=main.shape.reason,
        train_rows=len(lengths),
        held_out_rows=len(tally.held_out_lengths),
        prompt=token_counts(prompt),
        response=token_counts(response),
        total=token_counts(prompt + response),
        packing=PackingReport(job.data.max_length, train, tokens / (train * job.data.max_length) if train else 0.0),
        train_sequences=train,
        held_out_sequences=_sequences(np.array(tally.held_out_lengths, dtype=np.int64), job),
        train_tokens=tokens,
        train_supervised_tokens=tally.supervised,
        findings=_findings(job, model, main.shape.unused, tally),
        content_hash=digest,
    )


def _sequences(lengths: NDArray[np.int64], job: JobSpec) -> int:
    return (pack(lengths, job.data.max_length) if job.data.packing else one_row_each(len(lengths))).sequences


def token_counts(values: NDArray[np.int64]) -> TokenCounts:
    """Return the distribution of token counts, in at most 40 bins of whole tokens."""
    if not len(values):
        return TokenCounts(0, 0, 0.0, 0.0, 0, 0, (), ())
    low, high = int(values.min()), int(values.max())
    width = max(1, -(-(high + 1 - low) // _BINS))
    edges = np.arange(low, high + 1 + width, width)
    histogram, _ = np.histogram(values, bins=edges)
    return TokenCounts(
        count=len(values),
        minimum=low,
        mean=float(values.mean()),
        median=float(np.median(values)),
        maximum=high,
        total=int(values.sum()),
        histogram=tuple(int(count) for count in histogram),
        edges=tuple(float(edge) for edge in edges),
    )


def _findings(job: JobSpec, model: ModelTokenizer, unused: Sequence[str], tally: _Tally) -> tuple[Finding, ...]:
    findings = []
    what = "left out" if job.data.over_length == "drop" else "cut at the end"
    for kind, (severity, sentence) in _SENTENCES.items():
        for is_training_file in (True, False):
            count, rows = tally.found.get((kind, is_training_file), (0, []))
            if count:
                first = tally.first_problem.get(is_training_file, "")
                text = sentence.format(rows=rows_word(count), length=job.data.max_length, what=what, first=first)
                where = "" if is_training_file else "Held-out file: "
                findings.append(Finding(kind, severity, count, where + text, tuple(rows)))
    if unused:
        names = ", ".join(map(repr, unused))
        findings.append(Finding("unused_columns", "info", len(unused), f"Columns that are not read: {names}."))
    if model.template is not None and model.template.names_today:
        findings.append(
            Finding(
                "dated_template", "warning", 0,
                "The chat template writes the day's date into every row, so data prepared on another day differs.",
            )
        )  # fmt: skip
    if model.template is None and model.eos_token_id < 0:
        findings.append(
            Finding(
                "no_end_token", "warning", 0,
                "The tokenizer has neither chat template nor end token, so the model never learns to stop.",
            )
        )  # fmt: skip
    return tuple(findings)


_SENTENCES = {
    "bad_row": ("error", "{rows} that cannot be used. The first: {first}"),
    "nothing_trained": ("warning", "{rows} with no token to train on, left out."),
    "empty_response": ("warning", "{rows} with an empty response; only the end of the turn is learnt from it."),
    "over_length": ("warning", "{rows} over {length} tokens, {what}."),
    "duplicate": ("warning", "{rows} repeating an earlier one word for word."),
    "leakage": ("warning", "{rows} of the held-out part trained on too, so the held-out loss looks too good."),
}
"""Severity and sentence of each finding, in the order they are shown."""
