"""A run's life under the supervisor, with real processes and real kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

from remote_agent.contract.events import (
    AttemptStarted,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Complained,
    NodeSampled,
    RankExited,
    StepCompleted,
)
from tests.supervisor.conftest import Node, is_dead, wait_until


def test_that_a_run_goes_through_its_states_and_leaves_no_process(node: Node) -> None:
    run = node.start(steps=3)
    assert run.wait_for("finished") == ""
    assert run.states() == ["queued", "starting", "running", "finished"]
    assert run.of(AttemptStarted) == [AttemptStarted(1, 2)]
    assert [event.step for event in run.of(StepCompleted, "rank0")] == [1, 2, 3]
    assert run.of(RankExited) == [RankExited(1, -1, 0)]
    assert run.of(NodeSampled, "node")[0].memory_total_bytes > 0
    assert not run.processes()
    wait_until(run.supervisor_is_gone)


def test_that_starting_twice_makes_one_run(node: Node) -> None:
    arguments = node.start_arguments({"steps": 1000})
    answers = [node.ask("start", arguments).result for _ in range(2)]
    run = node.run(arguments["run_id"])
    assert [answer["created"] for answer in answers] == [True, False]
    run.wait_for("running")
    assert len(run.of(AttemptStarted)) == 1
    assert run.states().count("queued") == 1


def test_that_a_killed_rank_is_named_with_its_signal_and_its_last_lines(node: Node) -> None:
    run = node.start(steps=500, die_rank=1, die_step=3)
    assert run.wait_for("failed") == "Rank 1 was killed by signal 9 (SIGKILL)."
    launcher, rank = run.of(RankExited)
    assert (launcher.rank, launcher.exit_code) == (-1, 1)
    assert (rank.rank, rank.exit_code, rank.signal) == (1, -9, 9)
    assert rank.last_lines == ("rank 1 begins", "a last word")
    assert not run.processes()


def test_that_a_rank_that_exits_with_a_code_fails_the_run(node: Node) -> None:
    run = node.start(ranks=1, steps=500, die_rank=0, die_step=2, die_code=7)
    assert run.wait_for("failed") == "Rank 0 failed with exit code 7; its log says why."


def test_that_exit_code_0_without_the_end_of_the_training_is_no_success(node: Node) -> None:
    run = node.start(ranks=1, steps=50, die_rank=0, die_step=2, die_code="0")
    assert "did not report the end of the training" in run.wait_for("failed")


def test_that_killing_the_launcher_leaves_no_rank_and_names_the_signal(node: Node) -> None:
    run = node.start(steps=2000)
    run.wait_for("running")
    os.kill(run.launcher(), signal.SIGKILL)
    assert run.wait_for("failed") == "The launcher was killed by signal 9 (SIGKILL)."
    assert [(event.rank, event.signal) for event in run.of(RankExited)] == [(-1, 9)]
    assert not run.processes()


def test_that_a_stop_lets_the_ranks_end_by_themselves(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    command_id = run.command("stop", save=True)
    assert run.wait_for("stopped") == ""
    assert run.of(CommandAccepted) == [CommandAccepted(command_id, "stop")]
    assert [event.command_id for event in run.of(CommandDone, "rank0")] == [command_id]
    assert not run.of(CommandDone)
    assert run.states() == ["queued", "starting", "running", "stopping", "stopped"]
    assert not run.processes()


def test_that_a_stop_kills_ranks_that_do_not_answer(node: Node) -> None:
    run = node.start(steps=100_000, ignore_stop=True, ignore_term=True)
    hurry(run.folder)
    run.wait_for("running")
    os.kill(run.ranks()[0], signal.SIGSTOP)
    run.kill_supervisor()  # the new one reads the short times
    node.ask("runs")
    command_id = run.command("stop", save=True)
    assert run.wait_for("stopped") == "The ranks did not end by themselves and were killed."
    assert [event.command_id for event in run.of(CommandDone)] == [command_id]
    assert not run.processes()


def test_that_a_stop_before_the_training_ends_the_ranks_at_once(node: Node) -> None:
    run = node.start(steps=10, wait_to_begin=True)
    wait_until(lambda: len(run.ranks()) == 2)
    run.command("stop", save=True)
    assert run.wait_for("stopped") == ""
    assert run.states() == ["queued", "starting", "stopping", "stopped"]
    assert not run.processes()


def test_that_a_command_is_refused_when_it_makes_no_sense(node: Node) -> None:
    run = node.start(steps=10, wait_to_begin=True)
    run.wait_for("starting")
    run.command("save")
    run.command("dance")
    refused: list[Any] = wait_until(lambda: len(found := run.of(CommandRefused)) == 2 and found)
    assert {event.reason for event in refused} == {
        "The run is starting; it can save only while it trains.",
        "There is no command dance.",
    }


def test_that_a_save_reaches_the_ranks_and_is_done_once(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    command_id = run.command("save")
    wait_until(lambda: run.of(CommandDone, "rank0"))
    again = {"run_id": run.folder.name, "command_id": command_id, "verb": "save", "arguments": {}}
    assert node.ask("command", again).result == {}
    run.command("stop", save=False)
    run.wait_for("stopped")
    assert [event.verb for event in run.of(CommandAccepted)] == ["save", "stop"]


def test_that_a_killed_supervisor_is_replaced_and_the_run_goes_on(node: Node) -> None:
    run = node.start(steps=60, hold_at=40)
    run.wait_for("running")
    before = set(run.ranks())
    run.kill_supervisor()
    (listed,) = node.ask("runs").result["runs"]
    assert (listed["state"], listed["alive"]) == ("running", True)
    assert set(run.ranks()) == before
    (run.folder / "go").touch()
    assert run.wait_for("finished") == "The ranks reported the end of the training; their exit code is not known."
    assert [event.step for event in run.of(StepCompleted, "rank0")] == list(range(1, 61))
    assert "taken over" in run.of(Complained)[0].sentence


def test_that_a_run_whose_every_process_was_killed_is_failed(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    run.kill_supervisor()
    kill_all(run.processes())
    (listed,) = node.ask("runs").result["runs"]
    assert (listed["state"], listed["alive"]) == ("failed", False)
    assert "the supervisor had been killed" in run.wait_for("failed")


def test_that_a_run_of_an_earlier_boot_is_interrupted(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    run.kill_supervisor()
    kill_all(run.processes())
    lease = run.folder / "supervisor.json"
    lease.write_text(json.dumps({**json.loads(lease.read_text()), "boot_id": "another", "pid": os.getpid()}))
    assert node.ask("runs").result["runs"][0]["state"] == "interrupted"
    assert not is_dead(os.getpid())


def test_that_a_run_of_another_machine_on_a_shared_folder_is_left_alone_while_it_beats(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    run.kill_supervisor()
    lease = run.folder / "supervisor.json"
    lease.write_text(json.dumps({**json.loads(lease.read_text()), "host": "another-node"}))
    assert node.ask("runs").result["runs"][0]["state"] == "running"
    assert not run.of(Complained)
    os.utime(lease, (0, lease.stat().st_mtime - 60))
    assert node.ask("runs").result["runs"][0]["alive"]
    assert run.of(Complained)


def test_that_an_interpreter_that_cannot_start_fails_the_run_with_a_sentence(node: Node) -> None:
    arguments = node.start_arguments({"steps": 3})
    run = node.run(arguments["run_id"])
    node.python.write_text(node.python.read_text().replace("exec ", "exit 127; exec ", 1))
    assert node.ask("start", arguments).result["created"] is True
    assert run.wait_for("failed") == "The launcher ended with exit code 127; log/launcher.log says why."


def test_that_secrets_reach_the_ranks_and_no_file(node: Node) -> None:
    arguments = {**node.start_arguments({"steps": 100_000}), "secrets": {"HF_TOKEN": "hf_canary"}}
    node.ask("start", arguments)
    run = node.run(arguments["run_id"])
    run.wait_for("running")
    rank = run.ranks()[0]
    assert b"HF_TOKEN=hf_canary" in Path(f"/proc/{rank}/environ").read_bytes().split(b"\0")
    for path in run.folder.rglob("*"):
        assert path.is_dir() or b"hf_canary" not in path.read_bytes(), path
    assert not [path for path in run.folder.rglob("*") if path.stat().st_mode & 0o077]


def test_that_nothing_but_secrets_gets_into_the_environment_of_the_ranks(node: Node) -> None:
    arguments = {**node.start_arguments({}), "secrets": {"LD_PRELOAD": "x.so"}}
    assert node.ask("start", arguments).kind == "bad_request"


def test_that_ranks_end_when_their_run_directory_is_deleted(node: Node) -> None:
    run = node.start(steps=100_000, hold_at=5)
    run.wait_for("running")
    ranks = run.ranks()
    shutil.rmtree(run.folder)
    wait_until(lambda: all(is_dead(pid) for pid in ranks))


def test_that_the_supervisor_stays_small(node: Node) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    pid = json.loads((run.folder / "supervisor.json").read_text())["pid"]
    status = Path(f"/proc/{pid}/status").read_text()
    kib = int(status.partition("VmRSS:")[2].split()[0])
    assert kib < 30 * 1024


def hurry(run_dir: Path) -> None:
    """Shorten the times that a stop leaves to the ranks."""
    launch = run_dir / "launch.json"
    launch.write_text(json.dumps({**json.loads(launch.read_text()), "stop_grace_s": 0.2, "term_grace_s": 0.2}))


def kill_all(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: all(is_dead(pid) for pid in pids))
