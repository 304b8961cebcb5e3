"""A week of a run on 64 GPUs, each told of once a second: the size of the library, and whether the window stays fluent.

A part of the week (``LUTHIER_BENCH_DAYS``, half a day by default; with less the size is not steady yet) is kept as a
follower keeps it, condensed and thinned as the session does it, opened from the library and followed on; the size of
the whole week is extrapolated from it and said to be. The reference is the same journal as it came.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import NodeSampled, StateChanged, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.journal_line import encode_line
from studio.background.opening import open_run
from studio.background.tasks import Tasks
from studio.session.session import Session
from studio.state.run import RunState
from studio.store.journal_decoder import decode_lines
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.rows import Block
from studio.ui.charts import loading
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.monitor.view_choices import ViewChoices
from tests.benchmarks.bench_attach import wait_until
from tests.benchmarks.bench_events import OwnTurns
from tests.support.journals import RUN_ID, event_lines, header_line, step_line
from tests.ui.page_session import PageSession

pytestmark = pytest.mark.benchmark

DAYS = float(os.environ.get("LUTHIER_BENCH_DAYS", "0.5"))
GPUS, DAY_S, WEEK = 64, 86_400, 7.0
_PIECE_S, _LIVE = 300, 300
_START = 1_764_000_000.0
_SHOWN = ("loss", "gpu_utilization", "gpu_memory", "gpu_temperature", "gpu_power", "node_load")


def sample_line(second: int) -> bytes:
    """Return the journal line of one second: 64 GPUs, written the quick way."""
    covered = b"%d %s" % (second + 10, _TEMPLATE.replace(b"1234567.5", b"%d.5" % (_START + second)).replace(
        b"98.75", b"%d.25" % (50 + second % 50)
    ))  # fmt: skip
    return b"%08x %s\n" % (zlib.crc32(covered), covered)


def _template() -> bytes:
    gpus = [
        {
            "index": index, "uuid": f"GPU-{index:036d}", "name": "NVIDIA H100 80GB HBM3",
            "memory_total_bytes": 85_520_809_984, "memory_used_bytes": 71_203_283_968 + index,
            "utilization_percent": 98.75, "temperature_c": 61.0, "power_w": 655.4, "compute_capability": "9.0",
            "slowed_by": "",
        }
        for index in range(GPUS)
    ]  # fmt: skip
    body = {
        "k": NodeSampled.kind, "t": 1234567.5, "cpu_percent": 41.5, "memory_used_bytes": 10**11,
        "memory_total_bytes": 2 * 10**12, "disk_free_bytes": 10**13, "gpus": gpus,
        "received_bytes_per_s": 1.5e6, "sent_bytes_per_s": 2.5e6,
    }  # fmt: skip
    return encode_line(0, body)[9:].partition(b" ")[2].rstrip(b"\n")


_TEMPLATE = _template()


def pieces(seconds: int) -> Iterator[list[Block]]:
    """Yield what a follower would keep, five minutes at a time: samples of the node and an update a second."""
    begun = event_lines([StateChanged("running", 1)], 1, _START)
    trains = event_lines([TrainingStarted(1, 1, 10**6, 10**5, GPUS, 10**9, 80, 8)], 1, _START)
    bodies = {"supervisor": header_line(writer="supervisor") + begun, "rank0": header_line() + trains}
    ends = dict.fromkeys(bodies, 0)
    for first in range(0, seconds, _PIECE_S):
        last = min(first + _PIECE_S, seconds)
        bodies["supervisor"] += b"".join(sample_line(second) for second in range(first, last))
        bodies["rank0"] += b"".join(step_line(second + 2, second + 1) for second in range(first, last))
        yield [Block(writer, 0, "i", ends[writer], body) for writer, body in bodies.items()]
        ends = {writer: ends[writer] + len(body) for writer, body in bodies.items()}
        bodies = dict.fromkeys(bodies, b"")


def test_that_a_week_of_64_gpus_fits_and_stays_fluent(qtbot: QtBot, tmp_path: Path) -> None:
    seconds = round(DAYS * DAY_S)
    library = Library(tmp_path / "library.db")
    came, condensing_s, half_bytes = 0, 0.0, 0
    for number, blocks in enumerate(pieces(seconds)):
        library.store_blocks(RUN_ID, blocks)
        came += sum(len(block.body) for block in blocks)
        if number % 12 == 11:
            began = time.process_time()
            sum(library.condense(RUN_ID, is_over=False))
            condensing_s += time.process_time() - began
        if number * _PIECE_S < seconds / 2:
            half_bytes = _size(library)
    size = _size(library)
    grows = 2 * (size - half_bytes) / DAYS
    told = f"{DAYS:g} days of {GPUS} GPUs at 1 Hz and an update a second: journal {came / 1e6:,.0f} MB"
    print(
        f"\n{told}, database {size / 1e6:,.0f} MB; a week, extrapolated from its second half: "
        f"{(size + (WEEK - DAYS) * grows) / 1e6:,.0f} MB (goal 1,000) of {came / DAYS * WEEK / 1e6:,.0f} MB that came; "
        f"condensing and thinning took {100 * condensing_s / seconds:.3f} % of one core"
    )
    measure_window(qtbot, library, seconds)
    library.close()


def measure_window(qtbot: QtBot, library: Library, seconds: int) -> None:
    """Print how the window feels while the run is opened, and while it goes on ten times as fast as it came."""
    loading.load()
    page = MonitorPage(cast(Session, PageSession()))
    page.charts.choose(ViewChoices(shown=_SHOWN))
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    qtbot.waitExposed(page)
    run, opened, tasks, turns = RunState(RUN_ID, "week", "node", JobSpec()), list[Position](), Tasks(), OwnTurns()
    page.show_run(run)
    qtbot.wait(1000)
    turns.begin()
    turns.own_s = []
    began = time.perf_counter()
    open_run(tasks, run, library, RUN_ID, run.fold_batch, opened.append, print)
    wait_until(qtbot, lambda: bool(opened), 120.0)
    opening_s, opening, own_opening = time.perf_counter() - began, turns.longest_first(), max(turns.own_s)
    assert len(run.series("loss")[0]) == seconds, "no update was thinned"
    qtbot.wait(1000)
    turns.begin()
    turns.own_s = []
    own = time.thread_time()
    for second in range(seconds, seconds + _LIVE):
        batch = RunBatch()
        decode_lines(sample_line(second) + step_line(second + 2, second + 1), batch)
        run.fold_batch(batch)
        qtbot.wait(100)
    live = turns.longest_first()
    share = (time.thread_time() - own) / (_LIVE * 0.1)
    print(
        f"opened in {opening_s:.2f} s, longest turn {opening[0] * 1e3:.0f} ms, of it the window's own "
        f"{own_opening * 1e3:.0f} ms; followed at ten times the speed: turns p99 "
        f"{live[len(live) // 100] * 1e3:.1f} ms, longest {live[0] * 1e3:.0f} ms (goal 50), of it its own "
        f"{max(turns.own_s) * 1e3:.0f} ms, the window's thread {100 * share:.0f} % busy; load {os.getloadavg()[0]:.1f}"
    )
    tasks.close()
    turns.deleteLater()


def _size(library: Library) -> int:
    return sum(path.stat().st_size for path in library.path.parent.glob(library.path.name) if path.suffix == ".db")
