"""The library at the left: filter, jobs, runs with state, last loss and a sparkline, and the nodes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPen, QPolygonF, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.events import ENDED
from studio.session.session import Session
from studio.state.library import RunEntry
from studio.state.node import NEEDS_PERSON, PROBING, READY, UNREACHABLE, NodeState
from studio.ui import icons, theme, words
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.state.run import RunState

JOB, RUN, NODE, SECTION, ACTION = "job", "run", "node", "section", "action"
_ENTRY = Qt.ItemDataRole.UserRole + 1
_ROW_PX = 29
_SPARKLINE_POINTS = 32

RUN_ICONS = {
    "running": ("play-circle-fill", "accent"),
    "finished": ("check-circle-fill", "good"),
    "failed": ("x-circle-fill", "bad"),
    "interrupted": ("x-circle-fill", "bad"),
    "paused": ("pause-circle-fill", "warning"),
    "stopped": ("stop-circle-fill", "muted"),
}
"""Icon and colour token of a run's state; states on their way are an hourglass."""


class Entry(NamedTuple):
    """One row of the sidebar; ``hint`` is what the pointer over it tells."""

    kind: str
    key: str
    text: str
    detail: str = ""
    icon: str = ""
    tint: str = "muted"
    losses: tuple[float, ...] = ()
    hint: str = ""


