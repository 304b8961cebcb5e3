"""Writing a journal: numbered, checksummed lines in segments; a reader, a full disk or a crash costs no line."""

from __future__ import annotations

import os
import secrets
import threading
from types import TracebackType
from typing import Any, Callable, Dict, List, Optional, Type

from remote_agent.contract.events import Complained, Event, event_to_body
from remote_agent.contract.journal_line import FORMAT, MAX_LINE_BYTES, encode_line
from remote_agent.contract.run_dir import is_plain_name, segment_file
from remote_agent.run_files.atomic_write import sync_folder, write_all
from remote_agent.run_files.journal_segments import HEADER_KIND, last_good, segment_numbers
from remote_agent.run_files.masking import Mask
from remote_agent.run_files.process import boot_id

SEGMENT_BYTES = 32 << 20
MEMORY_BYTES = 4 << 20


HEADER_SEQ = 0
"""The number of every header line; events count from 1, and ``first_seq`` says which one follows the header."""


class JournalWriter:
    """Appends events of one writer. Every opening starts a segment and an incarnation, so an offset means one thing.

    Lines the disk does not take stay in memory, up to 4 MiB, and follow once it does; what falls out of that is said
    in a complaint. Safe to use from several threads of one process; two processes never share a writer's name.

    Args:
        journal_folder: the run's journal folder; it exists.
        writer: the writer's name, as in `run_dir.is_plain_name`.
        run_id: told in each segment's header.
        now: seconds since the epoch, for people only.
        segment_bytes: the size at which the next segment is begun.
        mask: strikes secrets out of what events say.

    Raises:
        OSError: the folder cannot be read or no segment can be made.
    """

    def __init__(
        self,
        journal_folder: str,
        writer: str,
        run_id: str,
        now: Callable[[], float],
        segment_bytes: int = SEGMENT_BYTES,
        mask: Optional[Mask] = None,
    ) -> None:
        assert is_plain_name(writer), writer
        self._folder = journal_folder
        self._writer = writer
        self._run_id = run_id
        self._now = now
        self._segment_bytes = segment_bytes
        self._mask = mask or None
        self._boot_id = boot_id()
        self._guard = threading.Lock()
        self._waiting: List[bytes] = []
        self._lost = 0
        self._descriptor = -1
        self._size = 0
        self._unsynced = False
        numbers = segment_numbers(journal_folder, writer)
        self._segment = numbers[-1] if numbers else -1
        self._seq = _mend(journal_folder, writer, numbers)
        self._incarnation = secrets.token_hex(16)
        self._begin_segment()

    @property
    def incarnation(self) -> str:
        """Return this opening's id, 32 hex digits."""
        return self._incarnation

    def write(self, event: Event) -> int:
        """Append an event and return its number. Never raises for the disk's sake, and never syncs."""
        with self._guard:
            assert self._descriptor >= 0, "the journal is closed"
            return self._append(event)

    def sync(self) -> None:
        """Put everything written on the disk. After a failed sync a new incarnation begins, and a complaint says so."""
        with self._guard:
            self._flush()
            if not self._unsynced or self._descriptor < 0:
                return
            try:
                os.fdatasync(self._descriptor)
                self._unsynced = False
            except OSError as error:
                # pages of a failed sync may be gone although a second one succeeds: begin afresh
                self._unsynced = False
                self._incarnation = secrets.token_hex(16)
                self._try_next_segment()
                self._append(Complained("warning", "The journal could not be synced to disk: {}.".format(error)))

    def close(self) -> None:
        """Sync and close; a second call does nothing."""
        self.sync()
        with self._guard:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def __enter__(self) -> "JournalWriter":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _append(self, event: Event) -> int:
        self._waiting.append(self._line(event))
        number = self._seq
        self._flush()
        return number

    def _line(self, event: Event) -> bytes:
        self._seq += 1
        body = event_to_body(event, self._now())
        line = encode_line(self._seq, self._mask.plain(body) if self._mask else body)
        if len(line) <= MAX_LINE_BYTES:
            return line
        sentence = "An event with {} bytes was too long for the journal.".format(len(line))
        return encode_line(self._seq, event_to_body(Complained("warning", sentence), self._now()))

    def _flush(self) -> None:
        """Write the waiting lines, as many as the disk takes, and leave the rest for the next call."""
        while self._waiting and self._descriptor >= 0:
            if self._size >= self._segment_bytes:
                self._try_next_segment()
            if not self._write_line(self._waiting[0]):
                self._forget_what_does_not_fit()
                return
            del self._waiting[0]
        if self._lost:
            lost, self._lost = self._lost, 0
            self._append(Complained("error", "The disk was full: {} lines of this journal are lost.".format(lost)))

    def _write_line(self, line: bytes) -> bool:
        try:
            write_all(self._descriptor, line)
        except OSError:
            # a half line would swallow the next one, so it is cut away at once
            os.ftruncate(self._descriptor, self._size)
            return False
        self._size += len(line)
        self._unsynced = True
        return True

    def _forget_what_does_not_fit(self) -> None:
        held = sum(len(line) for line in self._waiting)
        while held > MEMORY_BYTES:
            held -= len(self._waiting.pop(0))
            self._lost += 1

    def _try_next_segment(self) -> None:
        """Begin the next segment; where the disk refuses, the present one goes on."""
        before = self._descriptor
        try:
            self._begin_segment()
        except OSError:
            return
        try:
            os.fdatasync(before)
        except OSError as error:
            self._waiting.append(
                self._line(Complained("warning", "A journal segment was not synced: {}.".format(error)))
            )
        os.close(before)

    def _begin_segment(self) -> None:
        number = self._segment + 1
        path = os.path.join(self._folder, segment_file(self._writer, number))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        header = encode_line(HEADER_SEQ, self._header())
        try:
            write_all(descriptor, header)
            sync_folder(self._folder)
        except OSError:
            os.close(descriptor)
            os.unlink(path)
            raise
        self._descriptor, self._size, self._segment, self._unsynced = descriptor, len(header), number, True

    def _header(self) -> Dict[str, Any]:
        return {
            "k": HEADER_KIND,
            "t": round(self._now(), 3),
            "format": FORMAT,
            "run": self._run_id,
            "writer": self._writer,
            "incarnation": self._incarnation,
            "boot_id": self._boot_id,
            "first_seq": self._seq + 1 - len(self._waiting),
        }


def _mend(folder: str, writer: str, numbers: List[int]) -> int:
    """Cut the last segment back to its last good line; return the number of the last event, 0 where there is none."""
    for index, number in enumerate(reversed(numbers)):
        path = os.path.join(folder, segment_file(writer, number))
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            end, seq = last_good(descriptor)
            if index == 0 and end < os.fstat(descriptor).st_size:
                os.ftruncate(descriptor, end)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if seq > 0:
            return seq
    return 0
