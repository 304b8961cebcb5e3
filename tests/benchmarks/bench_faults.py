"""Stops without an orphan, and seeded faults over many records with none lost or doubled.

``LUTHIER_BENCH_STOPS`` (100), ``LUTHIER_BENCH_FAULTS`` (40; 1,000 for a release), ``LUTHIER_BENCH_RECORDS`` (40,000;
1,000,000) and ``LUTHIER_BENCH_SEED`` set the size; the seed is printed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from remote_agent.contract.events import StateChanged
from remote_agent.contract.run_dir import JOURNAL, LOG, RUNS, segment_file
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.journal_segments import segment_numbers
from studio.background.run_feed import RunFeed
from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent
from studio.remote.errors import LinkError
from studio.store.journal_decoder import decode_lines
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from tests.reliability.conftest import ssh_to
from tests.supervisor.conftest import Node, is_dead, node
from tests.support.journals import RUN_ID, START_S, step_event
from tests.support.sshd import running_sshd

__all__ = ["node"]
pytestmark = pytest.mark.benchmark

STOPS = int(os.environ.get("LUTHIER_BENCH_STOPS", "100"))
FAULTS = int(os.environ.get("LUTHIER_BENCH_FAULTS", "40"))
RECORDS = int(os.environ.get("LUTHIER_BENCH_RECORDS", "40000"))
CUTTING = ("sshd killed", "agent killed")
SEED = int(os.environ.get("LUTHIER_BENCH_SEED", "20261124"))


def test_that_no_stop_leaves_an_orphan(node: Node) -> None:
    orphans, took = 0, []
    for _ in range(STOPS):
        run = node.start(ranks=2, steps=100_000, ignore_term=True)
        run.wait_for("running")
        known = run.processes()
        began = time.monotonic()
        run.command("stop", save=False)
        run.wait_for("stopped")
        took.append(time.monotonic() - began)
        orphans += len(run.processes()) + sum(not is_dead(pid) for pid in known)
    print(f"\n{STOPS} stops: {orphans} orphans; a stop took {sum(took) / STOPS:.2f} s, {max(took):.2f} s at most")
    assert orphans == 0


class Storm:
    """A journal that grows, a desktop that keeps it over SSH, and faults between them."""

    def __init__(self, server: PrivateSshd, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.chance = random.Random(SEED)
        self.home = folder / "home"
        self.journal = self.home / RUNS / RUN_ID / JOURNAL
        self.journal.mkdir(parents=True)
        (self.journal.parent / LOG).mkdir()
        for path in (self.home, self.home / RUNS):
            path.chmod(0o700)
        with JournalWriter(str(self.journal), "supervisor", RUN_ID, lambda: START_S) as writer:
            writer.write(StateChanged("finished", 1))
        self.step = 0
        self.counts = {"sshd killed": 0, "sshd stopped": 0, "agent killed": 0, "torn tail": 0, "desktop restarted": 0}
        self.transport = ssh_to(server, folder)

    def write(self, count: int, tear: bool) -> None:
        """Write so many updates as a rank that is then killed, its last line torn where asked for."""
        with JournalWriter(str(self.journal), "rank0", RUN_ID, lambda: START_S, segment_bytes=1 << 20) as writer:
            for _ in range(count):
                self.step += 1
                writer.write(step_event(self.step))
        if tear:
            last = self.journal / segment_file("rank0", segment_numbers(str(self.journal), "rank0")[-1])
            with last.open("ab") as file:
                file.write(b"0123abcd 77 {torn")

    def follow(self, library: Library, fault: str) -> None:
        """Follow until everything is kept, or the fault ends it."""
        feed = RunFeed(RUN_ID, Position(library.cursors(RUN_ID), library.log_offsets(RUN_ID)))
        stream = Agent(self.transport, str(self.home)).attach({RUN_ID: feed.wanted(library)}, follow=True)
        struck, end = not fault, time.monotonic() + 60.0
        seen = False
        try:
            # a fault that cuts the channel is followed to the cut, the others until everything came
            while not (struck and seen and fault not in CUTTING):
                assert time.monotonic() < end, f"{fault}: the stream neither ended nor came to its end"
                for frame in stream.receive(0.2 if struck else self.chance.random() * 0.1):
                    feed.take(frame)
                batch = feed.take_batch()
                seen = seen or (batch is not None and batch.caught_up)
                if not struck:
                    struck = True
                    self.strike(fault)
                    if fault == "desktop restarted":
                        return  # before what came was kept
                feed.store(library)
                stream.ack()
        finally:
            stream.close()

    def strike(self, fault: str) -> None:
        if fault == "sshd killed":
            self.server.kill_sessions()
        elif fault == "sshd stopped":
            self.server.pause()
            self.server.resume()
        elif fault == "agent killed":
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[-2:-1] == [b"attach"] and str(self.home).encode() in b" ".join(words):
                    os.kill(int(pid), signal.SIGKILL)


def test_that_seeded_faults_lose_and_double_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(tmp_path / "ssh_config"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    print(f"\nseed {SEED}, python {sys.version.split()[0]}")
    began = time.monotonic()
    with running_sshd(tmp_path / "server") as server:
        storm = Storm(server, tmp_path)
        cuts = 0
        for number in range(FAULTS):
            fault = storm.chance.choice(sorted(storm.counts))
            storm.counts[fault] += 1
            storm.write(RECORDS // FAULTS, fault == "torn tail")
            library = Library(tmp_path / "desktop.db")
            try:
                storm.follow(library, fault)
            except LinkError:
                cuts += 1
            if number == FAULTS - 1:
                storm.follow(library, "")
            library.close()
        storm.transport.close()
    library = Library(tmp_path / "desktop.db")
    batch = RunBatch()
    for block in library.blocks(RUN_ID):
        decode_lines(block.body, batch)
    library.close()
    steps = [int(step) for step in batch.steps.column("step")]
    lost, doubled = storm.step - len(set(steps)), len(steps) - len(set(steps))
    print(
        f"{FAULTS} faults {storm.counts}, {cuts} of them cut the channel, over {storm.step} records in "
        f"{time.monotonic() - began:.0f} s: {lost} lost, {doubled} doubled, {batch.damaged} damaged"
    )
    assert steps == list(range(1, storm.step + 1)) and batch.damaged == 0
