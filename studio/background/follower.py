"""Follows all runs of a node over one channel: what comes is checked, kept, and handed to the GUI thread in batches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

from remote_agent.contract.frames import Frame, FrameError
from studio.background.back_off import back_off_s
from studio.background.run_feed import RunFeed
from studio.remote.errors import LinkError, NeedsPerson, RemoteError
from studio.store.library import Library
from studio.store.live import CONNECTED, NEEDS_PERSON, RECONNECTING, STALE, LinkState, Position, RunBatch
from studio.store.rows import JournalGap, StoreError

BATCH_S = 0.1
STALE_S = 7.0
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 60.0
_FLUSH_BYTES = 4 << 20
_UNSTORED_BYTES = 64 << 20
_STORE_RETRY_S = 5.0

FollowerBatch = dict[str, RunBatch]
"""What the signal ``batch`` carries: run id to what is new of the run."""


class AttachedStream(Protocol):
    """An open attach channel, as `studio.remote.attach_stream.AttachStream`; it keeps the heartbeat by itself."""

    ended: bool

    @property
    def heard_s(self) -> float:
        """Return when the agent was last heard, in monotonic seconds."""

    def receive(self, timeout_s: float) -> list[Frame]:
        """Return what arrived, nothing where nothing did in time. Raises RemoteError where the channel is gone."""

    def ack(self) -> None:
        """Tell the agent that everything received so far was taken."""

    def close(self) -> None:
        """End the channel."""


class Attachable(Protocol):
    """A node's agent, as `studio.remote.agent.Agent`."""

    def attach(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        follow: bool,
        overview: bool = False,
        cancelled: threading.Event | None = None,
    ) -> AttachedStream:
        """Open a channel for these runs. Raises RemoteError."""


