"""A batch of encoded rows laid out for checks: usable rows, their texts as one run of bytes, their tokens flat."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.encoding import MASKED, EncodedRow

TRAIN, HELD_OUT = "train", "held_out"


class FlatTokens(NamedTuple):
    """Tokens of all usable rows that have any, one after the other.

    Attributes:
        ids, labels: int32 [tokens].
        starts: int64 [rows + 1].
        rows: int64 [rows], the number of the row among the usable ones.
    """

    ids: NDArray[np.int32]
    labels: NDArray[np.int32]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]


class RowBatch:
    """Some rows as `RowEncoder` yields them. All that follows is about the usable ones, in their order.

    Attributes:
        bad: rows that have a problem.
        rows, parts: the others.
        index: int64 [rows], counted from 0 over all sources.
    """

    def __init__(self, rows: Sequence[EncodedRow], parts: Sequence[str]) -> None:
        self.bad = [row for row in rows if row.problem or row.conversation is None]
        usable = [number for number, row in enumerate(rows) if not row.problem and row.conversation is not None]
        self.rows = [rows[number] for number in usable]
        self.parts = [parts[number] for number in usable]
        self.index = np.array([row.row.index for row in self.rows], dtype=np.int64)

    @cached_property
    def conversations(self) -> list[Conversation]:
        """Return the rows' turns."""
        return [row.conversation for row in self.rows if row.conversation is not None]

    @cached_property
    def texts(self) -> list[str]:
        """Return what each row says, without its system prompt."""
        return [spoken(conversation.turns) for conversation in self.conversations]

    @cached_property
    def joined(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return `texts` as UTF-8, each followed by a line end, and where each starts, int64 [rows]."""
        raw = [text.encode("utf-8", "surrogatepass") for text in self.texts]
        starts = np.cumsum([0, *(len(one) + 1 for one in raw)], dtype=np.int64)[:-1]
        return np.frombuffer(b"\n".join([*raw, b""]), dtype=np.uint8), starts

    def owners(self, places: NDArray[np.int64]) -> list[int]:
        """Return the numbers of the rows in whose joined bytes the places lie, each once, rising."""
        _, starts = self.joined
        return [int(number) for number in np.unique(np.searchsorted(starts, places, side="right") - 1)]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Return each row's tokens, int64 [rows]."""
        return np.fromiter((len(row.ids) for row in self.rows), dtype=np.int64, count=len(self.rows))

    @cached_property
    def tokens(self) -> FlatTokens:
        """Return the tokens of the rows that have any."""
        rows = np.flatnonzero(self.lengths)
        if not len(rows):
            nothing = np.empty(0, dtype=np.int32)
            return FlatTokens(nothing, nothing, np.zeros(1, dtype=np.int64), rows)
        return FlatTokens(
            np.concatenate([self.rows[number].ids for number in rows]),
            np.concatenate([self.rows[number].labels for number in rows]),
            np.concatenate(([0], np.cumsum(self.lengths[rows]))),
            rows,
        )

    @cached_property
    def trained(self) -> NDArray[np.int64]:
        """Return each row's tokens that have a label, those beyond the sequence length too, int64 [rows]."""
        counts = np.zeros(len(self.rows), dtype=np.int64)
        tokens = self.tokens
        if len(tokens.rows):
            counts[tokens.rows] = np.add.reduceat(tokens.labels != MASKED, tokens.starts[:-1], dtype=np.int64)
        return counts


def spoken(turns: Sequence[Turn]) -> str:
    """Return the texts of all turns but system ones, each on lines of its own."""
    return "\n".join([turn.content for turn in turns if turn.role != "system"])
