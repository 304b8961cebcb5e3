"""From a journal line written on the node to its point in the Run on the desktop: over SSH loopback, and locally.

A process on the node writes 20 updates a second and notes when; the real agent, follower and library carry them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Slot
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import StateChanged
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, LOG, RANK0_WRITER, RUNS, SUPERVISOR_WRITER
from remote_agent.run_files.journal import JournalWriter
from studio.background.follower import Follower, FollowerBatch
from studio.remote.agent import Agent
from studio.remote.ssh import SshTransport
from studio.remote.transport import LocalTransport, Transport
from studio.state.run import RunState
from studio.store.library import Library
from tests.support.journals import RUN_ID, START_S
from tests.support.sshd import make_known, node_address, running_sshd

pytestmark = pytest.mark.benchmark

GOAL_MS = 250.0
UPDATES = 300
SOURCE_TREE = Path(__file__).parents[2]

WRITER = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from remote_agent.run_files.journal import JournalWriter
from tests.support.journals import step_event
written = []
with JournalWriter(sys.argv[2], sys.argv[3], sys.argv[4], time.time) as journal:
    began = time.monotonic()
    for step in range(1, int(sys.argv[5]) + 1):
        time.sleep(max(0.0, began + step / 20 - time.monotonic()))
        event = step_event(step)
        written.append(time.time())
        journal.write(event)
print(json.dumps(written))
"""


class Screen(QObject):
    """Folds batches as a session does, and notes when each update stood in the run."""

    def __init__(self, run: RunState) -> None:
        super().__init__()
        self._run = run
        self.seen_s: list[float] = []
        run.changed.connect(self._on_changed)

    @Slot(object)
    def on_batch(self, batch: FollowerBatch) -> None:
        self._run.fold_batch(batch[RUN_ID])

    @Slot()
    def _on_changed(self) -> None:
        now = time.time()
        self.seen_s += [now] * (len(self._run.series("loss")[0]) - len(self.seen_s))


def test_that_a_line_is_a_point_within_a_quarter_of_a_second(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(tmp_path / "ssh_config"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with running_sshd(tmp_path / "server") as server:
        known_hosts = make_known(server, tmp_path / "known_hosts")
        home = tmp_path / "server" / "home" / ".luthier"
        ssh = latencies_ms(qtbot, SshTransport(node_address(server), known_hosts), home, tmp_path / "ssh.db")
    local = latencies_ms(qtbot, LocalTransport(sys.executable), tmp_path / "local-home", tmp_path / "local.db")
    print(
        f"\njournal line to point over SSH: p50 {at(ssh, 0.5):.0f} ms, p99 {at(ssh, 0.99):.0f} ms, "
        f"longest {ssh[-1]:.0f} ms (goal p99 {GOAL_MS:g} ms); without SSH p50 {at(local, 0.5):.0f} ms, "
        f"p99 {at(local, 0.99):.0f} ms, longest {local[-1]:.0f} ms; "
        f"{at(ssh, 0.99) / at(local, 0.99):.2f} x at p99; load {os.getloadavg()[0]:.1f}"
    )


def latencies_ms(qtbot: QtBot, transport: Transport, home: Path, database: Path) -> list[float]:
    """Return how long each update took to the run, sorted."""
    run_dir = run_that_is_not_supervised(home)
    library = Library(database)
    run = RunState(RUN_ID, "bench", "node", JobSpec())
    screen = Screen(run)
    follower = Follower(Agent(transport, str(home)), library, lambda: 0.5)
    follower.batch.connect(screen.on_batch)
    follower.follow(RUN_ID)
    follower.start()
    qtbot.waitUntil(lambda: run.caught_up, timeout=30_000)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(SOURCE_TREE), str(run_dir / JOURNAL), RANK0_WRITER, RUN_ID, str(UPDATES)],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        qtbot.waitUntil(lambda: len(screen.seen_s) == UPDATES, timeout=60_000)
        assert writer.stdout is not None
        written_s = json.loads(writer.stdout.read())
    assert follower.stop()
    transport.close()
    library.close()
    return sorted((seen - written) * 1e3 for seen, written in zip(screen.seen_s, written_s, strict=True))


def run_that_is_not_supervised(home: Path) -> Path:
    """Make a run's folder; it has ended as far as the agent knows, so that it gets no new supervisor."""
    home.mkdir(mode=0o700)
    run_dir = home / RUNS / RUN_ID
    (run_dir / JOURNAL).mkdir(parents=True)
    (run_dir / LOG).mkdir()
    with JournalWriter(str(run_dir / JOURNAL), SUPERVISOR_WRITER, RUN_ID, lambda: START_S) as journal:
        journal.write(StateChanged("finished", 1))
    return run_dir


def at(values: list[float], share: float) -> float:
    """Return the value below which that share of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]