class Follower(QThread):
    """The thread of one node. Made on the GUI thread; its methods may be called from every thread.

    Connect its signals to methods of objects that live on the GUI thread.

    Args:
        agent: reaches the node; used on this thread only.
        library: where rows and cursors are kept.
        random: returns numbers in [0, 1), for the jitter of the back-off.
        clock: returns monotonic seconds.
    """

    batch = Signal(object)  # FollowerBatch, at most every 100 ms
    link_changed = Signal(object)  # LinkState
    trouble = Signal(str)  # a sentence about keeping what comes; empty: it is over

    def __init__(
        self,
        agent: Attachable,
        library: Library,
        random: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._agent, self._library, self._random, self._clock = agent, library, random, clock
        self._wake = threading.Condition()
        self._cancelled = threading.Event()
        self._feeds: dict[str, RunFeed] = {}
        self._leaving: dict[str, RunFeed] = {}
        self._has_new_runs = self._is_stopping = self._may_retry = False
        self._link: LinkState | None = None
        self._heard_s = self._flushed_s = self._store_at_s = 0.0
        self._trouble = ""
        self._failures = 0

    def follow(self, run_id: str, position: Position | None = None) -> None:
        """Follow a run from a position, as `open_run` gave it.

        Without a position it goes on where it was followed last, so that ``caught_up`` is told once more, or begins
        where the library's cursors stand. Raises StoreError where the library is asked and fails.
        """
        with self._wake:
            feed = self._leaving.get(run_id) if position is None else None
        if feed is None:
            at = position or Position(self._library.cursors(run_id), self._library.log_offsets(run_id))
            feed = RunFeed(run_id, at)
        with self._wake:
            self._leaving.pop(run_id, None)
            if run_id not in self._feeds:
                self._feeds = {**self._feeds, run_id: feed}
                self._has_new_runs = True
                self._wake.notify_all()

    def unfollow(self, run_id: str) -> None:
        """Stop following a run; what of it is on its way is still kept and told. One not followed is passed over."""
        with self._wake:
            if run_id in self._feeds:
                self._leaving[run_id] = self._feeds[run_id]
                self._feeds = {known: feed for known, feed in self._feeds.items() if known != run_id}
                self._has_new_runs = True
                self._wake.notify_all()

    def retry(self) -> None:
        """Try to connect now: after a person has acted, or instead of waiting for the next try."""
        with self._wake:
            self._may_retry = True
            self._wake.notify_all()

    def stop(self, timeout_s: float = 20.0) -> bool:
        """End the thread and wait for it; say whether it ended in time. Every wait inside it is bounded."""
        with self._wake:
            self._is_stopping = True
            self._cancelled.set()
            self._wake.notify_all()
        return self.wait(int(timeout_s * 1000))

    def run(self) -> None:
        """Follow until `stop`; QThread calls this on the new thread."""
        while self._wait_for_runs():
            if not self._feeds:
                continue
            self._heard_s = self._heard_s or self._clock()
            try:
                self._attached()
            except NeedsPerson as error:
                self._lost(error, needs_person=True)
            except (RemoteError, FrameError, StoreError) as error:
                self._lost(error, needs_person=False)
        self._store_at_s = 0.0
        self._flush_leaving()

    def _wait_for_runs(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._feeds or self._leaving or self._is_stopping)
            has_runs = bool(self._feeds)
        if not has_runs:
            self._flush_leaving()
        return not self._is_stopping

    def _attached(self) -> None:
        """Attach, and hand on what comes until the link fails, the set of runs changes or the thread is to stop."""
        with self._wake:
            self._has_new_runs = self._may_retry = False
            feeds = self._feeds
        wanted = {run_id: feed.wanted(self._library) for run_id, feed in feeds.items()}
        stream = self._agent.attach(wanted, follow=True, overview=True, cancelled=self._cancelled)
        try:
            try:
                self._serve(stream, feeds)
            finally:
                self._flush()
        finally:
            stream.close()

    def _serve(self, stream: AttachedStream, feeds: Mapping[str, RunFeed]) -> None:
        while not self._has_new_runs and not self._is_stopping:
            has_news = any(feed.has_news for feed in feeds.values())
            wait_s = self._flushed_s + BATCH_S - self._clock() if has_news else BATCH_S
            frames = stream.receive(max(0.0, min(BATCH_S, wait_s)))
            self._heard_s = stream.heard_s
            silent_s = self._clock() - self._heard_s
            if silent_s > STALE_S:
                self._say_link(LinkState(STALE, self._heard_s, sentence=f"No answer for {silent_s:.0f} s."))
            else:
                self._say_link(LinkState(CONNECTED, self._heard_s))
            if frames:
                self._failures = 0
                self._take(frames, feeds)
                stream.ack()
            if self._is_due(feeds):
                self._flush()
            if stream.ended:
                raise LinkError("The agent ended the stream.")

    def _take(self, frames: list[Frame], feeds: Mapping[str, RunFeed]) -> None:
        for frame in frames:
            feed = feeds.get(str(frame.head.get("run", "")))
            if feed is None:
                continue
            feed.take(frame)
            if frame.kind == "overview":
                self._emit()
            if feed.unstored_bytes >= _FLUSH_BYTES:
                self._store()
            if frame.kind == "gone":
                self._emit()
                self.unfollow(feed.run_id)

    def _is_due(self, feeds: Mapping[str, RunFeed]) -> bool:
        return self._clock() - self._flushed_s >= BATCH_S and (
            any(feed.has_news for feed in feeds.values()) or (bool(self._trouble) and self._clock() >= self._store_at_s)
        )

    def _flush_leaving(self) -> None:
        """Keep and tell what is left where there is no channel that a failure could take down."""
        with contextlib.suppress(JournalGap):
            self._flush()

    def _flush(self) -> None:
        """Keep what came and tell it. Raises JournalGap."""
        self._flushed_s = self._clock()
        with self._wake:
            leaving = dict(self._leaving)
        try:
            self._store()
        finally:
            self._emit()
            with self._wake:
                # one that is followed again meanwhile is not among them any more
                self._leaving = {known: feed for known, feed in self._leaving.items() if leaving.get(known) is not feed}

    def _all_feeds(self) -> list[RunFeed]:
        with self._wake:
            return [*self._feeds.values(), *self._leaving.values()]

    def _store(self) -> None:
        """Keep what came. Where the disk takes nothing, go on from memory, say so, and try again in a while."""
        if self._clock() < self._store_at_s:
            self._bound_memory()
            return
        try:
            for feed in self._all_feeds():
                self._store_feed(feed)
            if self._trouble:
                self._make_up()
        except JournalGap:
            # what is kept lies behind what was shown: another window deleted it, or memory had to be let go
            self._fall_behind()
            raise
        except StoreError as error:
            self._store_at_s = self._clock() + _STORE_RETRY_S
            self._bound_memory()
            self._say_trouble(error.sentence)

    def _store_feed(self, feed: RunFeed) -> None:
        try:
            feed.store(self._library)
        except JournalGap:
            if feed.run_id in self._feeds:
                raise
            # it is followed no more: most likely it was deleted, and what is left of it is of no use
            feed.drop_unstored()

    def _make_up(self) -> None:
        """Storing works again: ask the node once more for what could not be held in memory meanwhile."""
        behind = [feed for feed in self._all_feeds() if feed.is_behind]
        for feed in behind:
            # writes to the disk even though nothing new is there, so a disk that is still full says so here
            self._library.store_blocks(feed.run_id, ())
        self._say_trouble("")
        self._store_at_s = 0.0
        if behind:
            with self._wake:
                self._has_new_runs = True

    def _bound_memory(self) -> None:
        if sum(feed.unstored_bytes for feed in self._all_feeds()) > _UNSTORED_BYTES:
            self._fall_behind()

    def _fall_behind(self) -> None:
        for feed in self._all_feeds():
            feed.is_behind = feed.is_behind or feed.unstored_bytes > 0
            feed.drop_unstored()

    def _emit(self) -> None:
        found = [(feed.run_id, feed.take_batch()) for feed in self._all_feeds()]
        new: FollowerBatch = {run_id: batch for run_id, batch in found if batch is not None}
        if new:
            self.batch.emit(new)

    def _say_link(self, link: LinkState) -> None:
        if self._link is None or link.kind != self._link.kind or link.kind in (RECONNECTING, NEEDS_PERSON):
            self._link = link
            self.link_changed.emit(link)

    def _say_trouble(self, sentence: str) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            self.trouble.emit(sentence)

    def _lost(self, error: Exception, needs_person: bool) -> None:
        """Say that the link is down, and wait until the next try is due."""
        if self._is_stopping:
            return
        sentence = getattr(error, "sentence", str(error))
        if needs_person:
            self._say_link(LinkState(NEEDS_PERSON, self._heard_s, sentence=sentence, error=error))
            delay_s = None
        else:
            delay_s = back_off_s(self._failures, self._random(), FIRST_DELAY_S, LONGEST_DELAY_S)
            self._failures += 1
            due = self._clock() + delay_s
            self._say_link(LinkState(RECONNECTING, self._heard_s, next_try_s=due, sentence=sentence))
        with self._wake:
            self._wake.wait_for(lambda: self._may_retry or self._is_stopping, delay_s)
            self._may_retry = False
            waits = not self._is_stopping
        if waits:
            self._say_link(LinkState(RECONNECTING, self._heard_s, sentence=sentence))
