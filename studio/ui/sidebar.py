"""The library at the left: filter, jobs, runs with state, last loss and a sparkline, and the nodes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QTreeView,
    QVBoxLayout,
)

from remote_agent.contract.events import ENDED
from studio.session.session import Session
from studio.state.library import RunEntry
from studio.state.node import NEEDS_PERSON, PROBING, READY, UNREACHABLE, NodeState, in_groups
from studio.ui import icons, words
from studio.ui.rate_words import rate_hint
from studio.ui.sidebar_rows import ACTION, ENTRY_ROLE, GROUP, JOB, NODE, RUN, RUN_ICONS, SECTION, Entry, RowPainter
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.memory_runs import MemoryRuns
    from studio.state.run import RunState

_SPARKLINE_POINTS = 32
_NEWEST_RUNS = 50


class Sidebar(QFrame):
    """The tree of jobs, runs and nodes; signals carry what a person chose.

    With Ctrl or Shift held, runs are chosen together: ``runs_chosen`` carries their ids from top to bottom.
    """

    job_chosen = Signal(str)
    run_chosen = Signal(str)
    runs_chosen = Signal(object)
    node_chosen = Signal(str)
    library_wanted = Signal()
    new_job_wanted = Signal()
    new_node_wanted = Signal()
    menu_wanted = Signal(str, str, QPoint)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setObjectName("sidebar")
        self.setAccessibleName(self.tr("Library"))
        self.filter = QLineEdit()
        self.filter.setObjectName("libraryFilter")
        self.filter.setAccessibleName(self.tr("Filter the library"))
        self.filter.setPlaceholderText(self.tr("Filter   Ctrl+K for all"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.refresh)
        self.main_menu = QToolButton()
        self.main_menu.setObjectName("mainMenuButton")
        self.main_menu.setAccessibleName(self.tr("Main menu"))
        self.main_menu.setToolTip(self.tr("Main menu"))
        icons.set_icon(self.main_menu, "dots-three", "muted", 16)
        self._model = QStandardItemModel(self)
        self.tree = _Tree()
        self.tree.setModel(self._model)
        self.tree.setItemDelegate(RowPainter(self.tree))
        self.tree.clicked.connect(self._on_opened)
        self.tree.activated.connect(self._on_opened)
        self.tree.customContextMenuRequested.connect(self._on_menu)
        self._lay_out()
        self._selected: tuple[str, tuple[str, ...]] = ("", ())
        self._shown: list[Entry] = []
        self._live: tuple[str, float, tuple[float, ...]] = ("", math.nan, ())
        session.library.changed.connect(self.refresh)
        session.hosts.changed.connect(self.refresh)
        session.memory.peaks.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        name = QLabel("Luthier")
        name.setProperty("role", "strong")
        brand = QHBoxLayout()
        brand.setContentsMargins(2, 0, 0, 0)
        brand.setSpacing(8)
        brand.addWidget(icons.pixmap_label("music-notes", "accent", 18))
        brand.addWidget(name, 1)
        brand.addWidget(self.main_menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 14, 12, 12)
        layout.setSpacing(10)
        layout.addLayout(brand)
        layout.addWidget(self.filter)
        layout.addWidget(self.tree, 1)
        self.setMinimumWidth(180)

    def select(self, kind: str, key: str) -> None:
        """Mark a row as the one shown at the right, without choosing it again."""
        self._selected = (kind, (key,))
        self._mark_selected()

    def select_runs(self, run_ids: Sequence[str]) -> None:
        """Mark the rows of the runs that are compared at the right."""
        self._selected = (RUN, tuple(run_ids))
        self._mark_selected()

    def refresh(self, *_: object) -> None:
        """Fill the tree from the session; rows that are the same keep their place."""
        entries = _with_members([entry for entry in self._entries() if self._passes(entry)])
        if entries == self._shown:
            return
        same_rows = [entry[:2] for entry in entries] == [entry[:2] for entry in self._shown]
        self._shown = entries
        if same_rows:
            for row, entry in enumerate(entries):
                item = self._model.item(row)
                if item.data(ENTRY_ROLE) != entry:
                    _fill(item, entry)
            return
        top = self.tree.verticalScrollBar().value()
        self._model.clear()
        for entry in entries:
            item = QStandardItem()
            _fill(item, entry)
            item.setEditable(False)
            item.setSelectable(entry.kind not in (SECTION, GROUP))
            item.setEnabled(entry.kind not in (SECTION, GROUP))
            self._model.appendRow(item)
        self._mark_selected()
        self.tree.verticalScrollBar().setValue(top)

    def show_live(self, run: RunState | None) -> None:
        """Let the row of the run that is open show its last step now, before the library hears of it."""
        self._live = ("", math.nan, ())
        if run is not None and run.caught_up and run.loss is not None:
            _, losses = run.series("loss")
            stride = -(-len(losses) // _SPARKLINE_POINTS)
            self._live = (run.run_id, run.loss, (*losses[::stride].tolist(), run.loss))
        self.refresh()

    def _entries(self) -> list[Entry]:
        session = self._session
        jobs = [Entry(JOB, job.job_id, job.name, icon="file-text") for job in session.library.jobs]
        nodes: list[Entry] = []
        for group, members in in_groups(session.hosts):
            nodes += [Entry(GROUP, group, group)] if group else []
            nodes += [_node_entry(node) for node in members]
        kept = [run for run in session.library.runs if not run.archived]
        found = [run for run in kept if self._wanted() in _searched(run)][:_NEWEST_RUNS]
        runs = [_run_entry(self._lively(run), session.memory) for run in found]
        has_runs = bool(session.library.runs)
        return [
            Entry(SECTION, JOB, self.tr("JOBS")),
            *jobs,
            Entry(ACTION, JOB, self.tr("New job"), icon="plus"),
            *([Entry(SECTION, RUN, self.tr("RUNS"))] if has_runs else []),
            *runs,
            *([Entry(ACTION, RUN, self.tr("All runs…"), words.whole(len(kept)), "list-bullets")] if has_runs else []),
            Entry(SECTION, NODE, self.tr("NODES")),
            *nodes,
            Entry(ACTION, NODE, self.tr("Add a node…"), icon="plus"),
        ]

    def _lively(self, run: RunEntry) -> RunEntry:
        run_id, loss, losses = self._live
        return dataclasses.replace(run, loss=loss, losses=losses) if run_id == run.run_id else run

    def _passes(self, entry: Entry) -> bool:
        stays = entry.kind in (SECTION, GROUP, RUN) or (entry.kind == ACTION and entry.key == RUN)
        return stays or self._wanted() in f"{entry.text} {entry.detail} {entry.searched}".casefold()

    def _wanted(self) -> str:
        return self.filter.text().strip().casefold()

    def _mark_selected(self) -> None:
        kind, keys = self._selected
        rows = [row for row, entry in enumerate(self._shown) if entry.kind == kind and entry.key in keys]
        self.tree.clearSelection()
        selection = self.tree.selectionModel()
        for row in rows:
            index = self._model.index(row, 0)
            if row == rows[0]:
                selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            selection.select(index, QItemSelectionModel.SelectionFlag.Select)

    def _on_opened(self, index: QModelIndex) -> None:
        entry = index.data(ENTRY_ROLE)
        chosen = [index.data(ENTRY_ROLE) for index in self.tree.selectionModel().selectedIndexes()]
        runs = {one.key for one in chosen if one.kind == RUN}
        if entry.kind == RUN and len(runs) > 1:
            self.runs_chosen.emit(tuple(one.key for one in self._shown if one.kind == RUN and one.key in runs))
        elif entry.kind == JOB:
            self.job_chosen.emit(entry.key)
        elif entry.kind == RUN:
            self.run_chosen.emit(entry.key)
        elif entry.kind == NODE:
            self.node_chosen.emit(entry.key)
        elif entry.kind == ACTION and entry.key == JOB:
            self.new_job_wanted.emit()
        elif entry.kind == ACTION and entry.key == RUN:
            self.library_wanted.emit()
        elif entry.kind == ACTION:
            self.new_node_wanted.emit()

    def _on_menu(self, place: QPoint) -> None:
        entry = self.tree.indexAt(place).data(ENTRY_ROLE)
        if entry is not None and entry.kind in (JOB, RUN, NODE):
            self.menu_wanted.emit(entry.kind, entry.key, self.tree.viewport().mapToGlobal(place))

    def entry_at(self, row: int) -> Entry:
        """Return the entry of a row, for tests and the demo."""
        return self._shown[row]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The rows from top to bottom."""
        return tuple(self._shown)


