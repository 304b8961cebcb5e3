"""What an inspection of data and model found: everything the desktop shows of rows that may lie elsewhere."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Optional, Tuple


@dataclasses.dataclass(frozen=True)
class FileEntry:
    """A file of a model or data set, relative to its folder; ``sha256`` is empty where it was not asked for."""

    name: str
    size_bytes: int
    sha256: str = ""


@dataclasses.dataclass(frozen=True)
class ModelReport:
    """A model without its weights. ``config`` is config.json; ``fingerprint`` hashes the names and hashes of files.

    ``chat_template`` is empty where the tokenizer has none; ``parameters`` comes from the safetensors headers, 0 where
    there are none to read.
    """

    path: str
    config: Mapping[str, Any]
    chat_template: str
    tokenizer_hash: str
    parameters: int
    files: Tuple[FileEntry, ...]
    fingerprint: str
    has_tokenizer: bool = True
    problems: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class TokenCounts:
    """A distribution of token counts over rows. ``histogram``: counts a bin, ``edges`` its len + 1 borders."""

    count: int
    minimum: int
    mean: float
    median: float
    maximum: int
    total: int
    histogram: Tuple[int, ...]
    edges: Tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class DataFix:
    """One click that mends a finding: a step as the job file writes it, or fields that are set, by their path."""

    label: str
    step: Optional[Mapping[str, Any]] = None
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class RowPair:
    """Two rows that are alike; ``likeness`` is the Jaccard overlap of their word 5-grams, 1.0 for equal rows.

    0 says that they were not compared: they belong together for another reason, such as one prompt with two answers.
    """

    row: int
    other: int
    likeness: float


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something about the data that a person should know, as a linter says it.

    Attributes:
        kind: its name, such as empty_response. severity: error, warning or info; an error blocks the launch.
        count: how many rows (or what the sentence counts) it concerns.
        sentence: what was found, with figures.
        rows: the first of the rows, counted from 0 over all sources.
        title: two or three words for a list.
        why: why it matters, one sentence.
        fixes: what can be done, the likeliest first.
        pairs: the first pairs, where rows are alike.
        threshold: the bound that was applied, None where there is none.
    """

    kind: str
    severity: str
    count: int
    sentence: str
    rows: Tuple[int, ...] = ()
    title: str = ""
    why: str = ""
    fixes: Tuple[DataFix, ...] = ()
    pairs: Tuple[RowPair, ...] = ()
    threshold: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class PackingReport:
    """What the sequences at one length come to; ``efficiency`` is non-padding tokens over length x sequences."""

    length: int
    sequences: int
    efficiency: float


@dataclasses.dataclass(frozen=True)
class LengthCurve:
    """What a sequence length would cost, at some lengths in rising order; between two of them lines are straight.

    Each list is as long as ``lengths``: rows longer than it, their tokens and supervised tokens beyond it, and rows
    whose supervised tokens all lie beyond it.
    """

    lengths: Tuple[int, ...] = ()
    rows_over: Tuple[int, ...] = ()
    tokens_over: Tuple[int, ...] = ()
    supervised_over: Tuple[int, ...] = ()
    rows_untrained: Tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class BatchingReport:
    """One way of making batches at one length.

    ``kind``: packed, padding_free (rows of a micro batch joined, no row cut or shared) or padded (with length
    grouping). ``held_tokens`` counts what the tensors hold, padding included; waste = 1 - tokens / held_tokens.
    """

    kind: str
    length: int
    sequences: int
    tokens: int
    held_tokens: int


@dataclasses.dataclass(frozen=True)
class ClassCount:
    """A class and its rows in the training and in the held-out part."""

    label: str
    train_rows: int
    held_out_rows: int


@dataclasses.dataclass(frozen=True)
class SourceReport:
    """One source of rows. ``used_rows``: rows a pass over the mixture takes from it, repeats counted."""

    path: str
    rows: int
    shape: str
    shape_reason: str
    columns: Tuple[str, ...]
    unused_columns: Tuple[str, ...]
    first_row: int
    used_rows: int


