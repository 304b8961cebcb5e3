"""The four charts of a run; each is redrawn only while it can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QWidget

from remote_agent.contract.schedule import Horizon, horizon_of, lr_curve
from studio.ui.charts.growing_mean import WEIGHT, GrowingMean
from studio.ui.charts.line_chart import LineChart

if TYPE_CHECKING:
    from studio.state.run import RunState

_IN_THOUSANDS = 1e4


class RunCharts(QWidget):
    """Loss, learning rate, gradient norm and throughput over steps, with one crosshair for all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runCharts")
        self.loss = LineChart(self.tr("Loss"), self.tr("nats a token"))
        self.learning_rate = LineChart(self.tr("Learning rate"))
        self.gradient_norm = LineChart(self.tr("Gradient norm"))
        self.throughput = LineChart(self.tr("Throughput"), self.tr("tokens/s"))
        self._mean: GrowingMean | None = None
        self._key: tuple[object, ...] = ()
        self._plan: tuple[object, int] = (None, 0)
        named = (
            (self.loss, "lossChart"),
            (self.learning_rate, "learningRateChart"),
            (self.gradient_norm, "gradientNormChart"),
            (self.throughput, "throughputChart"),
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(12)
        for number, (chart, name) in enumerate(named):
            chart.setObjectName(name)
            chart.cursor_moved.connect(self._on_cursor)
            grid.addWidget(chart, number // 2, number % 2)
        for index in range(2):
            grid.setRowStretch(index, 1)
            grid.setColumnStretch(index, 1)
        self._charts = tuple(chart for chart, _ in named)

    def hasHeightForWidth(self) -> bool:
        """Return False: charts take the height that is left, whatever their parts would like."""
        return False

    def sizeHint(self) -> QSize:
        """Return the least size, so that a scroll area around the charts shrinks them before it scrolls."""
        return self.minimumSizeHint()

    def start_over(self) -> None:
        """Take all lines away: another run is shown."""
        self._plan = (None, 0)
        for chart in self._charts:
            chart.clear()

    def refresh(self, run: RunState) -> None:
        """Redraw the charts that can be seen."""
        key = (run.run_id, *(ghost[0] for ghost in run.ghosts("loss")))
        if key != self._key:  # another run, or a later attempt took the place of rows that were settled
            self.start_over()
            self._key = key
        for chart, draw in (
            (self.loss, self._draw_loss),
            (self.learning_rate, self._draw_learning_rate),
            (self.gradient_norm, self._draw_gradient_norm),
            (self.throughput, self._draw_throughput),
        ):
            if _seen(chart):
                with chart.drawing_once(in_turn=True):
                    draw(run)

    def _draw_throughput(self, run: RunState) -> None:
        steps, rates = run.series("tokens_per_s")
        if not len(steps):
            return
        name = self.tr("measured")
        self.throughput.set_line(name, steps, rates, color_index=4, settled=run.true_rows)
        in_thousands = self.throughput.greatest(name) >= _IN_THOUSANDS
        self.throughput.set_unit(self.tr("k tokens/s") if in_thousands else self.tr("tokens/s"))
        self.throughput.set_factor(1e-3 if in_thousands else 1.0)

    def _draw_loss(self, run: RunState) -> None:
        steps, losses = run.series("loss")
        if len(steps):
            self.loss.set_line(self.tr("train, every step"), steps, losses, role="raw", settled=run.true_rows)
            said = self.tr("train, smoothed {weight}").format(weight=WEIGHT)
            self._mean = self._mean or GrowingMean()
            means = self._mean.follow(losses, run.true_rows, self._key)
            self.loss.set_line(said, steps[: len(means)], means, settled=self._mean.rows)
        for attempt, ghost_steps, ghost_losses in run.ghosts("loss"):
            said = self.tr("attempt {number}").format(number=attempt)
            self.loss.set_line(said, ghost_steps, ghost_losses, role="raw", color_index=6, settled=len(ghost_steps))
        held_out_steps, held_out = run.series("held_out_loss")
        if len(held_out_steps):
            self.loss.set_line(self.tr("held-out"), held_out_steps, held_out, role="held_out")

    def _draw_learning_rate(self, run: RunState) -> None:
        if run.spec is not None and run.total_steps and self._plan != (run.spec, run.total_steps):
            self._plan = (run.spec, run.total_steps)
            told = run.training
            horizon = horizon_of(told, told.train_tokens) if told is not None else Horizon(run.total_steps)
            updates, rates = lr_curve(run.spec, horizon)
            self.learning_rate.set_line(self.tr("plan"), [update + 1 for update in updates], rates, role="plan")
        steps, rates_read = run.series("learning_rate")
        if len(steps):
            self.learning_rate.set_line(self.tr("fact"), steps, rates_read, settled=run.true_rows)

    def _draw_gradient_norm(self, run: RunState) -> None:
        steps, norms = run.series("gradient_norm")
        if len(steps):
            said = self.tr("before clipping")
            self.gradient_norm.set_line(said, steps, norms, color_index=2, settled=run.true_rows)
        clip = run.spec.regularization.clip_norm if run.spec is not None else 0.0
        self.gradient_norm.set_unit(self.tr("clip {norm}").format(norm=f"{clip:g}") if clip > 0 else "")
        if clip > 0 and len(steps):
            self.gradient_norm.set_level(self.tr("clip {norm}").format(norm=f"{clip:g}"), clip)

    @property
    def is_behind(self) -> bool:
        """Whether the smoothed line has more to take from the run as it was last drawn."""
        return self._mean is not None and self._mean.is_behind

    def _on_cursor(self, step: float | None) -> None:
        for chart in self._charts:
            chart.set_cursor(step)


def _seen(chart: LineChart) -> bool:
    return chart.isVisible() and not chart.visibleRegion().isEmpty()