def _with_members(entries: list[Entry]) -> list[Entry]:
    """Return the rows without groups that nothing is left of."""
    following = [*entries[1:], Entry(SECTION, "", "")]
    return [entry for entry, after in zip(entries, following, strict=True) if entry.kind != GROUP or after.kind == NODE]


class _Tree(QTreeView):
    """A flat list that opens the row under Return."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("library")
        self.setAccessibleName(self.tr("Jobs, runs and nodes"))
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        self.setIndentation(0)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the menu with the menu key's usual shortcut, else as usual."""
        if event.key() == Qt.Key.Key_Menu and self.currentIndex().isValid():
            self.customContextMenuRequested.emit(self.visualRect(self.currentIndex()).center())
            return
        super().keyPressEvent(event)


def _fill(item: QStandardItem, entry: Entry) -> None:
    item.setText(entry.text)
    item.setData(entry, ENTRY_ROLE)
    item.setToolTip(entry.hint)
    item.setAccessibleText(", ".join(part for part in (entry.text, entry.detail) if part))


def _searched(run: RunEntry) -> str:
    """Return what the filter looks through of a run."""
    return f"{run.name or run.run_id} {words.run_state(run.state)} {run.loss:.3g}".casefold()


def _run_entry(run: RunEntry, memory: MemoryRuns) -> Entry:
    icon, tint = RUN_ICONS.get(run.state, ("hourglass-medium", "muted"))
    if math.isfinite(run.loss):
        detail = f"{run.loss:.3g}"
    else:
        detail = "" if run.state in ENDED - {"failed"} else words.run_state(run.state)
    parts = (run.run_id, words.run_state(run.state), rate_hint(memory, run.run_id, run.tokens_per_s))
    hint = " · ".join(filter(None, parts))  # two runs of one job are told apart by it
    return Entry(RUN, run.run_id, run.name or run.run_id, detail, icon, tint, run.losses, hint)


