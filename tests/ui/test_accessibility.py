"""The real window on a real session: each control has a name, Tab reaches it, and outside text stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import (
    CheckpointCommitted,
    Complained,
    Event,
    Sampled,
    StateChanged,
    TrainingStarted,
)
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.run_dir import RANK0_WRITER
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.session.addresses import NodeAddress
from studio.session.opening import open_session
from studio.session.session import Session
from studio.state.node import READY
from studio.store.library import Library
from studio.store.rows import Block, RunRow
from studio.ui import theme
from studio.ui.launch.launch_page import LaunchPage
from studio.ui.main_window import MainWindow
from studio.ui.monitor.monitor_page import MonitorPage
from studio.ui.pickers.data_picker import DataPicker
from studio.ui.pickers.model_picker import ModelPicker
from studio.ui.pickers.node_picker import NodePicker
from studio.ui.recipe.cards import RecipeCard
from tests.support.journals import INCARNATION, RUN_ID, event_lines, header_line, step_event
from tests.support.reports import gpu_report, model_report
from tests.ui.page_session import data_report

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

MARKUP = "<b>bold</b> & <img src='x'>"
NODE = "<i>box</i>"
JOB_PAGES, RUN_PAGES = ("data", "recipe", "memory", "launch"), ("monitor", "samples", "log", "config")
INTERACTIVE = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView, QAbstractSlider, QTextEdit, QPlainTextEdit)
PARTS = ("QHeaderView", "QTableCornerButton", "QScrollBar", "QComboBoxListView", "QComboBoxPrivateContainer")
MOST_STOPS = 400


def marked_up_job() -> JobSpec:
    """Return a job whose every free text looks like markup."""
    spec: JobSpec = JobSpec()
    for path, value in (
        ("name", MARKUP), ("model.id", f"/models/{MARKUP}"), ("data.path", f"/data/{MARKUP}.jsonl"),
        ("batch.max_steps", 20), ("regularization.label_smoothing", 0.95),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


def kept_run(library: Library) -> None:
    """Keep a run that has ended, with steps, samples, a checkpoint and a complaint."""
    job = spec_to_json(with_value(marked_up_job(), "regularization.label_smoothing", 0.0))
    library.save_run(RunRow(RUN_ID, MARKUP, NODE, job, "stopped", 5, 20, 1.5, 1.0, 9.0))
    events: list[Event] = [
        TrainingStarted(1, 1, 20, 20, 1, 1000, 80, 8),
        *(step_event(step) for step in range(1, 6)),
        CheckpointCommitted(1, 3, "step-3", True, 1000, 1.0),
        Sampled(1, 0, MARKUP, MARKUP),
        Sampled(1, 5, MARKUP, MARKUP),
        Complained("warning", MARKUP, 0),
        StateChanged("stopped", 1, MARKUP),
    ]
    body = header_line() + event_lines(events)
    library.store_blocks(RUN_ID, [Block(RANK0_WRITER, 0, INCARNATION, 0, body)])


@pytest.fixture
def session(qapp: QApplication) -> Iterator[Session]:
    theme.start(qapp, places.resources_dir(), Qt.ColorScheme.Light)
    library = Library(places.library_path())
    kept_run(library)
    library.close()
    session = open_session()
    yield session
    session.close()
    session.deleteLater()
    QCoreApplication.sendPostedEvents(session, QEvent.Type.DeferredDelete)


@pytest.fixture
def window(qtbot: QtBot, session: Session) -> MainWindow:
    window = MainWindow(session)
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.ready):
        window.show()
    window.activateWindow()
    session.hosts.put(NodeAddress(NODE, "ssh", "box.invalid"))
    session.hosts.update(NODE, report=gpu_report(2), link=READY)
    session.node_name = NODE
    session.draft.replace_spec(marked_up_job())
    session.draft.set_known(model=model_report(), data=data_report(), node=gpu_report(2))
    return window


def shown_page(qtbot: QtBot, window: MainWindow, key: str) -> QWidget:
    """Show a page with everything on it unfolded, and return it."""
    if key in RUN_PAGES:
        window.show_run(RUN_ID)
        run = window.session.run(RUN_ID)
        qtbot.waitUntil(lambda: run.step == 5 and bool(run.complaints), timeout=20_000)
        run.fold_log(0, [MARKUP])
        run.fold_log(1, [MARKUP])
    elif window._run_id:
        window.show_job()
    window.show_tab(key)
    page = window.pages.page(key)
    for card in page.findChildren(RecipeCard):
        card.set_open(True)
    if isinstance(page, MonitorPage):
        page.drawer.set_open(True)
        page.refresh()
    if isinstance(page, LaunchPage):
        page.refresh()
    if not window.problems.isHidden() and not window.problems._open:
        window.problems.count.click()
    return page


def is_own(widget: QWidget) -> bool:
    """Say whether a control is ours and not a part of another control."""
    if widget.objectName().startswith("qt_"):
        return False
    above: QWidget | None = widget
    while above is not None:
        if type(above).__name__ in PARTS:
            return False
        above = above.parentWidget()
        if isinstance(above, QComboBox | QLineEdit):
            return False
    return True


def controls(top: QWidget) -> list[QWidget]:
    """Return the controls that a person can use now."""
    return [
        widget
        for widget in top.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE) and is_own(widget) and widget.isVisibleTo(top) and widget.isEnabled()
    ]


def describe(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{type(widget).__name__} {widget.objectName() or text or widget.accessibleName()}"


def stops(top: QWidget) -> set[QWidget]:
    """Return what has the keyboard at some time while Tab is pressed until it comes round."""
    found: list[QWidget] = []
    first = top.focusWidget()
    for _ in range(MOST_STOPS):
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is None or (found and now is found[0]):
            break
        found.append(now)
    return {*found, *([first] if first is not None else [])}


def is_reached(widget: QWidget, reached: set[QWidget]) -> bool:
    """Say whether Tab stops at a control; of buttons that exclude each other it stops at one, arrows do the rest."""
    if widget in reached:
        return True
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    return group is not None and group.exclusive() and any(button in reached for button in group.buttons())


@pytest.mark.parametrize("key", JOB_PAGES + RUN_PAGES)
def test_that_every_control_of_a_page_has_a_name(qtbot: QtBot, window: MainWindow, key: str) -> None:
    shown_page(qtbot, window, key)
    nameless = [
        describe(widget)
        for widget in controls(window)
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not nameless


@pytest.mark.parametrize("key", JOB_PAGES + RUN_PAGES)
def test_that_tab_reaches_every_control_of_a_page(qtbot: QtBot, window: MainWindow, key: str) -> None:
    shown_page(qtbot, window, key)
    window.sidebar.filter.setFocus()
    reached = stops(window)
    missed = [
        describe(widget)
        for widget in controls(window)
        # the help beside a field is F1 on the field itself; a stop more a field would double the way
        if not widget.accessibleName().startswith("Help on ") and not is_reached(widget, reached)
    ]
    assert not missed
    assert not [widget for widget in reached if type(widget) in (QWidget, QAbstractScrollArea)]


@pytest.mark.parametrize("kind", [ModelPicker, DataPicker, NodePicker])
def test_that_every_control_of_a_picker_has_a_name_and_tab_reaches_it(
    qtbot: QtBot, window: MainWindow, kind: type[ModelPicker] | type[DataPicker] | type[NodePicker]
) -> None:
    picker = kind(window.session, window)
    picker.popup_at(window.header.model)
    qtbot.waitUntil(lambda: picker.isVisible() and QApplication.focusWidget() is not None)
    reached = stops(picker)
    found = controls(picker)
    assert found
    assert not [describe(widget) for widget in found if not widget.accessibleName()]
    assert not [describe(widget) for widget in found if not is_reached(widget, reached)]
    picker.close()


@pytest.mark.parametrize("key", JOB_PAGES + RUN_PAGES)
def test_that_text_from_outside_is_shown_as_it_is(qtbot: QtBot, window: MainWindow, key: str) -> None:
    shown_page(qtbot, window, key)
    window.show_notice("warning", MARKUP)
    labels = [label for label in window.findChildren(QLabel) if "<" in label.text()]
    assert labels, "nothing from outside is shown, so that nothing is tested"
    assert not [describe(label) for label in labels if label.textFormat() != Qt.TextFormat.PlainText]
    tips = [widget.toolTip() for widget in window.findChildren(QWidget) if "bold" in widget.toolTip()]
    assert not [tip for tip in tips if "<b>" in tip]


def test_that_a_chip_takes_an_ampersand_for_a_letter(window: MainWindow) -> None:
    chip = window.findChild(QPushButton, "modelChip")
    assert chip is not None
    assert "&&" in chip.text() or "&" not in chip.text()
