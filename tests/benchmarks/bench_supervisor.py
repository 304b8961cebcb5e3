"""What the supervisor of a run takes of its node: memory, processor time, and how often it syncs the journal.

``LUTHIER_BENCH_WATCHED_S`` is for how long it is watched (30).
"""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from pathlib import Path

import pytest

from remote_agent.supervisor.lease import read_lease
from tests.supervisor.conftest import Node, node

__all__ = ["node"]
pytestmark = pytest.mark.benchmark

WATCHED_S = float(os.environ.get("LUTHIER_BENCH_WATCHED_S", "30"))
SHIM = Path(__file__).parents[1] / "reliability" / "faultlib.c"


def processor_s(pid: int) -> float:
    """Return the seconds of processor that a process and the children it waited for have taken."""
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the most memory that a process has held so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.parametrize("rate", [1, 10], ids=["1 update a second", "10 updates a second"])
def test_that_a_supervisor_takes_little(rate: int, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim, noted = tmp_path / "faultlib.so", tmp_path / "syncs"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(SHIM), "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("FT_MATCH", "rank0.")
    monkeypatch.setenv("FT_SYNC_LOG", str(noted))
    run = node.start(ranks=2, steps=1 << 30, step_s=1 / rate)
    run.wait_for("running")
    lease = read_lease(str(run.folder))
    assert lease is not None
    began, before = time.monotonic(), processor_s(lease.pid)
    while time.monotonic() - began < WATCHED_S:
        time.sleep(1.0)
    share = (processor_s(lease.pid) - before) / (time.monotonic() - began)
    memory = resident_mib(lease.pid)
    run.command("stop", save=False)
    run.wait_for("stopped")
    moments = [int(line) / 1000 for line in noted.read_text(encoding="ascii").split()]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    print(
        f"\nsupervisor at {rate} updates/s for {WATCHED_S:.0f} s: {memory:.1f} MiB at most (goal 30), "
        f"{share:.2%} of a core (goal 1 %); {len(moments)} syncs of the ranks' journal, {max(gaps):.2f} s apart at most"
    )
