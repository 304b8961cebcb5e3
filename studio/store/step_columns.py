"""Completed updates as the library keeps them beside the journal: a column is one value, small integers or floats."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable

from studio.store.live import STEP_COLUMNS, StepColumns

FORMAT = 1 if sys.byteorder == "little" else -1
"""The number of this form; columns that were packed in another are made anew from the journal."""

_HEAD = struct.Struct("<IB")
_CONSTANT, _COUNTING, _SMALL, _PLAIN = range(4)
_VALUE = struct.Struct("=d")
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def packed(steps: StepColumns) -> bytes:
    """Return the columns as bytes from which `unpack` makes the same values, bit by bit."""
    rows = len(steps)
    parts = [_HEAD.pack(rows, len(steps.columns))]
    for column in steps.columns if rows else ():
        kind, body = _packed(column)
        parts += [bytes((kind,)), body]
    return b"".join(parts)


def unpack(body: bytes, into: StepColumns) -> None:
    """Add packed updates to columns. Raises ValueError where the bytes are not what `packed` made."""
    try:
        rows, count = _HEAD.unpack_from(body)
    except struct.error:
        raise ValueError("The columns are cut short.") from None
    view, at = memoryview(body), _HEAD.size
    columns: list[array[float]] = []
    for _ in range(count if rows else 0):
        kind = body[at] if at < len(body) else -1
        if not 0 <= kind < len(_SIZES) or at + 1 + _SIZES[kind](rows) > len(body):
            raise ValueError("The columns are cut short.")
        end = at + 1 + _SIZES[kind](rows)
        columns.append(_unpacked(kind, view[at + 1 : end], rows))
        at = end
    if at != len(body) or (rows and count != len(STEP_COLUMNS)):
        raise ValueError("The columns are not those of an update.")
    if rows:
        into.extend(columns)


_SIZES: tuple[Callable[[int], int], ...] = (lambda _: 8, lambda _: 8, lambda rows: 4 * rows, lambda rows: 8 * rows)


def _packed(column: array[float]) -> tuple[int, bytes]:
    plain = column.tobytes()
    first = column[:1]
    if plain == first.tobytes() * len(column):
        return _CONSTANT, first.tobytes()
    # bytes are compared, so that a NaN, its bits and the sign of a zero stay as they are
    if all(_SMALLEST <= value <= _LARGEST and value.is_integer() for value in (column[0], column[-1])):
        try:
            whole = array("i", map(int, column))
        except (ValueError, OverflowError):  # NaN, infinite, too large
            return _PLAIN, plain
        if array("d", whole).tobytes() == plain:
            counts = whole[-1] - whole[0] == len(whole) - 1 and whole == array("i", range(whole[0], whole[-1] + 1))
            return (_COUNTING, first.tobytes()) if counts else (_SMALL, whole.tobytes())
    return _PLAIN, plain


def _unpacked(kind: int, body: memoryview, rows: int) -> array[float]:
    if kind == _PLAIN:
        column = array("d")
        column.frombytes(body)
        return column
    if kind == _SMALL:
        whole = array("i")
        whole.frombytes(body)
        return array("d", whole)
    (first,) = _VALUE.unpack(body)
    return array("d", [first]) * rows if kind == _CONSTANT else array("d", range(int(first), int(first) + rows))
