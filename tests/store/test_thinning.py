from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remote_agent.contract.events import AlertCleared, Event, NodeSampled, StateChanged
from remote_agent.contract.journal_line import encode_line, parse_line
from studio.state.telemetry import Telemetry
from studio.store import condensing
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.replay import replay
from studio.store.rows import Block
from studio.store.thinning import EACH_S, WHOLE_S, thinned_lines
from tests.support.journals import event_lines, header_line, step_line

RUN = "r-261124-044500-abcdef"
_START = 1_764_000_000  # the first second of a minute
_HOURS, _EVERY = 6, 2


def gpu(index: int, second: int) -> dict[str, Any]:
    return {
        "index": index, "uuid": f"GPU-{index}" + "0" * 36, "name": "H100", "power_w": 300.0 + second % 60,
        "memory_total_bytes": 85_000_000_000, "memory_used_bytes": 40_000_000_000 + second, "temperature_c": 60.0,
        "utilization_percent": float(second % 100), "compute_capability": "9.0", "slowed_by": "",
    }  # fmt: skip


def sample(second: int) -> NodeSampled:
    return NodeSampled(50.0, 1000 + second, 4000, 10**12, (gpu(0, second), gpu(1, second)), 1e6, 2e6)


def node_journal() -> bytes:
    """Return what a supervisor writes in so many hours, with an alert and damage every ten minutes."""
    lines = [header_line(writer="supervisor"), event_lines([StateChanged("running", 1)], 1, _START)]
    for second in range(0, _HOURS * 3600, _EVERY):
        events: list[Event] = [sample(second)]
        lines.append(event_lines(events, 10 + second, _START + second - 10 - second))
        if second % 600 == 0:
            lines += [event_lines([AlertCleared("stall", 0, 1, second)], 11 + second, _START), b"0 damaged\n"]
    return b"".join(lines)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.db")


def told(library: Library) -> RunBatch:
    whole = RunBatch()
    for batch, _ in replay(library, RUN):
        whole.events += batch.events
        whole.steps.extend(batch.steps.columns)
        whole.damaged += batch.damaged
    return whole


def keep(library: Library, writer: str, body: bytes) -> None:
    at = 0
    while at < len(body):
        end = body.find(b"\n", at + 60_000) + 1 or len(body)
        library.store_blocks(RUN, [Block(writer, 0, "i", at, body[at:end])])
        at = end


def test_that_the_last_hour_stays_whole_and_a_minute_before_it_is_one_sample(library: Library) -> None:
    body = node_journal()
    keep(library, "supervisor", body)
    keep(library, "rank0", header_line() + b"".join(step_line(step, step) for step in range(1, 400)))
    before, cursors = told(library), library.cursors(RUN)
    sum(library.condense(RUN, is_over=False))
    after = told(library)
    samples = [stamped for stamped in after.events if isinstance(stamped.event, NodeSampled)]
    newest = samples[-1].time_s
    whole = [each for each in samples if each.time_s >= newest - WHOLE_S]
    assert len(whole) == WHOLE_S / _EVERY + 1
    old = len(samples) - len(whole)
    blocks = len(body) // condensing.CONDENSED_BYTES
    assert old > (_HOURS - 2) * 60, "each minute is there"
    thinned = [each for each in samples if each.time_s % EACH_S == EACH_S / 2 - 1]
    assert len(thinned) > 0.8 * (_HOURS - 1) * 60 - blocks
    first = samples[0]
    assert first.event.cpu_percent == 50.0 and first.time_s == _START + 29  # type: ignore[union-attr]
    assert first.event.gpus[1] == gpu(1, 58) | {  # type: ignore[union-attr]
        "power_w": 329.0, "utilization_percent": 29.0, "memory_used_bytes": 40_000_000_029,
    }  # fmt: skip
    others = [[each for each in batch.events if not isinstance(each.event, NodeSampled)] for batch in (before, after)]
    assert others[0] == others[1] and len(others[0]) == _HOURS * 6 + 1
    assert (before.damaged, len(before.steps)) == (after.damaged, len(after.steps)) == (_HOURS * 6, 399)
    assert library.cursors(RUN) == cursors == list(replay(library, RUN))[-1][1].cursors
    assert library.journal_bytes(RUN) < 0.5 * len(body)
    assert list(library.condense(RUN, is_over=False)) == [], "what was thinned is not thinned again"


def test_that_a_thinned_run_goes_on_and_its_course_stays(library: Library) -> None:
    body = node_journal()
    keep(library, "supervisor", body)
    whole, thin = Telemetry(), Telemetry()
    for into in (whole, thin):
        for stamped in told(library).events:
            if isinstance(stamped.event, NodeSampled):
                into.add(stamped.time_s, stamped.event)
        sum(library.condense(RUN, is_over=False))
    (times, power), (all_times, all_power) = thin.series("power_w 1"), whole.series("power_w 1")
    assert times[-1] == all_times[-1] and abs(np.mean(power) - np.mean(all_power)) < 1.0
    last = library.cursors(RUN)["supervisor"]
    more = event_lines([sample(_HOURS * 3600)], 99, _START + _HOURS * 3600 - 99)
    library.store_blocks(RUN, [Block("supervisor", 0, "i", last.offset, more)])
    assert told(library).events[-1].time_s == _START + _HOURS * 3600
    assert library.cursors(RUN)["supervisor"].offset == last.offset + len(more)


def test_that_lines_that_are_no_samples_and_odd_ones_stay_as_they_are() -> None:
    odd = [
        b"00000000 1 {\"k\":\"node\",damaged\n",
        encode_line(2, {"k": "node", "t": "nan", "gpus": 3}),
        event_lines([StateChanged("running", 1)]),
        encode_line(3, {"k": "node", "t": 60.0, "cpu_percent": 1.0, "gpus": [{"index": 0, "power_w": 1.0}, 7]}),
        encode_line(4, {"k": "node", "t": 70.0, "cpu_percent": 2.0, "gpus": [{"index": 0, "power_w": None}]}),
        encode_line(5, {"k": "node", "t": 130.0, "cpu_percent": 9.0}),
    ]  # fmt: skip
    lines = thinned_lines(b"".join(odd)).splitlines(keepends=True)
    assert lines[:3] == odd[:3] and lines[4:] == odd[5:]
    mean = parse_line(lines[3])
    assert mean is not None and mean.seq == 4
    assert mean.body == (b'{"k":"node","t":65.0,"cpu_percent":1.5,"gpus":[{"index":0,"power_w":null}],"averaged":2}')
