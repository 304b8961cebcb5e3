"""Rendered rows as token ids and labels, whole batches at a time; the text is encoded once and spans map to tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.conversation import Conversation, Example
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row
from remote_agent.dataset.rendering import Rendered, Renderer
from remote_agent.dataset.sources import Cancelled, check, never
from remote_agent.dataset.tokenizer_files import ModelTokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding

MASKED = -100
"""The label of a token that is not trained."""

BATCH_ROWS = 512
BATCH_CHARACTERS = 1 << 20
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class EncodedRow:
    """One row as tokens. Arrays are whole; the part up to ``kept`` tokens is trained, 0 where the row is left out.

    Attributes:
        row: where it came from.
        conversation: its turns; None where the row could not be read.
        text: as rendered.
        ids: int32 [tokens].
        labels: int32 [tokens]; the id where the token is trained, -100 elsewhere. Label i belongs to token i.
        kept: tokens that go into a sequence.
        problem: why the row cannot be used, a sentence; empty where it can.
        weights: float32 [tokens], each label's share in the loss; None where all are 1.
        origin: how the row came to be, empty for a row of a file.
        offsets: start and end of each token in ``text``; only where they were asked for.
    """

    row: Row
    conversation: Conversation | None
    text: str
    ids: Int32
    labels: Int32
    kept: int
    problem: str = ""
    offsets: tuple[tuple[int, int], ...] = ()
    weights: NDArray[np.float32] | None = None
    origin: str = ""

    @property
    def supervised(self) -> int:
        """Return the number of trained tokens among those kept."""
        return int(np.count_nonzero(self.labels[: self.kept] != MASKED))


class RowEncoder:
    """Encodes rows for one model, as `prepare`, the report and the row view all do."""

    def __init__(self, model: ModelTokenizer, spec: DataSpec) -> None:
        self._model = model
        self._spec = spec
        self._renderer = Renderer(model)

    def encode(
        self, rows: Iterable[Example], strict: bool, offsets: bool = False, cancelled: Cancelled = never
    ) -> Iterator[list[EncodedRow]]:
        """Yield batches of at most 512 rows in order; a thread tokenizes one while the next is rendered.

        Raises:
            DataError: a row cannot be used and ``strict`` is set; else the row carries the problem.
            CancelledError: between batches.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="tokenize") as pool:
            ahead: Future[list[EncodedRow]] | None = None
            for batch in self._batches(rows, strict):
                check(cancelled)
                following = pool.submit(self._tokenize, batch, offsets)
                if ahead is not None:
                    yield ahead.result()
                ahead = following
            if ahead is not None:
                yield ahead.result()

    def _batches(self, rows: Iterable[Example], strict: bool) -> Iterator[list[_Ready]]:
        batch: list[_Ready] = []
        characters = 0
        for row in rows:
            ready = self._ready(row, strict)
            batch.append(ready)
            characters += len(ready.rendered.text)
            if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
        if batch:
            yield batch

    def _ready(self, one: Example, strict: bool) -> _Ready:
        problem, rendered = one.problem, Rendered("", ())
        if one.conversation is not None:
            try:
                rendered = self._rendered(one.row, one.conversation)
            except DataError as error:
                problem = str(error)
        if problem and strict:
            raise DataError(problem)
        return _Ready(one, rendered, problem)

    def _rendered(self, row: Row, turns: Conversation) -> Rendered:
        try:
            return self._renderer.render(turns)
        except DataError as error:
            raise DataError(f"{row.where()}: {error}") from None

    def _tokenize(self, batch: list[_Ready], offsets: bool) -> list[EncodedRow]:
        encodings = self._model.tokenizer.encode_batch(
            [ready.rendered.text for ready in batch], add_special_tokens=False
        )
        return [self._row(ready, encoding, offsets) for ready, encoding in zip(batch, encodings, strict=True)]

    def _row(self, ready: _Ready, encoding: Encoding, offsets: bool) -> EncodedRow:
        ids = np.array(encoding.ids, dtype=np.int32)
        labels = np.full(len(ids), MASKED, dtype=np.int32)
        for start, end in ready.rendered.spans:
            first, last = _tokens_of(encoding, start, end)
            labels[first:last] = ids[first:last]
        # Nothing stands before a row's first token to predict it from; in a packed sequence the row before would.
        labels[:1] = MASKED
        return EncodedRow(
            ready.example.row,
            ready.example.conversation,
            ready.rendered.text,
            ids,
            labels,
            self._kept(labels, ready.problem),
            ready.problem,
            tuple(encoding.offsets) if offsets else (),
            origin=ready.example.origin,
        )

    def _kept(self, labels: Int32, problem: str) -> int:
        length = len(labels)
        if problem or (length > self._spec.max_length and self._spec.over_length == "drop"):
            return 0
        kept = min(length, self._spec.max_length)
        return kept if (labels[:kept] != MASKED).any() else 0


@dataclass(frozen=True)
class _Ready:
    example: Example
    rendered: Rendered
    problem: str


def _tokens_of(encoding: Encoding, start: int, end: int) -> tuple[int, int]:
    """Return the first token and the one past the last that cover characters start to end; characters may have none."""
    first = None
    while start < end and first is None:
        first = encoding.char_to_token(start)
        start += 1
    if first is None:
        return 0, 0
    last = None
    while last is None:
        end -= 1
        last = encoding.char_to_token(end)
    return first, last + 1


def row_fingerprint(ids: Int32, labels: Int32, positions: Int32) -> str:
    """Return the SHA-256 over a row's ids, labels and positions (int32, little-endian), 64 hex digits."""
    digest = hashlib.sha256()
    for values in (ids, labels, positions):
        digest.update(np.ascontiguousarray(values, dtype="<i4").tobytes())
    return digest.hexdigest()
