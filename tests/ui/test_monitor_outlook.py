"""What the state of a run says of its further way, and the held-out loss that a person asks for."""

from __future__ import annotations

import math
import random
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import (
    CheckpointCommitted,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Evaluated,
    Event,
    Sampled,
    Stamped,
    StateChanged,
    StepCompleted,
    TrainingStarted,
)
from remote_agent.contract.job_spec import JobSpec, with_value
from studio.state.run import RunState
from studio.ui import icons, words
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.monitor.outlook import Outlook, next_checkpoint, spent_beside
from studio.ui.pieces import ElidedLabel
from tests.ui.page_session import PageSession, fold_start, fold_steps, new_run

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

TOTAL = 200


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return PageSession()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> MonitorPage:
    made = MonitorPage(cast(Any, session), monotonic=lambda: 112.0)
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def going(page: MonitorPage, last: int = 60) -> RunState:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, last, TOTAL)
    page.show_run(run)
    return run


def fold(page: MonitorPage, run: RunState, *events: Event) -> None:
    run.fold([Stamped(4000.0, event) for event in events])
    page.refresh()


def told(page: MonitorPage, name: str) -> str:
    label = page.findChild(ElidedLabel, name)
    assert label is not None
    return label.whole_text() if label.isVisible() else ""


def timed_steps(times: list[float]) -> list[Stamped]:
    events = [
        StepCompleted(1, step, 1.0, 2e-5, 1.0, 1000, 900, 4e4, time_s, 1, 0.1) for step, time_s in enumerate(times, 1)
    ]
    return [Stamped(100.0 + event.step, event) for event in events]


def test_that_the_interval_of_the_time_left_covers_what_the_steps_then_take() -> None:
    chance = random.Random(7)
    covered = 0
    for _ in range(200):
        run = new_run()
        fold_start(run, 150)
        run.fold(timed_steps([chance.gauss(10, 2) for _ in range(60)]))
        left, spread = run.eta_s(), run.eta_spread_s()
        assert left is not None and spread is not None
        covered += abs(sum(chance.gauss(10, 2) for _ in range(90)) - left) <= spread
    assert 170 <= covered <= 199


def test_that_even_steps_have_no_interval_and_a_handful_no_estimate_of_it() -> None:
    run = new_run()
    fold_start(run, TOTAL)
    run.fold(timed_steps([2.0] * 4))
    assert run.eta_spread_s() is None
    run.fold(timed_steps([2.0] * 20))
    assert run.eta_spread_s() == 0.0


def test_that_time_left_comes_with_its_interval(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, 500)
    run.fold(timed_steps([60.0 + 20 * (step % 2) for step in range(100)]))
    page.show_run(run)
    left, spread = run.eta_s(), run.eta_spread_s()
    assert left is not None and spread is not None
    assert spread == pytest.approx(1.96 * 10 * math.sqrt(50 / 49) * math.sqrt(400 + 400 * 400 / 50))
    expected = f"about {words.duration(left)} (±{words.duration(spread)}) left"
    assert expected in told(page, "runStateDetail")


def test_that_learning_rate_tokens_left_and_next_checkpoint_are_told_while_the_run_goes(page: MonitorPage) -> None:
    run = going(page)
    rate = words.short_number(float(run.series("learning_rate")[1][-1]))
    assert told(page, "runOutlook").startswith(
        f"learning rate {rate}  ·  about {words.count(140 * 8192)} tokens left  ·  next checkpoint at step 200, "
    )
    fold(page, run, StateChanged("finished", 1))
    assert told(page, "runOutlook") == ""


