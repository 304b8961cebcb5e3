"""Opening a kept run: its journal is read back on a thread of the pool, and the GUI thread gets it in small batches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from studio.background.tasks import Task, TaskHandle, Tasks
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.replay import replay


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

    def work(task: Task) -> Position:
        position = Position()
        for batch, reached in replay(library, run_id):
            if task.cancelled.is_set():
                break
            task.report(batch)
            position = reached
        return position

    return tasks.run(owner, work, on_opened, on_error, on_batch)
