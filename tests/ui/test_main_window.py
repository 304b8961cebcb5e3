"""The window on a real session: keyboard, problems that lead to their field, palette, drops, remembered places."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from studio.remote.errors import HostKeyUnknown
from studio.session.opening import open_session
from studio.session.session import Session
from studio.ui import theme
from studio.ui.command_palette import CommandPalette
from studio.ui.dropped import DATA, JOB_FILE, MODEL, kind_of
from studio.ui.main_window import MainWindow
from studio.ui.pickers.host_key_dialog import HostKeyDialog
from studio.ui.problems_bar import page_of, place_words

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
RESOURCES = Path(__file__).parents[2] / "resources"


@pytest.fixture
def session(qapp: QApplication, luthier_home: Path) -> Iterator[Session]:
    theme.start(qapp, RESOURCES, Qt.ColorScheme.Light)
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
    return window


def palette_of(window: MainWindow) -> CommandPalette:
    palette = window.findChild(CommandPalette)
    assert palette is not None
    return palette


def test_that_the_window_opens_on_a_job_with_its_four_pages(window: MainWindow, session: Session) -> None:
    assert [tab.key for tab in window.header.tabs] == ["data", "recipe", "memory", "launch"]
    assert window.header.name.text() == session.draft.spec.name
    assert window.size().width() == 1280


def test_that_icons_and_the_chart_library_come_by_themselves_once_the_window_is_up(
    qtbot: QtBot, window: MainWindow
) -> None:
    qtbot.waitUntil(lambda: not window.header.launch.icon().isNull() and "pyqtgraph" in sys.modules, timeout=20_000)
    assert window.isVisible() and window.pages.current_key


def test_that_pages_are_reached_by_number_and_built_when_first_shown(qtbot: QtBot, window: MainWindow) -> None:
    assert "memory" not in window.pages._pages
    for number, key in ((2, "recipe"), (3, "memory"), (4, "launch"), (1, "data")):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda key=key: window.pages.current_key == key)  # type: ignore[misc]
        tab = window.findChild(QPushButton, f"tab{key.capitalize()}")
        assert tab is not None and tab.isChecked()


def test_that_every_control_has_a_name_for_a_screen_reader(window: MainWindow) -> None:
    for key in ("data", "recipe", "memory", "launch"):
        window.show_tab(key)
    window.problems._on_count()
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView)
        for widget in window.findChildren(kind)
        if not widget.objectName().startswith("qt_")
        and type(widget.parent()).__name__
        not in ("QComboBox", "QComboBoxPrivateContainer", "QHeaderView", "QTableView")
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        and _is_own(widget)
    ]
    assert not nameless, nameless


def _is_own(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox | QLineEdit) or type(parent).__name__ == "QComboBoxPrivateContainer":
            return False
        parent = parent.parentWidget()
    return type(widget).__name__ not in ("QTableCornerButton", "QHeaderView", "QComboBoxListView")


def test_that_a_click_on_a_problem_leads_to_its_field(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    session.draft.edit({"model.id": "/m", "data.path": "/d.jsonl", "regularization.label_smoothing": 0.9})
    window.show_tab("data")
    place = window.findChild(QPushButton, "problemPlace0")
    assert place is not None and place.text() == "Recipe › Label smoothing"
    qtbot.mouseClick(place, Qt.MouseButton.LeftButton)
    assert window.pages.current_key == "recipe"
    line = window.findChild(QLineEdit, "regularization.label_smoothing")
    assert line is not None
    assert window.focusWidget() is line


def test_that_the_fix_button_mends_the_job_and_undo_takes_it_back(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    session.draft.edit({"model.id": "/m", "data.path": "/d.jsonl", "regularization.label_smoothing": 0.9})
    fix = window.findChild(QPushButton, "problemFix0")
    assert fix is not None
    qtbot.mouseClick(fix, Qt.MouseButton.LeftButton)
    assert session.draft.spec.regularization.label_smoothing == 0.0
    window.menu_actions.undo.trigger()
    assert session.draft.spec.regularization.label_smoothing == 0.9
    window.menu_actions.redo.trigger()
    assert session.draft.spec.regularization.label_smoothing == 0.0


def test_that_a_launch_with_problems_says_which_and_starts_nothing(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    session.draft.edit({"model.id": "/m", "data.path": "/d.jsonl", "optimizer.beta1": 3.0})
    window.header.launch.click()
    assert "Not launched yet: Beta 1 is 3" in window.notice.sentence
    assert window.pages.current_key == "recipe"
    assert not session.is_launching
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.notice.isHidden()


def test_that_the_palette_finds_a_page_by_a_few_letters(qtbot: QtBot, window: MainWindow) -> None:
    window.show_tab("data")
    window.open_palette()
    qtbot.keyClicks(palette_of(window).search, "go memo")
    qtbot.keyClick(palette_of(window).search, Qt.Key.Key_Return)
    assert window.pages.current_key == "memory"
    assert palette_of(window).isHidden()


def test_that_escape_closes_the_palette_and_gives_the_keyboard_back(qtbot: QtBot, window: MainWindow) -> None:
    window.sidebar.filter.setFocus()
    window.open_palette()
    qtbot.keyClick(palette_of(window).search, Qt.Key.Key_Escape)
    assert palette_of(window).isHidden()
    assert window.focusWidget() is window.sidebar.filter


def test_that_jobs_are_renamed_added_filtered_and_opened(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    window.header.name.selectAll()
    qtbot.keyClicks(window.header.name, "alpaca-7b")
    qtbot.keyClick(window.header.name, Qt.Key.Key_Return)
    session.save_job()
    first = session.job_id
    session.new_job()
    qtbot.waitUntil(lambda: window.header.name.text() == session.draft.spec.name)
    assert session.job_id != first
    assert {entry.text for entry in window.sidebar.entries if entry.kind == "job"} == {"alpaca-7b", "untitled"}
    window.sidebar.filter.setText("alpaca")
    assert [entry.key for entry in window.sidebar.entries if entry.kind == "job"] == [first]
    window.show_job(first)
    assert window.header.name.text() == "alpaca-7b"


def test_that_a_notice_of_the_session_is_plain_text(window: MainWindow, session: Session) -> None:
    session.notice.emit("error", "<b>no</b> space left on gpu-box")
    assert window.notice.isVisible()
    assert window.notice.sentence == "<b>no</b> space left on gpu-box"
    assert window.notice._text.textFormat() == Qt.TextFormat.PlainText


def test_that_dropped_things_are_told_apart(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "a.jsonl").write_text("", encoding="utf-8")
    assert kind_of(model) == MODEL
    assert kind_of(rows) == DATA
    assert kind_of(tmp_path / "train.parquet") == DATA
    assert kind_of(tmp_path / "job.yaml") == JOB_FILE
    assert kind_of(tmp_path / "job.json") == JOB_FILE
    assert kind_of(tmp_path / "notes.pdf") == ""


def test_that_a_dropped_job_file_is_opened(window: MainWindow, session: Session, tmp_path: Path) -> None:
    session.rename_job("from a file")
    path = tmp_path / "job.yaml"
    session.save_job_file(path)
    session.new_job()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(400, 400), copy, mime, left, none)
    QApplication.sendEvent(window, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 400), copy, mime, left, none))
    assert session.draft.spec.name == "from a file"


def test_that_what_the_studio_does_not_open_is_not_taken(window: MainWindow, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "notes.pdf"))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(400, 400), copy, mime, left, none)
    QApplication.sendEvent(window, entering)
    assert not entering.isAccepted()


def test_that_sizes_and_the_last_page_are_remembered(
    qtbot: QtBot, session: Session, luthier_home: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "window.ini"
    first = MainWindow(session, settings)
    first.show()
    qtbot.waitUntil(lambda: bool(first.header.tabs))
    first.resize(1000, 640)
    first.splitter.setSizes([300, 800])
    first.show_tab("memory")
    first.close()
    first.deleteLater()
    second = MainWindow(session, settings)
    qtbot.addWidget(second)
    second.show()
    qtbot.waitUntil(lambda: second.pages.current_key == "memory")
    assert second.height() == 640
    assert second.splitter.sizes()[0] == 300


@pytest.mark.parametrize(
    ("path", "page", "words"),
    [
        ("schedule.warmup.amount", "recipe", "Recipe › Warmup"),
        ("data.path", "data", "Data › Training data"),
        ("model.id", "", "Job › Model"),
        ("node", "", "Node"),
    ],
)
def test_that_a_problem_is_told_where_it_stands(path: str, page: str, words: str) -> None:
    assert page_of(path) == page
    assert place_words(path) == words


def test_that_each_chip_opens_its_picker(qtbot: QtBot, window: MainWindow) -> None:
    for kind, chip in window._chips().items():
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
        popups = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible() and widget is not window]
        assert len(popups) == 1, kind
        popups[0].close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_that_f1_explains_the_field_with_the_keyboard(qtbot: QtBot, window: MainWindow) -> None:
    window.reveal("optimizer.beta1")
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_F1)
    popup = next(widget for widget in QApplication.topLevelWidgets() if widget.objectName() == "helpPopup")
    said = " ".join(label.text() for label in popup.findChildren(QLabel))
    assert "Default: 0.95" in said and "Source: Touvron" in said
    popup.close()


def test_that_escape_puts_a_half_typed_value_back_before_it_reaches_the_window(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    window.reveal("optimizer.weight_decay")
    window.show_notice("warning", "Something to close.")
    line = window.findChild(QLineEdit, "optimizer.weight_decay")
    assert line is not None
    qtbot.keyClicks(line, "0.5")
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "0.1"
    assert window.notice.isVisible()


def test_that_two_calls_that_meet_the_same_unknown_key_ask_once(window: MainWindow, session: Session) -> None:
    for _ in range(2):
        question = HostKeyUnknown("box.invalid", 22, "ssh-ed25519", "SHA256:abc", "AAAA")
        session.host_key_question.emit(question, "box")
    (dialog,) = window.findChildren(HostKeyDialog)
    dialog.reject()


def test_that_add_a_node_opens_the_form_itself(qtbot: QtBot, window: MainWindow) -> None:
    window.sidebar.new_node_wanted.emit()
    pasted = next(
        line
        for top in QApplication.topLevelWidgets()
        for line in top.findChildren(QLineEdit, "nodePasted")
        if line.isVisible()
    )
    assert pasted.window().focusWidget() is pasted
    pasted.window().close()


@pytest.mark.parametrize("key", ["data", "recipe", "memory", "launch"])
def test_that_nothing_is_cut_off_at_the_sides_of_the_smallest_window(
    qtbot: QtBot, window: MainWindow, session: Session, key: str
) -> None:
    name = "a-model-with-a-rather-long-name-7b-instruct-v0.3"
    session.draft.edit({"name": name, "model.id": f"/models/{name}", "data.path": f"/data/{name}.jsonl"})
    session.choose_node("This computer")
    for other in ("data", "recipe", "memory", "launch"):
        window.show_tab(other)
    window.resize(960, 600)
    window.show_tab(key)
    qtbot.waitUntil(lambda: window.pages.width() == window.header.width() and window.width() == 960)
    QApplication.processEvents()

    def is_cut(widget: QWidget) -> bool:
        left, right = widget.mapTo(window, QPoint(0, 0)).x(), widget.mapTo(window, QPoint(widget.width(), 0)).x()
        shown = widget.visibleRegion().boundingRect()
        narrower = not shown.isEmpty() and shown.width() < widget.width()
        return left < 0 or right > window.width() or narrower

    kinds = (QAbstractButton, QLineEdit, QComboBox)
    cut = [
        f"{type(widget).__name__} {widget.objectName() or widget.accessibleName()}"
        for kind in kinds
        for widget in window.findChildren(kind)
        if widget.isVisibleTo(window) and _is_own(widget) and is_cut(widget)
    ]
    assert not cut
