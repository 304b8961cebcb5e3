"""Equal calls that are made at the same time share one: the second waits for what is under way. No Qt."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Hashable

from studio.remote.call import OnProgress, Progress
from studio.remote.errors import Cancelled

_TICK_S = 0.1


@dataclasses.dataclass
class _Shared:
    """A call under way: how far it is, and what came of it once it has ended well."""

    ended: threading.Event = dataclasses.field(default_factory=threading.Event)
    latest: Progress | None = None
    result: str | None = None


class Joins:
    """Runs a call for a key unless one is under way, which is then joined. Safe to use from several threads.

    Whoever joined takes over where the call that it waited for was cancelled or failed, so that the work, which goes
    on where it broke off, ends only when nobody wants it any more.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._under_way: dict[Hashable, _Shared] = {}

    def run(
        self,
        key: Hashable,
        work: Callable[[OnProgress], str],
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Return what the work returns, or what an equal call did meanwhile.

        Raises Cancelled while it waits for another; else what the work raises.
        """
        while True:
            with self._guard:
                shared = self._under_way.get(key)
                if shared is None:
                    mine = self._under_way[key] = _Shared()
                    break
            _follow(shared, on_progress, cancelled)
            if shared.result is not None:
                return shared.result

        def tell(progress: Progress) -> None:
            mine.latest = progress
            if on_progress is not None:
                on_progress(progress)

        try:
            mine.result = work(tell)
            return mine.result
        finally:
            with self._guard:
                del self._under_way[key]
            mine.ended.set()


def _follow(shared: _Shared, on_progress: OnProgress | None, cancelled: threading.Event | None) -> None:
    told: Progress | None = None
    while not shared.ended.wait(_TICK_S):
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("Cancelled.")
        latest = shared.latest
        if on_progress is not None and latest is not None and latest is not told:
            told = latest
            on_progress(latest)