class Sidebar(QFrame):
    """The tree of jobs, runs and nodes; signals carry what a person chose.

    With Ctrl or Shift held, runs are chosen together: ``runs_chosen`` carries their ids from top to bottom.
    """

    job_chosen = Signal(str)
    run_chosen = Signal(str)
    runs_chosen = Signal(object)
    node_chosen = Signal(str)
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
        self.tree.setItemDelegate(_RowPainter(self.tree))
        self.tree.clicked.connect(self._on_opened)
        self.tree.activated.connect(self._on_opened)
        self.tree.customContextMenuRequested.connect(self._on_menu)
        self._lay_out()
        self._selected: tuple[str, tuple[str, ...]] = ("", ())
        self._shown: list[Entry] = []
        self._live: tuple[str, float, tuple[float, ...]] = ("", math.nan, ())
        session.library.changed.connect(self.refresh)
        session.hosts.changed.connect(self.refresh)
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
        entries = [entry for entry in self._entries() if self._passes(entry)]
        if entries == self._shown:
            return
        same_rows = [entry[:2] for entry in entries] == [entry[:2] for entry in self._shown]
        self._shown = entries
        if same_rows:
            for row, entry in enumerate(entries):
                item = self._model.item(row)
                if item.data(_ENTRY) != entry:
                    _fill(item, entry)
            return
        top = self.tree.verticalScrollBar().value()
        self._model.clear()
        for entry in entries:
            item = QStandardItem()
            _fill(item, entry)
            item.setEditable(False)
            item.setSelectable(entry.kind != SECTION)
            item.setEnabled(entry.kind != SECTION)
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
        nodes = [_node_entry(node) for node in session.hosts]
        runs = [_run_entry(self._lively(run)) for run in session.library.runs]
        return [
            Entry(SECTION, JOB, self.tr("JOBS")),
            *jobs,
            Entry(ACTION, JOB, self.tr("New job"), icon="plus"),
            *([Entry(SECTION, RUN, self.tr("RUNS")), *runs] if runs else []),
            Entry(SECTION, NODE, self.tr("NODES")),
            *nodes,
            Entry(ACTION, NODE, self.tr("Add a node…"), icon="plus"),
        ]

    def _lively(self, run: RunEntry) -> RunEntry:
        run_id, loss, losses = self._live
        return dataclasses.replace(run, loss=loss, losses=losses) if run_id == run.run_id else run

    def _passes(self, entry: Entry) -> bool:
        wanted = self.filter.text().strip().casefold()
        return entry.kind == SECTION or wanted in f"{entry.text} {entry.detail}".casefold()

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
        entry = index.data(_ENTRY)
        chosen = [index.data(_ENTRY) for index in self.tree.selectionModel().selectedIndexes()]
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
        elif entry.kind == ACTION:
            self.new_node_wanted.emit()

    def _on_menu(self, place: QPoint) -> None:
        entry = self.tree.indexAt(place).data(_ENTRY)
        if entry is not None and entry.kind in (JOB, RUN, NODE):
            self.menu_wanted.emit(entry.kind, entry.key, self.tree.viewport().mapToGlobal(place))

    def entry_at(self, row: int) -> Entry:
        """Return the entry of a row, for tests and the demo."""
        return self._shown[row]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The rows from top to bottom."""
        return tuple(self._shown)


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


class _RowPainter(QStyledItemDelegate):
    """Paints icon, text, sparkline and detail of a row."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        entry = index.data(_ENTRY)
        return QSize(120, 32 if entry.kind == SECTION and index.row() else _ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(_ENTRY)
        colours = theme.tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        font: QFont = option.font
        if entry.kind == SECTION:
            self._paint_section(painter, area, font, entry)
        else:
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            hovered = bool(state & QStyle.StateFlag.State_MouseOver)
            if chosen or hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colours.selection if chosen else colours.hover))
                painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
            self._paint_row(painter, area.adjusted(8, 0, -8, 0), font, entry)
        painter.restore()

    def _paint_section(self, painter: QPainter, area: QRect, font: QFont, entry: Entry) -> None:
        font.setPixelSize(theme.CAPTION_PX)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(theme.tokens().muted))
        painter.drawText(area.adjusted(0, 0, 0, -6), Qt.AlignmentFlag.AlignBottom, entry.text)

    def _paint_row(self, painter: QPainter, area: QRect, font: QFont, entry: Entry) -> None:
        colours = theme.tokens()
        ratio = painter.device().devicePixelRatio()
        image = icons.pixmap(entry.icon, entry.tint, 15, ratio)
        if image is not None:
            painter.drawPixmap(area.left(), area.center().y() - 7, image)
        right = area.right()
        small = QFont(font)
        small.setPixelSize(theme.CAPTION_PX)
        if entry.detail:
            painter.setFont(small)
            painter.setPen(QColor(colours.muted))
            width = min(painter.fontMetrics().horizontalAdvance(entry.detail), area.width() // 2)
            text = painter.fontMetrics().elidedText(entry.detail, Qt.TextElideMode.ElideRight, width + 1)
            box = QRect(right - width, area.top(), width + 1, area.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
            right -= width + 8
        if len(entry.losses) > 1 and right - area.left() > 120:
            _paint_sparkline(painter, QRect(right - 36, area.center().y() - 6, 36, 13), entry.losses)
            right -= 44
        painter.setFont(font)
        painter.setPen(QColor(colours.muted if entry.kind == ACTION else colours.text))
        left = area.left() + 22
        text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, right - left)
        painter.drawText(QRect(left, area.top(), right - left, area.height()), Qt.AlignmentFlag.AlignVCenter, text)

    def helpEvent(self, event: QEvent, view: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> bool:  # type: ignore[override]
        return False


def _paint_sparkline(painter: QPainter, area: QRect, losses: tuple[float, ...]) -> None:
    finite = [(place, loss) for place, loss in enumerate(losses) if math.isfinite(loss)]
    if len(finite) < 2:
        return
    low, high = min(loss for _, loss in finite), max(loss for _, loss in finite)
    spread = (high - low) or 1.0
    line = QPolygonF()
    for place, loss in finite:
        across = area.left() + area.width() * place / (len(losses) - 1)
        line.append(QPoint(round(across), round(area.bottom() - area.height() * (loss - low) / spread)).toPointF())
    pen = QPen(theme.series_colour(0), 1.0)
    pen.setCosmetic(True)
    painter.setPen(pen)
    painter.drawPolyline(line)


def _fill(item: QStandardItem, entry: Entry) -> None:
    item.setText(entry.text)
    item.setData(entry, _ENTRY)
    item.setToolTip(entry.hint)
    item.setAccessibleText(", ".join(part for part in (entry.text, entry.detail) if part))


def _run_entry(run: RunEntry) -> Entry:
    icon, tint = RUN_ICONS.get(run.state, ("hourglass-medium", "muted"))
    if math.isfinite(run.loss):
        detail = f"{run.loss:.3g}"
    else:
        detail = "" if run.state in ENDED - {"failed"} else words.run_state(run.state)
    hint = f"{run.run_id} · {words.run_state(run.state)}"  # two runs of one job are told apart by it
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
    return Entry(NODE, node.name, told(node.name), words_for.get(node.link, detail), icon, tint)


def short_gpu_name(name: str) -> str:
    """Return what people call a GPU: H100 for "NVIDIA H100 80GB HBM3"."""
    kept = [part for part in name.split() if part.upper() not in ("NVIDIA", "AMD", "TESLA", "GEFORCE", "INSTINCT")]
    return kept[0].split("-")[0] if kept else name