@pytest.mark.parametrize(
    ("weights", "state", "at_end", "step", "expected"),
    [
        (50, 0, True, 60, 100),
        (50, 70, True, 60, 70),
        (50, 0, True, 50, 100),
        (150, 0, True, 160, 200),
        (150, 0, False, 160, None),
        (0, 0, False, 1, None),
        (200, 0, False, 199, 200),
    ],
)
def test_that_the_next_checkpoint_follows_the_job(
    weights: int, state: int, at_end: bool, step: int, expected: int | None
) -> None:
    spec: JobSpec = with_value(JobSpec(), "checkpointing.weights_every_steps", weights)
    spec = with_value(spec, "checkpointing.state_every_steps", state)
    spec = with_value(spec, "checkpointing.save_at_end", at_end)
    assert next_checkpoint(spec, step, TOTAL) == expected


@pytest.mark.parametrize(
    "answer",
    [
        Evaluated(1, 61, 1.2, math.exp(1.2), 4000, 24, 3.0),
        CommandDone("c-1", "evaluate", 61),
        CommandRefused("c-1", "evaluate", "The run is stopping."),
    ],
)
def test_that_evaluate_now_is_evaluating_until_the_journal_answers(
    page: MonitorPage, session: PageSession, answer: Event
) -> None:
    run = going(page)
    button = page.state_line.evaluate_now
    assert (button.text(), button.isEnabled()) == ("Evaluate now", True)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.calls == [("evaluate_now", run.run_id)]
    fold(page, run, CommandAccepted("c-1", "evaluate"))
    assert (button.text(), button.isEnabled()) == ("Evaluating…", False)
    assert page.state_line.save_now.isEnabled()
    fold(page, run, answer)
    assert (button.text(), button.isEnabled()) == ("Evaluate now", True)


def test_that_a_refused_command_says_why_until_another_is_taken(page: MonitorPage) -> None:
    run = going(page)
    QTest.mouseClick(page.state_line.save_now, Qt.MouseButton.LeftButton)
    fold(page, run, CommandRefused("c-1", "save", "The disk is full."))
    assert told(page, "runOutlook").endswith("The node refused the last command: The disk is full.")
    assert page.state_line.save_now.text() == "Save now"
    fold(page, run, CommandAccepted("c-2", "save"))
    assert "refused" not in told(page, "runOutlook")


def test_that_a_run_without_held_out_rows_offers_no_evaluation(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    run.fold([Stamped(1010.0, TrainingStarted(1, 1, TOTAL, 66, 8, 134_515_008, 1600, 0))])
    fold_steps(run, 1, 5, TOTAL)
    page.show_run(run)
    assert not page.state_line.evaluate_now.isEnabled()
    assert page.state_line.evaluate_now.toolTip() == "The job holds no rows out to evaluate on"
    fold(page, run, StateChanged("failed", 1))
    assert not page.state_line.evaluate_now.isVisible()


def test_that_state_buttons_and_time_left_stand_side_by_side_in_the_smallest_good_window(
    qtbot: QtBot, page: MonitorPage
) -> None:
    icons.load()  # a button is wider with its icon
    run = new_run()
    fold_start(run, 5000)
    run.fold(timed_steps([60.0 + 20 * (step % 2) for step in range(1000)]))
    page.show_run(run)
    label = page.findChild(ElidedLabel, "runStateDetail")
    assert label is not None
    page.refresh()
    qtbot.waitUntil(lambda: label.text() == label.whole_text())  # once the buttons of a run at rest are out of the row


def test_that_the_shares_of_saving_evaluating_and_sampling_are_told(qtbot: QtBot) -> None:
    run = new_run()
    fold_start(run, 200)
    fold_steps(run, 1, 20, 200)
    trained = float(run.series("step_time_s")[1].sum())
    before = spent_beside(run)
    run.fold([
        Stamped(90.0, CheckpointCommitted(1, 20, "step-20", True, 9, trained)),
        Stamped(91.0, Sampled(1, 20, "Hello", "Hi", 0.5 * trained)),
    ])  # fmt: skip
    assert spent_beside(run) == (before[0] + trained, before[1], before[2] + 0.5 * trained)
    outlook = Outlook()
    qtbot.addWidget(outlook)
    outlook.show_run(run)
    assert "of the time " in outlook.whole_text() and "saving" in outlook.whole_text()
    assert "sampling" in outlook.whole_text()
