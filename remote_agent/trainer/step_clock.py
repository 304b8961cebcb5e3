"""The parts of an update's time, measured without making the device wait."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import torch

DATA, FORWARD, BACKWARD, OPTIMIZER, COMMUNICATION = "data", "forward", "backward", "optimizer", "communication"
_ON_DEVICE = (FORWARD, BACKWARD, OPTIMIZER)


class StepClock:
    """Adds up how long the parts of the update under way take on this rank.

    What runs on a GPU is timed by events in its own stream, which are read once the update's loss was: that has waited
    for the device anyway. On the CPU, where nothing runs ahead, the clock on the wall is it.
    """

    def __init__(self, use_gpu: bool) -> None:
        self._use_gpu = use_gpu
        self.begin()

    def begin(self) -> None:
        """Begin another update."""
        self._seconds: dict[str, float] = {}
        self._events: list[tuple[str, Any, Any]] = []

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what is done inside to a part."""
        if self._use_gpu and name in _ON_DEVICE:
            first, last = _event(), _event()
            first.record()
            yield
            last.record()
            self._events.append((name, first, last))
            return
        began = time.perf_counter()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - began

    def seconds(self) -> dict[str, float]:
        """Return the parts so far, in seconds; a GPU's only where it is through with them."""
        for name, first, last in self._events:
            if last.query():
                self._seconds[name] = self._seconds.get(name, 0.0) + first.elapsed_time(last) / 1000.0
        self._events.clear()
        return dict(self._seconds)

    def own_s(self) -> float:
        """Return what this rank took for rows and forward passes, for which it waits for no other below ZeRO-3."""
        known = self.seconds()
        return known.get(DATA, 0.0) + known.get(FORWARD, 0.0)


def _event() -> Any:
    made: Any = torch.cuda.Event
    return made(enable_timing=True)
