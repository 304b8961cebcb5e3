"""The page of all runs on a real library: search, order, labels, and what can be done with the chosen runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.contract.tensorboard_events import scalars_record
from studio import places
from studio.session.opening import open_session
from studio.session.session import Session
from studio.state.measured_run import MeasuredRun
from studio.store.library import Library
from studio.ui import theme, words
from studio.ui.compare_jobs.changes_dialog import ChangesDialog
from studio.ui.library.delete_dialog import DeleteDialog
from studio.ui.library.library_page import LibraryPage
from studio.ui.main_window import MainWindow
from studio.ui.sidebar_rows import ACTION, RUN
from tests.support.many_runs import JOB_ID, fill_library

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
RESOURCES = Path(__file__).parents[2] / "resources"
COUNT = 60


@pytest.fixture
def session(qapp: QApplication, luthier_home: Path) -> Iterator[Session]:
    fill_library(places.library_path(), COUNT)
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


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> LibraryPage:
    window.show_library()
    page = window.pages.page("library")
    assert isinstance(page, LibraryPage)
    qtbot.waitUntil(lambda: bool(page.table.index_of_runs.paths), timeout=20_000)
    return page


def shown(page: LibraryPage) -> list[str]:
    return [page.table.run_at(row).run_id for row in range(page.table.rowCount())]


def cell(page: LibraryPage, run_id: str, field: str) -> str:
    return page.table.text(page.table.rows_of([run_id])[0], page.table.column_of(field))


def press(page: LibraryPage, name: str) -> None:
    pressed = page.findChild(QPushButton, name)
    assert pressed is not None and pressed.isEnabled()
    pressed.click()


def test_that_the_sidebar_keeps_the_newest_runs_and_leads_to_all_of_them(qtbot: QtBot, window: MainWindow) -> None:
    sidebar = window.sidebar
    runs = [entry.key for entry in sidebar.entries if entry.kind == RUN]
    assert len(runs) == 50 and runs[0] == "r-000059" and "r-000049" not in runs  # which is archived
    row = next(row for row, entry in enumerate(sidebar.entries) if entry.kind == ACTION and entry.key == RUN)
    place = sidebar.tree.model().index(row, 0)
    sidebar.tree.scrollTo(place)
    qtbot.mouseClick(sidebar.tree.viewport(), Qt.MouseButton.LeftButton, pos=sidebar.tree.visualRect(place).center())
    assert window.pages.current_key == "library"
    sidebar.filter.setText("sweep 3")
    found = [entry.key for entry in sidebar.entries if entry.kind == RUN]
    assert "r-000003" in found  # not one of the newest fifty


def test_that_a_key_and_the_palette_lead_to_all_runs(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.pages.current_key == "library")
    assert "All runs" in [command.text for command in window.verbs.commands()]
    window.show_job()
    assert window.pages.current_key != "library"


def test_that_words_and_conditions_find_runs_and_an_unknown_field_is_said(page: LibraryPage) -> None:
    assert len(shown(page)) == 58 and shown(page)[0] == "r-000059"
    page.search.setText("lion state=failed")
    assert shown(page) == ["r-000034", "r-000019", "r-000004"]
    page.search.setText("job=docstrings")
    assert shown(page) == ["r-000050", "r-000040", "r-000030", "r-000020", "r-000010", "r-000000"]
    page.search.setText("no_such<3")
    assert shown(page) == [] and "anything called no_such" in page.said.text()
    page.search.setText("")
    page.archived.click()
    assert shown(page) == ["r-000049", "r-000024"]


def test_that_a_heading_orders_the_rows_and_the_chosen_runs_stay_chosen(page: LibraryPage) -> None:
    page.view.choose(["r-000003", "r-000010"])
    page.view.sortByColumn(page.table.column_of("name"), Qt.SortOrder.AscendingOrder)
    assert shown(page)[:3] == ["r-000000", "r-000001", "r-000002"]
    assert page.view.chosen_ids() == ["r-000003", "r-000010"]
    page.view.sortByColumn(page.table.column_of("loss"), Qt.SortOrder.DescendingOrder)
    losses = [page.table.run_at(row).loss for row in range(page.table.rowCount())]
    known = [loss for loss in losses if loss == loss]
    assert known == sorted(known, reverse=True) == losses[: len(known)]
    assert set(page.view.chosen_ids()) == {"r-000003", "r-000010"}


def test_that_a_label_is_written_in_place_for_all_chosen_runs_and_kept(
    qtbot: QtBot, page: LibraryPage, session: Session
) -> None:
    chosen = ["r-000005", "r-000004"]  # tags: sweep; baseline
    page.view.choose(chosen)
    for action, typed in (
        (page.actions_of_runs.tag, "good, sweep"), (page.actions_of_runs.group, "paper"),
        (page.actions_of_runs.note, "look again"),
    ):  # fmt: skip
        action.trigger()
        field = page.view.findChild(QLineEdit)
        assert field is not None and page.view.is_editing
        field.setText(typed)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: page.view.findChild(QLineEdit) is None)
        page.refresh()
    assert cell(page, "r-000005", "tags") == "good, sweep"
    assert cell(page, "r-000004", "tags") == "baseline, good, sweep"
    assert [cell(page, run_id, "group") for run_id in chosen] == ["paper", "paper"]
    session.close()
    library = Library(places.library_path())
    kept = library.labels()["r-000004"]
    library.close()
    assert (kept.heading, kept.tags, kept.remark) == ("paper", ("baseline", "good", "sweep"), "look again")


def test_that_archived_runs_leave_the_list_and_come_back(page: LibraryPage, window: MainWindow) -> None:
    page.view.choose(["r-000058"])
    press(page, "archiveRunsButton")
    page.refresh()
    assert "r-000058" not in shown(page) and "r-000058" not in [entry.key for entry in window.sidebar.entries]
    page.archived.click()
    page.view.choose(["r-000058"])
    button = page.findChild(QPushButton, "archiveRunsButton")
    assert button is not None and button.text() == "Bring back"
    press(page, "archiveRunsButton")
    page.refresh()
    assert "r-000058" not in shown(page)
    page.archived.click()
    assert "r-000058" in shown(page)


def test_that_a_job_is_made_of_a_run_and_opened(page: LibraryPage, window: MainWindow, session: Session) -> None:
    page.view.choose(["r-000004"])
    press(page, "duplicateRunButton")
    assert session.draft.spec.optimizer.kind == "lion" and session.draft.spec.name == "job 4"
    assert window.pages.current_key in ("data", "recipe")


def test_that_what_a_job_changed_since_its_last_launch_is_listed(page: LibraryPage, session: Session) -> None:
    session.open_job(JOB_ID)
    session.draft.set_value("optimizer.kind", "lion")
    page.view.choose(["r-000010"])
    page.actions_of_runs.changes.trigger()
    dialog = page.findChild(ChangesDialog)
    assert dialog is not None and "r-000050" in dialog.summary.text()
    assert ["Optimizer", "Muon", "Lion"] in dialog.table.as_rows()
    dialog.close()
    page.view.choose(["r-000011"])
    page.actions_of_runs.changes.trigger()
    said = [each.summary.text() for each in page.findChildren(ChangesDialog)]
    assert "The job of this run is not in the library any more." in said


def test_that_open_and_compare_show_the_chosen_runs(qtbot: QtBot, page: LibraryPage, window: MainWindow) -> None:
    page.view.choose(["r-000010", "r-000011"])
    press(page, "compareRunsButton")
    assert list(window.shown_runs) == ["r-000011", "r-000010"]
    window.show_library()
    page.view.choose(["r-000010"])
    assert not page.actions_of_runs.compare.isEnabled()
    qtbot.keyClick(page.view, Qt.Key.Key_Return)
    assert list(window.shown_runs) == ["r-000010"]


def test_that_deleting_asks_says_what_it_frees_and_deletes(qtbot: QtBot, page: LibraryPage, session: Session) -> None:
    page.view.choose(["r-000058", "r-000057"])
    press(page, "deleteRunsButton")
    dialog = page.findChild(DeleteDialog)
    assert dialog is not None and dialog.isVisible()
    question = dialog.findChild(QLabel, "deleteQuestion")
    assert question is not None and question.text() == "Delete 2 runs? sweep 58, sweep 57"
    qtbot.waitUntil(lambda: "This frees" in dialog.frees.text(), timeout=20_000)
    assert "gpu-box did not answer" in dialog.frees.text()  # its address is not known here
    dialog.here.click()
    qtbot.waitUntil(lambda: session.library.run("r-000058") is None)
    qtbot.waitUntil(lambda: shown(page)[:2] == ["r-000059", "r-000056"], timeout=20_000)
    page.view.choose(["r-000056"])
    page.actions_of_runs.delete.trigger()
    asked = page.findChildren(DeleteDialog)[-1]
    asked.cancel.click()
    assert session.library.run("r-000056") is not None


def test_that_a_terminal_for_a_node_that_is_gone_is_refused_in_a_sentence(
    qtbot: QtBot, page: LibraryPage, session: Session
) -> None:
    page.view.choose(["r-000030"])
    with qtbot.waitSignal(session.notice) as said:
        page.actions_of_runs.terminal.trigger()
    assert said.args == ["error", "The node of this run is not in the list any more; add it first."]


def test_that_rows_are_copied_with_their_headings(qtbot: QtBot, page: LibraryPage) -> None:
    page.view.choose(["r-000030"])
    qtbot.keyClick(page.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].startswith("Name\tState\tJob") and lines[1].startswith("sweep 30\tFinished\tdocstrings\tgpu-box")


def test_that_measured_runs_tell_their_flops_and_are_found_by_their_share_of_the_peak(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    for run_id, gpu in (("r-000058", "NVIDIA H100 80GB HBM3"), ("r-000057", "Tesla V100-SXM2-16GB")):
        session.memory.peaks.put(_measured(run_id, gpu))
    window.show_library()
    page = window.pages.page("library")
    assert isinstance(page, LibraryPage)
    qtbot.waitUntil(lambda: bool(page.table.index_of_runs.paths), timeout=20_000)
    rate = session.memory.rate("r-000058", session.library.run("r-000058").tokens_per_s)  # type: ignore[union-attr]
    assert rate is not None and rate.mfu is not None
    assert cell(page, "r-000058", "mfu") == words.percent(rate.mfu)
    assert float(cell(page, "r-000058", "tflops")) == pytest.approx(rate.tflops, rel=0.01)
    assert cell(page, "r-000056", "mfu") == cell(page, "r-000056", "tflops") == ""
    page.search.setText(f"mfu>={0.99 * rate.mfu:.6f} mfu<={1.01 * rate.mfu:.6f}")
    assert shown(page) == ["r-000058"]


def _measured(run_id: str, gpu: str) -> MeasuredRun:
    config = {"model_type": "llama", "vocab_size": 32000, "hidden_size": 2048, "intermediate_size": 5632,
              "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 4,
              "max_position_embeddings": 2048}  # fmt: skip
    return MeasuredRun(run_id, run_id, "gpu-box", "hub x", 1.0, False, False, True, 8, math.nan,
                       spec_to_json(JobSpec()), config, 1_100_048_384, gpu, {}, {})  # fmt: skip


def test_that_a_run_in_a_folder_is_imported_and_listed(
    qtbot: QtBot, page: LibraryPage, session: Session, tmp_path: Path
) -> None:
    folder = tmp_path / "earlier"
    folder.mkdir()
    records = [scalars_record(100.0 + step, step, {"train/loss": 1.0 / step}) for step in (1, 2, 3)]
    (folder / "events.out.tfevents.1.host").write_bytes(b"".join(records))
    take = page.findChild(QPushButton, "importRunButton")
    assert take is not None
    take.click()
    dialog = page.window().findChild(QFileDialog, "fileDialog")
    assert dialog is not None
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile(str(folder))
    with qtbot.waitSignal(session.notice, timeout=30_000) as told:
        dialog.accept()
    assert told.args == ["info", "earlier is in the library, with 3 steps."]
    assert any(run.name == "earlier" and run.state == "finished" for run in session.library.runs)
