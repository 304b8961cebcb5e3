"""Disks that are full, read-only, slow, lying or cut from their power, under a run that goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.alert_events import AlertRaised
from remote_agent.contract.alerts import STALL
from remote_agent.contract.events import StepCompleted
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.journal_segments import read_events
from remote_agent.run_files.manifest import commit, committed_checkpoints, verify
from tests.supervisor.conftest import Node, wait_until
from tests.support.agent_call import AgentProcess, agent_call
from tests.support.journals import RUN_ID, START_S, step_event


def mount(folder: Path, *words: str) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a file system needs Linux and root")
    folder.mkdir()
    done = subprocess.run(["mount", *words, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr}")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Give what mounts a file system of the test's own."""
    made: list[Path] = []

    def make(name: str, *words: str) -> Path:
        mount(tmp_path / name, *words)
        made.append(tmp_path / name)
        return tmp_path / name

    yield make
    for folder in reversed(made):
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk to its last byte and return the file that does."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * size):
                    continue
            except OSError:
                continue
    return ballast


def steps_in(folder: Path) -> list[int]:
    events = [event for _, event in read_events(str(folder), "rank0")]
    return [event.step for event in events if isinstance(event, StepCompleted)]


def has_more_than(folder: Path, count: int) -> bool:
    return len(steps_in(folder)) > count


def test_that_a_full_disk_stops_no_training_and_costs_no_update(mounted: Callable[..., Path], tmp_path: Path) -> None:
    node = Node(mounted("disk", "-t", "tmpfs", "-o", "size=24m", "tmpfs"))
    run = node.start(ranks=1, steps=400, hold_at=390, held=str(tmp_path / "held"))
    try:
        run.wait_for("running")
        ballast = fill(node.folder)
        rank = run.ranks()[0]
        held = len(steps_in(run.folder / "journal"))
        wait_until(lambda: shutil.disk_usage(node.folder).free == 0)
        wait_until((tmp_path / "held").exists)
        assert Path(f"/proc/{rank}").exists() and len(steps_in(run.folder / "journal")) <= held + 40
        ballast.unlink()
        (run.folder / "go").touch()
        assert run.wait_for("finished") == ""
        assert steps_in(run.folder / "journal") == list(range(1, 401))
    finally:
        node.end()


def test_that_without_inodes_a_start_leaves_no_half_run_and_says_why(mounted: Callable[..., Path]) -> None:
    node = Node(mounted("disk", "-t", "tmpfs", "-o", "nr_inodes=200", "tmpfs"))
    arguments = node.start_arguments({"steps": 3})
    assert node.ask("runs").result == {"runs": []}
    made = 0
    try:
        while True:
            (node.folder / f"file{made}").touch()
            made += 1
    except OSError:
        pass
    answer = node.ask("start", arguments)
    assert answer.kind == "disk_full" and "disk is full" in answer.error
    assert [path for path in (node.home / "runs").iterdir() if not path.name.startswith(".")] == []


def test_that_a_checkpoint_that_does_not_fit_leaves_the_one_before(small_disk: Path) -> None:
    folder = small_disk / "checkpoints"
    for step, size in ((10, 3 << 20), (20, 3 << 20)):
        partial = folder / f".step-{step}.partial"
        partial.mkdir(parents=True)
        try:
            (partial / "model.safetensors").write_bytes(os.urandom(size))
            fill(small_disk) if step == 20 else None
            commit(str(partial), str(folder / f"step-{step}"), step, True, 1)
        except OSError:
            assert step == 20
    found = committed_checkpoints(str(folder))
    assert [step for step, _, _ in found] == [10] and verify(found[0][1]) == []


def test_that_a_disk_that_turns_read_only_costs_no_line_once_it_is_well(mounted: Callable[..., Path]) -> None:
    folder = mounted("disk", "-t", "tmpfs", "-o", "size=8m", "tmpfs")
    with JournalWriter(str(folder), "rank0", RUN_ID, lambda: START_S, segment_bytes=2000) as journal:
        for step in range(1, 20):
            journal.write(step_event(step))
        # a remount is refused while a file is open for writing, so its next segments are what cannot be made
        segments = len(list(folder.iterdir()))
        subprocess.run(["chattr", "+i", str(folder)], check=True, capture_output=True)
        for step in range(20, 60):
            journal.write(step_event(step))
        assert len(list(folder.iterdir())) == segments  # else nothing was refused
        subprocess.run(["chattr", "-i", str(folder)], check=True, capture_output=True)
        for step in range(60, 80):
            journal.write(step_event(step))
    assert len(list(folder.iterdir())) > segments
    assert steps_in(folder) == list(range(1, 80))


def test_that_after_a_power_cut_what_was_synced_is_there_and_no_offset_means_two_things(
    mounted: Callable[..., Path], tmp_path: Path
) -> None:
    image, copy = tmp_path / "disk.img", tmp_path / "copy.img"
    with image.open("wb") as file:
        file.truncate(24 << 20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no mkfs.ext4")
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    disk = mounted("disk", "-o", "loop", str(image))
    with JournalWriter(str(disk), "rank0", RUN_ID, lambda: START_S) as journal:
        before = journal.incarnation
        for step in range(1, 501):
            journal.write(step_event(step))
        journal.sync()
        for step in range(501, 1001):
            journal.write(step_event(step))
        shutil.copyfile(image, copy)  # the power is cut here: what lies in memory is not in the copy
    after = mounted("after", "-o", "loop", str(copy))
    steps = steps_in(after)
    assert steps == list(range(1, len(steps) + 1)) and 500 <= len(steps) < 1000
    with JournalWriter(str(after), "rank0", RUN_ID, lambda: START_S) as journal:
        journal.write(step_event(len(steps) + 1))
        assert journal.incarnation != before
    assert steps_in(after) == list(range(1, len(steps) + 2))


def test_that_a_home_that_may_not_run_programs_or_be_written_works_or_is_named(
    mounted: Callable[..., Path], tmp_path: Path
) -> None:
    disk = mounted("disk", "-t", "tmpfs", "-o", "size=8m,noexec", "tmpfs")
    assert agent_call("browse", disk / "home", {"path": "/"}).value is not None
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    answer = agent_call("browse", disk / "other", {"path": "/"})
    assert "Read-only file system" in answer.error and str(disk / "other") in answer.error


SHIM = Path(__file__).with_name("faultlib.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the library that lets system calls fail, compiled."""
    library = tmp_path_factory.mktemp("shim") / "faultlib.so"
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SHIM), "-ldl"], check=True)
    return library


WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
from remote_agent.run_files.journal import JournalWriter
from tests.support.journals import step_event
with JournalWriter(sys.argv[2], "rank0", "r-261124-044500-abcdef", lambda: 1.0) as journal:
    print(journal.incarnation)
    for step in range(1, 101):
        journal.write(step_event(step))
    journal.sync()
    for step in range(101, 201):
        journal.write(step_event(step))
    print(journal.incarnation)
"""


def test_that_a_sync_the_disk_refuses_begins_afresh_and_is_told(shim: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(Path(__file__).parents[2]), str(journal)],
        env={**os.environ, "LD_PRELOAD": str(shim), "FT_MATCH": "rank0.", "FT_FSYNC_ERR": "5"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    first, second = done.stdout.split()
    assert first != second
    assert steps_in(journal) == list(range(1, 201))
    told = [getattr(event, "sentence", "") for _, event in read_events(str(journal), "rank0")]
    assert any("Input/output error" in sentence for sentence in told)


@pytest.mark.parametrize(
    "faults",
    [
        {"FT_FLOCK_ERR": "37", "FT_SLEEP_MS": "5"},  # a network mount without locks, and slow
        {"FT_CLOCK_FILE": "clock"},  # the clock jumps two hours ahead and back
    ],
    ids=["network mount", "clock"],
)
def test_that_a_run_survives_locks_that_fail_slow_writes_and_a_clock_that_jumps(
    faults: dict[str, str], shim: Path, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = node.folder / "clock"
    clock.write_text("0")
    for name, value in {**faults, "FT_MATCH": str(node.home), "LD_PRELOAD": str(shim)}.items():
        monkeypatch.setenv(name, str(clock) if name == "FT_CLOCK_FILE" else value)
    # the ranks' environment is made anew, so what they load is named in their interpreter
    python = node.python.read_text()
    exports = "".join(f"export {name}='{os.environ[name]}'\n" for name in (*faults, "FT_MATCH", "LD_PRELOAD"))
    node.python.write_text(python.replace("#!/bin/sh\n", "#!/bin/sh\n" + exports))
    run = node.start(ranks=1, steps=60, hold_at=50, step_s=0.02)
    for skew in ("7200", "-7200", "0"):
        wait_until(partial(has_more_than, run.folder / "journal", len(steps_in(run.folder / "journal")) + 5))
        clock.write_text(skew)
    (run.folder / "go").touch()
    assert run.wait_for("finished") == ""
    assert steps_in(run.folder / "journal") == list(range(1, 61))
    lease = json.loads((run.folder / "supervisor.json").read_text())
    assert lease["epoch"] == 1, "the run changed hands for no reason"


def test_that_a_rename_which_a_network_mount_refuses_leaves_nothing_half_and_the_next_try_succeeds(
    shim: Path, node: Node
) -> None:
    stale = {"LD_PRELOAD": str(shim), "FT_RENAME_ERR": "116", "FT_MATCH": str(node.home)}

    def refused(command: str, arguments: dict[str, Any]) -> str:
        with AgentProcess(command, node.home, arguments, node.agent_dir, environment=stale) as agent:
            answer = agent.answer()
        assert answer.value is None and "Stale file handle" in answer.error
        return answer.kind

    asked = node.start_arguments({"steps": 100_000}, 1)
    node.ask("runs")
    refused("start", asked)
    assert [path for path in (node.home / "runs").iterdir() if not path.name.startswith(".")] == []
    assert node.ask("start", asked).result["created"] is True
    run = node.run(asked["run_id"])
    run.wait_for("running")
    refused("command", {"run_id": asked["run_id"], "command_id": "stop", "verb": "stop", "arguments": {"save": False}})
    assert list((run.folder / "inbox").glob("[!.]*")) == [] and run.states()[-1] == "running"
    run.command("stop", save=False)
    run.wait_for("stopped")


def test_that_a_rank_which_hangs_is_told_as_a_stall_and_the_run_is_not_lost(
    shim: Path, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = node.folder / "clock"
    clock.write_text("0")
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("FT_CLOCK_FILE", str(clock))  # of the supervisor alone: the ranks' environment is made anew
    run = node.start(ranks=2, steps=60, step_s=0.02)
    wait_until(partial(has_more_than, run.folder / "journal", 20))
    stopped, processes = run.ranks()[0], set(run.processes())
    os.kill(stopped, signal.SIGSTOP)
    assert STALL not in [one.rule for one in run.of(AlertRaised)]
    clock.write_text("600")  # ten minutes without an update
    alert = wait_until(lambda: next((one for one in run.of(AlertRaised) if one.rule == STALL), None))
    assert alert.sentence.startswith("No update came for 6")
    assert run.states()[-1] == "running" and processes == set(run.processes())
    clock.write_text("0")
    os.kill(stopped, signal.SIGCONT)
    assert run.wait_for("finished") == ""
    assert steps_in(run.folder / "journal") == list(range(1, 61))
