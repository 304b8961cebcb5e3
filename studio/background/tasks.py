"""One pool for calls that block and end: results and errors come back on the GUI thread, or nowhere if nobody waits."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

T = TypeVar("T")
Call = Callable[[], None]
_WORKERS = 8
_CLOSE_WAIT_S = 5.0


class Task:
    """What the work itself sees: ``cancelled`` is set when nobody wants the result any more."""

    def __init__(
        self, deliver: Callable[[Callable[[], None]], None], on_progress: Callable[[Any], None] | None
    ) -> None:
        self.cancelled = threading.Event()
        self._deliver = deliver
        self._on_progress = on_progress

    def report(self, progress: Any) -> None:
        """Hand a value to ``on_progress`` on the GUI thread; returns at once."""
        on_progress = self._on_progress
        if on_progress is not None:
            self._deliver(lambda: on_progress(progress))


class TaskHandle:
    """What the caller keeps of a running task."""

    def __init__(self, owner: QObject) -> None:
        self.task: Task | None = None
        self.is_wanted = True
        self._connection = owner.destroyed.connect(self._forget)

    def cancel(self) -> None:
        """Ask the work to end early. What it then returns or raises is still delivered."""
        if self.task is not None:
            self.task.cancelled.set()

    def finish(self) -> None:
        """Let go of the owner: everything was delivered."""
        if self.is_wanted:
            QObject.disconnect(self._connection)
        self.is_wanted = False

    def _forget(self) -> None:
        self.is_wanted = False
        self.cancel()


@dataclasses.dataclass(frozen=True)
class _Delivery:
    handle: TaskHandle
    call: Call
    is_last: bool = False


class Tasks(QObject):
    """Runs blocking calls on a few threads of its own; lives on the GUI thread, and so do all callbacks."""

    _delivered = Signal(object)

    def __init__(self, parent: QObject | None = None, workers: int = _WORKERS) -> None:
        super().__init__(parent)
        self._pool = concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="luthier-task")
        self._guard = threading.Lock()
        self._is_closed = False
        self._running: dict[concurrent.futures.Future[None], TaskHandle] = {}
        self._delivered.connect(self._on_delivered, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        owner: QObject,
        work: Callable[[Task], T],
        on_result: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_progress: Callable[[Any], None] | None = None,
    ) -> TaskHandle:
        """Run ``work`` on a thread of the pool; call from the GUI thread. After `close` nothing is run any more.

        Args:
            owner: when it is destroyed, the work is cancelled and nothing is delivered any more.
            work: may call ``report`` of its `Task` and should look at its ``cancelled`` now and then.
            on_result: gets what the work returned.
            on_error: gets what it raised: `RemoteError`, `StoreError`, ValueError or OSError where it is the user's.
            on_progress: gets what it reported, in order and before the result.
        """
        handle = TaskHandle(owner)
        task = Task(lambda call: self._post(_Delivery(handle, call)), on_progress)
        handle.task = task
        if self._is_closed:
            handle.cancel()
            return handle

        def perform() -> None:
            try:
                result = work(task)
            except Exception as error:  # noqa: BLE001 - one of the two places that carry an error to the screen
                failure = error
                self._post(_Delivery(handle, lambda: on_error(failure), is_last=True))
            else:
                self._post(_Delivery(handle, lambda: on_result(result), is_last=True))

        future = self._pool.submit(perform)
        self._running[future] = handle
        self._running = {known: its for known, its in self._running.items() if not known.done()}
        return handle

    def close(self) -> None:
        """Cancel everything, wait five seconds at most, and deliver nothing any more."""
        with self._guard:
            self._is_closed = True
        for handle in self._running.values():
            handle.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)
        # one that never began is cancelled, which `wait` does not count as done
        begun = [future for future in self._running if not future.cancelled()]
        concurrent.futures.wait(begun, _CLOSE_WAIT_S)

    def _post(self, delivery: _Delivery) -> None:
        # called on the pool's threads; after close() this object may be on its way out
        with self._guard:
            if not self._is_closed:
                self._delivered.emit(delivery)

    @Slot(object)
    def _on_delivered(self, delivery: _Delivery) -> None:
        if not delivery.handle.is_wanted or self._is_closed:
            return
        if delivery.is_last:
            delivery.handle.finish()
        delivery.call()
