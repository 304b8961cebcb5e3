"""The window: library at the left, a job's or a run's pages in the middle, problems and status at the bottom."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QMainWindow, QSplitter, QVBoxLayout, QWidget

from remote_agent.contract.problems import blocking
from studio.session.session import Session
from studio.ui import icons
from studio.ui.drop_target import DropTarget
from studio.ui.header import Chip, Header
from studio.ui.last_layout import LastLayout
from studio.ui.page_stack import (
    COMPARE,
    JOB_KEYS,
    LIBRARY,
    RUN_KEYS,
    PageStack,
    compare_tabs,
    job_tabs,
    library_tabs,
    run_tabs,
)  # fmt: skip
from studio.ui.problems_bar import PlainNotice, ProblemsBar, page_of
from studio.ui.sidebar import Sidebar, short_gpu_name
from studio.ui.sidebar_rows import JOB, NODE, RUN
from studio.ui.status_strip import StatusStrip
from studio.ui.translation import told
from studio.ui.window_actions import WindowActions
from studio.ui.window_start import bring_in_libraries
from studio.ui.window_verbs import WindowVerbs

if TYPE_CHECKING:
    from studio.state.run import RunState
    from studio.ui.command_palette import CommandPalette

_INFO_STAYS_MS = 8000
_READY_AFTER_MS = 10
_RUN_REFRESH_MS = 250


class MainWindow(QMainWindow):
    """One window on the library of a session.

    Args:
        session: what the window shows and drives; it is the caller's to close.
        settings_file: where geometry, splitters and last places are remembered; None remembers nothing.

    ``ready`` comes once, when the first page is painted and input is answered.
    """

    ready = Signal()

    def __init__(self, session: Session, settings_file: Path | None = None) -> None:
        super().__init__()
        self.session = session
        self._last_layout = LastLayout(settings_file)
        self._job_id, self._run_id = "", ""
        self._compared: tuple[str, ...] = ()
        self._in_library = False
        self._run: RunState | None = None
        self._tabs = {JOB: "data", RUN: "monitor"}
        self._started = False
        self.setWindowTitle("Luthier")
        self.setMinimumSize(960, 600)
        self.sidebar = Sidebar(session)
        self.header = Header()
        self.pages = PageStack(session, self._last_layout)
        self.notice = PlainNotice()
        self.problems = ProblemsBar(session.draft)
        self.status = StatusStrip(session)
        self.verbs = WindowVerbs(session, self)
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.timeout.connect(self.notice.hide)
        self._run_timer = QTimer(self)
        self._run_timer.setSingleShot(True)
        self._run_timer.setInterval(_RUN_REFRESH_MS)
        self._run_timer.timeout.connect(self._refresh_run)
        self._lay_out()
        self.palette_panel: CommandPalette | None = None
        self.menu_actions = WindowActions(self)
        DropTarget(self)
        self._connect()
        tab = self._last_layout.restore(self, self.splitter)
        if tab in JOB_KEYS:
            self._tabs[JOB] = tab

    def _lay_out(self) -> None:
        bottom = QFrame()
        bottom.setObjectName("bottom")
        below = QVBoxLayout(bottom)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.problems)
        below.addWidget(self.status)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((self.header, 0), (self.notice, 0), (self.pages, 1), (bottom, 0)):
            column.addWidget(widget, stretch)
        self.splitter = QSplitter()
        self.splitter.setObjectName("windowSplitter")
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.sidebar)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([232, 1048])
        self.setCentralWidget(self.splitter)
        self.resize(1280, 800)

    def _connect(self) -> None:
        session, sidebar, header = self.session, self.sidebar, self.header
        session.notice.connect(self.show_notice)
        session.run_opened.connect(self.show_run)
        session.host_key_question.connect(self.verbs.ask_host_key)
        session.node_setup.asking.asked.connect(self.verbs.ask_secret)
        session.node_setup.asking.attend()
        session.inputs_changed.connect(self._on_inputs_changed)
        session.library.changed.connect(self._on_library_changed)
        session.hosts.changed.connect(self._refresh_job)
        session.draft.changed.connect(self._refresh_job)
        session.launch_changed.connect(self._refresh_launch)
        sidebar.job_chosen.connect(self.show_job)
        sidebar.run_chosen.connect(self.show_run)
        sidebar.runs_chosen.connect(self.show_runs)
        sidebar.node_chosen.connect(lambda name: self.open_node_menu(name))
        sidebar.library_wanted.connect(self.show_library)
        sidebar.new_job_wanted.connect(session.new_job)
        sidebar.new_node_wanted.connect(self.open_node_form)
        self.verbs.node_form_wanted.connect(self.open_node_form)
        self.verbs.comparison_wanted.connect(self.show_runs)
        sidebar.menu_wanted.connect(self._open_menu)
        sidebar.main_menu.clicked.connect(self._open_main_menu)
        header.tab_chosen.connect(self.show_tab)
        header.renamed.connect(session.rename_job)
        header.launch_wanted.connect(self.launch)
        header.export_wanted.connect(self.export)
        for kind, chip in self._chips().items():
            chip.clicked.connect(functools.partial(self.open_picker, kind))
        self.problems.field_wanted.connect(self.reveal)
        self.pages.run_wanted.connect(self.show_run)
        self.pages.comparison_wanted.connect(self.show_runs)
        self.pages.model_wanted.connect(functools.partial(self.open_picker, "model"))

    def _chips(self) -> dict[str, Chip]:
        return {"model": self.header.model, "data": self.header.data, "node": self.header.node}

    # what is shown

    def show_job(self, job_id: str = "") -> None:
        """Show a job of the library, by default the one the session has open."""
        if job_id and job_id != self.session.job_id:
            self.session.open_job(job_id)
        self._let_go_of_run()
        self._job_id = self.session.job_id
        self.sidebar.select(JOB, self._job_id)
        self._refresh_job()
        self.show_tab(self._tabs[JOB])

    def show_run(self, run_id: str) -> None:
        """Show a run of the library. Raises KeyError for an unknown id."""
        run: RunState = self.session.run(run_id)
        self._let_go_of_run()
        self._run_id, self._run = run_id, run
        run.changed.connect(self._on_run_changed)
        self.pages.set_run(run)
        self.sidebar.select(RUN, run_id)
        self._refresh_run()
        self.show_tab(self._tabs[RUN])

    def show_runs(self, run_ids: Sequence[str]) -> None:
        """Show runs beside each other. Raises KeyError for an unknown id."""
        runs = [self.session.run(run_id) for run_id in run_ids]
        self._let_go_of_run()
        self._compared = tuple(run_ids)
        self.header.show_run(self.tr("{} runs").format(len(runs)), self.tr("beside each other"), compare_tabs())
        self.header.export.hide()
        self.problems.hide()
        self.sidebar.select_runs(run_ids)
        self.pages.show_page(COMPARE)
        self.pages.compare(runs)
        self.header.choose_tab(COMPARE)

    def show_library(self) -> None:
        """Show all runs as a table."""
        self._let_go_of_run()
        self._in_library = True
        self.header.show_run(self.tr("All runs"), self.tr("of this library"), library_tabs())
        self.header.export.hide()
        self.problems.hide()
        self.sidebar.select_runs(())
        self.pages.show_page(LIBRARY)
        self.header.choose_tab(LIBRARY)

    @property
    def shown_runs(self) -> tuple[str, ...]:
        """The ids of the runs that are shown, none where a job is."""
        return self._compared or ((self._run_id,) if self._run_id else ())

    @property
    def _shows_job(self) -> bool:
        return not self.shown_runs and not self._in_library

    def _let_go_of_run(self) -> None:
        self._compared, self._in_library = (), False
        if self._run is not None:
            self._run.changed.disconnect(self._on_run_changed)
            self.sidebar.show_live(None)
        self._run_id, self._run = "", None

    def _on_library_changed(self) -> None:
        if any(self.session.library.run(run_id) is None for run_id in self.shown_runs):
            self._let_go_of_run()
            self.show_job()

    def show_tab(self, key: str) -> None:
        """Show a page of what is open. Raises KeyError for an unknown key."""
        if key in (RUN_KEYS if self._run_id else JOB_KEYS) and not self._compared and not self._in_library:
            self._tabs[RUN if self._run_id else JOB] = key
            self.pages.show_page(key)
            self.header.choose_tab(key)

    def reveal(self, path: str) -> None:
        """Lead to the control of a field, on whichever page it stands."""
        key = page_of(path)
        if not key:
            self.open_picker("node" if path == "node" else "model")
            return
        if not self._shows_job:
            self.show_job()
        self.show_tab(key)
        if not self.pages.reveal(key, path) and key == "data":
            self.open_picker("data")

    def show_notice(self, severity: str, sentence: str) -> None:
        """Show a sentence above the page; an information goes by itself."""
        self.notice.show_sentence(severity, sentence)
        if severity == "info":
            self._notice_timer.start(_INFO_STAYS_MS)
        else:
            self._notice_timer.stop()

    def launch(self) -> None:
        """Start the job, or lead to the first problem that stands against it."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QLineEdit):
            focused.clearFocus()  # so that what was typed counts
        against = blocking(list(self.session.draft.problems))
        if not self._shows_job:
            self.show_job()
        if against:
            self.show_notice("warning", self.tr("Not launched yet: {}").format(told(against[0].sentence)))
            self.reveal(against[0].field)
            return
        self.show_tab("launch")
        self.session.launch()

    def open_palette(self) -> None:
        """Open the list of all commands, jobs and runs."""
        from studio.ui.command_palette import Command, CommandPalette

        library = self.session.library
        pages = [
            Command(self.tr("Go to {}").format(tab.text), f"Ctrl+{number}", functools.partial(self.show_tab, tab.key))
            for number, tab in enumerate(self.header.tabs, 1)
        ]
        jobs = [Command(job.name, self.tr("job"), functools.partial(self.show_job, job.job_id)) for job in library.jobs]
        runs = [
            Command(run.name or run.run_id, self.tr("run"), functools.partial(self.show_run, run.run_id))
            for run in library.runs
        ]
        if self.palette_panel is None:
            self.palette_panel = CommandPalette(self)
        self.palette_panel.open_with([*pages, *self.verbs.commands(), *jobs, *runs])

    def open_picker(self, kind: str, *_: object) -> None:
        """Open the picker of the model, the data or the node below its chip. Raises KeyError for another kind."""
        self.verbs.open_picker(kind, self._placed(self._chips()[kind]))

    def open_node_form(self, name: str = "") -> None:
        """Open the form of a new node, or of one that is known."""
        self.verbs.open_node_form(self._placed(self.header.node), name)

    def _placed(self, chip: Chip) -> Chip:
        """Return a chip that is shown where it belongs, which it is not yet when a run was shown until now."""
        if not self._shows_job:
            self.show_job()
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        return chip

    def open_node_menu(self, name: str) -> None:
        """Open the menu of a node beside the sidebar."""
        self.verbs.open_node_menu(name, self.cursor().pos())

    def _open_menu(self, kind: str, key: str, at: QPoint) -> None:
        if kind == RUN:
            self.verbs.open_run_menu(key, at, self.shown_runs)
        else:
            {JOB: self.verbs.open_job_menu, NODE: self.verbs.open_node_menu}[kind](key, at)

    def _open_main_menu(self) -> None:
        button = self.sidebar.main_menu
        self.verbs.open_menu(button.mapToGlobal(QPoint(0, button.height() + 4)))

    # what changed

    def _on_inputs_changed(self) -> None:
        if self.session.job_id != self._job_id:
            self.show_job()
        else:
            self._refresh_job()

    def _refresh_job(self, *_: object) -> None:
        draft, session = self.session.draft, self.session
        self.menu_actions.refresh()
        if not self._shows_job:
            return
        self.header.show_job(draft.spec.name, job_tabs())
        self.header.model.show_text(session.model_name, draft.spec.model.id)
        self.header.data.show_text(session.data_name, draft.spec.data.path)
        self.header.node.show_text(self._node_words(), session.node_name)
        self.problems.setVisible(bool(draft.problems))
        self.status.show_job()
        self._refresh_launch()

    def _refresh_launch(self) -> None:
        busy = self.session.is_launching
        self.header.launch.setEnabled(not busy)
        self.header.launch.setText(self.tr("Launching…") if busy else self.tr("Launch"))

    def _node_words(self) -> str:
        name = self.session.node_name
        node = self.session.hosts.get(name) if name else None
        if node is None or node.report is None or not node.report.gpus:
            return told(name)
        return f"{told(name)} · {len(node.report.gpus)} × {short_gpu_name(node.report.gpus[0].name)}"

    def _on_run_changed(self) -> None:
        if not self._run_timer.isActive():
            self._run_timer.start()

    def _refresh_run(self) -> None:
        run = self._run
        if run is None:
            return
        subtitle = self.tr("of {job}, on {node}").format(job=run.spec.name, node=told(run.node))
        if run.started_s:
            since = datetime.datetime.fromtimestamp(run.started_s, datetime.UTC).astimezone()
            subtitle = self.tr("{what} since {time}").format(what=subtitle, time=since.strftime("%H:%M"))
        self.header.show_run(run.name or run.run_id, subtitle, run_tabs())
        self.header.choose_tab(self._tabs[RUN])
        self.problems.hide()
        self.status.show_run(run)
        self.sidebar.show_live(run)

    def export(self) -> None:
        """Export what is shown, a run or else the job, after asking where to."""
        self.verbs.ask_export(self._run_id)

    # the window itself

    def showEvent(self, event: QShowEvent) -> None:
        """Load icons and the first page after the first paint."""
        super().showEvent(event)
        if not self._started:
            self._started = True
            QTimer.singleShot(0, self, self._start)

    def _start(self) -> None:
        library = self.session.library
        if self.session.job_id or not library.jobs:
            if not self.session.job_id:
                self.session.new_job()
            self.show_job()
        else:
            self.show_job(library.jobs[0].job_id)
        self.sidebar.filter.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(_READY_AFTER_MS, self, functools.partial(bring_in_libraries, self))

    def changeEvent(self, event: QEvent) -> None:
        """Paint the icons in the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            icons.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember places and sizes."""
        self._last_layout.keep(self, self.splitter, self._tabs[JOB])
        super().closeEvent(event)
