"""The charts of a run; each is redrawn only while it can be seen, and one can take the place of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QWidget

from studio.ui.charts.chart_lines import ChartLines
from studio.ui.charts.line_chart import LineChart
from studio.ui.charts.run_axis import EPOCHS, STEPS, TIME, TOKENS, RunAxis
from studio.ui.charts.zooming import View
from studio.ui.monitor.view_choices import ViewChoices

if TYPE_CHECKING:
    from studio.state.run import RunState

_LOW_ROWS, _LOW_PX, _LEAST_PX = 2, 190, 150
_CLIPPED = ("loss", "perplexity", "gradient_norm", "throughput", "step_time")


class RunCharts(QWidget):
    """Charts over one x axis, with one crosshair for all; ``refresh_wanted`` says that others can be seen now."""

    refresh_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runCharts")
        self.loss = LineChart(self.tr("Loss"), self.tr("nats a token"))
        self.learning_rate = LineChart(self.tr("Learning rate"))
        self.gradient_norm = LineChart(self.tr("Gradient norm"))
        self.throughput = LineChart(self.tr("Throughput"), self.tr("tokens/s"))
        self.perplexity = LineChart(self.tr("Perplexity"))
        self.held_out = LineChart(self.tr("Held-out loss"), self.tr("nats a token"))
        self.step_time = LineChart(self.tr("Step time"), self.tr("s"))
        self.memory = LineChart(self.tr("Peak memory"), self.tr("GiB"))
        self._charts = {
            "loss": self.loss,
            "learning_rate": self.learning_rate,
            "gradient_norm": self.gradient_norm,
            "throughput": self.throughput,
            "perplexity": self.perplexity,
            "held_out": self.held_out,
            "step_time": self.step_time,
            "memory": self.memory,
            "gpu_utilization": LineChart(self.tr("GPU utilisation"), "%"),
            "gpu_memory": LineChart(self.tr("GPU memory in use"), self.tr("GiB")),
            "gpu_temperature": LineChart(self.tr("GPU temperature"), "°C"),
            "gpu_power": LineChart(self.tr("GPU power"), self.tr("W")),
            "node_load": LineChart(self.tr("CPU and memory"), "%"),
            "node_disk": LineChart(self.tr("Free disk"), self.tr("GiB")),
            "node_network": LineChart(self.tr("Network"), self.tr("MB/s")),
        }
        self.lines = ChartLines(self._charts, self)
        self.choices = ViewChoices()
        self.maximised = ""
        self.view: View | None = None
        self._axis: RunAxis | None = None
        self._key: tuple[object, ...] = ()
        self._enlarge: dict[str, QAction] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        for key, chart in self._charts.items():
            first, *more = key.split("_")
            chart.setObjectName(first + "".join(map(str.capitalize, more)) + "Chart")
            chart.cursor_moved.connect(self._on_cursor)
            chart.let_zoom()
            chart.view_wanted.connect(self.look_at)
            chart.heading.setToolTip(self.tr("A double click lets this chart take the place of all, and back"))
            chart.title_double_clicked.connect(lambda key=key: self.maximise(key))
            action = QAction(chart)
            action.triggered.connect(lambda _=False, key=key: self.maximise(key))
            chart.menu_actions.append(action)
            self._enlarge[key] = action
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        """Return False: charts take the height that is left, whatever their parts would like."""
        return False

    def sizeHint(self) -> QSize:
        """Return the least size, so that a scroll area around the charts shrinks them before it scrolls."""
        return self.minimumSizeHint()

    @property
    def titles(self) -> dict[str, str]:
        """Return what each chart is called, by its key."""
        return {key: chart.accessibleName() for key, chart in self._charts.items()}

    def chart(self, key: str) -> LineChart:
        """Return a chart of `CHARTS`. Raises KeyError for another key."""
        return self._charts[key]

    def choose(self, choices: ViewChoices) -> None:
        """Draw as the choices say, from the next `refresh` on."""
        if choices.shown != self.choices.shown:
            self.maximised = ""
        if choices.axis != self.choices.axis:
            self.look_at(None)
        self.choices = choices
        self._arrange()

    def maximise(self, key: str) -> None:
        """Let one chart take the place of all, or bring all back where it does."""
        self.maximised = "" if self.maximised == key else key
        self._arrange()
        self.refresh_wanted.emit()

    def look_at(self, view: View | None) -> None:
        """Let every chart show a part of the x axis, or with None all of it."""
        if view == self.view:
            return
        self.view = view
        for chart in self._charts.values():
            if _seen(chart):
                with chart.drawing_once(in_turn=True):
                    chart.set_view(view)

    def start_over(self) -> None:
        """Take all lines away: another run is shown."""
        self.lines.start_over()
        self.view = None
        for chart in self._charts.values():
            chart.set_view(None)
            chart.clear()

    def refresh(self, run: RunState, predicted_bytes: int = 0) -> None:
        """Redraw the charts that can be seen.

        Args:
            run: the run they show.
            predicted_bytes: what the peak memory of a GPU was estimated to be, 0 where that is not known.
        """
        key = (run.run_id, *(ghost[0] for ghost in run.ghosts("loss")))
        if key != self._key:  # another run, or a later attempt took the place of rows that were settled
            self.start_over()
            self._key = key
        self._axis = self._axis or RunAxis()
        self._axis.follow(run, self.choices.axis, key)
        unit, factor = self._axis.scale()
        whole = self.choices.axis == STEPS
        self.lines.prepare(run, self._axis, self.choices, predicted_bytes, key)
        for name, chart in self._charts.items():
            if _seen(chart):
                with chart.drawing_once(in_turn=True):
                    chart.set_view(self.view)
                    chart.set_x_unit(self._unit_words(unit), factor, whole)
                    chart.set_log(self.choices.log_loss and name in ("loss", "perplexity", "held_out"))
                    chart.set_clips(self.choices.clips and name in _CLIPPED)
                    self.lines.draw(name, run)

    @property
    def is_behind(self) -> bool:
        """Whether the smoothed line has more to take from the run as it was last drawn."""
        return self.lines.is_behind

    def _unit_words(self, unit: str) -> str:
        return {
            STEPS: self.tr("step"),
            TOKENS: self.tr("tokens"),
            "thousand": self.tr("k tokens"),
            "million": self.tr("M tokens"),
            "billion": self.tr("B tokens"),
            EPOCHS: self.tr("epoch"),
            "seconds": self.tr("seconds"),
            "minutes": self.tr("minutes"),
            "hours": self.tr("hours"),
            TIME: self.tr("seconds"),
        }[unit]

    def _arrange(self) -> None:
        """Put what is shown into two columns; one that is alone in its row takes both."""
        shown = (self.maximised,) if self.maximised else self.choices.shown
        rows = (len(shown) + 1) // 2
        for chart in self._charts.values():
            self._grid.removeWidget(chart)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
        for key, chart in self._charts.items():
            chart.setMinimumHeight(_LOW_PX if rows > _LOW_ROWS else _LEAST_PX)
            if key in shown:
                number = shown.index(key)
                alone = number == len(shown) - 1 and number % 2 == 0
                self._grid.addWidget(chart, number // 2, number % 2, 1, 2 if alone else 1)
            else:
                chart.setParent(self)
            chart.setVisible(key in shown)
            self._enlarge[key].setText(self.tr("Show all charts") if self.maximised else self.tr("Maximise"))
        for column in range(2):
            self._grid.setColumnStretch(column, 1)

    def _on_cursor(self, place: float | None) -> None:
        for chart in self._charts.values():
            chart.set_cursor(place)


def _seen(chart: LineChart) -> bool:
    return chart.isVisible() and not chart.visibleRegion().isEmpty()
