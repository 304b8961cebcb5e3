"""How long it takes to attach to a run of 1,000,000 updates, and whether the GUI thread feels it.

Prints the time to the overview, to the whole run shown and kept, the longest gap between two turns of the event loop
while the Monitor builds its charts and draws them, and the same with nothing going on as the reference. Run with
``pytest -s -m benchmark``.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QObject, Qt, QTimer, Slot
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import Event, StateChanged
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, LOG, RUNS, segment_file
from studio.app import SWITCH_S
from studio.background.follower import Follower, FollowerBatch
from studio.background.opening import open_run
from studio.background.tasks import Tasks
from studio.remote.agent import Agent
from studio.remote.transport import LocalTransport
from studio.session.session import Session
from studio.state.run import RunState
from studio.store.library import Library
from studio.store.live import Position
from studio.ui.charts import loading
from studio.ui.monitor.monitor_page import MonitorPage
from tests.support.journals import RUN_ID, event_lines, header_line, write_step_journal
from tests.ui.page_session import PageSession

pytestmark = pytest.mark.benchmark

UPDATES = int(os.environ.get("LUTHIER_BENCH_UPDATES", "1000000"))
CHARTED = ("loss", "learning_rate", "gradient_norm", "tokens_per_s", "step_time_s", "held_out_loss")


class Turns(QObject):
    """Keeps the gaps between two turns of the event loop, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_turn)
        self._timer.start(1)

    def begin(self) -> None:
        """Forget the gaps so far, the one that is open among them."""
        self.gaps, self._last = [], time.perf_counter()

    def longest_first(self) -> list[float]:
        """Return the gaps since `begin`, the one that is open among them."""
        return sorted([*self.gaps, time.perf_counter() - self._last], reverse=True)

    @Slot()
    def _on_turn(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now


class Screen(QObject):
    """Takes batches as a session does, and reads the curves as the monitor does."""

    def __init__(self, run: RunState) -> None:
        super().__init__()
        self.run = run
        self.overview_s = 0.0
        self.points = 0
        run.changed.connect(self._on_changed)

    @Slot(object)
    def on_batch(self, batch: FollowerBatch) -> None:
        if batch[RUN_ID].preview is not None:
            self.overview_s = time.perf_counter()
        self.run.fold_batch(batch[RUN_ID])

    @Slot()
    def _on_changed(self) -> None:
        self.points = max(len(self.run.series(name)[0]) for name in CHARTED)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's home with one run that ended after so many updates."""
    home = tmp_path_factory.mktemp("node")
    home.chmod(0o700)
    run_dir = home / RUNS / RUN_ID
    size = write_step_journal(run_dir / JOURNAL, UPDATES)
    (run_dir / LOG).mkdir()
    states: list[Event] = [StateChanged("starting", 1), StateChanged("running", 1), StateChanged("finished", 1)]
    (run_dir / JOURNAL / segment_file("supervisor", 0)).write_bytes(
        header_line(writer="supervisor") + event_lines(states)
    )
    (run_dir / "launch.json").write_text(json.dumps({}), encoding="utf-8")
    print(f"\njournal: {UPDATES:,} updates, {size / 1e6:.0f} MB")
    return home


@pytest.fixture
def turns(qtbot: QtBot) -> Iterator[Turns]:
    made = Turns()
    yield made
    made.deleteLater()


def wait_until(qtbot: QtBot, condition: Callable[[], bool], timeout_s: float) -> None:
    """Turn the event loop until the condition holds, without the pauses of waitUntil."""
    until = time.perf_counter() + timeout_s
    while not condition():
        assert time.perf_counter() < until, "it did not come in time"
        qtbot.wait(2)


def rows_and_json_s(folder: Path) -> float:
    """Return what the plain way would take: a row for each line, read with json; measured on 30,000 lines."""
    sample = min(UPDATES, 30_000)
    with (folder / segment_file("rank0", 0)).open("rb") as file:
        lines = list(itertools.islice(file, 1, sample))
    began = time.perf_counter()
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE steps (step, loss, learning_rate, gradient_norm, tokens_per_s, step_time_s)")
        for line in lines:
            event = json.loads(line[9:].partition(b" ")[2])
            row = [event[name] for name in ("step", *CHARTED[:5])]
            database.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?)", row)
    database.close()
    return (time.perf_counter() - began) / len(lines) * UPDATES


