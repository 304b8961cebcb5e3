"""Reading a journal: its segments in order, their headers, and every good line; damage is skipped and counted."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import deque
from typing import Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote_agent.contract.events import Stamped, event_from_body
from remote_agent.contract.journal_line import MAX_LINE_BYTES, parse_line
from remote_agent.contract.run_dir import parse_segment_file, segment_file

HEADER_KIND = "header"
_HEADER_START = b'{"k":"header"'
_CHUNK_BYTES = 256 << 10


class SegmentHeader(NamedTuple):
    """A segment's first line. ``first_seq`` is the number of the event after it; ``size_bytes`` the line's length."""

    run: str
    writer: str
    incarnation: str
    boot_id: str
    first_seq: int
    size_bytes: int


def writers(journal_folder: str) -> List[str]:
    """Return the names of the writers that have a segment, sorted; empty where the folder is missing."""
    return sorted({segment.writer for segment in map(parse_segment_file, _names(journal_folder)) if segment})


def segment_numbers(journal_folder: str, writer: str) -> List[int]:
    """Return the numbers of a writer's segments in order."""
    found = [parse_segment_file(name) for name in _names(journal_folder)]
    return sorted(segment.number for segment in found if segment and segment.writer == writer)


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def open_segment(journal_folder: str, writer: str, number: int) -> int:
    """Return a descriptor of a segment, for reading. Raises OSError where it is gone."""
    path = os.path.join(journal_folder, segment_file(writer, number))
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def read_header(descriptor: int) -> Optional[SegmentHeader]:
    """Return the header at the start of a segment, None where it is not (yet) whole or is damaged."""
    first, newline, _ = os.pread(descriptor, 4096, 0).partition(b"\n")
    line = parse_line(first) if newline else None
    if line is None:
        return None
    body = _json_object(line.body)
    if body is None or body.get("k") != HEADER_KIND:
        return None
    first_seq = body.get("first_seq")
    return SegmentHeader(
        run=str(body.get("run", "")),
        writer=str(body.get("writer", "")),
        incarnation=str(body.get("incarnation", "")),
        boot_id=str(body.get("boot_id", "")),
        first_seq=first_seq if isinstance(first_seq, int) else 1,
        size_bytes=len(first) + 1,
    )


