"""The pages of a run: what they say, what they cost while hidden, and which verbs their buttons call."""

from __future__ import annotations

from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from remote_agent.contract.amendments import LEARNING_RATE, MAX_STEPS
from remote_agent.contract.events import (
    Amended,
    CheckpointCommitted,
    Complained,
    Progressed,
    Stamped,
    StateChanged,
)
from studio.remote.errors import HostKeyChanged, HostKeyUnknown
from studio.store.live import LinkState
from studio.ui.monitor.change_dialog import ChangeDialog
from studio.ui.monitor.config_page import ConfigPage
from studio.ui.monitor.link_words import link_sentence
from studio.ui.monitor.log_page import LogPage
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.monitor.samples_page import SamplesPage
from studio.ui.monitor.state_line import phase_words, trend_of
from studio.ui.pieces import ElidedLabel
from tests.ui.page_session import PageSession, fold_middle, fold_start, fold_steps, new_run

TOTAL = 200
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def as_session(session: PageSession) -> Any:
    return cast(Any, session)


def label_text(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def click(qtbot: QtBot, page: QWidget, name: str) -> None:
    found = page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


@pytest.fixture
def session(qtbot: QtBot) -> PageSession:
    return PageSession()


@pytest.fixture
def page(qtbot: QtBot, session: PageSession) -> MonitorPage:
    made = MonitorPage(as_session(session), monotonic=lambda: 112.0)
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    return made


def test_that_state_step_time_left_and_losses_stand_over_the_charts(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 120, TOTAL)
    page.show_run(run)
    assert label_text(page, "runStateWord") == "Running"
    assert "step 120 of 200" in page.state_line.findChild(QLabel, "runStateDetail").whole_text()  # type: ignore[union-attr]
    assert "left" in page.state_line.findChild(QLabel, "runStateDetail").whole_text()  # type: ignore[union-attr]
    assert "falling" in page.state_line.loss.accessibleName() or "level" in page.state_line.loss.accessibleName()
    best = run.best_held_out
    assert best is not None
    assert f"{best[1]:.3f} at {best[0]}" in page.state_line.held_out.accessibleName()


def test_that_many_folds_are_one_redraw_and_a_hidden_page_redraws_nothing(qtbot: QtBot, page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    page.show_run(run)
    for step in range(1, 41):
        fold_steps(run, step, step, TOTAL)
    assert not page.charts.loss.line_names
    qtbot.waitUntil(lambda: "train, every step" in page.charts.loss.line_names)
    assert len(page.charts.loss.line("train, every step")[0]) == 40
    page.hide()
    fold_steps(run, 41, 50, TOTAL)
    assert not page._soon.isActive()
    assert len(page.charts.loss.line("train, every step")[0]) == 40
    page.show()
    qtbot.waitUntil(lambda: len(page.charts.loss.line("train, every step")[0]) == 50)


def test_that_another_run_leaves_nothing_of_the_one_before(page: MonitorPage) -> None:
    first, second = new_run(), new_run()
    fold_start(first, TOTAL)
    fold_steps(first, 1, 30, TOTAL)
    fold_middle(first)
    page.show_run(first)
    assert page.complaints.isVisible() and page.hardware.isVisible()
    page.show_run(second)
    assert not page.charts.loss.line_names
    assert not page.complaints.isVisible() and not page.hardware.isVisible()
    assert label_text(page, "runStateWord") == "Queued"
    fold_steps(first, 31, 32, TOTAL)
    assert not page._soon.isActive()


def test_that_a_run_that_the_session_deleted_can_be_left(qtbot: QtBot, page: MonitorPage, session: PageSession) -> None:
    first, second = new_run(), new_run()
    pages = (page, LogPage(as_session(session)), SamplesPage(as_session(session)), ConfigPage(as_session(session)))
    for each in pages:
        qtbot.addWidget(each)
        each.show_run(first)
    gone: list[bool] = []
    first.destroyed.connect(lambda: gone.append(True))
    first.deleteLater()
    qtbot.waitUntil(lambda: bool(gone))
    for each in pages:
        each.show_run(second)
    assert label_text(page, "runStateWord") == "Queued"


def test_that_phases_before_the_first_step_show_as_a_bar(page: MonitorPage) -> None:
    run = new_run()
    run.fold([Stamped(1.0, StateChanged("starting", 1)), Stamped(2.0, Progressed("model", 31, 272, "tensors"))])
    page.show_run(run)
    assert page.state_line.progress.isVisible()
    assert page.state_line.progress.accessibleName() == "Loading the model  ·  31 of 272 tensors"
    fold_start(run, TOTAL)
    fold_steps(run, 1, 1, TOTAL)
    page.refresh()
    assert not page.state_line.progress.isVisible()


def test_that_an_unknown_phase_is_told_in_the_nodes_own_words() -> None:
    assert phase_words("warming caches", 0, 0, "") == "Warming caches"


@pytest.mark.parametrize(
    ("values", "expected"),
    [([2.0 - step / 50 for step in range(60)], "falling"), ([1.0 + step / 50 for step in range(60)], "rising"),
     ([1.0] * 60, "flat"), ([1.0] * 5, "")],
)  # fmt: skip
def test_that_the_trend_of_a_loss_is_told(values: list[float], expected: str) -> None:
    assert trend_of(values) == expected


@pytest.mark.parametrize(
    ("button", "expected"),
    [("stopAndSaveButton", True), ("stopWithoutSavingButton", False), ("keepRunningButton", None)],
)
def test_that_stopping_is_asked_first(
    qtbot: QtBot, page: MonitorPage, session: PageSession, button: str, expected: bool | None
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 5, TOTAL)
    page.show_run(run)
    click(qtbot, page, "stopButton")
    dialog = page.findChild(QWidget, "stopDialog")
    assert isinstance(dialog, QWidget) and not session.calls
    click(qtbot, dialog, button)
    assert session.calls == ([] if expected is None else [("stop_run", run.run_id, expected)])


def test_that_save_now_is_offered_only_while_the_run_goes(
    qtbot: QtBot, page: MonitorPage, session: PageSession
) -> None:
    run = new_run()
    page.show_run(run)
    assert not page.state_line.save_now.isEnabled()
    fold_start(run, TOTAL)
    page.refresh()
    click(qtbot, page, "saveNowButton")
    assert session.calls == [("save_now", run.run_id)]
    run.fold([Stamped(9.0, StateChanged("finished", 1))])
    page.refresh()
    assert not page.state_line.save_now.isVisible() and not page.state_line.stop.isVisible()


def test_that_a_run_that_ended_early_with_its_state_saved_can_be_resumed(
    qtbot: QtBot, page: MonitorPage, session: PageSession
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 5, TOTAL)
    run.fold([Stamped(5.0, CheckpointCommitted(1, 3, "step-3", False, 10, 0.1))])
    run.fold([Stamped(9.0, StateChanged("failed", 1))])
    page.show_run(run)
    assert not page.state_line.resume.isVisible()
    run.fold([Stamped(9.1, CheckpointCommitted(1, 4, "step-4", True, 10, 0.1))])
    page.refresh()
    assert page.state_line.resume.toolTip() == "Go on from step 4"
    click(qtbot, page, "resumeButton")
    assert session.calls == [("resume_run", run.run_id)]
    for state in ("starting", "running", "finished"):
        run.fold([Stamped(10.0, StateChanged(state, 2))])
        page.refresh()
        assert not page.state_line.resume.isVisible()


def test_that_the_links_sentence_counts_and_offers_to_try_now(
    qtbot: QtBot, page: MonitorPage, session: PageSession
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    run.set_link(LinkState("reconnecting", 100.0, 116.0, "no route"))
    page.show_run(run)
    assert label_text(page, "linkSentence") == (
        "The link to gpu-box is down since 12 s; the run goes on there. Trying again in 4 s."
    )
    assert page._tick.isActive()
    click(qtbot, page, "retryLinkButton")
    assert session.calls == [("retry_link", "gpu-box")]
    run.set_link(LinkState("connected", 112.0))
    page.refresh()
    assert not page.link_row.isVisible() and not page._tick.isActive()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("stale", "gpu-box has not answered for 12 s; the run goes on there."),
        ("needs_person", "The link to gpu-box needs you; the run goes on there. The key is locked."),
        ("connected", ""),
    ],
)
def test_that_every_kind_of_link_has_its_sentence(kind: str, expected: str) -> None:
    assert link_sentence("gpu-box", LinkState(kind, 0.0, 0.0, "The key is locked."), 12.0, 0.0) == expected


@pytest.mark.parametrize(
    ("error", "dialog"),
    [
        (HostKeyUnknown("10.0.3.7", 22, "ssh-ed25519", "SHA256:abc", "AAAA"), "hostKeyDialog"),
        (HostKeyChanged("10.0.3.7", 22, "ssh-ed25519", "SHA256:new", "ssh-rsa", "SHA256:old", "known_hosts:3"),
         "hostKeyChangedDialog"),
    ],
)  # fmt: skip
def test_that_a_link_that_needs_a_person_leads_to_its_question(
    qtbot: QtBot, page: MonitorPage, error: Exception, dialog: str
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    run.set_link(LinkState("needs_person", 100.0, 0.0, "A key is to be judged.", error))
    page.show_run(run)
    click(qtbot, page, "lookAtLinkButton")
    assert page.findChild(QWidget, dialog) is not None


def test_that_complaints_are_plain_text_and_can_be_put_away(qtbot: QtBot, page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    run.fold([Stamped(1.0, Complained("error", f"<b>number {number}</b>", number)) for number in range(3)])
    page.show_run(run)
    shown = [label for label in page.complaints.findChildren(QLabel) if "number" in label.text()]
    assert [label.text() for label in shown] == ["<b>number 2</b>", "<b>number 1</b>"]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in shown)
    click(qtbot, page, "dismissComplaint2")
    click(qtbot, page, "dismissComplaint1")
    click(qtbot, page, "dismissComplaint0")
    assert not page.complaints.isVisible()
    fold_steps(run, 1, 1, TOTAL)
    page.refresh()
    assert not page.complaints.isVisible()


def test_that_the_drawer_shows_the_newest_line_and_opens_to_the_whole_log(qtbot: QtBot, page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    run.fold_log(0, ["first", "<i>second</i>"])
    page.show_run(run)
    last = page.findChild(QLabel, "lastLogLine")
    assert last is not None and last.whole_text() == "<i>second</i>"  # type: ignore[attr-defined]
    page.drawer.set_open(True)
    text = page.findChild(QPlainTextEdit, "drawerLogText")
    assert isinstance(text, QPlainTextEdit)
    qtbot.waitUntil(lambda: text.toPlainText() == "first\n<i>second</i>")
    run.fold_log(0, ["third"])
    page.refresh()
    assert text.toPlainText().endswith("third")


def test_that_every_button_and_field_has_a_name_for_people_and_for_tests(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_middle(run)
    page.show_run(run)
    page.drawer.set_open(True)
    for kind in (QPushButton, QLineEdit, QComboBox, QPlainTextEdit):
        for widget in page.findChildren(kind):
            assert widget.objectName() and widget.accessibleName(), widget


def test_that_save_now_says_that_it_saves_until_the_checkpoint_is_there(
    qtbot: QtBot, page: MonitorPage, session: PageSession
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 20, TOTAL)
    page.show_run(run)
    click(qtbot, page, "saveNowButton")
    assert session.calls == [("save_now", run.run_id)]
    button = page.state_line.save_now
    assert (button.text(), button.isEnabled()) == ("Saving…", False)
    fold_steps(run, 21, 22, TOTAL)
    page.refresh()
    assert button.text() == "Saving…"
    run.fold([Stamped(2100.0, CheckpointCommitted(1, 21, "step-21", True, 1000, 1.0))])
    page.refresh()
    assert (button.text(), button.isEnabled()) == ("Save now", True)


def test_that_a_run_that_is_stopping_promises_no_time(page: MonitorPage) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 60, TOTAL)
    page.show_run(run)
    detail = page.findChild(ElidedLabel, "runStateDetail")
    assert detail is not None and " left" in detail.whole_text()
    run.fold([Stamped(2100.0, StateChanged("stopping", 1))])
    page.refresh()
    assert " left" not in detail.whole_text()


def test_that_a_run_is_paused_and_resumed_by_its_buttons_as_the_journal_says(
    qtbot: QtBot, page: MonitorPage, session: PageSession
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 20, TOTAL)
    page.show_run(run)
    click(qtbot, page, "pauseButton")
    assert session.calls == [("pause_run", run.run_id)]
    assert label_text(page, "runStateWord") == "Running"
    run.fold(
        [Stamped(50.0, StateChanged("pausing", 1)), Stamped(51.0, CheckpointCommitted(1, 20, "step-20", True, 9, 1.0))]
    )
    page.refresh()
    assert label_text(page, "runStateWord") == "Pausing" and not page.state_line.pause.isEnabled()
    run.fold([Stamped(52.0, StateChanged("paused", 1))])
    page.refresh()
    assert label_text(page, "runStateWord") == "Paused"
    assert not page.state_line.pause.isVisible() and page.state_line.stop.isEnabled()
    click(qtbot, page, "resumeButton")
    assert session.calls[-1] == ("resume_run", run.run_id)


def test_that_the_rest_of_a_run_is_changed_and_the_plan_follows_the_journal(
    page: MonitorPage, session: PageSession
) -> None:
    run = new_run()
    fold_start(run, TOTAL)
    fold_steps(run, 1, 20, TOTAL)
    page.show_run(run)
    page.state_line.sample_now.trigger()
    page.state_line.change.trigger()
    dialog = page.findChild(ChangeDialog)
    assert dialog is not None
    peak = run.spec.optimizer.learning_rate
    for name, value in (("changeSteps", 300), ("changeEvery", 25)):
        box = dialog.findChild(QSpinBox, name)
        assert box is not None
        box.setValue(value)
    factor = dialog.findChild(QDoubleSpinBox, "changeFactor")
    assert factor is not None
    factor.setValue(0.5)
    dialog.accept()
    assert session.calls[-3:] == [
        ("extend_run", run.run_id, 300), ("change_rate", run.run_id, 0.5 * peak), ("change_evaluation", run.run_id, 25),
    ]  # fmt: skip
    assert run.total_steps == TOTAL
    run.fold(
        [Stamped(60.0, Amended(1, 20, MAX_STEPS, 300.0)), Stamped(60.0, Amended(1, 20, LEARNING_RATE, 0.5 * peak))]
    )
    page.refresh()
    assert run.total_steps == 300
    places, rates = page.charts.learning_rate.line("plan")
    assert max(places) == 300
    planned = dict(zip([int(place) for place in places], rates, strict=True))
    assert planned[21] == pytest.approx(run.amended_job().learning_rate(20))
    assert planned[21] < 0.6 * planned[20]
