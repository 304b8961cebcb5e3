"""A row as the data page shows it: turns, rendered text and every token with whether it is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import PackedRow, RowView, TokenSpan, TurnView
from remote_agent.contract.data_spec import DataSpec
from remote_agent.contract.frames import MAX_HEAD_BYTES
from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.encoding import MASKED, EncodedRow, row_fingerprint
from remote_agent.dataset.tokenizer_files import ModelTokenizer

_ROOM = MAX_HEAD_BYTES - (64 << 10)
_TEXT_SHOWN, _TOKENS_SHOWN = 20_000, 4_000


class Place(NamedTuple):
    """What is known of a row beside its own text; as `RowView` has it."""

    part: str = ""
    findings: tuple[str, ...] = ()
    sequence: int = -1
    packed: tuple[PackedRow, ...] = ()
    loss: float | None = None
    token_losses: NDArray[np.float16] | None = None


def row_view(row: EncodedRow, model: ModelTokenizer, data: DataSpec, place: Place | None = None) -> RowView:
    """Return a row as it is trained at the job's length; one that cannot be used with its problem.

    The row has to be encoded with offsets. Its fingerprint is that of its documents in prepared data, one after the
    other: ids, labels, and positions that start at 0 in each.
    """
    place = place or Place()
    turns = row.conversation.turns if row.conversation else ()
    return RowView(
        index=row.row.index,
        turns=tuple(
            TurnView(turn.role, turn_text(turn), 1.0 if turn.weight is None else turn.weight) for turn in turns
        ),
        text=row.text,
        tokens=_tokens(row, model, place.token_losses),
        fingerprint=_fingerprint(row),
        problem=row.problem or _why_left_out(row, data),
        file=row.row.file,
        line=row.row.line,
        label=row.conversation.label if row.conversation else "",
        tools=tuple(_tool_name(tool) for tool in row.conversation.tools) if row.conversation else (),
        origin=row.origin,
        part=place.part,
        findings=place.findings,
        sequence=place.sequence,
        packed=place.packed,
        loss=place.loss,
    )


def turn_text(turn: Turn) -> str:
    """Return what a turn says, and below it the functions it calls, each as ``name({"argument": value})``."""
    calls = turn.extra.get("tool_calls") or ()
    told = [_call_text(call.get("function", call)) for call in calls if isinstance(call, Mapping)]
    return "\n".join([*([turn.content] if turn.content else []), *told])


def _weight(turn: Turn) -> float:
    return 1.0 if turn.weight is None else turn.weight


def _call_text(function: Any) -> str:
    if not isinstance(function, Mapping):
        return json.dumps(function, ensure_ascii=False)
    arguments = function.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"{function.get('name', '')}({text})"


def is_among(index: int, rows: NDArray[np.int64]) -> bool:
    """Say whether a row is among rows that rise."""
    at = int(np.searchsorted(rows, index))
    return at < len(rows) and int(rows[at]) == index


def fitted(row: dict[str, Any]) -> dict[str, Any]:
    """Cut a row that no frame holds, and say so; its fingerprint stays that of the whole."""
    if len(json.dumps(row, separators=(",", ":"))) <= _ROOM:
        return row
    tokens = row["tokens"]
    cut = {**row, "turns": [], "text": row["text"][:_TEXT_SHOWN], "tokens": tokens[:_TOKENS_SHOWN], "packed": []}
    note = f"Too long to show whole: {min(_TOKENS_SHOWN, len(tokens)):,} of {len(tokens):,} tokens."
    return {**cut, "problem": f"{row['problem'][:_TEXT_SHOWN]} {note}".strip()}


def _fingerprint(row: EncodedRow) -> str:
    places = _kept(row)
    positions = [np.arange(end - start, dtype=np.int32) for start, end in row.pieces]
    return row_fingerprint(
        row.ids[places], row.labels[places], np.concatenate([np.zeros(0, dtype=np.int32), *positions])
    )


def _kept(row: EncodedRow) -> NDArray[np.int64]:
    """Return the places of the tokens that go into sequences."""
    return np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(start, end) for start, end in row.pieces)])


def _tokens(row: EncodedRow, model: ModelTokenizer, losses: NDArray[np.float16] | None) -> tuple[TokenSpan, ...]:
    places = _kept(row)
    kept = np.zeros(len(row.ids), dtype=np.bool_)
    kept[places] = True
    trained = (kept & (row.labels != MASKED)).tolist()
    weights = [1.0] * len(row.ids) if row.weights is None else row.weights.tolist()
    loss = np.full(len(row.ids), np.nan)
    if losses is not None and len(losses) == len(places):
        loss[places] = losses
    spans = []
    shown = 0
    for number, (token, (start, end)) in enumerate(zip(row.ids.tolist(), row.offsets, strict=True)):
        # Tokens that are parts of one character have the same span; its text stands at the first of them.
        text = row.text[max(start, shown) : end]
        shown = max(shown, end)
        spans.append(
            TokenSpan(
                token, text, trained[number], token in model.special_ids, not kept[number],
                weights[number] if trained[number] else 1.0, None if np.isnan(loss[number]) else float(loss[number]),
            )
        )  # fmt: skip
    return tuple(spans)


def _tool_name(tool: Any) -> str:
    function = tool.get("function", tool)
    return str(function.get("name", "")) if isinstance(function, dict) else ""


def _why_left_out(row: EncodedRow, data: DataSpec) -> str:
    length = len(row.ids)
    over = length - data.max_length
    if over > 0 and data.over_length == "drop":
        return f"Left out: {length} tokens, {over} over the sequence length."
    if not row.kept:
        return "Left out: no token of it would be trained" + (" within the sequence length." if over > 0 else ".")
    return ""