def _json_object(raw: bytes) -> Optional[Dict[str, object]]:
    try:
        body = json.loads(raw.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def last_good(descriptor: int) -> Tuple[int, int]:
    """Return where a segment's last good line ends and that line's number; (0, 0) where there is none."""
    end = os.fstat(descriptor).st_size
    tail = b""
    while end > 0:
        start = max(0, end - _CHUNK_BYTES)
        tail = os.pread(descriptor, end - start, start) + tail
        end = start
        # without the chunk's first piece, which may be the end of a line that starts before it
        known_from = 0 if start == 0 else tail.find(b"\n") + 1
        at = len(tail)
        while at > known_from:
            newline = tail.rfind(b"\n", known_from, at)
            if newline < 0:
                break
            before = tail.rfind(b"\n", known_from, newline)
            line_start = before + 1 if before >= 0 else known_from
            line = parse_line(tail[line_start:newline])
            if line is not None:
                return start + newline + 1, line.seq
            at = line_start
        if known_from > 0:
            # every whole line in it is damaged; keep the piece, to which the chunk before may add its start
            tail = tail[:known_from]
        if len(tail) > MAX_LINE_BYTES + _CHUNK_BYTES:
            tail = b""
    return 0, 0


class JournalReader:
    """Reads a writer's journal to its end, then what is added to it.

    ``damaged`` counts the lines that failed their checksum, ``lost`` the numbers that are missing between good lines,
    ``is_behind`` says that the last `poll` ended at its limit, with more to read.

    Args:
        journal_folder: the run's journal folder; it need not exist yet.
        writer: the writer's name.
        kinds: the kinds of events that are wanted, all where empty; the others cost no more than their checksum.
    """

    def __init__(self, journal_folder: str, writer: str, kinds: Sequence[str] = ()) -> None:
        self._folder = journal_folder
        self._writer = writer
        self._segment = -1
        self._descriptor = -1
        self._offset = 0
        self._rest = b""
        self._left = sys.maxsize
        self._next_seq = 0
        self._wanted = _starts(kinds)
        self._latest: Tuple[bytes, ...] = ()
        self._undecoded: Deque[Tuple[int, bytes]] = deque()
        self.damaged = 0
        self.lost = 0
        self.is_behind = False

    def poll(self, most_bytes: int = 0) -> List[Stamped]:
        """Return the events that were added since the last call, in order, without the headers.

        ``most_bytes`` ends the call after about so much of the journal, 0 at its end.
        """
        events: List[Stamped] = []
        self._left = most_bytes or sys.maxsize
        self.is_behind = False
        self._poll(events)
        return events

    def poll_latest(self, kinds: Sequence[str], most: int) -> List[Stamped]:
        """Return what `poll` does, but of the events of these kinds only the last so many.

        Those before are not even decoded, so that a journal of a million updates is gone through in seconds.
        """
        others: List[Stamped] = []
        self._left, self.is_behind = sys.maxsize, False
        self._latest, self._undecoded = _starts(kinds), deque(maxlen=most)
        self._poll(others)
        latest, self._latest, self._undecoded = self._undecoded, (), deque()
        events: List[Stamped] = []
        taken = 0
        for position, body in latest:
            events += others[taken:position]
            taken = position
            self._decode(body, events)
        return events + others[taken:]

    def _poll(self, events: List[Stamped]) -> None:
        while True:
            if self._descriptor < 0 and not self._open_next():
                return
            # looked at first: a segment is full and final once its successor exists
            has_successor = self._successor() is not None
            self._read(events)
            self.is_behind = self._left <= 0
            if self.is_behind or not has_successor:
                return
            os.close(self._descriptor)
            self._descriptor = -1

    def sync(self) -> None:
        """Put what the writer has written to the open segment on the disk, so that the writer need not wait for it."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the segment that is open; a later `poll` is an error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _successor(self) -> Optional[int]:
        later = [number for number in segment_numbers(self._folder, self._writer) if number > self._segment]
        return later[0] if later else None

    def _open_next(self) -> bool:
        number = self._successor()
        if number is None:
            return False
        self._descriptor = open_segment(self._folder, self._writer, number)
        self._segment, self._offset, self._rest = number, 0, b""
        return True

    def _read(self, events: List[Stamped]) -> None:
        while self._left > 0:
            data = os.pread(self._descriptor, _CHUNK_BYTES, self._offset)
            if not data:
                return
            self._offset += len(data)
            self._left -= len(data)
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            if len(self._rest) > MAX_LINE_BYTES:
                self._rest = b"\0"  # no line is that long; the piece counts as one damaged line at its newline
            for raw in lines:
                self._take(raw, events)

    def _take(self, raw: bytes, events: List[Stamped]) -> None:
        line = parse_line(raw)
        if line is None:
            self.damaged += 1
            return
        if line.body.startswith(_HEADER_START):
            return
        if self._next_seq and line.seq > self._next_seq:
            self.lost += line.seq - self._next_seq
        self._next_seq = line.seq + 1
        if self._wanted and not line.body.startswith(self._wanted):
            return
        if self._latest and line.body.startswith(self._latest):
            self._undecoded.append((len(events), line.body))
            return
        self._decode(line.body, events)

    def _decode(self, raw: bytes, events: List[Stamped]) -> None:
        body = _json_object(raw)
        if body is None:
            self.damaged += 1
            return
        events.append(event_from_body(body))


def _starts(kinds: Sequence[str]) -> Tuple[bytes, ...]:
    return tuple('{{"k":"{}"'.format(kind).encode("ascii") for kind in kinds)


def read_events(journal_folder: str, writer: str) -> List[Stamped]:
    """Return every good event of a writer, oldest first."""
    reader = JournalReader(journal_folder, writer)
    try:
        return reader.poll()
    finally:
        reader.close()


def last_events(journal_folder: str, writer: str, most_bytes: int = 64 << 10) -> List[Stamped]:
    """Return the good events in the last bytes of a writer's newest segment that holds any, oldest first."""
    for number in reversed(segment_numbers(journal_folder, writer)):
        descriptor = open_segment(journal_folder, writer, number)
        try:
            size = os.fstat(descriptor).st_size
            data = os.pread(descriptor, most_bytes, max(0, size - most_bytes))
        finally:
            os.close(descriptor)
        events = []
        for raw in data.split(b"\n")[:-1]:
            line = parse_line(raw)
            body = _json_object(line.body) if line is not None else None
            if body is not None and body.get("k") != HEADER_KIND:
                events.append(event_from_body(body))
        if events:
            return events
    return []
