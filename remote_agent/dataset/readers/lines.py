"""The lines of a file with their places, none held that is larger than a row may be."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.rows import LARGEST_ROW_BYTES, MARK_ROWS, Block, Mark

_WHITE = b" \t\r\n"
_SCAN_BYTES = 1 << 20
_SKIP_BYTES = 1 << 20

TOO_LONG = (
    f"the row is longer than {LARGEST_ROW_BYTES >> 20} MiB and was passed over; "
    "no model reads as much at once. Split it, or check that line ends are not missing."
)


class Lines:
    """Lines from one mark on; `mark` is the place behind the last one given, ``size`` its bytes."""

    def __init__(self, source: ByteSource, mark: Mark) -> None:
        self._source = source
        self._file = source.open()
        self._file.seek(mark.offset)
        self.offset = mark.offset
        self.line = mark.line
        self.size = 0
        self.is_too_long = False

    def next(self) -> bytes:
        """Return the next line with its end, its beginning where it is too long, nothing at the file's end."""
        raw = self._file.readline(LARGEST_ROW_BYTES + 1)
        size = len(raw)
        self.is_too_long = size > LARGEST_ROW_BYTES
        if self.is_too_long:
            end = raw[-1:]
            while end != b"\n" and (more := self._file.readline(_SKIP_BYTES)):
                size, end = size + len(more), more[-1:]
            raw = raw[:MARK_ROWS]
        elif not raw.endswith(b"\n") and raw and self._source.ended_early:
            # The archive was cut within this line: what is missing is told once, behind the last whole row.
            raw = b""
        self.size = size
        self.offset += size
        self.line += bool(raw)
        return raw

    def mark(self) -> Mark:
        """Return the place behind the last line given."""
        return Mark(self.offset, self.line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def is_blank(raw: bytes) -> bool:
    """Say whether a line holds white space alone."""
    return raw[0] in _WHITE and not raw.strip(_WHITE)


def scan_lines(source: ByteSource, row: int, mark: Mark) -> Generator[Block, None, None]:
    """Yield the blocks of a file whose rows are its lines that are not blank; whole lines are never looked at twice."""
    with source.open() as file:
        file.seek(mark.offset)
        buffer = bytearray(_SCAN_BYTES)
        scanner = _Scanner(row, mark)
        while size := file.readinto(buffer):
            yield scanner.take(np.frombuffer(buffer, np.uint8, size))
        if not source.ended_early:
            yield scanner.finish()


class _Scanner:
    """Finds the rows of a file whose bytes come in blocks."""

    def __init__(self, row: int, mark: Mark) -> None:
        self._row = row
        self._base = mark.offset
        self._lines = mark.line
        self._start = mark.offset
        self._open_is_blank = True

    def take(self, block: NDArray[np.uint8]) -> Block:
        """Return the rows whose lines end within the next block."""
        ends = np.flatnonzero(block == 10)
        base, self._base = self._base, self._base + len(block)
        if not len(ends):
            self._open_is_blank = self._open_is_blank and not block.tobytes().strip(_WHITE)
            return self._block(np.empty(0, np.int64), np.empty(0, np.int64))
        starts = np.empty(len(ends), np.int64)
        starts[0] = self._start - base
        starts[1:] = ends[:-1] + 1
        full = np.ones(len(ends), bool)
        full[0] = not self._open_is_blank or bool(block[: ends[0]].tobytes().strip(_WHITE))
        white = np.isin(block[np.minimum(starts[1:], len(block) - 1)], np.frombuffer(_WHITE, np.uint8))
        short = ends[1:] - starts[1:] <= 1
        full[1:][white & short] = False
        for number in np.flatnonzero(white & ~short) + 1:
            full[number] = bool(block[starts[number] : ends[number]].tobytes().strip(_WHITE))
        lines = np.flatnonzero(full)
        found = self._block(starts[lines] + base, lines + self._lines)
        self._lines += len(ends)
        self._start = base + int(ends[-1]) + 1
        self._open_is_blank = not block[ends[-1] + 1 :].tobytes().strip(_WHITE)
        return found._replace(end=Mark(self._start, self._lines))

    def finish(self) -> Block:
        """Return the last row, where the file ends without a line's end."""
        has_row = not self._open_is_blank
        offsets = np.array([self._start] if has_row else [], np.int64)
        found = self._block(offsets, np.array([self._lines] if has_row else [], np.int64))
        return found._replace(end=Mark(self._base, self._lines + 1))

    def _block(self, offsets: NDArray[np.int64], lines: NDArray[np.int64]) -> Block:
        chosen = np.arange(0, len(offsets), MARK_ROWS)
        marks = np.zeros((len(chosen), 4), np.int64)
        marks[:, 0], marks[:, 1], marks[:, 2] = chosen + self._row, offsets[chosen], lines[chosen]
        self._row += len(offsets)
        return Block(marks, self._row, Mark(self._start, self._lines), self._base)