@dataclasses.dataclass(frozen=True)
class StepReport:
    """What one step does: rows it changes, leaves out and adds; ``examples`` are texts before and after."""

    sentence: str
    changed: int = 0
    dropped: int = 0
    added: int = 0
    rows: Tuple[int, ...] = ()
    examples: Tuple[Tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class DataReport:
    """A data set under one model's tokenizer and template.

    ``complete`` is False while rows are still being read; ``rows_read`` of about ``rows`` are in it then.
    ``train_rows`` counts rows that are trained in a pass over the data, repeats of a mixture counted.
    """

    path: str
    rows: int
    shape: str
    shape_reason: str
    train_rows: int
    held_out_rows: int
    prompt: TokenCounts
    response: TokenCounts
    total: TokenCounts
    packing: PackingReport
    train_sequences: int
    held_out_sequences: int
    train_tokens: int
    train_supervised_tokens: int
    findings: Tuple[Finding, ...]
    content_hash: str
    complete: bool = True
    rows_read: int = 0
    lengths: LengthCurve = LengthCurve()
    batching: Tuple[BatchingReport, ...] = ()
    classes: Tuple[ClassCount, ...] = ()
    sources: Tuple[SourceReport, ...] = ()
    steps: Tuple[StepReport, ...] = ()


@dataclasses.dataclass(frozen=True)
class TokenSpan:
    """One token of a row: ``trained`` where its label counts, ``special`` where it is a marker of the tokenizer.

    ``weight`` is its share in the loss where it is trained; ``loss`` its loss under a model, None where unknown.
    """

    id: int
    text: str
    trained: bool
    special: bool = False
    truncated: bool = False
    weight: float = 1.0
    loss: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class TurnView:
    """One turn as a person reads it. ``content`` includes tool calls as text; ``weight`` 0: not learnt."""

    role: str
    content: str
    weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class PackedRow:
    """A row of a packed sequence: where it starts in it and how many tokens it has there."""

    row: int
    start: int
    tokens: int


@dataclasses.dataclass(frozen=True)
class RowView:
    """One row as conversation, rendered text and tokens. ``fingerprint`` hashes ids, labels and positions.

    Attributes:
        index: counted from 0 over all sources. part: train, held_out, or empty where it is in neither.
        file, line: where it stands; line 0 where files have none.
        label: its class, empty where there is none.
        tools: names of the functions that the assistant may call.
        findings: kinds of the findings it is in.
        sequence: number of the packed sequence it is trained in, -1 where that is unknown or it is not.
        packed: all rows of that sequence in their order.
        loss: its mean loss under the base model, None where that was not taken.
        origin: how it came to be, empty for a row of the file.
    """

    index: int
    turns: Tuple[TurnView, ...]
    text: str
    tokens: Tuple[TokenSpan, ...]
    fingerprint: str
    problem: str = ""
    part: str = ""
    file: str = ""
    line: int = 0
    label: str = ""
    tools: Tuple[str, ...] = ()
    findings: Tuple[str, ...] = ()
    sequence: int = -1
    packed: Tuple[PackedRow, ...] = ()
    loss: Optional[float] = None
    origin: str = ""


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A row as the table lists it: starts of its texts, and counts that are -1 while they are unknown.

    ``origin``: how it came to be, empty for a row of the file.
    """

    index: int
    prompt: str
    response: str
    tokens: int = -1
    supervised: int = -1
    label: str = ""
    part: str = ""
    problem: str = ""
    loss: Optional[float] = None
    origin: str = ""


@dataclasses.dataclass(frozen=True)
class TableQuery:
    """Which rows the table lists, and how they are ordered.

    ``finding``: only rows of that finding; ``search``: only rows whose texts hold it, in any case; ``order``: "" as in
    the files, or tokens, loss (largest first).
    """

    finding: str = ""
    search: str = ""
    order: str = ""


@dataclasses.dataclass(frozen=True)
class TablePage:
    """Some rows of a view of the table. ``count``: rows in the view so far; ``complete``: no more will be found."""

    start: int
    rows: Tuple[TableRow, ...]
    count: int
    complete: bool


@dataclasses.dataclass(frozen=True)
class PreparedData:
    """Data made ready for training: what prepared.json of data/<key>/ says. ``seconds`` is the time it took.

    ``first_rows`` are the numbers over all sources of each source's first row, the held-out file's last where there is
    one; empty in data that was prepared before they were told.
    """

    key: str
    max_length: int
    packing: bool
    train_rows: int
    train_sequences: int
    train_tokens: int
    train_supervised_tokens: int
    held_out_rows: int
    held_out_sequences: int
    held_out_tokens: int
    held_out_supervised_tokens: int
    content_hash: str
    held_out_content_hash: str
    pad_token_id: int
    eos_token_id: int
    seconds: float
    problems: Tuple[str, ...] = ()
    label_counts: Optional[Mapping[str, int]] = None
    first_rows: Tuple[int, ...] = ()
