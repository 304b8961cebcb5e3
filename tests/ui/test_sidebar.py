"""The library at the left tells a run's state by icon and word, and hands over what was chosen."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import TRANSITIONS, Stamped
from remote_agent.contract.job_spec import JobSpec
from studio.state.library import JobEntry, RunEntry
from studio.state.node import Labels
from studio.state.run import RunState
from studio.store.live import RunBatch
from studio.ui.sidebar import Sidebar, short_gpu_name
from studio.ui.sidebar_rows import GROUP, NODE, RUN
from tests.support.journals import step_event
from tests.support.reports import gpu_report
from tests.ui.page_session import PageSession, filled_session

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


RUNS = ("r-1", "r-2")


@pytest.fixture
def session() -> PageSession:
    session = filled_session()
    session.library.fill(
        [JobEntry("j1", "alpaca-7b", JobSpec(), 2.0), JobEntry("j2", "med-13b", JobSpec(), 1.0)],
        [
            RunEntry("r-1", "first", "gpu-box", "running", 10, 20, 1.314, 2.0, losses=(2.0, math.nan, 1.3)),
            RunEntry("r-2", "second", "gpu-box", "failed", created_s=1.0),
        ],
    )
    return session


@pytest.fixture
def sidebar(qtbot: QtBot, session: PageSession) -> Sidebar:
    sidebar = Sidebar(session)  # type: ignore[arg-type]
    qtbot.addWidget(sidebar)
    sidebar.resize(232, 700)
    sidebar.show()
    return sidebar


def test_that_a_run_shows_its_loss_or_its_state(sidebar: Sidebar) -> None:
    details = {entry.key: entry.detail for entry in sidebar.entries if entry.kind == "run"}
    assert details == {"r-1": "1.31", "r-2": "Failed"}


def test_that_two_runs_of_one_job_are_told_apart_under_the_pointer(sidebar: Sidebar) -> None:
    hints = [sidebar.tree.model().index(row_of(sidebar, key), 0).data(Qt.ItemDataRole.ToolTipRole) for key in RUNS]
    assert [hint.split(" · ")[0] for hint in hints] == list(RUNS)


def test_that_the_row_of_the_open_run_follows_its_last_step(sidebar: Sidebar) -> None:
    run = RunState("r-1", "first", "gpu-box", JobSpec())
    run.fold([Stamped(float(step), step_event(step)) for step in range(1, 101)])
    sidebar.show_live(run)
    assert detail_of(sidebar, "r-1").startswith("1.31")  # not before its journal is read
    run.fold_batch(RunBatch(caught_up=True))
    item = sidebar.tree.model().index(row_of(sidebar, "r-1"), 0)
    sidebar.show_live(run)
    assert run.loss is not None
    assert detail_of(sidebar, "r-1") == f"{run.loss:.3g}"
    entry = sidebar.entry_at(row_of(sidebar, "r-1"))
    assert entry.losses[-1] == run.loss and len(entry.losses) <= 33
    assert item.isValid() and f"{run.loss:.3g}" in item.data(Qt.ItemDataRole.AccessibleTextRole)
    sidebar.show_live(None)
    assert detail_of(sidebar, "r-1") == "1.31"


def test_that_nodes_stand_below_their_group_and_the_filter_finds_a_tag(sidebar: Sidebar, session: PageSession) -> None:
    session.label_node("gpu-box", Labels("ours", ("fast",)))
    rows = [(entry.kind, entry.key) for entry in sidebar.entries]
    assert rows[rows.index((GROUP, "ours")) + 1] == (NODE, "gpu-box")
    item = sidebar.tree.model().index(row_of(sidebar, "gpu-box"), 0)
    assert item.data(Qt.ItemDataRole.ToolTipRole) == "ours · fast"
    for text, found in (("FAST", {"gpu-box"}), ("no such", set()), ("ours", {"gpu-box"})):
        sidebar.filter.setText(text)
        nodes = {entry.key for entry in sidebar.entries if entry.kind == NODE}
        assert nodes == found and any(entry.kind == GROUP for entry in sidebar.entries) == bool(found)


def row_of(sidebar: Sidebar, key: str) -> int:
    return next(row for row, entry in enumerate(sidebar.entries) if entry.key == key)


def detail_of(sidebar: Sidebar, key: str) -> str:
    return sidebar.entry_at(row_of(sidebar, key)).detail


def test_that_every_state_has_an_icon(sidebar: Sidebar, session: PageSession) -> None:
    for state in TRANSITIONS:
        session.library.put_run(RunEntry(f"r-{state}", state, "gpu-box", state))
    assert all(entry.icon for entry in sidebar.entries if entry.kind == "run")
    assert not sidebar.grab().isNull()


def test_that_a_click_hands_over_the_job(qtbot: QtBot, sidebar: Sidebar) -> None:
    row = next(row for row, entry in enumerate(sidebar.entries) if entry.key == "j2")
    place = sidebar.tree.visualRect(sidebar.tree.model().index(row, 0)).center()
    with qtbot.waitSignal(sidebar.job_chosen) as chosen:
        qtbot.mouseClick(sidebar.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == ["j2"]


def test_that_the_filter_keeps_what_it_finds(sidebar: Sidebar) -> None:
    sidebar.filter.setText("MED")
    assert [entry.key for entry in sidebar.entries if entry.kind in ("job", "run", "node")] == ["j2"]


def test_that_the_chosen_row_stays_marked_when_the_list_changes(sidebar: Sidebar, session: PageSession) -> None:
    sidebar.select("run", "r-2")
    session.library.put_run(RunEntry("r-0", "newest", "gpu-box", "queued", created_s=9.0))
    row = sidebar.tree.currentIndex().row()
    assert sidebar.entry_at(row).key == "r-2"


def test_that_a_gpu_is_called_what_people_call_it() -> None:
    names = ("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla T4", "")
    assert [short_gpu_name(name) for name in names] == ["H100", "A100", "T4", ""]
    assert short_gpu_name(gpu_report().gpus[0].name) == "H100"


def test_that_runs_chosen_with_the_control_key_are_handed_over_together_and_stay_marked(
    qtbot: QtBot, sidebar: Sidebar, session: PageSession
) -> None:
    keys = [entry.key for entry in sidebar.entries if entry.kind == RUN][:2]
    places = [sidebar.tree.visualRect(sidebar.tree.model().index(row_of(sidebar, key), 0)).center() for key in keys]
    viewport, left = sidebar.tree.viewport(), Qt.MouseButton.LeftButton
    qtbot.mouseClick(viewport, left, Qt.KeyboardModifier.NoModifier, places[1])
    with qtbot.waitSignal(sidebar.runs_chosen) as chosen:
        qtbot.mouseClick(viewport, left, Qt.KeyboardModifier.ControlModifier, places[0])
    assert chosen.args == [tuple(keys)]
    sidebar.select_runs(keys)
    session.library.put_run(RunEntry("r-0", "newest", "gpu-box", "queued", created_s=9.0))
    marked = {index.row() for index in sidebar.tree.selectionModel().selectedIndexes()}
    assert marked == {row_of(sidebar, key) for key in keys}
