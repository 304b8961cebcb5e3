"""One reader's place in one file of a run: what lies beyond it, in whole lines, across segments and incarnations."""

from __future__ import annotations

import os
from typing import Any, List, NamedTuple, Optional, Tuple

from remote_agent.contract.journal_line import MAX_LINE_BYTES, parse_line
from remote_agent.contract.run_dir import segment_file
from remote_agent.run_files.journal_segments import open_segment, read_header, segment_numbers

BLOCK_BYTES = 512 << 10
LOG_BLOCK_BYTES = 64 << 10


class Block(NamedTuple):
    """Whole lines of a journal; ``offset`` is where they start in the segment's file."""

    segment: int
    incarnation: str
    offset: int
    body: bytes


class JournalCursor:
    """A place in a writer's journal: segment, incarnation, offset.

    A place in an incarnation that the segment does not have leads to that segment's start; a segment that is gone, to
    the next one.
    """

    def __init__(self, folder: str, writer: str, place: Any) -> None:
        self._folder = folder
        self.writer = writer
        self._segment, self._incarnation, self._offset = _place(place)
        self._descriptor = -1

    def next_block(self) -> Optional[Block]:
        """Return the next whole lines, at most 512 KiB of them unless one line is longer; None where there are none."""
        while True:
            if self._descriptor < 0 and not self._open():
                return None
            # looked at before reading: a segment is final once its successor exists
            following = self._following()
            body = self._read(final=following is not None)
            if body:
                block = Block(self._segment, self._incarnation, self._offset, body)
                self._offset += len(body)
                return block
            if following is None:
                return None
            self._leave(following)

    def unseen_bytes(self) -> int:
        """Return the bytes that lie beyond the place, in all segments."""
        total = 0
        for number in segment_numbers(self._folder, self.writer):
            if number >= self._segment:
                size = os.path.getsize(os.path.join(self._folder, segment_file(self.writer, number)))
                total += max(0, size - self._offset) if number == self._segment else size
        return total

    def sample_lines(self, count: int, most_bytes: int) -> List[bytes]:
        """Return about ``count`` good lines spread evenly over what lies beyond the place, without moving it."""
        segments = [number for number in segment_numbers(self._folder, self.writer) if number >= self._segment]
        total = self.unseen_bytes()
        lines: List[bytes] = []
        held, base = 0, 0
        for number in segments:
            descriptor = open_segment(self._folder, self.writer, number)
            try:
                begin = self._offset if number == self._segment else 0
                size = max(0, os.fstat(descriptor).st_size - begin)
                first = -(-base * count // total) if total else count
                last = (base + size) * count // total if total else 0
                for index in range(first, last):
                    line = _line_after(descriptor, begin + index * total // count - base)
                    if line and held + len(line) <= most_bytes and (not lines or lines[-1] != line):
                        lines.append(line)
                        held += len(line)
                base += size
            finally:
                os.close(descriptor)
        return lines

    def close(self) -> None:
        """Close the segment that is open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _following(self) -> Optional[int]:
        later = [number for number in segment_numbers(self._folder, self.writer) if number > self._segment]
        return later[0] if later else None

    def _leave(self, following: int) -> None:
        self.close()
        self._segment, self._incarnation, self._offset = following, "", 0

    def _open(self) -> bool:
        """Open the segment of the place; False where it has no header yet and is the last."""
        while True:
            following = self._following()
            try:
                descriptor = open_segment(self._folder, self.writer, self._segment)
            except FileNotFoundError:
                if following is None:
                    return False
                self._leave(following)
                continue
            header = read_header(descriptor)
            if header is None:
                os.close(descriptor)
                if following is None:
                    return False
                self._leave(following)
                continue
            if header.incarnation != self._incarnation:
                self._incarnation, self._offset = header.incarnation, 0
            self._descriptor = descriptor
            return True

    def _read(self, final: bool) -> bytes:
        data = os.pread(self._descriptor, BLOCK_BYTES, self._offset)
        end = data.rfind(b"\n") + 1
        if end or not data:
            return data[:end]
        # one line longer than a block: whole if it may be one, in pieces if it is damage without any line feed
        data = os.pread(self._descriptor, MAX_LINE_BYTES, self._offset)
        end = data.find(b"\n") + 1
        if not end and (final or len(data) == MAX_LINE_BYTES) and len(data) > BLOCK_BYTES:
            return data[:BLOCK_BYTES]
        return data[:end]


class LogCursor:
    """A place in what a rank printed."""

    def __init__(self, path: str, rank: int, offset: int) -> None:
        self._path = path
        self.rank = rank
        self._offset = offset

    def next_block(self) -> Optional[Block]:
        """Return the next bytes, at most 64 KiB; None where there are none."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            body = os.pread(descriptor, LOG_BLOCK_BYTES, self._offset)
        finally:
            os.close(descriptor)
        if not body:
            return None
        block = Block(0, "", self._offset, body)
        self._offset += len(body)
        return block


def _place(place: Any) -> Tuple[int, str, int]:
    """Return a cursor as it came over the wire, the very start where it is none."""
    if isinstance(place, (list, tuple)) and len(place) == 3:
        segment, incarnation, offset = place
        whole = all(isinstance(number, int) and number >= 0 for number in (segment, offset))
        if whole and isinstance(incarnation, str):
            return segment, incarnation, offset
    return 0, "", 0


def _line_after(descriptor: int, offset: int) -> bytes:
    """Return the first good line that starts after an offset, with its line feed; empty where there is none near."""
    data = os.pread(descriptor, 8192, offset)
    for piece in data.split(b"\n")[1:-1]:
        if parse_line(piece) is not None and b'{"k":"header"' not in piece[:40]:
            return piece + b"\n"
    return b""
