"""The report of a data set, made from the rows' numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import (
    BatchingReport,
    ClassCount,
    DataReport,
    Finding,
    LengthCurve,
    PackingReport,
    SourceReport,
    TokenCounts,
)
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.corpus import Plan
from remote_agent.dataset.documents import LengthCounts, PartCounts, document_chunks
from remote_agent.dataset.findings import described
from remote_agent.dataset.findings.job_checks import run_findings
from remote_agent.dataset.known import Known, SourceFacts
from remote_agent.dataset.length_findings import in_order
from remote_agent.dataset.lengths import curve_lengths, padded_tokens
from remote_agent.dataset.row_arrays import RowArrays
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from remote_agent.dataset.value_counts import ValueCounts, packed_sequences, token_counts

Bool = NDArray[np.bool_]

MANY_DOCUMENTS = 100_000
"""Of more documents than these the padding is worked out from a part of them, evenly spread."""


class CurveCounts(NamedTuple):
    """What a curve over lengths is made of: rows' tokens, where stretches of trained tokens begin and end, and where
    the first of a row does."""

    tokens: ValueCounts
    begins: ValueCounts
    ends: ValueCounts
    first: ValueCounts

    def curve(self, length: int) -> LengthCurve:
        """Return the curve, exact at ``length`` and at the others of `curve_lengths`."""
        at = curve_lengths(int(self.tokens.values[-1]), length)
        rows_over, tokens_over = self.tokens.beyond(at)
        # A stretch has end - max(start, length) tokens beyond a length: the excess of its end less that of its start.
        supervised_over = self.ends.beyond(at)[1] - self.begins.beyond(at)[1]
        untrained, _ = self.first.beyond(at - 1)
        columns = (at, rows_over, tokens_over, supervised_over, untrained)
        return LengthCurve(*(tuple(values.tolist()) for values in columns))


class RowTotals(NamedTuple):
    """What the report says of the rows whatever the sequence length."""

    prompt: TokenCounts
    response: TokenCounts
    total: TokenCounts
    lengths: CurveCounts | None
    classes: tuple[ClassCount, ...]


def report_of(
    job: JobSpec, model: ModelTokenizer | None, known: Known, totals: RowTotals | None = None, model_limit: int = 0
) -> DataReport:
    """Return what the rows come to as far as they are known.

    Without a model there are no findings. ``totals`` are those of the same rows, where they are known; ``model_limit``
    is the most tokens the model takes, 0 where that is unknown.
    """
    totals = totals or totals_of(known)
    known = known.mixed_at(job)
    counts = known.counts_at(job)
    train, length = counts.train, job.data.max_length
    sequences = _sequences(train, job)
    tokens = train.lengths.total
    first = known.sources[0]
    return DataReport(
        path=first.path,
        rows=known.rows,
        shape=first.shape.name,
        shape_reason=first.shape.reason,
        train_rows=train.rows,
        held_out_rows=counts.held_out.rows,
        prompt=totals.prompt,
        response=totals.response,
        total=totals.total,
        packing=PackingReport(length, sequences, tokens / (sequences * length) if sequences else 0.0),
        train_sequences=sequences,
        held_out_sequences=_sequences(counts.held_out, job),
        train_tokens=tokens,
        train_supervised_tokens=train.supervised,
        findings=tuple(_findings(job, model, known, counts, sequences, model_limit)) if model is not None else (),
        content_hash=known.content_hash,
        complete=known.complete,
        rows_read=min(known.arrays.rows, known.rows),
        lengths=totals.lengths.curve(length) if totals.lengths is not None else LengthCurve(),
        batching=batching_of(known, job, counts),
        classes=totals.classes,
        sources=tuple(_source(source, known.plan) for source in known.sources),
        steps=known.plan.steps if known.plan is not None else (),
    )


def totals_of(known: Known) -> RowTotals:
    """Return what the rows come to whatever the sequence length."""
    listed = _listed(known)
    prompt: list[ValueCounts] = []
    response: list[ValueCounts] = []
    total: list[ValueCounts] = []
    for first, chunk in known.arrays.chunks():
        mask = listed[first : first + chunk.rows]
        tokens, trained = chunk.tokens[mask], chunk.trained()[mask]
        for found, values in ((prompt, tokens - trained), (response, trained), (total, tokens)):
            found.append(ValueCounts.of([(values, None)]))
    return RowTotals(
        prompt=token_counts(ValueCounts.joined(prompt)),
        response=token_counts(ValueCounts.joined(response)),
        total=token_counts(ValueCounts.joined(total)),
        lengths=_curve_counts(known),
        classes=_classes(known),
    )


def batching_of(known: Known, job: JobSpec, counts: LengthCounts | None = None) -> tuple[BatchingReport, ...]:
    """Return the ways of making batches of the training part at the job's length.

    Packed as `pack` does it; padding-free, the rows of a micro batch joined; padded, rows of like length in a micro
    batch as the trainer groups them.
    """
    train = (counts or known.counts_at(job)).train.lengths
    length, documents, tokens = job.data.max_length, train.count, train.total
    packed = packed_sequences(train, length)
    return (
        BatchingReport("packed", length, packed, tokens, packed * length),
        BatchingReport("padding_free", length, documents, tokens, tokens),
        BatchingReport("padded", length, documents, tokens, _padded(known, job, documents, tokens)),
    )


def batching_at(known: Known, job: JobSpec, length: int) -> tuple[BatchingReport, ...]:
    """Return the ways of making batches at another length than the job's."""
    there = dataclasses.replace(job, data=dataclasses.replace(job.data, max_length=length))
    return batching_of(known.mixed_at(there), there)


