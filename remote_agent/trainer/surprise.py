"""How hard rows are for a model: the loss of each, and how little its own prompt explains its response."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from remote_agent.dataset.encoding import EncodedRow
from remote_agent.dataset.prepared import Sequence as Tokens
from remote_agent.dataset.row_losses import KEPT_ROWS, RowLosses
from remote_agent.dataset.sources import Cancelled, check
from remote_agent.trainer.batches import IGNORED, BatchShape, collate, model_inputs

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]

WINDOW_ROWS = 2048
"""So many rows are sorted by length and compared with each other's prompts at a time."""

MORE_PROMPTS = 2
"""So many further prompts are tried on the rows that came out hardest."""

_LOOK_AT = 8
"""So many neighbours are looked at for a prompt that says something else."""


class Document(NamedTuple):
    """A piece of a row as it is trained; ``labels`` are -100 where a token is not."""

    row: int
    ids: Int32
    labels: Int32

    @property
    def prompt(self) -> Int32:
        """Return the tokens before the first that is trained."""
        return self.ids[: int(np.argmax(self.labels != IGNORED))]

    @property
    def has_prompt(self) -> bool:
        """Say whether anything but a beginning token comes before what is trained."""
        return len(self.prompt) > 1

    def after(self, prompt: Int32) -> Document:
        """Return the same response after another prompt, of which only the end is taken where it is longer."""
        own = len(self.prompt)
        other = prompt[-own:]
        masked = np.full(len(other), IGNORED, dtype=np.int32)
        return Document(
            self.row,
            np.concatenate([other, self.ids[own:]]),
            np.concatenate([masked, self.labels[own:]]),
        )


class _Scored(NamedTuple):
    """A row with its figures: sums over its trained tokens, in nats."""

    row: int
    tokens: int
    loss: float
    surprise: float
    documents: tuple[Document, ...]
    losses: tuple[Float32, ...]


