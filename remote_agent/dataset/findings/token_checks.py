"""What can be said of a row once it is tokens: lengths, what is trained, markers at its start and end."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import Conversation
from remote_agent.dataset.encoding import MASKED
from remote_agent.dataset.findings.duplicates import last_answer
from remote_agent.dataset.findings.found import Found, RowNotes, rows_word
from remote_agent.dataset.findings.row_batch import RowBatch
from remote_agent.dataset.tokenizer_files import ModelTokenizer

_LOOK_AROUND = 3
Bool = NDArray[np.bool_]


class TokenChecks:
    """The kinds that need a row's tokens and labels; whole batches at a time."""

    kinds = frozenset((
        "bad_row", "nothing_trained", "response_cut", "over_length", "last_turn_only", "missing_end_of_turn",
        "untrained_end_of_turn", "double_bos", "tools_ignored",
    ))  # fmt: skip

    def __init__(self, job: JobSpec, model: ModelTokenizer, wanted: Collection[str]) -> None:
        self._wanted = self.kinds & set(wanted)
        self._data = job.data
        self._model = model
        self._is_end = _end_markers(model)
        bos = model.special_tokens.get("bos_token")
        found = model.tokenizer.token_to_id(bos) if bos else None
        self._bos = -1 if found is None else int(found)
        self._wholly_cut = 0
        self.notes = RowNotes()

    def take(self, batch: RowBatch) -> None:
        """Take in a batch."""
        for row in batch.bad:
            self.notes.add("bad_row", row.row.index, row.problem)
        if not batch.rows:
            return
        over = batch.lengths > self._data.max_length
        kept = np.fromiter((row.kept > 0 for row in batch.rows), dtype=np.bool_, count=len(batch.rows))
        self._note(batch, "over_length", over)
        self._note(batch, "nothing_trained", (batch.trained == 0) | (~kept & ~over))
        if self._data.over_length == "truncate":
            has_answer = np.array([last_answer(one.turns) >= 0 for one in batch.conversations], dtype=np.bool_)
            beyond = over & has_answer & (batch.trained > _trained_within(batch, self._data.max_length))
            self._wholly_cut += int(np.count_nonzero(beyond & ~kept))
            self._note(batch, "response_cut", beyond)
        self._note_markers(batch)
        if "tools_ignored" in self._wanted:
            ignored = [
                _ignores_tools(row, row_text.text)
                for row, row_text in zip(batch.conversations, batch.rows, strict=True)
            ]
            self._note(batch, "tools_ignored", np.array(ignored, dtype=np.bool_))

    def _note(self, batch: RowBatch, kind: str, is_one: Bool) -> None:
        if kind in self._wanted:
            self.notes.add_all(kind, batch.index[is_one])

    def _note_markers(self, batch: RowBatch) -> None:
        tokens = batch.tokens
        if not len(tokens.rows):
            return
        starts, ends = tokens.starts[:-1], tokens.starts[1:]
        is_bos = tokens.ids == self._bos
        doubled = is_bos[starts] & is_bos[np.minimum(starts + 1, ends - 1)] & (ends - starts > 1)
        self._note(batch, "double_bos", _spread(batch, doubled))
        answers = np.array([_answers(conversation) for conversation in batch.conversations])
        is_trained = tokens.labels != MASKED
        if (answers > 1).any():
            begins = is_trained & ~np.concatenate(([False], is_trained[:-1]))
            # Where every token is trained, or nothing stands between two answers, runs do not tell answers apart.
            runs = np.add.reduceat(begins, starts, dtype=np.int64)
            masked_before = ~is_trained[starts + 1 - (ends - starts == 1)]
            self._note(batch, "last_turn_only", _spread(batch, (runs == 1) & masked_before) & (answers > 1))
        self._note_ends(batch, answers > 0)

    def _note_ends(self, batch: RowBatch, answers: Bool) -> None:
        """Look for an end marker among the last trained tokens of each row, then among those right after them."""
        tokens = batch.tokens
        starts, ends = tokens.starts[:-1], tokens.starts[1:]
        is_trained = tokens.labels != MASKED
        places = np.arange(len(tokens.ids))
        last = np.maximum.reduceat(np.where(is_trained, places, -1), starts)
        is_end = self._is_end[np.minimum(tokens.ids, len(self._is_end) - 1)]
        trained_end, other_end = np.zeros(len(starts), np.bool_), np.zeros(len(starts), np.bool_)
        for distance in range(_LOOK_AROUND):
            before, after = np.maximum(last - distance, starts), np.minimum(last + 1 + distance, ends - 1)
            trained_end |= is_end[before] & is_trained[before]
            other_end |= is_end[after] & (after > last)
        asked = answers & (batch.trained > 0)
        self._note(batch, "untrained_end_of_turn", _spread(batch, ~trained_end & other_end) & asked)
        self._note(batch, "missing_end_of_turn", _spread(batch, ~trained_end & ~other_end) & asked)

    def found(self) -> list[Found]:
        """Return what was noted."""
        if self._wholly_cut:
            self.notes.detail["response_cut"] = f"; of {rows_word(self._wholly_cut)} nothing trained is left"
        return self.notes.found()


def _end_markers(model: ModelTokenizer) -> Bool:
    """Return for each token id whether it may end a turn: any special token but the beginning, and the end token."""
    ids = [number for number in (*model.special_ids, model.eos_token_id) if number >= 0]
    is_end = np.zeros(max([*ids, 0]) + 2, dtype=np.bool_)
    is_end[ids] = True
    return is_end


def _spread(batch: RowBatch, of_tokens: Bool) -> Bool:
    """Return values of the rows that have tokens as values of all rows."""
    spread = np.zeros(len(batch.rows), dtype=np.bool_)
    spread[batch.tokens.rows] = of_tokens
    return spread


def _trained_within(batch: RowBatch, length: int) -> NDArray[np.int64]:
    counts = batch.trained.copy()
    for number in np.flatnonzero(batch.lengths > length):
        counts[number] = np.count_nonzero(batch.rows[number].labels[:length] != MASKED)
    return counts


def _answers(conversation: Conversation) -> int:
    """Return how many turns of the assistant are to be learnt."""
    if last_answer(conversation.turns) < 0:
        return 0
    return sum(turn.role == "assistant" and turn.weight != 0 for turn in conversation.turns)


def _ignores_tools(conversation: Conversation, text: str) -> bool:
    names = [_name(tool) for tool in conversation.tools]
    for turn in conversation.turns:
        calls = turn.extra.get("tool_calls") if turn.extra else None
        if isinstance(calls, (list, tuple)):
            names += [_name(call) for call in calls]
    return any(name not in text and json.dumps(name)[1:-1] not in text for name in names if name)


def _name(tool: object) -> str:
    function = tool.get("function", tool) if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else ""
