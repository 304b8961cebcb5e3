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
class Finding:
    """Something about the data that a person should know. ``severity``: error, warning or info; ``rows``: the first."""

    kind: str
    severity: str
    count: int
    sentence: str
    rows: Tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class PackingReport:
    """What the sequences at one length come to; ``efficiency`` is non-padding tokens over length x sequences."""

    length: int
    sequences: int
    efficiency: float


@dataclasses.dataclass(frozen=True)
class DataReport:
    """A data set under one model's tokenizer and template."""

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


@dataclasses.dataclass(frozen=True)
class TokenSpan:
    """One token of a row: ``trained`` where its label counts, ``special`` where it is a marker of the tokenizer."""

    id: int
    text: str
    trained: bool
    special: bool = False
    truncated: bool = False


@dataclasses.dataclass(frozen=True)
class RowView:
    """One row as conversation, rendered text and tokens. ``fingerprint`` hashes ids, labels and positions."""

    index: int
    turns: Tuple[Tuple[str, str], ...]
    text: str
    tokens: Tuple[TokenSpan, ...]
    fingerprint: str
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class PreparedData:
    """Data made ready for training: what prepared.json of data/<key>/ says. ``seconds`` is the time it took."""

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
