from __future__ import annotations

import math

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import (
    AlertSent,
    AttemptStarted,
    CheckpointCommitted,
    CommandAccepted,
    CommandDone,
    Complained,
    Evaluated,
    Event,
    NodeSampled,
    Progressed,
    RankExited,
    Sampled,
    Stamped,
    StateChanged,
    TrainingStarted,
    Unknown,
)
from remote_agent.contract.job_spec import JobSpec
from studio.state.run import MAX_LOG_LINES, RunState
from studio.store.journal_decoder import decode_lines
from studio.store.live import LinkState, RunBatch
from tests.support.journals import event_lines, step_event

RUN = "r-261124-044500-abcdef"


@pytest.fixture
def run() -> RunState:
    return RunState(RUN, "try", "gpu-box", JobSpec())


def fold(run: RunState, *events: Event) -> None:
    run.fold([Stamped(1000.0 + number, event) for number, event in enumerate(events)])


def batch_of(*events: Event) -> RunBatch:
    batch = RunBatch()
    decode_lines(event_lines(list(events)), batch)
    return batch


def training(total: int = 100, attempt: int = 1, first_step: int = 0) -> TrainingStarted:
    return TrainingStarted(attempt, first_step, total, 50, 2, 134_515_008, 800, 24)


def evaluated(step: int, loss: float, attempt: int = 1) -> Evaluated:
    return Evaluated(attempt, step, loss, math.exp(loss), 1000, 24, 1.0)


def test_that_a_run_from_start_to_end_is_what_its_journal_says(run: RunState) -> None:
    fold(run, StateChanged("starting", 1), AttemptStarted(1, 2), Progressed("loading", 1, 4, "files"))
    assert (run.state, run.attempt) == ("starting", 1)
    assert run.progress == Progressed("loading", 1, 4, "files")
    fold(run, training(), StateChanged("running", 1), step_event(1), step_event(2), evaluated(2, 1.5))
    assert (run.state, run.step, run.total_steps) == ("running", 2, 100)
    assert run.training == training() and run.eta_s() is not None
    assert run.loss == step_event(2).loss and run.epoch == step_event(2).epoch
    fold(run, CheckpointCommitted(1, 2, "step-2", True, 1000, 0.5), Sampled(1, 2, "Hello", "World"))
    fold(run, NodeSampled(50.0, 1, 2, 3), StateChanged("finished", 1))
    assert [checkpoint.name for checkpoint in run.checkpoints] == ["step-2"]
    assert run.samples == (Sampled(1, 2, "Hello", "World"),)
    assert run.node_sample == NodeSampled(50.0, 1, 2, 3)
    assert run.is_ended and run.ended_s == 1001.0 and run.started_s == 1000.0


def test_that_series_are_views_of_all_updates(run: RunState) -> None:
    fold(run, *(step_event(step) for step in range(1, 50)))
    for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_s", "step_time_s", "peak_memory_bytes"):
        steps, values = run.series(name)
        assert list(steps) == list(range(1, 50))
        assert list(values) == [float(getattr(step_event(step), name)) for step in range(1, 50)]
        assert np.shares_memory(values, run.series(name)[1])
    with pytest.raises(ValueError, match=r"."):
        run.series("no such metric")


def test_that_the_newest_attempt_wins_from_its_resume_step_and_the_old_one_stays_as_a_ghost(run: RunState) -> None:
    fold(run, *(step_event(step) for step in range(1, 11)))
    fold(run, AttemptStarted(2, 2, 5), *(step_event(step, 2, loss=9.0) for step in range(6, 8)))
    steps, losses = run.series("loss")
    assert list(steps) == [1, 2, 3, 4, 5, 6, 7] and list(losses[5:]) == [9.0, 9.0]
    assert run.step == 7 and run.attempt == 2
    [(attempt, ghost_steps, ghost_losses)] = run.ghosts("loss")
    assert attempt == 1 and list(ghost_steps) == [6, 7, 8, 9, 10]
    assert list(ghost_losses) == [step_event(step).loss for step in range(6, 11)]


def test_that_held_out_losses_beyond_the_resume_step_go_with_the_old_attempt(run: RunState) -> None:
    fold(run, evaluated(0, 3.0), step_event(1), *(step_event(step) for step in range(2, 31)))
    fold(run, evaluated(10, 2.0), evaluated(20, 1.0), evaluated(30, 0.5))
    assert run.best_held_out == (30, 0.5)
    fold(run, *(step_event(step, 2) for step in range(16, 40)))
    assert list(run.series("held_out_loss")[0]) == [0, 10]
    fold(run, evaluated(20, 1.4, 2))
    assert list(run.series("held_out_loss")[1]) == [3.0, 2.0, 1.4]
    assert run.best_held_out == (20, 1.4)
    assert len(run.evaluations) == 5


def test_that_one_batch_with_two_attempts_gives_the_same_curves(run: RunState) -> None:
    first: list[Event] = [evaluated(0, 3.0), *(step_event(step) for step in range(1, 31)), evaluated(30, 0.5)]
    second: list[Event] = [
        evaluated(15, 1.9, 2),
        *(step_event(step, 2) for step in range(16, 25)),
        evaluated(24, 1.2, 2),
    ]
    run.fold_batch(batch_of(*first, *second))
    steps, losses = run.series("held_out_loss")
    assert list(steps) == [0, 15, 24] and list(losses) == [3.0, 1.9, 1.2]
    assert list(run.series("loss")[0]) == list(range(1, 25))


