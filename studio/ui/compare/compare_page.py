"""Compare: up to twenty runs over each other, the settings that differ, and what came out of each."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from studio.ui.charts.growing_mean import WEIGHT, GrowingMean
from studio.ui.charts.line_chart import LineChart
from studio.ui.charts.zooming import View
from studio.ui.compare.figures import MOST_RUNS, differing_settings, results, run_labels
from studio.ui.compare.parallel import ParallelCard, parallel_axes
from studio.ui.compare.report_tables import report_tables
from studio.ui.field_table import FieldRow, FieldTable
from studio.ui.monitor.followed_run import FollowedRun
from studio.ui.pieces import button, clear_layout, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session
    from studio.state.run import RunState

REFRESH_MS = 500
_CHART_HEIGHT = 230
_STRETCHED_RUNS = 6
"""So many runs share the width of a table; of more each column is as wide as its figures, and the table scrolls."""


class ComparePage(QWidget):
    """Shows the runs given to `show_runs`; it follows those that go on while it can be seen."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePage")
        self.setAccessibleName(self.tr("Compare"))
        self._session = session
        self._runs: tuple[RunState, ...] = ()
        self._followed: list[FollowedRun] = []
        self._means: list[GrowingMean] = []
        self._soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self.loss = LineChart(self.tr("Training loss"), self.tr("nats a token"))
        self.held_out = LineChart(self.tr("Held-out loss"), self.tr("nats a token"))
        self.learning_rate = LineChart(self.tr("Learning rate"))
        self.gradient_norm = LineChart(self.tr("Gradient norm"))
        self.charts = (self.loss, self.held_out, self.learning_rate, self.gradient_norm)
        self.parallel = ParallelCard()
        self._tables = QVBoxLayout()
        self.results: FieldTable | None = None
        self.settings: FieldTable | None = None
        self.note = plain_label("", "muted", "compareNote", wraps=True)
        self.save = button(self.tr("Save a report…"), "saveComparisonButton")
        self.save.clicked.connect(self._ask_report)
        self._lay_out()

    def show_runs(self, runs: Sequence[RunState]) -> None:
        """Show other runs; of more than twenty the first are shown, and that is said."""
        for followed in self._followed:
            followed.leave()
        self._runs = tuple(runs[:MOST_RUNS])
        self._followed, self._means = [], [GrowingMean() for _ in self._runs]
        for run in self._runs:
            followed = FollowedRun(self._on_changed)
            followed.follow(run)
            self._followed.append(followed)
        for chart in self.charts:
            chart.set_view(None)
            chart.clear()
        more = len(runs) - MOST_RUNS
        self.note.setText(self.tr("The first {shown} of {all} chosen runs.").format(shown=MOST_RUNS, all=len(runs)))
        self.note.setVisible(more > 0)
        self._build_tables()
        self.refresh()

    @property
    def runs(self) -> tuple[RunState, ...]:
        """The runs that are shown."""
        return self._runs

    def refresh(self) -> None:
        """Bring what can be seen up to date now."""
        if not self.isVisible() or self.results is None or self.settings is None:
            return
        labels = run_labels(self._runs)
        with contextlib.ExitStack() as stack:
            for chart in self.charts:
                stack.enter_context(chart.drawing_once(in_turn=True))
            for number, (run, label) in enumerate(zip(self._runs, labels, strict=True)):
                self._draw(number, run, label)
        if any(mean.is_behind for mean in self._means):
            self._soon.start()
        self.parallel.show_lines(labels, parallel_axes(self._runs))
        self.results.show_rows(results(self._runs, self._session.memory.rate))
        settings = differing_settings([run.spec for run in self._runs])
        same = FieldRow((self.tr("The settings are the same."), *("" for _ in self._runs)))
        self.settings.show_rows(settings or [same])
        for table in (self.results, self.settings):
            _fit(table)

    def save_report(self, path: Path) -> None:
        """Write charts and tables as one HTML file."""
        assert self.results is not None and self.settings is not None
        self._session.save_comparison(
            path,
            [run.run_id for run in self._runs],
            [*(chart.as_svg() for chart in self.charts), self.parallel.as_svg()],
            [
                (self.tr("Results"), self.results.as_rows()),
                (self.tr("What differs"), self.settings.as_rows()),
                *report_tables(self._runs),
            ],
        )

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the page was hidden."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self.refresh)

    def _draw(self, number: int, run: RunState, label: str) -> None:
        steps, losses = run.series("loss")
        key = (run.run_id, *(ghost[0] for ghost in run.ghosts("loss")))  # a later attempt takes the place of rows
        if len(steps):
            mean = self._means[number]
            means = mean.follow(losses, run.true_rows, key)
            self.loss.set_line(label, steps[: len(means)], means, color_index=number)
        places, values = run.series("held_out_loss")
        if len(places):
            self.held_out.set_line(label, places, values, role="held_out", color_index=number)
        for chart, name in ((self.learning_rate, "learning_rate"), (self.gradient_norm, "gradient_norm")):
            steps, values = run.series(name)
            if len(steps):
                chart.set_line(label, steps, values, color_index=number)

    def _on_changed(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _build_tables(self) -> None:
        clear_layout(self._tables)
        labels = run_labels(self._runs)
        stretch = None if len(labels) <= _STRETCHED_RUNS else ()
        self.results = FieldTable(["", *labels], "comparedResults", self.tr("Results"), stretch)
        self.settings = FieldTable(["", *labels], "comparedSettings", self.tr("What differs"), stretch)
        for title, table in ((self.tr("Results"), self.results), (self.tr("What differs"), self.settings)):
            card = QFrame()
            card.setProperty("role", "card")
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            column = QVBoxLayout(card)
            column.setContentsMargins(16, 12, 16, 12)
            column.setSpacing(8)
            column.addWidget(heading)
            column.addWidget(table)
            self._tables.addWidget(card)

    def _ask_report(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the report"), "comparison.html", self.tr("Web pages (*.html)")
        )
        if name:
            self.save_report(Path(name))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        told = self.tr("Training loss is smoothed (moving average, {weight}).").format(weight=WEIGHT)
        top.addWidget(plain_label(told, "caption", wraps=True), 1)
        top.addWidget(self.save)
        grid = QGridLayout()
        grid.setSpacing(12)
        for number, chart in enumerate(self.charts):
            chart.setMinimumHeight(_CHART_HEIGHT)
            chart.cursor_moved.connect(self._on_cursor)
            chart.let_zoom()
            chart.view_wanted.connect(self._on_view)
            grid.addWidget(chart, number // 2, number % 2)
        inside = QWidget()
        inside.setObjectName("scrolled")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self.note)
        column.addLayout(grid)
        column.addWidget(self.parallel)
        self._tables.setSpacing(12)
        column.addLayout(self._tables)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("compareScroll")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _on_view(self, view: View | None) -> None:
        for chart in self.charts:
            with chart.drawing_once(in_turn=True):
                chart.set_view(view)

    def _on_cursor(self, step: float | None) -> None:
        for chart in self.charts:
            chart.set_cursor(step)


def _fit(table: FieldTable) -> None:
    """Give a table the height of its rows: the page scrolls up and down, the table at most to the side."""
    rows = sum(table.rowHeight(row) for row in range(table.rowCount()))
    header = table.horizontalHeader()
    aside = table.horizontalScrollBar().sizeHint().height() if header.length() > table.viewport().width() else 0
    table.setFixedHeight(rows + header.sizeHint().height() + aside + 4)
