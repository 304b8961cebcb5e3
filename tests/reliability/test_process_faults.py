"""Supervisors, ranks and desktops that die, doubt or come twice; and controls that show the checks have teeth."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.events import AttemptStarted, CommandDone
from remote_agent.contract.run_dir import SUPERVISOR_LEASE, SUPERVISOR_LOCK
from remote_agent.supervisor.lease import BEAT_S, STILL_BEATS, take_lease
from studio.remote.agent import Agent
from studio.remote.transport import LocalTransport
from studio.store.library import Library
from tests.remote.fake_agent import fake_agent
from tests.supervisor.conftest import Node, is_dead, wait_until
from tests.support.journals import header_line, step_line

ROOT = Path(__file__).parents[2]

# keeps a journal in blocks as the studio does; "apart": the cursor is committed by itself, which is the control
_DESKTOP = """
import sqlite3, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from studio.store.library import Library
from studio.store.rows import Block
path, journal, way = sys.argv[2:]
data = open(journal, "rb").read()
def pieces(offset):
    while offset < len(data):
        end = data.index(b"\\n", offset) + 1
        yield offset, data[offset:end]
        offset = end
print("ready", flush=True)
if way == "together":
    library = Library(Path(path))
    at = library.cursors("r").get("rank0")
    for offset, body in pieces(at.offset if at else 0):
        library.store_blocks("r", [Block("rank0", 0, "i", offset, body)])
else:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("CREATE TABLE IF NOT EXISTS blocks (body BLOB)")
    base.execute("CREATE TABLE IF NOT EXISTS cursor (offset INTEGER)")
    for offset, body in pieces(base.execute("SELECT coalesce(max(offset), 0) FROM cursor").fetchone()[0]):
        base.execute("INSERT INTO blocks VALUES (?)", (body,))
        base.execute("INSERT INTO cursor VALUES (?)", (offset + len(body),))
