"""Journals as a node writes them, of any length: for tests of reading, keeping and drawing."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remote_agent.contract.events import Event, StepCompleted, event_to_body
from remote_agent.contract.journal_line import FORMAT, encode_line
from remote_agent.contract.run_dir import RANK0_WRITER, segment_file

RUN_ID = "r-261124-044500-abcdef"
INCARNATION = "0123456789abcdef0123456789abcdef"
START_S = 1_764_000_000.0
_STEP = (
    b'%d {"k":"step","t":%.3f,"attempt":%d,"step":%d,"loss":%.16f,"learning_rate":%.20f,"gradient_norm":%.16f,'
    b'"tokens":%d,"supervised_tokens":%d,"tokens_per_s":%.10f,"step_time_s":%.10f,"peak_memory_bytes":%d,"epoch":%.12f}'
)


def header_line(run_id: str = RUN_ID, writer: str = RANK0_WRITER, incarnation: str = INCARNATION) -> bytes:
    """Return the first line of a segment."""
    body: dict[str, Any] = {
        "k": "header", "t": START_S, "format": FORMAT, "run": run_id, "writer": writer, "incarnation": incarnation,
        "boot_id": "5c6a0f0e-8a3e-4f4e-9f1e-0d6a3d0c7d11", "first_seq": 1,
    }  # fmt: skip
    return encode_line(0, body)


def event_lines(events: list[Event], first_seq: int = 1, time_s: float = START_S) -> bytes:
    """Return the lines of these events."""
    return b"".join(encode_line(seq, event_to_body(event, time_s + seq)) for seq, event in enumerate(events, first_seq))


def step_event(step: int, attempt: int = 1, loss: float | None = None) -> StepCompleted:
    """Return an update that looks like one of a real fine-tune."""
    return StepCompleted(
        attempt=attempt,
        step=step,
        loss=1.2 + 1.5 * math.exp(-step / 2000) + 0.05 * math.sin(step * 12.9898) if loss is None else loss,
        learning_rate=2e-5 * min(1.0, step / 100),
        gradient_norm=0.8 + 0.3 * math.sin(step * 0.37),
        tokens=65_536,
        supervised_tokens=40_000 + step % 997,
        tokens_per_s=12_400.0 + step % 113,
        step_time_s=0.24 + (step % 7) * 0.001,
        peak_memory_bytes=61_203_283_968,
        epoch=step / 12_345,
        data_s=0.001 * (step % 5),
        forward_s=0.07,
        backward_s=0.14,
        optimizer_s=0.02,
        communication_s=0.003,
    )


def step_line(seq: int, step: int, attempt: int = 1) -> bytes:
    """Return the line of one update, written the quick way: a million take seconds, not a minute."""
    loss = 1.2 + 1.5 * math.exp(-step / 2000) + 0.05 * math.sin(step * 12.9898)
    covered = _STEP % (
        seq, START_S + step * 0.25, attempt, step, loss, 2e-5 * min(1.0, step / 100),
        0.8 + 0.3 * math.sin(step * 0.37), 65_536, 40_000 + step % 997, 12_400.0 + step % 113,
        0.24 + (step % 7) * 0.001, 61_203_283_968, step / 12_345,
    )  # fmt: skip
    return b"%08x %s\n" % (zlib.crc32(covered), covered)


def write_step_journal(folder: Path, steps: int, run_id: str = RUN_ID, segment_bytes: int = 32 << 20) -> int:
    """Write a rank 0 journal of so many updates into a folder, in segments, and return its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for number, body in enumerate(step_segments(steps, run_id, segment_bytes)):
        (folder / segment_file(RANK0_WRITER, number)).write_bytes(body)
        total += len(body)
    return total


def step_segments(steps: int, run_id: str = RUN_ID, segment_bytes: int = 32 << 20) -> Iterator[bytes]:
    """Yield the segments of a rank 0 journal of so many updates."""
    lines = [header_line(run_id)]
    size = len(lines[0])
    for step in range(1, steps + 1):
        if size >= segment_bytes:
            yield b"".join(lines)
            lines = [header_line(run_id)]
            size = len(lines[0])
        lines.append(step_line(step, step))
        size += len(lines[-1])
    yield b"".join(lines)
