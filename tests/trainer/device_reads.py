"""Counts where a rank reads a tensor's values: on a GPU each such place waits for all that is under way there.

On a CPU nobody waits, but the same places are passed. What a place is called by is the innermost function outside of
torch, so that the trainer's own are told from those of DeepSpeed, accelerate and transformers.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from remote_agent.trainer.course import Course

_READING = frozenset(
    ("_local_scalar_dense", "nonzero", "nonzero_numpy", "masked_select", "unique_consecutive", "_unique2", "equal")
)
"""Operators on whose result Python or the size of a tensor depends; so it is with indexing by a mask."""

_METHODS = ("tolist", "cpu", "numpy")
"""Ways out of a tensor that the dispatcher does not see on a CPU."""

_PARTS = ("remote_agent/trainer/", "tests/trainer/many_runs", "deepspeed/", "accelerate/", "transformers/")


@contextlib.contextmanager
def counted_reads(path: Path) -> Iterator[None]:
    """Count within, and write for each update but the first how often each place read: part, file, function and way."""
    counts: Counter[str] = Counter()
    updates: list[Counter[str]] = []
    plain_end, plain = Course.on_step_end, {name: getattr(torch.Tensor, name) for name in _METHODS}

    def on_step_end(*args: Any, **named: Any) -> None:
        plain_end(*args, **named)
        updates.append(counts.copy())

    def counting(method: Callable[..., Any]) -> Callable[..., Any]:
        def read(*args: Any, **named: Any) -> Any:
            counts[_place(sys._getframe(1), method.__name__)] += 1
            return method(*args, **named)

        return read

    try:
        Course.on_step_end = on_step_end  # type: ignore[method-assign]
        for name, method in plain.items():
            setattr(torch.Tensor, name, counting(method))
        with _Reads(counts):
            yield
    finally:
        Course.on_step_end = plain_end  # type: ignore[method-assign]
        for name, method in plain.items():
            setattr(torch.Tensor, name, method)
    told = [dict(after - before) for before, after in itertools.pairwise(updates)]
    path.write_text(json.dumps(told), encoding="utf-8")


class _Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counts = counts

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = operator.overloadpacket.__name__
        by_mask = name in ("index", "index_put", "index_put_") and any(
            one is not None and one.dtype in (torch.bool, torch.uint8) for one in args[1]
        )
        if name in _READING or by_mask:
            self._counts[_place(sys._getframe(1), name)] += 1
        return operator(*args, **(kwargs or {}))


def _place(frame: FrameType | None, way: str) -> str:
    while frame is not None:
        file = frame.f_code.co_filename
        for part in _PARTS:
            if part in file:
                return f"{part.strip('/')} {Path(file).name} {frame.f_code.co_name} {way}"
        frame = frame.f_back
    return f"elsewhere {way}"
