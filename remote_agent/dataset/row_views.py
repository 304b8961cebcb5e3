"""Rows as the data page shows them: turns, rendered text and every token with whether it is trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from remote_agent.contract.data_report import RowView, TokenSpan, TurnView
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import example
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import MASKED, EncodedRow, RowEncoder, row_fingerprint
from remote_agent.dataset.inputs import shape_of
from remote_agent.dataset.sources import Cancelled, never, rows_of
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer


def row_views(
    job: JobSpec, model_path: Path, data_path: Path, start: int, count: int, cancelled: Cancelled = never
) -> Iterator[RowView]:
    """Yield up to ``count`` rows of the training file from row ``start`` (from 0), tokens as they are trained.

    A row that cannot be used comes with its problem and whatever of it could be made.

    Raises:
        DataError: the file cannot be read, its shape is unknown, or the model has no usable tokenizer.
        CancelledError: between batches.
    """
    if start < 0 or count < 0:
        raise DataError(f"rows {start} to {start + count} cannot be shown; rows count from 0.")
    model = load_tokenizer(model_path, job.data.chat_template)
    encoder = RowEncoder(model, job.data)
    shape = shape_of(data_path, job.data.shape).name
    rows = (
        example(row, shape, job.data.system_prompt)
        for row in itertools.islice(rows_of(data_path, job.data.max_rows), start, start + count)
    )
    for batch in encoder.encode(rows, strict=False, offsets=True, cancelled=cancelled):
        for row in batch:
            yield _view(row, model, job)


def _view(row: EncodedRow, model: ModelTokenizer, job: JobSpec) -> RowView:
    turns = row.conversation.turns if row.conversation else ()
    positions = np.arange(row.kept, dtype=np.int32)
    return RowView(
        index=row.row.index,
        turns=tuple(TurnView(turn.role, turn.content) for turn in turns),
        text=row.text,
        tokens=_tokens(row, model),
        fingerprint=row_fingerprint(row.ids[: row.kept], row.labels[: row.kept], positions),
        problem=row.problem or _why_left_out(row, job),
    )


def _tokens(row: EncodedRow, model: ModelTokenizer) -> tuple[TokenSpan, ...]:
    spans = []
    shown = 0
    for number, (start, end) in enumerate(row.offsets):
        number_id = int(row.ids[number])
        kept = number < row.kept
        # Tokens that are parts of one character have the same span; its text stands at the first of them.
        text = row.text[max(start, shown) : end]
        shown = max(shown, end)
        trained = kept and int(row.labels[number]) != MASKED
        spans.append(TokenSpan(number_id, text, trained, number_id in model.special_ids, not kept))
    return tuple(spans)


def _why_left_out(row: EncodedRow, job: JobSpec) -> str:
    length = len(row.ids)
    over = length - job.data.max_length
    if over > 0 and job.data.over_length == "drop":
        return f"Left out: {length} tokens, {over} over the sequence length."
    if not row.kept:
        return "Left out: no token of it would be trained" + (" within the sequence length." if over > 0 else ".")
    return ""
