"""The runs that trackers are told of by this computer: once all that is kept, then what comes, until a run is over."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from remote_agent.contract.events import ENDED
from remote_agent.contract.tracker_spec import TRACKER_NAMES, Tracker
from studio.background.tasks import Task, Tasks
from studio.session.tracker_feed import TrackerFeed, how_to_look
from studio.session.tracker_keys import TrackerKeys
from studio.store.library import Library
from studio.store.rows import RunRow

TELL_EVERY_MS, CLOSE_WAIT_S = 2000, 2.0


@dataclasses.dataclass
class _Tracked:
    """A run and a tracker that is told of it; ``feed`` is None until its keys were read, ``held`` while it is used."""

    row: RunRow
    tracker: Tracker
    folder: Path
    feed: TrackerFeed | None = None
    is_busy: bool = True
    held: threading.Lock = dataclasses.field(default_factory=threading.Lock)


class TrackedRuns(QObject):
    """Tells each tracker in turns of the pool, so that a run that goes on for days holds no thread of it.

    ``notice`` carries (severity, sentence).
    """

    notice = Signal(str, str)

    def __init__(self, store: Library, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._tasks = store, tasks
        self._all: dict[tuple[str, str], _Tracked] = {}
        self._timer = QTimer(self, interval=TELL_EVERY_MS)
        self._timer.timeout.connect(self._tell_all)

    def track(self, row: RunRow, tracker: Tracker, folder: Path) -> str:
        """Begin to tell a tracker of a run; a notice follows when it has it. Return what stands against it, or ""."""
        name, key = TRACKER_NAMES[tracker.kind], (row.run_id, tracker.kind)
        if key in self._all:
            return f"{name} is being told of {row.run_id} already."
        self._all[key] = _Tracked(row, tracker, folder)
        goes_on = row.state not in ENDED
        self.notice.emit(
            "info",
            f"{name} is being told of {row.run_id}"
            + (", and of what comes until the run is over or Luthier is closed." if goes_on else "."),
        )
        self._tell(key)
        return ""

    def close(self) -> None:
        """Stop telling; what was told stays where it is. The pool has to be closed before."""
        self._timer.stop()
        for tracked in self._all.values():
            if tracked.feed is not None:
                tracked.feed.kill()
                if tracked.held.acquire(timeout=CLOSE_WAIT_S):
                    tracked.feed.abandon()
        self._all.clear()

    def _tell_all(self) -> None:
        for key, tracked in tuple(self._all.items()):
            if not tracked.is_busy:
                self._tell(key)

    def _tell(self, key: tuple[str, str]) -> None:
        """Tell what is new, and the end where it is kept."""
        tracked = self._all[key]
        tracked.is_busy = True

        def work(task: Task) -> bool:
            row = self._store.run(tracked.row.run_id)
            is_over = row is None or row.state in ENDED  # kept as ended only once its journal was read to the end
            if tracked.feed is None:
                secrets = TrackerKeys().of_kind(tracked.tracker.kind) if tracked.tracker.online else {}
                tracked.feed = TrackerFeed(self._store, tracked.row, tracked.tracker, tracked.folder, secrets)
            with tracked.held:
                if is_over:
                    tracked.feed.finish()
                elif not task.cancelled.is_set():
                    tracked.feed.push()
            return is_over

        def on_result(is_over: bool) -> None:
            tracked.is_busy = False
            if is_over:
                self._forget(key)
                self.notice.emit("info", _said(tracked))
            elif not self._timer.isActive():
                self._timer.start()

        def on_error(error: Exception) -> None:
            self._forget(key)
            if tracked.feed is not None:
                tracked.feed.abandon()
            self.notice.emit("error", str(error))

        self._tasks.run(self, work, on_result, on_error)

    def _forget(self, key: tuple[str, str]) -> None:
        del self._all[key]
        if not self._all:
            self._timer.stop()


def _said(tracked: _Tracked) -> str:
    run_id, kind = tracked.row.run_id, tracked.tracker.kind
    if tracked.tracker.online or tracked.feed is None:
        return f"{TRACKER_NAMES[kind]} has {run_id}."
    return f"{run_id} lies in {tracked.feed.folder}. {how_to_look(kind, tracked.feed.folder)}"
