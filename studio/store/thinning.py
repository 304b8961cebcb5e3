"""Thinning what a run's node told of its hardware: the newest hour stays whole, of a minute before it the mean is kept.

Nothing else is ever thinned: updates, evaluations, alerts and states stay as they came.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from remote_agent.contract.events import NodeSampled
from remote_agent.contract.journal_line import JournalLine, encode_line, parse_line
from remote_agent.contract.run_dir import SUPERVISOR_WRITER
from studio.store.connection import Database
from studio.store.journal_decoder import parse_json
from studio.store.kept_blocks import Moved, Place, block_at, places, unchanged

WHOLE_S = 3600.0
"""How long before the newest sample all are kept, in seconds of the node's clock."""

EACH_S = 60.0
"""Of so many seconds before that one sample is kept: the mean."""

_LEAST_BYTES = 256 << 10
_MARK = b'{"k":"' + NodeSampled.kind.encode() + b'",'
_COUNT = "averaged"


def thin(database: Database, run_id: str) -> Iterator[int]:
    """Thin the old samples of a run, a block at a time, and yield the bytes that each block gave up.

    Raises StoreError where the disk takes nothing.
    """
    found = [place for place in places(database, run_id) if place.writer == SUPERVISOR_WRITER]
    try:
        newest = _newest(database, found)
        for place in found:
            if place.span is not None or place.bytes_kept < _LEAST_BYTES:
                continue
            body = block_at(database, place).body
            if _last_sample_s(body) >= newest - WHOLE_S:
                return
            thinned = thinned_lines(body)
            with database.writing() as connection:
                if unchanged(connection, run_id, [place]):
                    connection.execute(
                        "UPDATE blocks SET body = ?, span = ? WHERE rowid = ?", (thinned, len(body), place.row)
                    )
            yield len(body) - len(thinned)
    except Moved:  # another window is at it, or deleted the run
        return


def thinned_lines(body: bytes) -> bytes:
    """Return journal lines in which the samples of each minute are one, their mean; all others stay where they are."""
    kept: list[bytes] = []
    minute: list[tuple[JournalLine, dict[str, Any]]] = []
    for raw in body.splitlines(keepends=True):
        line, sample = _sample(raw)
        if line is None or sample is None:
            kept.append(raw)
            continue
        if minute and sample["t"] // EACH_S != minute[0][1]["t"] // EACH_S:
            kept.append(_mean_line(minute))
            minute = []
        minute.append((line, sample))
    if minute:
        kept.append(_mean_line(minute))
    return b"".join(kept)


def _sample(raw: bytes) -> tuple[JournalLine | None, dict[str, Any] | None]:
    line = parse_line(raw.rstrip(b"\n")) if _MARK in raw[:64] else None
    sample = parse_json(line.body) if line is not None else None
    usable = isinstance(sample, dict) and isinstance(sample.get("t"), int | float) and math.isfinite(sample["t"])
    return line, sample if usable else None


def _mean_line(minute: Sequence[tuple[JournalLine, dict[str, Any]]]) -> bytes:
    if len(minute) == 1:
        return encode_line(minute[0][0].seq, minute[0][1])
    return encode_line(minute[-1][0].seq, {**_mean([sample for _, sample in minute]), _COUNT: len(minute)})


def _mean(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the newest mapping with the mean of each of its numbers; of its GPUs each by itself."""
    found: dict[str, Any] = {}
    for name, value in told[-1].items():
        values = [each.get(name) for each in told]
        if name == "gpus":
            found[name] = _mean_of_gpus([each for each in values if isinstance(each, list)])
            continue
        numbers = [each for each in values if _is_number(each)]
        if name == "index" or len(numbers) < len(values):
            found[name] = value
        else:
            mean = math.fsum(numbers) / len(numbers)
            found[name] = round(mean) if all(isinstance(each, int) for each in numbers) else mean
    return found


def _mean_of_gpus(told: Sequence[Sequence[Any]]) -> list[Any]:
    by_index: dict[object, list[Mapping[str, Any]]] = {}
    for gpus in told:
        for gpu in gpus:
            if isinstance(gpu, dict) and isinstance(gpu.get("index"), int):
                by_index.setdefault(gpu["index"], []).append(gpu)
    return [_mean(gpus) for gpus in by_index.values()]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _newest(database: Database, found: Sequence[Place]) -> float:
    for place in reversed(found):
        newest = _last_sample_s(block_at(database, place).body)
        if newest > -math.inf:
            return newest
    return -math.inf


def _last_sample_s(body: bytes) -> float:
    """Return when the last sample among journal lines was taken, minus infinity where there is none."""
    at = len(body)
    while (at := body.rfind(_MARK, 0, at)) >= 0:
        start, end = body.rfind(b"\n", 0, at) + 1, body.find(b"\n", at)
        _, sample = _sample(body[start : end if end >= 0 else len(body)])
        if sample is not None:
            return float(sample["t"])
    return -math.inf
