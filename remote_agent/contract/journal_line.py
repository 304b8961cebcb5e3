"""One line of a journal: checksum, number, JSON. Writer and reader share it, so that damage costs one record."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any, Dict, NamedTuple, Optional

FORMAT = 1
MAX_LINE_BYTES = 1 << 20


class JournalLine(NamedTuple):
    """A line that passed its checksum: ``seq`` counts from 1 within a writer, ``body`` is the JSON object's bytes."""

    seq: int
    body: bytes


def encode_line(seq: int, body: Dict[str, Any]) -> bytes:
    """Return ``crc32 SP seq SP JSON LF``; the checksum covers ``seq SP JSON``. NaN and infinities become strings."""
    text = json.dumps(strict(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    covered = b"%d %s" % (seq, text.encode("utf-8", "backslashreplace"))
    return b"%08x %s\n" % (zlib.crc32(covered), covered)


def parse_line(line: bytes) -> Optional[JournalLine]:
    """Return the line's number and JSON bytes, or None where it is damaged. A trailing LF is allowed."""
    line = line.rstrip(b"\n")
    if len(line) < 11 or len(line) > MAX_LINE_BYTES or line[8:9] != b" ":
        return None
    try:
        expected = int(line[:8], 16)
    except ValueError:
        return None
    covered = line[9:]
    if zlib.crc32(covered) != expected:
        return None
    number, space, body = covered.partition(b" ")
    if not space or not number.isdigit() or len(number) > 18:
        return None
    return JournalLine(int(number), body)


def strict(value: Any) -> Any:
    """Return the value with every NaN and infinity as "nan", "inf" or "-inf", and tuples as lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(item) for item in value]
    return value
