"""2,000 updates a second for a minute, from a journal to the Monitor: stalls of the window, losses on the way, latency.

A process writes them as a run does; the real agent, follower and library carry them to a page that is drawn meanwhile.
The reference is the event loop with nothing going on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Slot
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, RANK0_WRITER
from studio.app import SWITCH_S
from studio.background.follower import Follower
from studio.remote.agent import Agent
from studio.remote.transport import LocalTransport
from studio.state.run import RunState
from studio.store.library import Library
from tests.benchmarks.bench_attach import Turns, shown_page, wait_until
from tests.benchmarks.bench_latency import SOURCE_TREE, Screen, at, run_that_is_not_supervised
from tests.support.journals import RUN_ID

pytestmark = pytest.mark.benchmark

RATE, SECONDS = 2000, int(os.environ.get("LUTHIER_BENCH_SECONDS", "60"))

WRITER = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from remote_agent.run_files.journal import JournalWriter
from tests.support.journals import step_event
rate, count, written = int(sys.argv[5]), int(sys.argv[6]), []
with JournalWriter(sys.argv[2], sys.argv[3], sys.argv[4], time.time) as journal:
    began = time.monotonic()
    for step in range(1, count + 1):
        late = began + step / rate - time.monotonic()
        if late > 0:
            time.sleep(late)
        event = step_event(step)
        written.append(time.time())
        journal.write(event)
print(json.dumps(written))
"""


class OwnTurns(Turns):
    """Keeps beside each gap what the window's own thread computed in it, whatever else the machine is busy with."""

    def __init__(self) -> None:
        super().__init__()
        self.own_s: list[float] = []
        self._own = time.thread_time()

    @Slot()
    def _on_turn(self) -> None:
        super()._on_turn()
        now = time.thread_time()
        self.own_s.append(now - self._own)
        self._own = now


@pytest.fixture(autouse=True)
def switching_as_in_the_application() -> Iterator[None]:
    """Let threads take turns as often as the application does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    yield
    sys.setswitchinterval(before)


def test_that_two_thousand_updates_a_second_stall_nothing_and_none_is_lost(qtbot: QtBot, tmp_path: Path) -> None:
    turns = OwnTurns()
    page = shown_page(qtbot)
    qtbot.wait(1500)
    turns.begin()
    qtbot.wait(3000)
    idle = turns.longest_first()
    run_dir = run_that_is_not_supervised(tmp_path / "home")
    library = Library(tmp_path / "library.db")
    run = RunState(RUN_ID, "bench", "node", JobSpec())
    screen = Screen(run)
    page.show_run(run)
    transport = LocalTransport(sys.executable)
    follower = Follower(Agent(transport, str(tmp_path / "home")), library, lambda: 0.5)
    follower.batch.connect(screen.on_batch)
    follower.follow(RUN_ID)
    follower.start()
    wait_until(qtbot, lambda: run.caught_up, 30.0)
    command = [sys.executable, "-c", WRITER, str(SOURCE_TREE), str(run_dir / JOURNAL), RANK0_WRITER, RUN_ID]
    count = RATE * SECONDS
    turns.begin()
    turns.own_s = []
    with subprocess.Popen([*command, str(RATE), str(count)], stdout=subprocess.PIPE, text=True) as writer:
        answer = read_aside(writer)
        wait_until(qtbot, lambda: len(screen.seen_s) == count, 3.0 * SECONDS)
        gaps, own = turns.longest_first(), sorted(turns.own_s, reverse=True)
        written = json.loads(answer())
    assert len(run.series("loss")[0]) == count and run.damaged == 0
    latencies = sorted((seen - wrote) * 1e3 for seen, wrote in zip(screen.seen_s, written, strict=True))
    print(
        f"\n{count:,} updates, {count / (written[-1] - written[0]):.0f} a second, none lost; end to end p50 "
        f"{at(latencies, 0.5):.0f} ms, p99 {at(latencies, 0.99):.0f} ms (goal 250), longest {latencies[-1]:.0f} ms; "
        f"gaps of the event loop: longest {gaps[0] * 1e3:.0f} ms (goal 50), p99 {gaps[len(gaps) // 100] * 1e3:.1f} ms "
        f"(goal 16), of it the window's own: longest {own[0] * 1e3:.0f} ms, p99 {own[len(own) // 100] * 1e3:.1f} ms; "
        f"{sum(gap > 0.05 for gap in gaps)} over 50 ms; idle longest {idle[0] * 1e3:.0f} ms, p99 "
        f"{idle[len(idle) // 100] * 1e3:.1f} ms; load {os.getloadavg()[0]:.1f}"
    )
    follower.stop()
    transport.close()
    library.close()
    turns.deleteLater()


def read_aside(writer: subprocess.Popen[str]) -> Callable[[], str]:
    """Read the writer's answer on a thread, or its pipe would fill; return what gives it."""
    found: list[str] = []

    def read() -> None:
        assert writer.stdout is not None
        found.append(writer.stdout.read())

    thread = threading.Thread(target=read)
    thread.start()

    def answer() -> str:
        thread.join(60.0)
        return found[0]

    return answer
