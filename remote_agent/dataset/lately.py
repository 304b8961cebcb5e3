"""Something that takes a while to work out, kept for a while although what it is made from grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_TIMES = 20.0
Value = TypeVar("Value")


class Lately(Generic[Value]):
    """The last value. While rows come in it is made anew when twenty times the time it takes have passed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kind: Hashable = None
        self._state: Hashable = None
        self._stale_s = 0.0
        self._value: Value | None = None

    def get(self, kind: Hashable, state: Hashable, make: Callable[[], Value], exactly: bool = False) -> Value:
        """Return the value of a kind; ``state`` tells how far what it is made from has come.

        With ``exactly`` a value of an earlier state does not do.
        """
        with self._guard:
            began = time.monotonic()
            is_fresh = self._state == state or (not exactly and began < self._stale_s)
            if self._value is None or self._kind != kind or not is_fresh:
                self._value, self._kind, self._state = make(), kind, state
                done = time.monotonic()
                self._stale_s = done + _TIMES * (done - began)
            return self._value
