"""Rendered rows as token ids and labels, whole batches at a time; the text is encoded once and spans map to tokens."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
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
    """One row as tokens. Arrays are whole; ``pieces`` says which of them go into sequences.

    Attributes:
        row: where it came from.
        conversation: its turns; None where the row could not be read.
        text: as rendered.
        ids: int32 [tokens].
        labels: int32 [tokens]; the id where the token is trained, -100 elsewhere. Label i belongs to token i.
        pieces: start and end of each range of tokens that becomes a document of its own: one where the row is cut,
            several where a long row is split, none where it is left out. The first label of each is -100.
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
    pieces: tuple[tuple[int, int], ...]
    problem: str = ""
    offsets: tuple[tuple[int, int], ...] = ()
    weights: NDArray[np.float32] | None = None
    origin: str = ""

    @property
    def kept(self) -> int:
        """Return the number of tokens that go into sequences."""
        return sum(end - start for start, end in self.pieces)

    @property
    def supervised(self) -> int:
        """Return the number of trained tokens among those kept."""
        return sum(int(np.count_nonzero(self.labels[start:end] != MASKED)) for start, end in self.pieces)


class RowEncoder:
    """Encodes rows for one model, as `prepare`, the report and the row view all do."""

    def __init__(self, model: ModelTokenizer, spec: DataSpec) -> None:
        self._model = model
        self._spec = spec
        self._renderer = Renderer(model, spec.train_on)

    def encode(
        self, rows: Iterable[Example], strict: bool, offsets: bool = False, cancelled: Cancelled = never
    ) -> Iterator[list[EncodedRow]]:
        """Yield batches of at most 512 rows in order; a thread tokenizes one while the next is rendered.

        Raises:
            DataError: a row cannot be used and ``strict`` is set; else the row carries the problem.
            CancelledError: between batches.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="tokenize") as pool:
            ahead: deque[tuple[list[_Ready], Future[list[Encoding]]]] = deque()
            for batch in self._batches(rows, strict):
                check(cancelled)
                ahead.append((batch, pool.submit(self._tokenize, batch)))
                # Two at once: the thread has the next one while this one's arrays are made here.
                if len(ahead) > 2:
                    yield self._finished(*ahead.popleft(), offsets)
            while ahead:
                check(cancelled)
                yield self._finished(*ahead.popleft(), offsets)

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
            if not rendered.text.isascii() and _is_broken(rendered.text):
                problem = f"{one.row.where()}: the text holds half of a character; mend or drop the row."
                rendered = Rendered("", ())
        if problem and strict:
            raise DataError(problem)
        return _Ready(one, rendered, problem)

    def _rendered(self, row: Row, turns: Conversation) -> Rendered:
        try:
            return self._renderer.render(turns)
        except DataError as error:
            raise DataError(f"{row.where()}: {error}") from None

    def _tokenize(self, batch: list[_Ready]) -> list[Encoding]:
        texts = [ready.rendered.text for ready in batch]
        return self._model.tokenizer.encode_batch(texts, add_special_tokens=False)

    def _finished(self, batch: list[_Ready], coming: Future[list[Encoding]], offsets: bool) -> list[EncodedRow]:
        """Return the batch's rows; their arrays are parts of the batch's, as one large conversion is cheaper."""
        encodings = coming.result()
        lengths = [len(encoding) for encoding in encodings]
        tokens = itertools.chain.from_iterable([encoding.ids for encoding in encodings])
        ids = np.fromiter(tokens, dtype=np.int32, count=sum(lengths))
        labels = np.full(len(ids), MASKED, dtype=np.int32)
        rows = []
        start = 0
        for ready, encoding, length in zip(batch, encodings, lengths, strict=True):
            end = start + length
            rows.append(self._row(ready, encoding, ids[start:end], labels[start:end], offsets))
            start = end
        return rows

    def _row(self, ready: _Ready, encoding: Encoding, ids: Int32, labels: Int32, offsets: bool) -> EncodedRow:
        rendered = ready.rendered
        weights = np.ones(len(ids), dtype=np.float32) if rendered.weights else None
        trained = [_tokens_of(encoding, start, end) for start, end in rendered.spans]
        for number, (first, last) in enumerate(trained):
            labels[first:last] = ids[first:last]
            if weights is not None:
                weights[first:last] = rendered.weights[number]
        # Nothing stands before a row's first token to predict it from; in a packed sequence the row before would.
        labels[:1] = MASKED
        return EncodedRow(
            ready.example.row,
            ready.example.conversation,
            rendered.text,
            ids,
            labels,
            () if ready.problem else self._pieces(labels, trained),
            ready.problem,
            tuple(encoding.offsets) if offsets else (),
            weights,
            ready.example.origin,
        )

    def _pieces(self, labels: Int32, trained: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Return the ranges that become documents, and mask the first label of each in place."""
        tokens, longest = len(labels), self._spec.max_length
        if tokens <= longest:
            ranges = [(0, tokens)]
        elif self._spec.over_length == "drop":
            return ()
        elif self._spec.over_length == "split":
            ranges = [(start, min(start + longest, tokens)) for start in range(0, tokens, longest)]
            # The token before stands in another document, so nothing predicts a window's first.
            labels[::longest] = MASKED
        else:
            ranges = [(0, longest)]
        # A piece whose first token alone would be trained has nothing that is.
        return tuple(
            [
                (start, end)
                for start, end in ranges
                if any([max(first, start + 1) < min(last, end) for first, last in trained])
            ]
        )


@dataclass(frozen=True)
class _Ready:
    example: Example
    rendered: Rendered
    problem: str


def _is_broken(text: str) -> bool:
    """Say whether half of a surrogate pair stands in the text, as cutting in the middle of an emoji leaves it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


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
    # A character may be several tokens, of which the library names the first.
    while (place := encoding.token_to_chars(last + 1)) is not None and place[0] <= end:
        last += 1
    return first, last + 1


def row_fingerprint(ids: Int32, labels: Int32, positions: Int32) -> str:
    """Return the SHA-256 over a row's ids, labels and positions (int32, little-endian), 64 hex digits."""
    digest = hashlib.sha256()
    for values in (ids, labels, positions):
        digest.update(np.ascontiguousarray(values, dtype="<i4").tobytes())
    return digest.hexdigest()
