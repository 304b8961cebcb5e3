"""Journal bytes to updates and events: fast for the lines that come by the million, forgiving for all others."""

from __future__ import annotations

import dataclasses
import json
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from zlib import crc32

import msgspec

from remote_agent.contract.events import (
    Event,
    NodeSampled,
    RankExited,
    Stamped,
    StepCompleted,
    Unknown,
    event_from_body,
)
from remote_agent.contract.journal_line import MAX_LINE_BYTES
from studio.store.live import RunBatch, StepColumns

_HEADER = "header"
_STEP_PREFIX = b'{"k":"step",'
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_PIECE_BYTES = 128 << 10
_LARGEST = 2**63 - 1
# SQLite, numpy and Qt hold 64-bit integers: a larger one in an event is damage
_Whole = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]


class _Step(msgspec.Struct, gc=False, frozen=True):
    """A line of kind "step", its fields in the order of `STEP_COLUMNS`. NaN and infinities travel as text."""

    step: _Whole
    loss: float | str
    learning_rate: float | str
    gradient_norm: float | str
    tokens_per_s: float | str
    step_time_s: float | str
    peak_memory_bytes: _Whole
    epoch: float | str
    tokens: _Whole
    supervised_tokens: _Whole
    t: float
    attempt: _Whole
    data_s: float | str = 0.0
    forward_s: float | str = 0.0
    backward_s: float | str = 0.0
    optimizer_s: float | str = 0.0
    communication_s: float | str = 0.0


_steps_decoder = msgspec.json.Decoder(list[_Step])
_any_decoder = msgspec.json.Decoder()


def decode_lines(body: bytes, into: RunBatch, events: list[bytes] | None = None) -> None:
    """Add the lines of a journal's piece to a batch: updates to its columns, the rest to its events.

    A line that is damaged (checksum, size, JSON, nesting, a number beyond 64 bits) is counted and passed over; kinds
    of a newer writer become `Unknown`; segment headers are passed over.

    Args:
        body: whole lines.
        into: takes what was decoded.
        events: takes the JSON of each line that became an event, for `decode_events`.
    """
    events = [] if events is None else events
    start = 0
    while start < len(body):
        # small pieces stay in the processor's cache, which makes this half as slow again
        end = body.find(b"\n", start + _PIECE_BYTES) + 1 or len(body)
        _decode_piece(body[start:end], into, events)
        start = end


def decode_events(bodies: Iterable[bytes], into: RunBatch) -> None:
    """Add events to a batch that `decode_lines` set aside."""
    for body in bodies:
        _decode_other(body, into)


def _decode_piece(piece: bytes, into: RunBatch, events: list[bytes]) -> None:
    steps: list[bytes] = []
    for line in piece.split(b"\n"):
        # what parse_line does, in line: a call for each of a million lines is a second more
        number, _, rest = line[9:].partition(b" ")
        if not number.isdigit() or line[:9] != b"%08x " % crc32(line[9:]) or not 0 < len(number) <= 18:
            into.damaged += bool(line)
        elif len(line) > MAX_LINE_BYTES:
            into.damaged += 1
        elif rest.startswith(_STEP_PREFIX):
            steps.append(rest)
        else:
            # the updates before it first: an update whose fields stand in another order comes this way too
            steps = _decode_steps(steps, into, events)
            _decode_aside(rest, into, events)
    _decode_steps(steps, into, events)


def _decode_aside(body: bytes, into: RunBatch, events: list[bytes]) -> None:
    before = len(into.events)
    _decode_other(body, into)
    if len(into.events) > before:
        events.append(body)


def _decode_steps(bodies: list[bytes], into: RunBatch, events: list[bytes]) -> list[bytes]:
    """Add updates to the columns and return an empty list for the next ones."""
    if not bodies:
        return bodies
    try:
        decoded = _steps_decoder.decode(b"[" + b",".join(bodies) + b"]")
    except (ValueError, RecursionError):
        decoded = []
    if len(decoded) == len(bodies):
        columns = list(zip(*map(msgspec.structs.astuple, decoded), strict=True))
        try:
            into.steps.extend([_numbers(column) for column in columns])
            return []
        except KeyError:
            # a text among the numbers that is none
            pass
    for body in bodies:
        _decode_aside(body, into, events)
    return []


def _numbers(column: Sequence[float | str]) -> array[float]:
    """Return a column as floats. Raises KeyError for a text that is no number."""
    try:
        return array("d", column)  # type: ignore[arg-type]
    except TypeError:
        return array("d", [_WORDS[value] if isinstance(value, str) else value for value in column])


def _decode_other(body: bytes, into: RunBatch) -> None:
    value = parse_json(body)
    if not isinstance(value, dict):
        into.damaged += 1
        return
    if value.get("k") == _HEADER:
        return
    stamped = _within_limits(event_from_body(value), value)
    if not math.isfinite(stamped.time_s):
        stamped = Stamped(0.0, stamped.event)
    if isinstance(stamped.event, StepCompleted):
        add_step(stamped, into.steps)
    else:
        into.events.append(stamped)


def add_step(stamped: Stamped, columns: StepColumns) -> None:
    """Add one `StepCompleted` to the columns."""
    step = stamped.event
    assert isinstance(step, StepCompleted)
    columns.append(
        (
            step.step, step.loss, step.learning_rate, step.gradient_norm, step.tokens_per_s, step.step_time_s,
            step.peak_memory_bytes, step.epoch, step.tokens, step.supervised_tokens, stamped.time_s, step.attempt,
            step.data_s, step.forward_s, step.backward_s, step.optimizer_s, step.communication_s,
        )
    )  # fmt: skip


def parse_json(body: bytes) -> Any:
    """Return the JSON value, None where the bytes are none or nested too deeply. Never raises."""
    try:
        return _any_decoder.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        # what msgspec refuses and JSON allows: half surrogates, numbers beyond the floats
        value = json.loads(body.decode("utf-8", "replace"))
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _within_limits(stamped: Stamped, body: Mapping[str, Any]) -> Stamped:
    """Return the event, or `Unknown` where a number is beyond 64 bits or a list holds what it should not."""
    event: Event = stamped.event
    if isinstance(event, Unknown):
        return stamped
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if isinstance(value, int) and abs(value) > _LARGEST:
            return Stamped(stamped.time_s, Unknown(event.kind, body))
    wrong_gpus = isinstance(event, NodeSampled) and not all(isinstance(gpu, dict) for gpu in event.gpus)
    wrong_lines = isinstance(event, RankExited) and not all(isinstance(line, str) for line in event.last_lines)
    return Stamped(stamped.time_s, Unknown(event.kind, body)) if wrong_gpus or wrong_lines else stamped
