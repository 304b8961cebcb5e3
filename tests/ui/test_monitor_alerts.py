"""Alerts on the Monitor: what they say, in which order, and what their buttons do."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QFrame, QLabel, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import AlertCleared, AlertRaised, StacksTaken, Stamped, StateChanged
from studio.ui.monitor.channels_dialog import ChannelsDialog
from studio.ui.monitor.monitor_page import MonitorPage
from tests.ui.page_session import PageSession, fold_start, fold_steps, new_run

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

RISE = AlertRaised("loss_rise", "warning", "The loss of the last 10 steps is 4, 2.0 times its level of 2.", 1, 90, 0.0)
NAN = AlertRaised("nonfinite_loss", "error", "The loss of step 99 is nan.", 1, 99, 5.0)
HOT = AlertRaised("gpu_hot", "warning", "GPU 1 is at 91 °C.", 1, 99, 9.0, rank=1)


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


def cards(page: MonitorPage) -> list[str]:
    return [
        card.accessibleName() for card in page.alerts.findChildren(QFrame) if card.objectName().startswith("alert_")
    ]


def press(page: MonitorPage, name: str) -> None:
    found = page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    found.click()


def alarmed(page: MonitorPage, *raised: AlertRaised) -> Any:
    run = new_run()
    fold_start(run, 200)
    fold_steps(run, 1, 99, 200)
    run.fold([Stamped(100.0, alert) for alert in raised])
    page.show_run(run)
    return run


def test_that_the_worst_alert_stands_first_and_is_gone_when_it_is_over(page: MonitorPage) -> None:
    run = alarmed(page, RISE, NAN, HOT)
    assert [name.partition(":")[0] for name in cards(page)] == [
        "Error · Loss is no number",
        "Warning · GPU too hot",
        "Warning · Loss rises",
    ]
    run.fold(
        [Stamped(101.0, AlertCleared("nonfinite_loss", 1, 100)), Stamped(101.0, AlertCleared("gpu_hot", 1, 100, 1))]
    )
    page.refresh()
    assert [name.partition(":")[0] for name in cards(page)] == ["Warning · Loss rises"]
    assert [alert.rule for alert in run.all_alerts] == ["loss_rise", "nonfinite_loss", "gpu_hot"]


def test_that_the_stop_of_an_alert_asks_first_and_its_save_saves(page: MonitorPage, session: PageSession) -> None:
    run = alarmed(page, HOT)
    press(page, "alert_gpu_hot_1_save")
    assert ("save_now", run.run_id) in session.calls
    press(page, "alert_gpu_hot_1_stop")
    assert page._stop_dialog is not None
    page._stop_dialog.reject()


def test_that_an_ignored_alert_stays_away_until_it_comes_again(page: MonitorPage) -> None:
    run = alarmed(page, RISE)
    press(page, "alert_loss_rise_-1_ignore")
    assert cards(page) == []
    page.refresh()
    assert not page.alerts.isVisible()
    again = AlertRaised("loss_rise", "warning", "It rises again.", 1, 150, 50.0)
    run.fold([Stamped(150.0, AlertCleared("loss_rise", 1, 120)), Stamped(151.0, again)])
    page.refresh()
    assert cards(page) == ["Warning · Loss rises: It rises again."]


def test_that_an_ended_run_shows_no_alert(page: MonitorPage) -> None:
    run = alarmed(page, RISE)
    ended = AlertRaised("run_ended", "error", "The run failed at step 99 of 200.", 1, 99, 60.0)
    run.fold([Stamped(160.0, StateChanged("failed", 1)), Stamped(160.0, ended)])
    page.refresh()
    assert cards(page) == []


def test_that_channels_are_checked_before_they_are_kept(qtbot: QtBot, session: PageSession) -> None:
    dialog = ChannelsDialog(cast(Any, session))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.text.toPlainText() == "team: slack https://hooks.example/T0\n"
    assert dialog.note.text() == "Kept until Luthier ends."
    dialog.text.setPlainText("phone: smoke https://x")
    keep = dialog.findChild(QPushButton, "channelsKeepButton")
    assert isinstance(keep, QPushButton)
    keep.click()
    assert dialog.isVisible()
    assert dialog.problem.text().startswith("Line 1: phone: 'smoke' is no kind of channel")
    dialog.text.setPlainText("phone: ntfy https://x")
    keep.click()
    assert not dialog.isVisible()
    assert ("keep_alert_channels", "phone: ntfy https://x") in session.calls


def test_that_a_test_message_says_in_a_sentence_where_it_arrived_and_where_not(
    qtbot: QtBot, session: PageSession
) -> None:
    dialog = ChannelsDialog(cast(Any, session))
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.text.setPlainText("phone: smoke https://x")
    dialog.test.click()
    assert dialog.problem.text().startswith("Line 1: phone")
    assert not dialog.outcome.isVisible()
    dialog.text.setPlainText("phone: ntfy https://x")
    dialog.test.click()
    assert session.calls == [("send_test_message", "phone: ntfy https://x")]
    assert not dialog.problem.isVisible()
    assert not dialog.test.isEnabled()
    assert dialog.outcome.text() == "Sending…"
    session.test_message_sent.emit("gpu-1", {"phone": "", "team": "It answered 500."}, "")
    assert dialog.outcome.text() == "Sent from gpu-1 to phone. team was not reached from gpu-1. It answered 500."
    assert dialog.test.isEnabled()
    session.test_message_sent.emit("gpu-1", {}, "The node did not answer.")
    assert dialog.outcome.text() == "Nothing was sent. The node did not answer."


def test_that_an_alert_names_its_rows_and_takes_the_run_back_in_the_way_that_is_chosen(
    page: MonitorPage, session: PageSession
) -> None:
    run = alarmed(page, dataclasses.replace(NAN, rows=(3, 11, 12, 90, 91)))
    captions = [label.text() for label in page.alerts.findChildren(QLabel)]
    assert "rows 4, 12, 13, 91 and 1 more" in captions
    press(page, "alert_nonfinite_loss_-1_skip")
    press(page, "alert_nonfinite_loss_-1_roll_back")
    assert session.calls == [("roll_back", run.run_id, 99, True), ("roll_back", run.run_id, 99, False)]


def test_that_a_stall_leads_to_where_its_ranks_stand(page: MonitorPage) -> None:
    stalled = AlertRaised("stall", "error", "No update came for 90 s; the median step takes 1.0 s.", 1, 99, 5.0)
    run = alarmed(page, stalled)
    assert page.findChild(QPushButton, "alert_stall_-1_stacks") is None
    run.fold([Stamped(101.0, StacksTaken(1, 99, "faulthandler", ("rank 0\n<b>in</b> train", "rank 1\nin follow")))])
    page.refresh()
    press(page, "alert_stall_-1_stacks")
    text = page.findChild(QPlainTextEdit, "stacksText")
    assert text is not None
    assert text.toPlainText() == "rank 0\n<b>in</b> train\n\nrank 1\nin follow"