def _padded(known: Known, job: JobSpec, documents: int, tokens: int) -> int:
    """Return the tokens of padded batches."""
    times = known.train
    if times is None or not documents:
        return 0
    part = -(-documents // MANY_DOCUMENTS)
    lengths = [found.of(times).tokens[::part] for found in document_chunks(known.arrays, job.data)]
    some = np.concatenate(lengths).astype(np.int64)
    held = padded_tokens(some, job.batch.micro_batch)
    return held if part == 1 else round(tokens * held / int(some.sum()))


def _sequences(part: PartCounts, job: JobSpec) -> int:
    return packed_sequences(part.lengths, job.data.max_length) if job.data.packing else part.lengths.count


def _listed(known: Known) -> Bool:
    """Return bool [rows read]: rows of the training data that can be used and that no step left out."""
    listed: Bool = np.array(known.arrays.usable)
    if known.plan is not None:
        # the rows of a held-out file lie between those of the training data and those that steps made
        listed[known.rows : known.plan.rows - known.plan.made] = False
        listed &= known.plan.kept[: len(listed)]
    return listed


def _curve_counts(known: Known) -> CurveCounts | None:
    """Return the counts of the rows that are trained, each once; of all rows while that is not decided."""
    train = known.train
    counted = np.array(known.arrays.usable) if train is None else known.arrays.usable & (train > 0)
    if not counted.any():
        return None
    # Read anew for each of the four, so that not all rows have to be held.
    tokens = ValueCounts.of((chunk.tokens[mask], None) for chunk, mask in _counted(known, counted))
    begins, ends = (_of_runs(_counted(known, counted), column) for column in (0, 1))
    first = ValueCounts.of((_first_trained(chunk, mask), None) for chunk, mask in _counted(known, counted))
    return CurveCounts(tokens, begins, ends, first)


def _counted(known: Known, counted: Bool) -> Iterator[tuple[RowArrays, Bool]]:
    for start, chunk in known.arrays.chunks():
        yield chunk, counted[start : start + chunk.rows]


def _of_runs(chunks: Iterator[tuple[RowArrays, Bool]], column: int) -> ValueCounts:
    return ValueCounts.of((chunk.runs[mask[chunk.run_rows()], column], None) for chunk, mask in chunks)


def _first_trained(chunk: RowArrays, mask: Bool) -> NDArray[np.int32]:
    first = chunk.first_trained()
    return first[mask & (first >= 0)]


def _findings(
    job: JobSpec, model: ModelTokenizer, known: Known, counts: LengthCounts, sequences: int, model_limit: int
) -> Iterator[Finding]:
    for source in known.sources:
        for note in source.notes:
            yield Finding("file_notes", "info", 0, f"{note}.", title="How files are read")
    if known.plan is None:
        return
    for sentence in known.plan.problems:
        yield Finding("held_out_split", "error", 0, sentence, title="Held-out part")
    of_run = run_findings(job, counts.train.rows, sequences)
    for one in in_order([*known.findings_at(job, counts.is_used), *of_run]):
        yield described(one, job, model, model_limit)


def _classes(known: Known) -> tuple[ClassCount, ...]:
    arrays, train, held_out = known.arrays, known.train, known.held_out
    if train is None or held_out is None or not arrays.names:
        return ()
    rows = np.flatnonzero(arrays.classes >= 0)
    counts = [np.bincount(arrays.classes[rows], times[rows], len(arrays.names)) for times in (train, held_out)]
    return tuple(
        ClassCount(name, int(trained), int(aside)) for name, trained, aside in zip(arrays.names, *counts, strict=True)
    )


def _source(source: SourceFacts, plan: Plan | None) -> SourceReport:
    mine = slice(source.first_row, source.first_row + source.rows)
    used = int(plan.train[mine].sum(dtype=np.int64) + plan.held_out[mine].sum()) if plan is not None else 0
    shape = source.shape
    return SourceReport(
        source.path, source.rows, shape.name, shape.reason, source.columns, shape.unused, source.first_row, used
    )