@pytest.fixture(autouse=True)
def switching_as_in_the_application() -> Iterator[None]:
    """Let threads take turns as often as the application does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    yield
    sys.setswitchinterval(before)


def shown_page(qtbot: QtBot) -> MonitorPage:
    """Return a page on which nothing was drawn yet; its library is there, as the window brings it in when idle."""
    loading.load()
    page = MonitorPage(cast(Session, PageSession()))
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    qtbot.waitExposed(page)
    return page


def test_that_attaching_to_a_long_run_is_quick_and_the_window_does_not_feel_it(
    home: Path, tmp_path: Path, qtbot: QtBot, turns: Turns
) -> None:
    turns.begin()
    qtbot.wait(500)
    idle = turns.longest_first()
    library = Library(tmp_path / "library.db")
    run = RunState(RUN_ID, "bench", "this computer", JobSpec())
    screen = Screen(run)
    page = shown_page(qtbot)
    transport = LocalTransport(sys.executable)
    agent = Agent(transport, str(home))
    agent.runs()
    page.show_run(run)
    follower = Follower(agent, library, lambda: 0.5)
    follower.batch.connect(screen.on_batch)
    turns.begin()
    began = time.perf_counter()
    follower.follow(RUN_ID, Position())
    follower.start()
    wait_until(qtbot, lambda: run.caught_up, 120.0)
    done_s = time.perf_counter() - began
    gaps = turns.longest_first()
    assert screen.points == UPDATES and run.damaged == 0
    plain_s = rows_and_json_s(home / RUNS / RUN_ID / JOURNAL)
    kept = sum(cursor.offset for cursor in library.cursors(RUN_ID).values())
    print(
        f"attach: {done_s / plain_s:.2f} of the plain way (json and rows, {plain_s:.1f} s); "
        f"overview {screen.overview_s - began:.2f} s (goal 2), whole and kept {done_s:.2f} s (goal 10), "
        f"longest gap of the event loop while the Monitor draws {gaps[0] * 1e3:.0f} ms "
        f"(goal 50; idle {idle[0] * 1e3:.0f}), "
        f"99th percentile {gaps[len(gaps) // 100] * 1e3:.1f} ms, {len(gaps)} turns"
    )
    assert kept > 0
    follower.stop()
    transport.close()
    measure_reopening(library, page, qtbot, turns, "as lines")
    began = time.perf_counter()
    condensed = sum(library.condense(RUN_ID, is_over=True))
    print(f"condensed {condensed / 1e6:.0f} MB on a thread of the pool: {time.perf_counter() - began:.2f} s")
    measure_reopening(library, page, qtbot, turns, "as columns (goal 1 s)")
    library.close()


def measure_reopening(library: Library, page: MonitorPage, qtbot: QtBot, turns: Turns, how: str) -> None:
    """Print how long the same run takes from the library alone."""
    reopened = RunState(RUN_ID, "bench", "this computer", JobSpec())
    page.show_run(reopened)
    qtbot.wait(500)
    tasks, positions = Tasks(), list[Position]()
    turns.begin()
    began = time.perf_counter()
    open_run(tasks, reopened, library, RUN_ID, reopened.fold_batch, positions.append, print)
    wait_until(qtbot, lambda: bool(positions), 120.0)
    gaps = turns.longest_first()
    print(
        f"reopen from the library, kept {how}: {time.perf_counter() - began:.2f} s, longest gap "
        f"{gaps[0] * 1e3:.0f} ms, 99th percentile {gaps[len(gaps) // 100] * 1e3:.1f} ms; load {os.getloadavg()[0]:.1f}"
    )
    assert len(reopened.series("loss")[0]) == UPDATES
    tasks.close()
