"""Opening a kept run: its journal is read back on a thread of the pool, and the GUI thread gets it in small batches.

Condensing it, so that it opens at once the next time, has a thread of the pool too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject

from studio.background.tasks import Task, TaskHandle, Tasks
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.replay import replay
from studio.store.rows import StoreError

_PAUSE_S, _PATIENCE_S = 0.01, 0.1


def open_run(
    tasks: Tasks,
    owner: QObject,
    library: Library,
    run_id: str,
    on_batch: Callable[[RunBatch], None],
    on_opened: Callable[[Position], None],
    on_error: Callable[[Exception], None],
) -> TaskHandle:
    """Read a kept run back without stalling the GUI thread.

    Args:
        tasks, owner: see `Tasks.run`.
        library: where the run is kept.
        run_id: which run; one of which nothing is kept gives one empty batch.
        on_batch: gets the batches in order, as `RunState.fold_batch` takes them.
        on_opened: gets the position behind the last batch, for `Follower.follow`.
        on_error: gets the `StoreError`.
    """

    taken = threading.Event()
    taken.set()

    def work(task: Task) -> Position:
        position = Position()
        for batch, reached in replay(library, run_id):
            # one at a time, or the window would get all of them in one turn
            while not taken.wait(_PATIENCE_S) and not task.cancelled.is_set():
                pass
            if task.cancelled.is_set():
                break
            taken.clear()
            task.report(batch)
            position = reached
        return position

    def take(batch: RunBatch) -> None:
        taken.set()
        on_batch(batch)

    return tasks.run(owner, work, on_opened, on_error, take)


def condense_run(tasks: Tasks, owner: QObject, library: Library, run_id: str, is_over: bool) -> TaskHandle:
    """Condense what is kept of a run, see `Library.condense`; where that fails the run only opens more slowly."""

    def work(task: Task) -> None:
        for _ in library.condense(run_id, is_over):
            # what else waits for the library or the interpreter gets its turn
            if task.cancelled.wait(_PAUSE_S):
                return

    def on_error(error: Exception) -> None:
        # a full disk is told by whoever has something new to keep
        if not isinstance(error, StoreError):
            raise error

    return tasks.run(owner, work, lambda _: None, on_error)
