"""TensorBoard's event files as bytes: TFRecords of `Event` messages with scalar summaries; no I/O, no library.

Written after tensorboard's event.proto, summary.proto and the TFRecord format (length, masked CRC-32C, data, masked
CRC-32C, all little-endian). The CRC is CRC-32C (Castagnoli), RFC 3720, appendix B.4.
"""

from __future__ import annotations

import math
import struct
from typing import List, Mapping, Tuple

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_SESSION_START = 1
_DATA_CLASS_TENSOR, _DT_STRING = 2, 7


def _table() -> Tuple[int, ...]:
    entries: List[int] = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (_POLYNOMIAL if number & 1 else 0)
        entries.append(number)
    return tuple(entries)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes."""
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """Return a TFRecord."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF)


def version_record(time_s: float) -> bytes:
    """Return the record that every event file begins with."""
    return record(_double(1, time_s) + _bytes(3, b"brain.Event:2"))


def restart_record(time_s: float, first_step: int) -> bytes:
    """Return the record after which readers forget what they have from ``first_step`` on: a session's start."""
    return record(_double(1, time_s) + _number(2, first_step) + _bytes(7, _number(1, _SESSION_START)))


def scalars_record(time_s: float, step: int, values: Mapping[str, float]) -> bytes:
    """Return the record of scalar summaries at a step."""
    summary = b"".join(_bytes(1, _bytes(1, name.encode("utf-8")) + _float(2, value)) for name, value in values.items())
    return record(_double(1, time_s) + _number(2, step) + _bytes(5, summary))


def text_record(time_s: float, name: str, text: str) -> bytes:
    """Return the record of a text summary at step 0, which TensorBoard shows as Markdown."""
    metadata = _bytes(1, _bytes(1, b"text")) + _number(4, _DATA_CLASS_TENSOR)
    tensor = _number(1, _DT_STRING) + _bytes(2, _bytes(2, _number(1, 1))) + _bytes(8, text.encode("utf-8"))
    value = _bytes(1, name.encode("utf-8")) + _bytes(8, tensor) + _bytes(9, metadata)
    return record(_double(1, time_s) + _bytes(5, _bytes(1, value)))


def _varint(number: int) -> bytes:
    parts = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        packed = struct.pack("<f", math.copysign(math.inf, value))
    return _varint(field << 3 | 5) + packed


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data