def test_that_the_time_left_is_the_median_step_times_what_is_left(run: RunState) -> None:
    assert run.eta_s() is None
    fold(run, training(total=1000), *(step_event(step) for step in range(1, 101)))
    slow = RunBatch()
    decode_lines(event_lines([step_event(101)]).replace(b'"step_time_s":0.243', b'"step_time_s":999'), slow)
    run.fold_batch(slow)
    left = run.eta_s()
    assert left is not None and 200 < left < 230, "one slow update does not move it"
    fold(run, StateChanged("failed", 1, "out of memory"))
    assert run.eta_s() is None and run.reason == "out of memory"


def test_that_the_best_held_out_loss_passes_over_what_is_no_number(run: RunState) -> None:
    assert run.best_held_out is None
    fold(run, evaluated(0, math.nan))
    assert run.best_held_out is None
    fold(run, evaluated(10, 2.0), evaluated(20, math.inf), evaluated(30, 2.5))
    assert run.best_held_out == (10, 2.0)


def test_that_changed_comes_once_for_a_batch(run: RunState, qtbot: QtBot) -> None:
    told: list[int] = []
    run.changed.connect(lambda: told.append(run.step))
    fold(run, *(step_event(step) for step in range(1, 1000)))
    assert told == [999]


def test_that_a_sample_of_a_long_run_is_shown_until_its_updates_have_come(run: RunState) -> None:
    preview = batch_of(*(step_event(step) for step in range(1, 10_001, 100))).steps
    run.fold_batch(RunBatch(preview=preview, expected_lines=10_000))
    assert run.step == 9901 and len(run.series("loss")[0]) == 100 and not run.caught_up
    run.fold_batch(batch_of(*(step_event(step) for step in range(1, 5_001))))
    steps, _ = run.series("loss")
    assert list(steps) == [*range(1, 5_001), *range(5_001, 10_001, 100)]
    assert run.true_rows == 5_000
    run.fold_batch(batch_of(*(step_event(step) for step in range(5_001, 10_006))))
    run.fold_batch(RunBatch(caught_up=True))
    assert list(run.series("loss")[0]) == list(range(1, 10_006)) and run.caught_up


def test_that_the_link_says_nothing_about_the_run(run: RunState, qtbot: QtBot) -> None:
    fold(run, StateChanged("running", 1))
    link = LinkState("reconnecting", 5.0, 9.0, "The connection ended.")
    with qtbot.waitSignal(run.changed):
        run.set_link(link)
    assert run.link == link and run.state == "running"


def test_that_commands_are_known_by_their_newest_event(run: RunState) -> None:
    fold(run, CommandAccepted("c1", "save"), CommandAccepted("c2", "stop"), CommandDone("c1", "save", 5))
    assert run.commands == {"c1": CommandDone("c1", "save", 5), "c2": CommandAccepted("c2", "stop")}


def test_that_an_alert_whose_message_did_not_arrive_is_a_complaint_and_one_that_did_is_silent(run: RunState) -> None:
    fold(run, AlertSent("not_finite", 7, "phone"), AlertSent("not_finite", 9, "team", "It answered 500."))
    assert [(each.severity, each.sentence) for each in run.complaints] == [
        ("warning", "An alert of step 9 did not reach team. It answered 500.")
    ]


def test_that_text_from_the_node_is_plain(run: RunState) -> None:
    fold(run, Complained("error", "\x1b[31mred\x1b[0m \u202eevil"), RankExited(1, 0, 1, 0, ("a\x07b",)))
    fold(run, StateChanged("failed", 1, "why\x00"), Sampled(1, 1, "q", "two\nlines\x1b[2J"))
    assert run.complaints[0].sentence == "red <U+202E>evil"
    assert run.exits[0].last_lines == ("ab",) and run.reason == "why"
    assert run.samples[0].text == "two\nlines"


def test_that_a_repeated_event_is_there_once(run: RunState) -> None:
    for _ in range(2):
        fold(run, Complained("warning", "one"), CheckpointCommitted(1, 2, "step-2", True, 1, 0.1), evaluated(2, 1.0))
    assert len(run.complaints) == len(run.checkpoints) == len(run.evaluations) == 1


def test_that_states_and_kinds_of_a_newer_writer_leave_what_is_known(run: RunState) -> None:
    fold(run, StateChanged("running", 1), StateChanged("levitating", 1), Unknown("amended", {}))
    assert run.state == "running"


def test_that_the_log_keeps_its_newest_lines_and_counts_all(run: RunState) -> None:
    run.fold_log(0, [f"line {number}" for number in range(MAX_LOG_LINES + 5)])
    assert len(run.log) == MAX_LOG_LINES and run.log_count == MAX_LOG_LINES + 5
    assert run.log[-1] == (0, f"line {MAX_LOG_LINES + 4}")


def test_that_damage_and_notes_add_up(run: RunState) -> None:
    run.fold_batch(RunBatch(damaged=2, notes=["a part is missing"]))
    run.fold_batch(RunBatch(damaged=1, gone=True))
    assert (run.damaged, run.notes, run.gone) == (3, ["a part is missing"], True)


def test_that_a_flood_of_samples_is_bounded(run: RunState) -> None:
    fold(run, *(Sampled(1, step, "q", "a") for step in range(3000)))
    assert len(run.samples) == 2000 and run.samples[-1].step == 2999
