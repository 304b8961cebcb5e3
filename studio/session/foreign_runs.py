"""Reading the scalars of other tools' runs: TensorBoard's event files and the offline files of Weights & Biases.

TensorBoard: TFRecords (length, checksum, data, checksum) of `Event` messages, after tensorboard's event.proto and
summary.proto. Weights & Biases: records in blocks of 32 KiB as LevelDB's log format has them, behind a header of seven
bytes, each a `Record` after wandb_internal.proto, whose history items are keys with JSON values.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

_BLOCK, _HEAD, _WANDB_HEADER = 32_768, 7, 7
_MOST_DEPTH = 64
Field = tuple[int, Any]


class Scalars(NamedTuple):
    """Values by name at a step, at a time in seconds since the epoch (0 where it was not told)."""

    step: int
    time_s: float
    values: dict[str, float]


def tensorboard_scalars(data: bytes) -> Iterator[Scalars]:
    """Yield the scalars of an event file; a record that was cut off ends it."""
    at = 0
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        body = data[at + 12 : at + 12 + length]
        at += 16 + length
        if len(body) < length:
            return
        fields = list(_fields(body))
        values = {}
        for summary in (value for number, value in fields if number == 5 and isinstance(value, bytes)):
            for one in (value for number, value in _fields(summary) if number == 1 and isinstance(value, bytes)):
                found = _tensorboard_value(one)
                if found is not None:
                    values[found[0]] = found[1]
        if values:
            times = [
                struct.unpack("<d", value)[0] for number, value in fields if number == 1 and isinstance(value, bytes)
            ]
            steps = [value for number, value in fields if number == 2 and isinstance(value, int)]
            yield Scalars(steps[-1] if steps else 0, times[-1] if times else 0.0, values)


def _tensorboard_value(data: bytes) -> tuple[str, float] | None:
    """Return name and value of a summary: its simple value, or a tensor of one float."""
    name, value = "", None
    for number, field in _fields(data):
        if number == 1 and isinstance(field, bytes):
            name = field.decode("utf-8", "replace")
        elif number == 2 and isinstance(field, bytes) and len(field) == 4:
            value = struct.unpack("<f", field)[0]
        elif number == 8 and isinstance(field, bytes):
            inside = dict(_fields(field))
            content, kind = inside.get(4, inside.get(5)), inside.get(1)
            if isinstance(content, bytes) and (kind, len(content)) in ((1, 4), (2, 8)):
                value = struct.unpack("<f" if kind == 1 else "<d", content)[0]
    return (name, float(value)) if name and value is not None else None


def wandb_scalars(data: bytes) -> Iterator[Scalars]:
    """Yield the history of an offline run; a record that was cut off ends it."""
    for record in _wandb_records(data):
        for history in (value for number, value in _fields(record) if number == 2 and isinstance(value, bytes)):
            values: dict[str, float] = {}
            for item in (value for number, value in _fields(history) if number == 1 and isinstance(value, bytes)):
                found = _wandb_item(item)
                if found is not None:
                    values[found[0]] = found[1]
            step, time_s = values.pop("_step", 0.0), values.pop("_timestamp", 0.0)
            values = {name: value for name, value in values.items() if not name.startswith("_")}
            if values:
                yield Scalars(int(step), time_s, values)


def _wandb_item(data: bytes) -> tuple[str, float] | None:
    keys: list[str] = []
    value: Any = None
    for number, field in _fields(data):
        if number in (1, 2) and isinstance(field, bytes):
            keys.append(field.decode("utf-8", "replace"))
        elif number == 16 and isinstance(field, bytes):
            try:
                value = json.loads(field)
            except (ValueError, RecursionError):
                value = None
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return ".".join(key for key in keys if key), float(value)


def _wandb_records(data: bytes) -> Iterator[bytes]:
    """Yield whole records; the first block lacks the room that the file's own header takes."""
    at, parts = _WANDB_HEADER, b""
    while at + _HEAD <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD:
            at += left
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        piece = data[at + _HEAD : at + _HEAD + length]
        at += _HEAD + length
        if len(piece) < length or kind not in (1, 2, 3, 4):
            return
        parts = piece if kind in (1, 2) else parts + piece
        if kind in (1, 4):
            yield parts


def _fields(data: bytes) -> Iterator[Field]:
    """Yield the fields of a protobuf message: whole numbers as int, all else as bytes; damage ends it."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(kind, -1)
        if kind == 2:
            length, at = _varint(data, at)
        if length < 0 or at + length > len(data):
            return
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < _MOST_DEPTH:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
    return value, len(data) + 1