print("done", flush=True)
"""


def kept_after_kills(tmp_path: Path, way: str, kills: int) -> bytes:
    journal, base = tmp_path / f"{way}.jsonl", tmp_path / f"{way}.db"
    journal.write_bytes(header_line() + b"".join(step_line(step, step) for step in range(1, 1501)))
    chance = random.Random(f"20261124 {way}")
    words = [sys.executable, "-c", _DESKTOP, str(ROOT), str(base), str(journal), way]
    for last in [False] * kills + [True]:
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as desktop:
            assert desktop.stdout is not None and desktop.stdout.readline() == "ready\n"
            try:
                desktop.wait(None if last else 0.02 + chance.random() * 0.12)
            except subprocess.TimeoutExpired:
                desktop.kill()
    if way == "together":
        library = Library(base)
        kept = b"".join(block.body for block in library.blocks("r"))
        library.close()
        return kept
    rows = sqlite3.connect(base)
    kept = b"".join(body for (body,) in rows.execute("SELECT body FROM blocks ORDER BY rowid"))
    rows.close()
    return kept


def test_that_a_desktop_killed_again_and_again_keeps_each_line_once(tmp_path: Path) -> None:
    kept = kept_after_kills(tmp_path, "together", 12)
    assert kept == (tmp_path / "together.jsonl").read_bytes()


def test_that_a_cursor_kept_apart_from_its_lines_would_double_some(tmp_path: Path) -> None:
    # the control of the test before: the same kills, seen by the same comparison
    kept = kept_after_kills(tmp_path, "apart", 40)
    written = (tmp_path / "apart.jsonl").read_bytes()
    assert sorted(set(kept.splitlines())) == sorted(written.splitlines()) and len(kept) > len(written)


def test_that_a_rank_behind_a_pipe_would_die_with_its_reader_and_one_with_a_file_does_not(tmp_path: Path) -> None:
    rank = "import os, time\nfor number in range(200):\n    os.write(1, b'x' * 4096)\n    time.sleep(0.002)\n"
    with subprocess.Popen([sys.executable, "-c", rank], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as piped:
        assert piped.stdout is not None
        piped.stdout.read(1)
        piped.stdout.close()  # whoever held the pipe is gone
        assert piped.wait(20) != 0
    with (tmp_path / "log").open("wb") as log:
        assert subprocess.run([sys.executable, "-c", rank], stdout=log).returncode == 0


@pytest.fixture
def memory_cage() -> Iterator[Path]:
    """Make a control group whose processes may have 64 MiB."""
    roots = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    root = next((each for each in roots if (each / "cgroup.procs").exists()), None)
    if root is None or os.geteuid() != 0:
        pytest.skip("limiting a process's memory needs control groups and root")
    cage = root / f"luthier-test-{os.getpid()}"
    cage.mkdir()
    try:
        limits = [cage / name for name in ("memory.limit_in_bytes", "memory.max") if (cage / name).exists()]
        if not limits:
            pytest.skip("no control group limits memory here")
        limits[0].write_text(str(64 << 20))
        yield cage
    finally:
        wait_until(lambda: not (cage / "cgroup.procs").read_text().split())
        cage.rmdir()


def test_that_a_rank_which_the_kernel_kills_for_memory_is_told_as_that_and_not_tried_again(
    node: Node, memory_cage: Path
) -> None:
    policy = {"recovery.restarts": 3, "recovery.backoff_s": 0.0}
    run = node.start(ranks=2, steps=100_000, die_rank=1, die_step=3, cage=str(memory_cage), job=policy)
    said = run.wait_for("failed")
    assert "Rank 1 was killed by the kernel because the node ran out of memory" in said
    assert len(run.of(AttemptStarted)) == 1 and run.processes() == []
    killed = node.start(ranks=2, steps=100_000, die_rank=1, die_step=3)  # the same signal, from anybody else
    assert "memory" not in killed.wait_for("failed")


def test_that_two_desktops_that_stop_one_run_both_hear_it_once(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000, hold_at=5)
    run.wait_for("running")
    asked = {"runs": {run.folder.name: {}}, "follow": True, "overview": False}
    with node.talk("attach", asked) as one, node.talk("attach", asked) as two:
        ids = [run.command("stop", save=True), run.command("stop", save=True)]
        run.wait_for("stopping")
        (run.folder / "go").touch()
        run.wait_for("stopped")
        for desktop in (one, two):
            seen = b""
            while b'"stopped"' not in seen:
                frame = desktop.receive()
                assert frame is not None
                seen += frame.body
    done = [event.command_id for event in [*run.of(CommandDone, "rank0"), *run.of(CommandDone)]]
    assert sorted(done) == sorted(ids) and run.states().count("stopped") == 1


def test_that_a_lock_another_process_inherited_names_no_second_supervisor_at_once(tmp_path: Path) -> None:
    holder = take_lease(str(tmp_path))
    assert holder is not None
    assert take_lease(str(tmp_path)) is None
    assert not os.get_inheritable(os.open(tmp_path / SUPERVISOR_LOCK, os.O_RDONLY))


def test_that_the_lock_of_a_supervisor_reaches_no_process_it_starts(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    lock = str(run.folder / SUPERVISOR_LOCK)
    for pid in run.processes():
        assert lock not in [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
    run.kill_supervisor()
    with open(lock, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody holds it, though the ranks live


def test_that_a_lock_which_an_heir_keeps_for_ever_stops_no_new_supervisor(tmp_path: Path) -> None:
    run = str(tmp_path)
    # the holder dies and leaves a child behind that has inherited its lock
    script = (
        "import fcntl, os, subprocess, sys\nsys.path.insert(0, sys.argv[1])\n"
        "from remote_agent.supervisor.lease import take_lease\nholder = take_lease(sys.argv[2])\n"
        "heir = subprocess.Popen(['sleep', '60'], close_fds=False, stdout=-3, stderr=-3,\n"
        "    preexec_fn=lambda: [fcntl.fcntl(lock, fcntl.F_SETFD, 0) for lock in holder._locks])\n"
        "print(heir.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(ROOT), run], capture_output=True, text=True, check=True)
    try:
        with open(tmp_path / SUPERVISOR_LOCK, "rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert take_lease(run) is None  # for all we know one is just about to write its lease
        long_ago = time.time() - (STILL_BEATS + 1) * BEAT_S
        os.utime(tmp_path / SUPERVISOR_LEASE, (long_ago, long_ago))
        holder = take_lease(run)
        assert holder is not None and holder.epoch == 2
        assert take_lease(run) is None
        os.utime(tmp_path / SUPERVISOR_LEASE, (long_ago, long_ago))
        assert take_lease(run) is None  # a living one is never replaced, however still
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_that_a_newer_agent_leaves_a_run_of_an_older_one_alone(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    before = set(run.processes()), (run.folder / "launch.json").read_bytes()
    newer = fake_agent(node.folder / "newer")
    transport = LocalTransport(sys.executable)
    assert Agent(transport, str(node.home), newer).probe().cores == 1
    transport.close()
    assert (set(run.processes()), (run.folder / "launch.json").read_bytes()) == before
    assert [path.name for path in (node.home / "agent").iterdir()] == [newer.sha256]
    run.command("stop", save=False)
    run.wait_for("stopped")


def test_that_a_stop_while_a_checkpoint_is_written_leaves_none_half(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000, state_every=5)
    wait_until(lambda: (run.folder / "checkpoints" / "step-10").is_dir())
    half = run.folder / "checkpoints" / ".step-99999.partial"
    half.mkdir()
    (half / "model.safetensors").write_text("half")
    run.command("stop", save=True)
    run.wait_for("stopped")
    assert node.ask("resume", {"run_id": run.folder.name, "command_id": "again"}).result["attempt"] == 2
    wait_until(lambda: run.states().count("running") == 2)
    assert not half.exists()


def test_that_too_few_open_files_are_told_and_leave_no_half_run(node: Node) -> None:
    arguments = node.start_arguments({"steps": 3})
    agent = node.agent_dir / "remote_agent" / "__main__.py"
    script = f"ulimit -n 4; exec '{sys.executable}' -I -B '{agent}' start"
    done = subprocess.run(["/bin/sh", "-c", script], input=b"", capture_output=True)
    assert done.returncode != 0
    assert not list(node.home.glob("runs/*")) and arguments["run_id"]


def test_that_a_stop_leaves_no_process_ten_times_out_of_ten(node: Node) -> None:
    for _ in range(10):
        run = node.start(ranks=2, steps=100_000, ignore_term=True)
        run.wait_for("running")
        known = run.processes()
        run.command("stop", save=False)
        run.wait_for("stopped")
        assert len(known) >= 3 and not run.processes() and all(is_dead(pid) for pid in known)


def test_that_a_supervisor_of_another_start_is_never_signalled(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    run.kill_supervisor()
    lease = run.folder / "supervisor.json"
    lease.write_text(json.dumps({**json.loads(lease.read_text()), "pid": os.getpid()}))  # the number is ours now
    assert node.ask("runs").result["runs"][0]["alive"]
    run.command("stop", save=False)
    run.wait_for("stopped")
    assert os.getpid() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
