"""The Monitor: how a run does, at a glance and to the step; it redraws only what has changed and can be seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from remote_agent.contract.alerts import ROLL_BACK, SKIP, STOP
from remote_agent.contract.events import ENDED, AlertRaised
from studio.session.resuming import resume_shapes
from studio.ui.monitor.alerts import Alerts
from studio.ui.monitor.change_dialog import ChangeDialog
from studio.ui.monitor.complaints import Complaints
from studio.ui.monitor.control_bar import ControlBar
from studio.ui.monitor.followed_run import FollowedRun
from studio.ui.monitor.hardware import HardwareTiles
from studio.ui.monitor.link_row import LinkRow
from studio.ui.monitor.log_drawer import LogDrawer
from studio.ui.monitor.resume_dialog import ResumeDialog
from studio.ui.monitor.run_charts import RunCharts
from studio.ui.monitor.run_figures import RunFigures
from studio.ui.monitor.state_line import StateLine
from studio.ui.monitor.stop_dialog import KEEP, SAVE, StopDialog
from studio.ui.monitor.view_choices import choices_of

if TYPE_CHECKING:
    from remote_agent.contract.node_report import NodeReport
    from studio.session.session import Session
    from studio.state.run import RunState
    from studio.ui.last_layout import LastLayout

REFRESH_MS = 100
SLOWEST_MS = 2000
TICK_MS = 1000
_CHOICES = "monitor"


class MonitorPage(QWidget):
    """Shows the run given to `show_run`; ``monotonic`` is the clock of link times, in seconds.

    ``layout`` remembers how the charts are drawn; without one they start as at first.
    """

    def __init__(
        self,
        session: Session,
        parent: QWidget | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        layout: LastLayout | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("monitorPage")
        self.setAccessibleName(self.tr("Monitor"))
        self._session = session
        self._monotonic = monotonic
        self._layout = layout
        self._run: RunState | None = None
        self._followed = FollowedRun(self._on_changed)
        self._stop_dialog: StopDialog | None = None
        self._predicted: tuple[object, int] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._show_link)
        self.state_line = StateLine()
        self.alerts = Alerts()
        self.complaints = Complaints()
        self.link_row = LinkRow(session)
        self.charts = RunCharts()
        self.charts.choose(choices_of(layout.choice(_CHOICES) if layout is not None else ""))
        self.controls = ControlBar(self.charts.titles, self.charts.choices)
        self.hardware = HardwareTiles()
        self.figures = RunFigures(session.memory)
        self.drawer = LogDrawer()
        self._build()
        self.controls.changed.connect(self._on_chosen)
        self.charts.refresh_wanted.connect(self._on_changed)
        session.memory.peaks.changed.connect(self._on_changed)
        self.state_line.save_now.clicked.connect(self._on_save_now)
        self.state_line.evaluate_now.clicked.connect(self._on_evaluate_now)
        self.state_line.pause.clicked.connect(self._on_pause)
        self.state_line.sample_now.triggered.connect(self._on_sample_now)
        self.state_line.change.triggered.connect(self._on_change)
        self.state_line.stop.clicked.connect(self._on_stop)
        self.state_line.resume.clicked.connect(self._on_resume)
        self.state_line.resume_otherwise.clicked.connect(self._on_resume_otherwise)
        self.alerts.action_wanted.connect(self._on_alert_action)

    def show_run(self, run: RunState) -> None:
        """Show another run, or the same one anew."""
        if run is self._run:
            self.refresh()
            return
        if self._stop_dialog is not None:
            self._stop_dialog.reject()
        self._run = run
        self.charts.start_over()
        self.alerts.start_over()
        self.complaints.start_over()
        self.drawer.show_run(run)
        self._followed.follow(run)
        self.refresh()

    def refresh(self) -> None:
        """Bring what can be seen up to date now."""
        run = self._run
        if run is None or not self.isVisible():
            return
        began = time.perf_counter()
        self.state_line.show_run(run)
        self.alerts.show_alerts(() if run.is_ended else run.alerts, run.stacks)
        self.complaints.show_complaints(run.complaints)
        self.charts.refresh(run, self._predicted_bytes(run) if self.charts.memory.isVisible() else 0)
        self._show_hardware(run)
        self.figures.show_run(run)
        self.drawer.refresh()
        self._show_link()
        # a run of a million steps costs more to draw, so it is drawn less often: a fifth of the time at most
        spent_ms = 1000 * (time.perf_counter() - began)
        self._soon.setInterval(round(min(SLOWEST_MS, max(REFRESH_MS, 4 * spent_ms))))
        if self.charts.is_behind:
            self._soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the page was hidden."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock of the link's sentence."""
        super().hideEvent(event)
        self._soon.stop()
        self._tick.stop()

    def changeEvent(self, event: QEvent) -> None:
        """Draw again in the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._on_changed()

    def _on_changed(self) -> None:
        if self._run is not None and self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _on_chosen(self) -> None:
        self.charts.choose(self.controls.choices)
        if self._layout is not None:
            self._layout.keep_choice(_CHOICES, self.controls.choices.as_text())
        self._on_changed()

    def _predicted_bytes(self, run: RunState) -> int:
        """Return the estimate of a GPU's peak where the draft is still the job of this run on its node, else 0."""
        draft, node = self._session.draft, self._session.node_name
        if node != run.node or draft.spec != run.spec:
            return 0
        from studio.state.memory_figures import estimate

        key = (run.run_id, draft.known)
        if self._predicted is None or self._predicted[0] != key:
            found = estimate(draft.spec, draft.known)
            self._predicted = key, found.memory.allocated.likely if found is not None and not found.on_host else 0
        return self._predicted[1]

    def _show_hardware(self, run: RunState) -> None:
        sample = run.node_sample
        if sample is None or run.state in ENDED:
            self.hardware.show_facts(())
        elif sample.gpus:
            self.hardware.show_gpus(sample.gpus)
        else:
            used, total = sample.memory_used_bytes, sample.memory_total_bytes
            self.hardware.show_machine(sample.cpu_percent, 0, used, total, sample.disk_free_bytes)

    def _show_link(self) -> None:
        self.link_row.show_link(self._run, self._monotonic())
        if self.link_row.has_words and self.isVisible():
            if not self._tick.isActive():
                self._tick.start()
        else:
            self._tick.stop()

    def _on_save_now(self) -> None:
        if self._run is not None:
            self._session.save_now(self._run.run_id)
            self.state_line.show_saving(self._run)

    def _on_evaluate_now(self) -> None:
        if self._run is not None:
            self._session.evaluate_now(self._run.run_id)
            self.state_line.show_evaluating(self._run)

    def _on_pause(self) -> None:
        if self._run is not None:
            self.state_line.pause.setEnabled(False)
            self._session.pause_run(self._run.run_id)

    def _on_sample_now(self) -> None:
        if self._run is not None:
            self._session.sample_now(self._run.run_id)

    def _on_change(self) -> None:
        if self._run is not None:
            run, dialog = self._run, ChangeDialog(self._run, self)
            dialog.accepted.connect(lambda: self._change(run, dialog))
            dialog.finished.connect(lambda _: dialog.deleteLater())
            dialog.open()

    def _change(self, run: RunState, wanted: ChangeDialog) -> None:
        if wanted.steps is not None:
            self._session.extend_run(run.run_id, wanted.steps)
        if wanted.factor is not None:
            self._session.change_rate(run.run_id, wanted.factor * run.amended_job().peak_at(run.step))
        if wanted.every is not None:
            self._session.change_evaluation(run.run_id, wanted.every)

    def _on_alert_action(self, action: str, alert: AlertRaised) -> None:
        if action == STOP:
            self._on_stop()
        elif action in (ROLL_BACK, SKIP):
            if self._run is not None:
                self._session.roll_back(self._run.run_id, alert.step, skip=action == SKIP)
        else:
            self._on_save_now()

    def _on_resume(self) -> None:
        if self._run is not None:
            self._session.resume_run(self._run.run_id)

    def _on_resume_otherwise(self) -> None:
        run = self._run
        report = self._node_report(run.node) if run is not None else None
        shapes = resume_shapes(run, report) if run is not None else None
        if run is None or shapes is None:
            return
        dialog = ResumeDialog(run.spec, shapes, report, self)
        dialog.accepted.connect(lambda: self._session.resume_run(run.run_id, *dialog.asked))
        dialog.finished.connect(lambda _: dialog.deleteLater())
        dialog.open()

    def _node_report(self, name: str) -> NodeReport | None:
        hosts = self._session.hosts
        return hosts[name].report if name in hosts else None

    def _on_stop(self) -> None:
        run = self._run
        if run is None or self._stop_dialog is not None:
            return
        saved = run.checkpoints[-1].step if run.checkpoints else None
        dialog = StopDialog(run.name, run.step, saved, self)
        self._stop_dialog = dialog
        dialog.finished.connect(lambda _: self._on_stop_answered(run, dialog))
        dialog.open()

    def _on_stop_answered(self, run: RunState, dialog: StopDialog) -> None:
        self._stop_dialog = None
        dialog.deleteLater()
        if dialog.answer != KEEP:
            self._session.stop_run(run.run_id, save=dialog.answer == SAVE)

    def _scrolled(self, upper: QWidget) -> QScrollArea:
        """Return the upper part so that it scrolls where an open log leaves it too little room."""
        upper.setObjectName("scrolled")
        scroll = QScrollArea()
        scroll.setObjectName("monitorScroll")
        scroll.setAccessibleName(self.tr("State and charts"))
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumHeight(200)
        scroll.setWidget(upper)
        scroll.verticalScrollBar().valueChanged.connect(self._on_changed)
        return scroll

    def _build(self) -> None:
        self.complaints.hide()
        self.hardware.hide()
        upper = QWidget()
        stack = QVBoxLayout(upper)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(12)
        for widget in (self.state_line, self.link_row, self.alerts, self.complaints):
            stack.addWidget(widget)
        stack.addWidget(self.controls)
        stack.addWidget(self.charts, 1)
        stack.addWidget(self.hardware)
        stack.addWidget(self.figures)
        splitter = QSplitter()
        splitter.setObjectName("monitorSplitter")
        splitter.setOrientation(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(12)
        splitter.addWidget(self._scrolled(upper))
        splitter.addWidget(self.drawer)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
