"""A run pauses and goes on, is changed while it trains, and gets over failures by itself as its job says."""

from __future__ import annotations

from typing import Any

from remote_agent.contract.amendments import LEARNING_RATE, SKIP_STEPS
from remote_agent.contract.events import (
    Amended,
    AttemptStarted,
    CommandDone,
    CommandRefused,
    Restarted,
    StateChanged,
    StepCompleted,
)
from remote_agent.supervisor.stacks import take_stacks
from tests.supervisor.conftest import Node, Run, wait_until
from tests.supervisor.test_resume import ask_resume, steps

SLOW = {"steps": 400, "step_s": 0.01}


def paused_run(node: Node, **plan: Any) -> Run:
    run = node.start(ranks=1, **{**SLOW, **plan})
    wait_until(lambda: len(steps(run)) > 3)
    run.command("pause")
    run.wait_for("paused")
    return run


def test_that_a_pause_saves_frees_the_node_and_a_resume_goes_on_from_that_very_step(node: Node) -> None:
    run = paused_run(node)
    assert run.states()[-3:] == ["running", "pausing", "paused"]
    wait_until(run.supervisor_is_gone)
    assert not run.processes()
    done = run.of(StepCompleted, "rank0")[-1].step
    assert [event.step for event in run.of(CommandDone, "rank0") if event.verb == "pause"] == [done]
    # looked at meanwhile, it stays paused
    (listed,) = node.ask("runs").result["runs"]
    assert (listed["state"], listed["alive"]) == ("paused", False)
    assert ask_resume(run).result["step"] == done
    run.wait_for("finished")
    assert [number for _, number in steps(run)] == list(range(1, 401))


def test_that_a_paused_run_can_be_stopped_and_refuses_what_needs_its_ranks(node: Node) -> None:
    run = paused_run(node)
    run.command("save")
    wait_until(lambda: run.of(CommandRefused))
    assert run.of(CommandRefused)[-1].reason == "The run is paused; it can save only while it trains."
    run.command("stop", save=False)
    run.wait_for("stopped")
    assert not run.processes()


def test_that_a_pause_without_room_for_the_state_lets_the_run_go_on(node: Node) -> None:
    run = node.start(ranks=1, no_room=True, **SLOW)
    wait_until(lambda: len(steps(run)) > 3)
    run.command("pause")
    wait_until(lambda: run.states()[-1] == "running" and "pausing" in run.states())
    assert StateChanged("running", 1, "The disk is full.") in run.of(StateChanged)
    run.command("stop", save=False)
    run.wait_for("stopped")


def test_that_amendments_are_checked_and_confirmed_by_the_ranks_journal(node: Node) -> None:
    run = node.start(ranks=1, **SLOW)
    wait_until(lambda: len(steps(run)) > 3)
    run.command("amend", field=LEARNING_RATE, value=1e-5)
    run.command("amend", field="optimizer.kind", value=1.0)
    wait_until(lambda: run.of(Amended, "rank0") and run.of(CommandRefused))
    (made,) = run.of(Amended, "rank0")
    assert (made.field, made.value) == (LEARNING_RATE, 1e-5)
    assert run.of(CommandRefused)[0].reason == "optimizer.kind cannot be changed while the run goes on."
    run.command("stop", save=False)
    run.wait_for("stopped")


def test_that_a_failed_rank_is_started_again_from_the_last_full_state_and_the_journal_goes_on(node: Node) -> None:
    job = {"recovery.restarts": 2, "recovery.backoff_s": 0.2}
    run = node.start(job=job, steps=14, state_every=4, die_rank=0, die_step=10, die_attempts=1)
    run.wait_for("finished")
    assert run.states() == ["queued", "starting", "running", "starting", "starting", "running", "finished"]
    assert run.of(AttemptStarted) == [AttemptStarted(1, 2), AttemptStarted(2, 2, 8, "step-8")]
    (again,) = run.of(Restarted)
    assert (again.cause, again.step, again.wait_s, again.checkpoint) == ("crash", 8, 0.2, "step-8")
    assert again.reason.endswith("It starts again from step 8 (restart 1 of 2).")
    assert [step for attempt, step in steps(run) if attempt == 2] == list(range(9, 15))


def test_that_restarts_end_after_as_many_as_the_job_allows_each_waiting_longer(node: Node) -> None:
    job = {"recovery.restarts": 2, "recovery.backoff_s": 0.1}
    run = node.start(job=job, steps=14, die_rank=0, die_step=3, die_attempts=9)
    assert run.wait_for("failed") == "Rank 0 was killed by signal 9 (SIGKILL)."
    assert [one.wait_s for one in run.of(Restarted)] == [0.1, 0.2]
    assert [one.attempt for one in run.of(AttemptStarted)] == [1, 2, 3]


