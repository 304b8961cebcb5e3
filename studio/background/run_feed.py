"""One followed run between the node and the screen: checks what came, keeps it, and decodes what is new of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from remote_agent.contract.frames import Frame
from remote_agent.contract.run_dir import is_plain_name
from studio.remote.errors import LinkError
from studio.store.journal_decoder import decode_lines
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.log_lines import LogLines
from studio.store.replay import has_ended, missing_segments
from studio.store.rows import Block, Cursor, LogBlock, beyond

_MOST_WRITERS = 64
_MOST_RANKS = 65_536
_MOST_LOG_LINES = 20_000
_LARGEST_OFFSET = 2**62


class FeedError(LinkError):
    """The agent sent what cannot be: the link is taken down and the run asked for again from its cursor."""


class RunFeed:
    """Takes a run's frames; what was taken is kept by `store` and handed on by `take_batch`.

    Two positions: how far the run was *shown*, and how far it is *kept*. They are the same but where the desktop's
    disk takes nothing; then showing goes on, and keeping is made up for later.
    """

    def __init__(self, run_id: str, position: Position) -> None:
        self.run_id = run_id
        self.unstored_bytes = 0
        self.is_behind = False
        self._cursors = dict(position.cursors)
        self._logs = dict(position.logs)
        self._readers: dict[int, LogLines] = {}
        self._blocks: list[Block] = []
        self._log_blocks: list[LogBlock] = []
        self._batch: RunBatch | None = None
        self._has_ended = False

    @property
    def has_news(self) -> bool:
        """Say whether there is something to show or to keep."""
        return self._batch is not None or self.unstored_bytes > 0

    def wanted(self, library: Library) -> dict[str, Any]:
        """Return what `attach` is asked for: everything beyond what was shown, or kept where that is less.

        Raises StoreError.
        """
        cursors, logs = self._cursors, self._logs
        if self.is_behind:
            cursors, logs = library.cursors(self.run_id), library.log_offsets(self.run_id)
            self.is_behind = False
        # what the last channel cut short comes again
        self._readers.clear()
        return {
            "cursors": {writer: [at.segment, at.incarnation, at.offset] for writer, at in cursors.items()},
            "logs": {str(rank): offset for rank, offset in logs.items()},
        }

    def take(self, frame: Frame) -> None:
        """Take a frame of this run; one of a kind that is not known is passed over. Raises FeedError, JournalGap."""
        kind = frame.kind
        if kind == "journal":
            self._take_journal(frame)
        elif kind == "log":
            self._take_log(frame)
        elif kind == "overview":
            sampled = RunBatch()
            decode_lines(frame.body, sampled)
            batch = self._open_batch()
            batch.preview = sampled.steps
            batch.expected_lines = _whole(frame, "lines", 0)
        elif kind == "caught_up":
            self._open_batch().caught_up = True
        elif kind == "gone":
            self._open_batch().gone = True

    def store(self, library: Library) -> None:
        """Keep what came. Raises StoreError; then all of it is still here for the next try."""
        if self._blocks or self._log_blocks:
            library.store_blocks(self.run_id, _joined(self._blocks), self._log_blocks)
            self.drop_unstored()

    def drop_unstored(self) -> None:
        """Let go of what was not kept yet."""
        self._blocks, self._log_blocks, self.unstored_bytes = [], [], 0

    def take_batch(self) -> RunBatch | None:
        """Return what is new to show, None where nothing is."""
        batch, self._batch = self._batch, None
        if batch is None:
            return None
        self._has_ended = has_ended(batch, self._has_ended)
        if self._has_ended:
            # nothing will end the last line of a log any more
            for rank, reader in self._readers.items():
                self._logs[rank] += reader.held_bytes
                batch.log.extend((rank, line) for line in reader.finish())
        del batch.log[:-_MOST_LOG_LINES]
        return batch

    def _open_batch(self) -> RunBatch:
        if self._batch is None:
            self._batch = RunBatch()
        return self._batch

    def _take_journal(self, frame: Frame) -> None:
        block = _block(frame)
        if block.writer not in self._cursors and len(self._cursors) >= _MOST_WRITERS:
            raise FeedError(f"The agent names more than {_MOST_WRITERS} writers of run {self.run_id}.")
        shown = self._cursors.get(block.writer)
        note = missing_segments(block, shown)
        new = beyond(block, shown)
        self._blocks.append(block)
        self.unstored_bytes += len(block.body)
        if new is None:
            return
        batch = self._open_batch()
        if note:
            batch.notes.append(note)
        decode_lines(new.body, batch)
        self._cursors[block.writer] = new.end

    def _take_log(self, frame: Frame) -> None:
        rank = _whole(frame, "rank", -1)
        if rank > _MOST_RANKS:
            raise FeedError(f"The agent names rank {rank} of run {self.run_id}.")
        log = LogBlock(rank, _whole(frame, "offset", 0), frame.body)
        self._log_blocks.append(log)
        self.unstored_bytes += len(log.body)
        reader = self._readers.setdefault(rank, LogLines())
        shown = self._logs.get(rank, 0) + reader.held_bytes
        batch = self._open_batch()
        if log.offset > shown:
            batch.log.extend((rank, line) for line in reader.finish())
            batch.log.append((rank, f"… {log.offset - shown} bytes of this log are missing …"))
        new = log.body[max(0, shown - log.offset) :]
        batch.log.extend((rank, line) for line in reader.feed(new))
        self._logs[rank] = max(shown, log.offset + len(log.body)) - reader.held_bytes


def _block(frame: Frame) -> Block:
    writer, incarnation = frame.head.get("writer"), frame.head.get("incarnation")
    if not isinstance(writer, str) or not is_plain_name(writer):
        raise FeedError("The agent sent a journal whose writer has no proper name.")
    if not isinstance(incarnation, str) or len(incarnation) > 64:
        raise FeedError(f"The agent sent a journal of {writer} without a proper incarnation.")
    return Block(writer, _whole(frame, "segment", 0), incarnation, _whole(frame, "offset", 0), frame.body)


def _whole(frame: Frame, name: str, low: int) -> int:
    value = frame.head.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < _LARGEST_OFFSET:
        raise FeedError(f"The agent sent a {frame.kind} frame whose {name} is no proper number.")
    return value


def _joined(blocks: list[Block]) -> list[Block]:
    """Return the blocks with those that follow on each other as one: fewer rows for the same bytes."""
    groups: list[list[Block]] = []
    ends: dict[str, tuple[Cursor, int]] = {}
    for block in blocks:
        end, group = ends.get(block.writer, (None, -1))
        if end == Cursor(block.segment, block.incarnation, block.offset):
            groups[group].append(block)
        else:
            group = len(groups)
            groups.append([block])
        ends[block.writer] = (block.end, group)
    return [dataclasses.replace(group[0], body=b"".join(block.body for block in group)) for group in groups]
