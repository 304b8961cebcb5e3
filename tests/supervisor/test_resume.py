"""A run that has ended goes on from its last checkpoint, once, and says from where."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import (
    AttemptStarted,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Complained,
    RankExited,
    StateChanged,
    StepCompleted,
    TrainingStarted,
)
from remote_agent.run_files.inbox import Command, put_command
from tests.supervisor.conftest import Node, Run, wait_until
from tests.support.agent_call import Answer


def ask_resume(run: Run, command_id: str = "", **more: Any) -> Answer:
    asked = {"run_id": run.folder.name, "command_id": command_id or secrets.token_hex(8), **more}
    return run.node.ask("resume", asked)


def steps(run: Run) -> list[tuple[int, int]]:
    return [(event.attempt, event.step) for event in run.of(StepCompleted, "rank0")]


def stopped_run(node: Node, **plan: Any) -> Run:
    """Return a run of one rank that was stopped at step 10 of 14."""
    run = node.start(ranks=1, **{"steps": 14, "state_every": 4, "hold_at": 10, **plan})
    wait_until(lambda: (1, 9) in steps(run))
    run.command("stop", save=False)
    wait_until(lambda: any((run.folder / "control").glob("[!.]*.json")))
    (run.folder / "go").touch()
    run.wait_for("stopped")
    return run


def failed_run(node: Node, **plan: Any) -> Run:
    run = node.start(**{"steps": 14, "state_every": 4, "die_rank": 0, "die_step": 10, "die_attempts": 1, **plan})
    run.wait_for("failed")
    return run


def test_that_a_stopped_run_goes_on_from_its_last_full_state_and_finishes(node: Node) -> None:
    run = stopped_run(node)
    command_id = secrets.token_hex(8)
    answer = ask_resume(run, command_id).result
    assert (answer["attempt"], answer["step"], answer["run_dir"]) == (2, 8, str(run.folder))
    assert run.wait_for("finished") == ""
    assert run.states()[-4:] == ["stopped", "starting", "running", "finished"]
    assert StateChanged("starting", 2, "from step 8") in run.of(StateChanged)
    assert run.of(AttemptStarted) == [AttemptStarted(1, 1), AttemptStarted(2, 1, 8, "step-8")]
    assert [event.first_step for event in run.of(TrainingStarted, "rank0")] == [0, 8]
    assert steps(run) == [*((1, step) for step in range(1, 11)), *((2, step) for step in range(9, 15))]
    assert CommandAccepted(command_id, "resume") in run.of(CommandAccepted)
    assert run.of(CommandDone)[-1] == CommandDone(command_id, "resume", 8)
    assert not run.processes()
    assert not list((run.folder / "inbox").iterdir())


def test_that_a_failed_run_goes_on_and_a_second_failure_is_told_by_its_own_words(node: Node) -> None:
    run = failed_run(node, die_attempts=2, step_s=0.02)
    first = run.of(RankExited)[-1]
    assert ask_resume(run).value
    wait_until(lambda: run.states().count("failed") == 2)
    # one that is killed from outside: the root cause that the first attempt left in the log is not taken for its own
    assert ask_resume(run).value
    wait_until(lambda: run.states().count("running") == 3)
    os.kill(run.launcher(), signal.SIGKILL)
    wait_until(lambda: run.states().count("failed") == 3)
    reasons = [event.reason for event in run.of(StateChanged) if event.state == "failed"]
    assert reasons[:2] == ["Rank 0 was killed by signal 9 (SIGKILL)."] * 2
    assert reasons[2] == "The launcher was killed by signal 9 (SIGKILL)."
    second = [event for event in run.of(RankExited) if event.attempt == 2 and event.rank == 0]
    assert first.last_lines == second[0].last_lines == ("rank 0 begins", "a last word")


def test_that_a_run_interrupted_by_a_reboot_goes_on(node: Node) -> None:
    run = node.start(ranks=1, steps=14, state_every=4, hold_at=10)
    wait_until(lambda: (1, 9) in steps(run))
    run.kill_supervisor()
    for pid in run.processes():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not run.processes())
    lease = run.folder / "supervisor.json"
    lease.write_text(json.dumps({**json.loads(lease.read_text()), "boot_id": "another"}))
    (run.folder / "go").touch()
    # nobody has looked at it since: the resume finds out first how it ended
    assert ask_resume(run).result["step"] == 8
    run.wait_for("finished")
    assert run.states()[-4:] == ["interrupted", "starting", "running", "finished"]


def test_that_the_same_command_twice_starts_one_attempt(node: Node) -> None:
    run = stopped_run(node)
    command_id = secrets.token_hex(8)
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask_resume(run, command_id))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.result["attempt"] for answer in answers] == [2, 2, 2]
    run.wait_for("finished")
    assert ask_resume(run, command_id).result["attempt"] == 2
    assert len(run.of(AttemptStarted)) == 2


def test_that_of_two_resumes_one_starts_and_the_other_is_refused(node: Node) -> None:
    run = stopped_run(node, hold_at=13, state_every=12)
    (run.folder / "go").unlink()
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask_resume(run))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bool(answer.value) for answer in answers) == [False, True]
    assert len(run.of(AttemptStarted)) == 2
    (run.folder / "go").touch()
    run.wait_for("finished")


def test_that_a_run_that_goes_on_or_is_complete_or_has_no_state_is_refused_with_a_sentence(node: Node) -> None:
    alive = node.start(ranks=1, steps=100_000, state_every=5)
    alive.wait_for("running")
    answer = ask_resume(alive)
    assert answer.error == "The run is running; only a run that has ended can go on from a checkpoint."
    complete = node.start(ranks=1, steps=4, state_every=2)
    complete.wait_for("finished")
    assert ask_resume(complete).error == (
        "The run is complete; there is nothing to go on with. All 4 updates are done."
    )
    without = failed_run(node, state_every=1 << 30, weights_every=4)
    answer = ask_resume(without)
    assert (answer.kind, answer.error[:55]) == ("not_found", "The run has no checkpoint with its full state, so it ca")
    others = failed_run(node, saved_by=4, job={"optimizer.kind": "lion"})
    assert ask_resume(others).error == (
        "step-8: The state of 4 ranks at ZeRO stage 1 cannot go on with 2 ranks at stage 1: the optimizer is lion, and "
        "only AdamW's state can be divided anew."
    )
    assert ask_resume(node.run("r-260101-000000-aaaaaa")).kind == "not_found"
    for run in (complete, without, others):
        assert len(run.of(AttemptStarted)) == 1


def test_that_a_damaged_checkpoint_gives_way_to_the_one_before_and_is_named(node: Node) -> None:
    run = failed_run(node)
    (run.folder / "checkpoints" / "step-8" / "model.safetensors").write_text("attempt 1 stup 8")
    assert ask_resume(run).result["step"] == 4
    run.wait_for("finished")
    assert run.of(Complained)[-1].sentence == (
        "step-8 is damaged (model.safetensors has another content than when it was saved), "
        "so the run goes on from step-4."
    )


def test_that_the_very_last_update_is_no_place_to_go_on_from(node: Node) -> None:
    # it dies after the last update's checkpoint, as a final evaluation that fails would
    run = failed_run(node, steps=8, die_rank=1, die_step=10_000, die_at_end=True)
    assert (run.folder / "checkpoints" / "step-8").is_dir()
    assert ask_resume(run).result["step"] == 4
    run.wait_for("finished")
    other = failed_run(node, steps=4, die_rank=1, die_step=10_000, die_at_end=True)
    assert ask_resume(other).error.startswith("All 4 updates are done and step-4 holds their result;")


def test_that_weights_beyond_the_resume_step_are_replaced_by_the_new_attempt(node: Node) -> None:
    run = failed_run(node, weights_every=3)
    assert ask_resume(run).result["step"] == 8
    run.wait_for("finished")
    assert (run.folder / "checkpoints" / "step-9" / "model.safetensors").read_text() == "attempt 2 step 9"
    assert sorted(path.name for path in (run.folder / "checkpoints").iterdir()) == sorted(
        f"step-{step}" for step in (3, 4, 6, 8, 9, 12)
    )


def test_that_what_the_ended_attempt_left_is_neither_obeyed_nor_kept(node: Node) -> None:
    run = failed_run(node)
    put_command(str(run.folder / "inbox"), Command("late-stop", "stop", {"save": False}))
    put_command(str(run.folder / "control"), Command("late-save", "save", {}))
    partial = run.folder / "checkpoints" / ".step-10.partial"
    partial.mkdir()
    assert ask_resume(run).value
    run.wait_for("finished")
    refused = {event.command_id: event.reason for event in run.of(CommandRefused)}
    assert refused == dict.fromkeys(("late-stop", "late-save"), "The run ended before this was done.")
    assert not partial.exists()


def test_that_a_resume_that_was_cut_off_before_its_supervisor_is_taken_by_the_repeat(node: Node) -> None:
    run = failed_run(node)
    command_id = secrets.token_hex(8)
    put_command(str(run.folder / "inbox"), Command(command_id, "resume", {"checkpoint": "step-4"}))
    assert ask_resume(run, command_id).result["step"] == 4
    run.wait_for("finished")
    assert len(run.of(AttemptStarted)) == 2


@pytest.mark.parametrize("name", ["step-5", "../../x", ""])
def test_that_the_supervisor_itself_refuses_a_checkpoint_that_is_none(node: Node, name: str) -> None:
    run = failed_run(node)
    command_id = secrets.token_hex(8)
    put_command(str(run.folder / "inbox"), Command(command_id, "resume", {"checkpoint": name}))
    answer = ask_resume(run, command_id)
    assert answer.error == f"{name or 'It'} is no checkpoint that the run can go on from."
    assert run.states()[-1] == "failed"


def test_that_another_interpreter_is_used_and_told(node: Node) -> None:
    run = failed_run(node)
    other = node.python.with_name("other-python")
    other.write_text(node.python.read_text())
    other.chmod(0o700)
    assert ask_resume(run, python=str(other)).value
    run.wait_for("finished")
    assert run.of(Complained)[-1].sentence.startswith(f"The run began with {node.python} and goes on with {other};")


def test_that_secrets_of_a_resume_reach_the_ranks(node: Node) -> None:
    run = stopped_run(node, steps=20)
    (run.folder / "go").unlink()
    assert ask_resume(run, secrets={"HF_TOKEN": "hf_canary"}).value
    (rank,) = wait_until(run.ranks)
    assert b"HF_TOKEN=hf_canary" in Path(f"/proc/{rank}/environ").read_bytes().split(b"\0")
    assert ask_resume(run, secrets={"LD_PRELOAD": "x"}).kind == "bad_request"


def test_that_an_open_attach_sees_the_run_go_on(node: Node) -> None:
    run = stopped_run(node)
    wanted = {"runs": {run.folder.name: {}}, "follow": True}
    with node.talk("attach", wanted) as agent:
        agent.until("caught_up")
        assert ask_resume(run).value
        run.wait_for("finished")
        seen = b""
        while b'"state":"finished"' not in seen:
            seen += agent.until("journal")[-1].body
    assert b'"reason":"from step 8"' in seen


def test_that_a_run_goes_on_with_other_ranks_and_stage_and_keeps_them_after_a_crash(node: Node) -> None:
    # the global batch is 8: micro batch 1, 4 accumulations, 2 ranks
    job = {"batch.micro_batch": 1, "batch.accumulation": 4, "recovery.restarts": 1, "recovery.backoff_s": 0.0}
    run = failed_run(node, die_attempts=3, job={**job, "recovery.restarts": 0})
    odd = ask_resume(run, ranks=3)
    assert (odd.kind, odd.error) == (
        "bad_request",
        "The global batch of 8 sequences does not divide among 3 ranks; choose a number that divides it.",
    )
    assert ask_resume(run, ranks=1, zero_stage=0).error.endswith("is not divided, which DeepSpeed does not convert.")
    assert ask_resume(run, ranks=1, zero_stage=3).result["step"] == 8
    wait_until(lambda: run.states().count("failed") == 2)
    assert run.of(AttemptStarted)[-1] == AttemptStarted(2, 1, 8, "step-8", 3)
    told = json.loads((run.folder / "launch.json").read_text())
    assert (told["ranks"], told["zero_stage"]) == (2, -1)
    # the next one, by another supervisor, keeps the shape; then back to the job's own
    assert ask_resume(run).value
    wait_until(lambda: run.states().count("failed") == 3)
    assert run.of(AttemptStarted)[-1] == AttemptStarted(3, 1, 8, "step-8", 3)
    assert ask_resume(run, ranks=2, zero_stage=1).value
    run.wait_for("finished")
    assert run.of(AttemptStarted)[-1] == AttemptStarted(4, 2, 8, "step-8")
