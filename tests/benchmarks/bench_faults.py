"""Stops without an orphan, and seeded faults over many records with none lost or doubled.

``LUTHIER_BENCH_STOPS`` (100), ``LUTHIER_BENCH_FAULTS`` (100; 1,000 for a release), ``LUTHIER_BENCH_RECORDS`` (100,000;
1,000,000) and ``LUTHIER_BENCH_SEED`` set the size; the seed is printed. A fault takes 0.7 to 3 s, by
how busy the machine is; ``LUTHIER_BENCH_MINUTES`` (0: no limit) ends it earlier, with its share of the records.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.storm import Storm, judge
from tests.supervisor.conftest import Node, is_dead, node
from tests.support.sshd import running_sshd

__all__ = ["node"]
pytestmark = pytest.mark.benchmark

STOPS = int(os.environ.get("LUTHIER_BENCH_STOPS", "100"))
FAULTS = int(os.environ.get("LUTHIER_BENCH_FAULTS", "100"))
RECORDS = int(os.environ.get("LUTHIER_BENCH_RECORDS", "100000"))
MINUTES = float(os.environ.get("LUTHIER_BENCH_MINUTES", "0"))
STEP_S = 0.0005
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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of its own, large enough for all records, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = (128 << 20) + 600 * RECORDS
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_that_seeded_faults_lose_and_double_nothing(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(tmp_path / "ssh_config"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    print(f"\nseed {SEED}, python {sys.version.split()[0]}")
    began = time.monotonic()
    with running_sshd(tmp_path / "server") as server, Storm(server, disk, tmp_path, SEED, STEP_S) as storm:
        struck = 0
        while struck < FAULTS and (not MINUTES or time.monotonic() - began < MINUTES * 60):
            storm.strike()
            struck += 1
            if struck % 100 == 0:
                print(f"{struck} faults, {storm.records()} records, {time.monotonic() - began:.0f} s", flush=True)
        wanted = RECORDS if struck == FAULTS else RECORDS * struck // FAULTS
        storm.train_until(wanted)
        storm.finish()
        records, lost, doubled = judge(storm)
    print(
        f"{struck} faults {storm.counts} over {records} records in {time.monotonic() - began:.0f} s: {lost} lost, "
        f"{doubled} doubled, no file damaged"
    )
    assert records >= wanted and (lost, doubled) == (0, 0)