def test_that_a_stop_while_a_restart_waits_ends_the_run(node: Node) -> None:
    run = node.start(job={"recovery.restarts": 2}, steps=14, die_rank=0, die_step=3, die_attempts=9)
    wait_until(lambda: run.of(Restarted))
    command = run.command("stop", save=False)
    run.wait_for("stopped")
    assert CommandDone(command, "stop", 0) in run.of(CommandDone)
    assert len(run.of(AttemptStarted)) == 1


def test_that_a_loss_that_is_no_number_fails_the_run_where_the_job_says_stop(node: Node) -> None:
    run = node.start(ranks=1, job={"recovery.restarts": 3}, steps=14, state_every=4, nan_at=10)
    assert run.wait_for("failed") == "The loss is nan at step 10."
    assert not run.of(Restarted)


def test_that_a_loss_that_is_no_number_takes_the_run_back_and_leaves_out_that_steps_rows(node: Node) -> None:
    run = node.start(ranks=1, job={"recovery.nonfinite": "skip_rows"}, steps=14, state_every=4, nan_at=10)
    run.wait_for("finished")
    assert run.of(Amended) == [Amended(2, 9, SKIP_STEPS, 1.0, at_start=True)]
    assert run.of(AttemptStarted)[-1] == AttemptStarted(2, 1, 8, "step-8")


def test_that_a_loss_that_is_no_number_takes_the_run_back_at_a_lower_rate_each_time_until_it_gives_up(
    node: Node,
) -> None:
    job = {"recovery.nonfinite": "roll_back", "optimizer.learning_rate": 4e-5}
    run = node.start(ranks=1, job=job, steps=14, state_every=4, nan_at=10, nan_attempts=9)
    run.wait_for("failed")
    assert [(one.from_step, one.field, one.value) for one in run.of(Amended)] == [
        (8, LEARNING_RATE, 2e-5), (8, LEARNING_RATE, 1e-5), (8, LEARNING_RATE, 5e-6),
    ]  # fmt: skip


def test_that_a_running_run_is_taken_back_on_command(node: Node) -> None:
    run = node.start(ranks=1, job={"optimizer.learning_rate": 4e-5}, state_every=4, **SLOW)
    wait_until(lambda: len(steps(run)) > 9)
    command = run.command("roll_back", step=7, factor=0.25)
    wait_until(lambda: CommandDone(command, "roll_back", 4) in run.of(CommandDone))
    assert run.of(Amended) == [Amended(2, 4, LEARNING_RATE, 1e-5, at_start=True)]
    assert run.of(AttemptStarted)[-1] == AttemptStarted(2, 1, 4, "step-4")
    run.wait_for("running")
    run.command("stop", save=False)
    run.wait_for("stopped")


def test_that_a_finished_run_is_extended_by_a_resume_with_another_end(node: Node) -> None:
    run = node.start(ranks=1, steps=6, state_every=6)
    run.wait_for("finished")
    assert "complete" in ask_resume(run).error
    assert ask_resume(run, max_steps=8).result["step"] == 6
    wait_until(lambda: run.states().count("running") == 2)
    assert run.of(Amended) == [Amended(2, 6, "batch.max_steps", 8.0, at_start=True)]


def test_that_a_stalled_runs_ranks_tell_where_they_stand_and_go_on(node: Node) -> None:
    run = node.start(steps=14, hold_at=10)
    wait_until(lambda: (1, 9) in steps(run))
    # rank 0 trains here without the other, which may still be starting
    other = run.folder / "log" / "rank1.log"
    wait_until(lambda: other.exists() and "rank 1 begins" in other.read_text())
    told = take_stacks(str(run.folder), 1, 9)
    assert told is not None and told.tool in ("py-spy", "faulthandler")
    assert [text.partition("\n")[0] for text in told.stacks] == ["rank 0", "rank 1"]
    assert "in train" in told.stacks[0] or "train (" in told.stacks[0]
    assert "in follow" in told.stacks[1] or "follow (" in told.stacks[1]
    # asked again the answer is of this time alone
    again = take_stacks(str(run.folder), 1, 9)
    assert again is not None and again.stacks[0].count("most recent call first") <= 1
    (run.folder / "go").touch()
    run.wait_for("finished")
    assert take_stacks(str(run.folder), 1, 14) is None