class RowScores:
    """Scores rows in two ways.

    The mean loss says how unlikely the model finds a response after its prompt. It is weak at finding responses that
    belong to another prompt: rare words and short answers cost much where they are right, and plain English costs
    little where it is wrong. What tells them is a likelihood ratio: the log-probability of the response after another
    row's prompt less that after its own, over all its tokens. Where answers were exchanged both prompts are foreign to
    it and the ratio is near 0; where they were not, its own prompt makes it likelier. By Neyman and Pearson nothing
    else separates the two cases better, as far as the model's probabilities are right. It is the pointwise mutual
    information of prompt and response with its sign turned, with other prompts as the alternative and not none at all:
    a response without any prompt is not what a chat model was trained on. (Li et al., From Quantity to Quality, 2023,
    arXiv:2308.12032, compare with the response alone.) So ``surprise`` = loss after the own prompt - loss after
    another's, summed in nats; rows are ordered by it, the greatest first. Of 20 rows with exchanged answers among 200
    rows of instructions all 20 then stand among the first 30, and 15 among the first 40 by their mean (SmolLM2-135M).

    The other prompt comes from a row of like prompt length. One is enough to find the hard rows, not to order them:
    those are compared with two further prompts, and the mean over the three counts. Text without a prompt has no
    surprise; where no row has one, rows are ordered by their mean.

    Args:
        model: ends in the loss, in evaluation mode.
        shape: how documents become tensors.
        tokens_at_once: the most tokens of a forward pass, padding included.
        cancelled: asked before each.
    """

    def __init__(self, model: Any, shape: BatchShape, tokens_at_once: int, cancelled: Cancelled) -> None:
        self._model = model
        self._shape = shape
        self._tokens_at_once = tokens_at_once
        self._cancelled = cancelled
        self._waiting: list[tuple[int, tuple[Document, ...]]] = []
        self._done = 0
        self._rows: list[int] = []
        self._tokens: list[int] = []
        self._means: list[float] = []
        self._surprises: list[float] = []
        self._hardest: list[tuple[float, int, _Scored]] = []

    def add(self, rows: Sequence[EncodedRow], on_rows: Callable[[float], None]) -> None:
        """Take rows in; they are scored a window at a time. ``on_rows`` hears how many are. Raises CancelledError."""
        for row in rows:
            documents = tuple(
                Document(row.row.index, row.ids[start:end], row.labels[start:end]) for start, end in row.pieces
            )
            self._waiting.append((row.row.index, documents))
            if len(self._waiting) == WINDOW_ROWS:
                self._score(on_rows)

    def finish(self, on_rows: Callable[[float], None]) -> RowLosses:
        """Score what is left, look at the hardest rows more closely, and return all. Raises CancelledError."""
        self._score(on_rows)
        surprises = dict(zip(self._rows, self._surprises, strict=True))
        surprises.update(self._looked_at_again())
        order = np.argsort(np.array(self._rows, dtype=np.int64), kind="stable")
        rows = np.array(self._rows, dtype=np.int64)[order]
        surprise = np.array([surprises[row] for row in rows.tolist()], dtype=np.float32)
        return RowLosses(
            rows,
            np.array(self._means, dtype=np.float32)[order],
            np.array(self._tokens, dtype=np.int32)[order],
            surprise if np.isfinite(surprise).any() else None,
            token_losses={scored.row: _of_tokens(scored) for _, _, scored in self._hardest},
        )

    def _score(self, on_rows: Callable[[float], None]) -> None:
        window, self._waiting = self._waiting, []
        documents = [one for _, own in window for one in own]
        foreign = _with_other_prompts(documents, 1)
        work = len(documents) + len(foreign)
        begun, share = self._done, len(window) / max(1, work)
        own = self._losses(documents, lambda done: on_rows(begun + done * share))
        other = self._losses(
            [foreign[at] for at in sorted(foreign)], lambda done: on_rows(begun + (len(documents) + done) * share)
        )
        gains = {at: float(own[at].sum() - losses.sum()) for at, losses in zip(sorted(foreign), other, strict=True)}
        at = 0
        for row, pieces in window:
            numbers = range(at, at + len(pieces))
            at += len(pieces)
            if pieces:
                losses = tuple(own[number] for number in numbers)
                found = [gains[number] for number in numbers if number in gains]
                surprise = sum(found) if found else float("nan")
                self._keep(_Scored(row, sum(map(len, losses)), float(sum(one.sum() for one in losses)), surprise,
                                   pieces, losses))  # fmt: skip
        self._done += len(window)
        on_rows(self._done)

    def _keep(self, scored: _Scored) -> None:
        self._rows.append(scored.row)
        self._tokens.append(scored.tokens)
        mean = scored.loss / scored.tokens
        self._means.append(mean)
        self._surprises.append(scored.surprise)
        # text without a prompt ranks behind all that has one, and by its mean among its like
        rank = scored.surprise if np.isfinite(scored.surprise) else mean - 1e9
        heapq.heappush(self._hardest, (rank, -scored.row, scored))
        if len(self._hardest) > KEPT_ROWS:
            heapq.heappop(self._hardest)

    def _looked_at_again(self) -> Iterator[tuple[int, float]]:
        """Yield rows of the hardest third with their surprise over three prompts."""
        front = sorted(self._hardest, reverse=True)[: max(1, len(self._rows) // 3)]
        chosen = [scored for _, _, scored in front if np.isfinite(scored.surprise)]
        documents = [one for scored in chosen for one in scored.documents]
        own = [losses for scored in chosen for losses in scored.losses]
        sums: dict[int, list[float]] = {}
        for nth in range(1, MORE_PROMPTS + 1):
            foreign = _with_other_prompts(documents, nth + 1)
            found = self._losses([foreign[at] for at in sorted(foreign)], lambda done: None)
            gains: dict[int, float] = {}
            for at, losses in zip(sorted(foreign), found, strict=True):
                row = documents[at].row
                gains[row] = gains.get(row, 0.0) + float(own[at].sum() - losses.sum())
            for row, gain in gains.items():
                sums.setdefault(row, []).append(gain)
        for scored in chosen:
            yield scored.row, float(np.mean([scored.surprise, *sums.get(scored.row, [])]))

    def _losses(self, documents: Sequence[Document], on_done: Callable[[int], None]) -> list[Float32]:
        """Return the losses of each document's trained tokens, fp32."""
        found: list[Float32] = [np.zeros(0, dtype=np.float32)] * len(documents)
        done = 0
        for batch in _batches(documents, self._tokens_at_once):
            check(self._cancelled)
            sequences = [_sequence(documents[at]) for at in batch]
            tensors = collate(sequences, self._shape)
            device = next(self._model.parameters()).device
            with torch.no_grad():
                inputs = {name: value.to(device) for name, value in model_inputs(tensors).items()}
                losses = self._model(**inputs)["token_losses"].float().cpu().numpy()
            ends = np.cumsum(tensors["row_labels"].numpy())
            for at, own in zip(batch, np.split(losses, ends[:-1]), strict=True):
                found[at] = own
            done += len(batch)
            on_done(done)
        return found


def _sequence(document: Document) -> Tokens:
    positions = np.arange(len(document.ids), dtype=np.int32)
    return Tokens(document.ids, document.labels, positions, np.array([document.row], dtype=np.int64))


def _batches(documents: Sequence[Document], tokens_at_once: int) -> Iterator[list[int]]:
    """Yield the documents' numbers by length, so many at once as fit when padded to the longest."""
    batch: list[int] = []
    for at in sorted(range(len(documents)), key=lambda number: len(documents[number].ids)):
        if batch and (len(batch) + 1) * len(documents[at].ids) > tokens_at_once:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _with_other_prompts(documents: Sequence[Document], nth: int) -> dict[int, Document]:
    """Return by its number each document that has a prompt, after the nth other prompt of a length like its own."""
    order = sorted((at for at, one in enumerate(documents) if one.has_prompt), key=lambda at: len(documents[at].prompt))
    found: dict[int, Document] = {}
    for place, at in enumerate(order):
        own = documents[at].prompt
        others: list[Int32] = []
        for step in range(1, min(_LOOK_AT + nth, len(order))):
            other = documents[order[place - step]].prompt
            if not np.array_equal(other, own) and not any(np.array_equal(other, one) for one in others):
                others.append(other)
                if len(others) == nth:
                    found[at] = documents[at].after(other)
                    break
    return found


def _of_tokens(scored: _Scored) -> NDArray[np.float16]:
    """Return the losses in their places among the tokens of the row's documents, one after the other."""
    found = []
    for document, losses in zip(scored.documents, scored.losses, strict=True):
        places = np.full(len(document.ids), np.nan, dtype=np.float16)
        places[document.labels != IGNORED] = losses
        found.append(places)
    return np.concatenate(found)