def _node_entry(node: NodeState) -> Entry:
    report = node.report
    detail = ""
    if report is not None and report.gpus:
        detail = f"{len(report.gpus)} × {short_gpu_name(report.gpus[0].name)}"
    elif report is not None:
        detail = words.counted(report.cores, words.translated("{} core"), words.translated("{} cores"))
    words_for = {
        PROBING: words.translated("looking…"),
        UNREACHABLE: words.translated("no answer"),
        NEEDS_PERSON: words.translated("asks you"),
    }
    tint = {READY: "good", UNREACHABLE: "bad", NEEDS_PERSON: "warning"}.get(node.link, "muted")
    icon = "desktop" if node.is_local else "hard-drives"
    labels = node.labels
    hint = " · ".join(filter(None, (labels.group, *labels.tags)))
    said = words_for.get(node.link, detail)
    return Entry(NODE, node.name, told(node.name), said, icon, tint, hint=hint, searched=labels.searched)


def short_gpu_name(name: str) -> str:
    """Return what people call a GPU: H100 for "NVIDIA H100 80GB HBM3"."""
    kept = [part for part in name.split() if part.upper() not in ("NVIDIA", "AMD", "TESLA", "GEFORCE", "INSTINCT")]
    return kept[0].split("-")[0] if kept else name
