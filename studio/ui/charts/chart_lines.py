"""What the charts of a run draw: the lines of each, from the run's columns as they grow."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from remote_agent.contract.schedule import curve_steps
from studio.ui.charts.growing_column import GrowingColumn
from studio.ui.charts.growing_mean import GrowingMean
from studio.ui.charts.loss_marks import LossMarks
from studio.ui.charts.node_lines import NodeLines
from studio.ui.charts.run_axis import RunAxis
from studio.ui.monitor.view_choices import ViewChoices

if TYPE_CHECKING:
    from studio.state.run import RunState
    from studio.ui.charts.columns import Column
    from studio.ui.charts.line_chart import LineChart

_IN_THOUSANDS = 1e4
_GIB = 1024.0**3
_PART_COLOURS = (1, 0, 2, 4, 5)


class ChartLines(QObject):
    """Draws the lines of charts by key; `prepare` says of which run and how before `draw` is called."""

    def __init__(self, charts: Mapping[str, LineChart], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._charts = charts
        self._marks = LossMarks(charts["loss"])
        self._choices = ViewChoices()
        self._axis: RunAxis | None = None
        self._key: Hashable = None
        self._predicted_bytes = 0
        self._mean: GrowingMean | None = None
        self._mean_weight = 0.0
        self._means: Column | None = None
        self._raised = GrowingColumn(self._exponentials)
        self._raised_from: Column | None = None
        self._plan: tuple[object, ...] = ()
        self._draws = {
            "loss": self._draw_loss,
            "perplexity": self._draw_perplexity,
            "held_out": self._draw_held_out,
            "learning_rate": self._draw_learning_rate,
            "gradient_norm": self._draw_gradient_norm,
            "throughput": self._draw_throughput,
            "step_time": self._draw_step_time,
            "memory": self._draw_memory,
        }
        self._node = NodeLines(charts, self)

    def start_over(self) -> None:
        """Forget what was drawn: another run is shown."""
        self._plan = ()

    def prepare(self, run: RunState, axis: RunAxis, choices: ViewChoices, predicted_bytes: int, key: Hashable) -> None:
        """Take what is needed for the next drawing; another key says that earlier updates may have changed."""
        self._axis, self._choices, self._predicted_bytes, self._key = axis, choices, predicted_bytes, key
        self._means = None
        if choices.weight != self._mean_weight:
            self._mean = GrowingMean(weight=choices.weight) if choices.weight else None
            self._mean_weight = choices.weight

    def draw(self, name: str, run: RunState) -> None:
        """Bring the lines of a chart up to date, inside of its `drawing_once`."""
        if name in self._draws:
            self._draws[name](run)
        else:
            assert self._axis is not None
            self._node.draw(name, run, self._axis)

    @property
    def is_behind(self) -> bool:
        """Whether the smoothed line has more to take from the run as it was last drawn."""
        return self._mean is not None and self._mean.is_behind

    @property
    def _places(self) -> Column:
        assert self._axis is not None
        return self._axis.x

    def _line(self, run: RunState, key: str, metric: str, name: str, colour: int | None = None) -> bool:
        """Draw a metric as it is; return whether there is any."""
        values = run.series(metric)[1]
        if len(values):
            self._charts[key].set_line(name, self._places, values, color_index=colour, settled=run.true_rows)
        return bool(len(values))

    def _smoothed(self, run: RunState) -> tuple[str, Column, int] | None:
        """Return name, means and settled rows of the smoothed loss, None where nothing is to be smoothed."""
        losses = run.series("loss")[1]
        if self._mean is None or not len(losses):
            return None
        if self._means is None:
            self._means = self._mean.follow(losses, run.true_rows, self._key)
        said = self.tr("train, debiased EMA {weight}").format(weight=f"{self._mean_weight:g}")
        return said, self._means, self._mean.rows

    def _drop_other_means(self, chart: LineChart, name: str) -> None:
        begin = self.tr("train, debiased EMA {weight}").partition("{")[0]
        for drawn in chart.line_names:
            if drawn.startswith(begin) and drawn != name:
                chart.remove_line(drawn)

    def _draw_loss(self, run: RunState) -> None:
        chart, losses = self._charts["loss"], run.series("loss")[1]
        mean = self._smoothed(run)
        self._drop_other_means(chart, mean[0] if mean else "")
        if len(losses):
            role = "raw" if mean else "fact"
            chart.set_line(self.tr("train, every step"), self._places, losses, role=role, settled=run.true_rows)
        if mean:
            chart.set_line(mean[0], self._places[: len(mean[1])], mean[1], settled=mean[2])
        self._draw_ghosts(run, chart)
        self._draw_evaluations(run, chart)
        assert self._axis is not None
        self._marks.draw(run, self._axis)

    def _draw_ghosts(self, run: RunState, chart: LineChart) -> None:
        assert self._axis is not None
        for ghost in self._axis.ghosts("loss"):
            said = self.tr("attempt {number}").format(number=ghost.attempt)
            chart.set_line(said, ghost.x, ghost.y, role="raw", color_index=6, settled=len(ghost.x))

    def _draw_evaluations(self, run: RunState, chart: LineChart, as_perplexity: bool = False) -> None:
        import numpy

        assert self._axis is not None
        steps, values = run.series("held_out_loss")
        places = self._axis.of_steps(steps) if len(steps) else None
        if places is not None:
            with numpy.errstate(over="ignore"):
                shown = numpy.exp(values) if as_perplexity else values
            chart.set_line(self.tr("held-out"), places, shown, role="held_out")

    def _draw_perplexity(self, run: RunState) -> None:
        chart, mean, losses = self._charts["perplexity"], self._smoothed(run), run.series("loss")[1]
        name, values, settled = mean or (self.tr("train, every step"), losses, run.true_rows)
        self._drop_other_means(chart, name)
        if mean:
            chart.remove_line(self.tr("train, every step"))

        self._raised_from = values
        if len(values):
            grown = self._raised.follow(len(values), settled, (self._key, self._mean_weight))
            chart.set_line(name, self._places[: len(values)], grown, settled=settled)
        self._draw_evaluations(run, chart, as_perplexity=True)

    def _exponentials(self, start: int, stop: int, before: float) -> Column:
        import numpy

        assert self._raised_from is not None
        with numpy.errstate(over="ignore"):
            return numpy.exp(self._raised_from[start:stop])

    def _draw_held_out(self, run: RunState) -> None:
        import numpy

        from studio.state.held_out_sources import held_out_by_source

        assert self._axis is not None
        chart = self._charts["held_out"]
        self._draw_evaluations(run, chart)
        for number, (name, steps, losses) in enumerate(held_out_by_source(run)):
            places = self._axis.of_steps(numpy.asarray(steps))
            if places is not None:
                chart.set_line(name, places, losses, role="held_out", color_index=2 + number)

    def _draw_learning_rate(self, run: RunState) -> None:
        import numpy

        assert self._axis is not None
        chart, axis = self._charts["learning_rate"], self._axis
        key = (run.spec, run.amendments.all, run.total_steps, axis.kind, 0 if axis.kind == "step" else len(axis.x))
        if run.spec is not None and run.total_steps and self._plan != key:
            self._plan = key
            job = run.amended_job()
            begins = {max(0, each.from_step - back) for each in run.amendments.all for back in (0, 1)}
            updates = sorted({*curve_steps(run.spec.schedule, job.horizon_at(run.total_steps)), *begins})
            rates = [job.learning_rate(update) for update in updates]
            places = axis.of_steps(numpy.asarray(updates, dtype=numpy.float64) + 1)
            if places is None:
                chart.remove_line(self.tr("plan"))
            else:
                chart.set_line(self.tr("plan"), places, rates, role="plan")
        self._line(run, "learning_rate", "learning_rate", self.tr("fact"))

    def _draw_gradient_norm(self, run: RunState) -> None:
        chart = self._charts["gradient_norm"]
        drawn = self._line(run, "gradient_norm", "gradient_norm", self.tr("before clipping"), 2)
        clip = run.spec.regularization.clip_norm if run.spec is not None else 0.0
        said = self.tr("clip {norm}").format(norm=f"{clip:g}") if clip > 0 else ""
        chart.set_unit(said)
        if drawn and clip > 0:
            chart.set_level(said, clip)

    def _draw_throughput(self, run: RunState) -> None:
        chart, name = self._charts["throughput"], self.tr("measured")
        if self._line(run, "throughput", "tokens_per_s", name, 4):
            in_thousands = chart.greatest(name) >= _IN_THOUSANDS
            chart.set_unit(self.tr("k tokens/s") if in_thousands else self.tr("tokens/s"))
            chart.set_factor(1e-3 if in_thousands else 1.0)

    def _draw_step_time(self, run: RunState) -> None:
        self._line(run, "step_time", "step_time_s", self.tr("measured"), 3)
        chart, rows = self._charts["step_time"], len(self._places)
        for colour, (metric, name) in enumerate(self._step_parts().items()):
            # one that was never measured is no line; the last update tells for a run that goes on
            if rows and (name in chart.line_names or run.series(metric)[1][-1] > 0):
                self._line(run, "step_time", metric, name, _PART_COLOURS[colour])

    def _step_parts(self) -> dict[str, str]:
        return {
            "data_s": self.tr("waiting for rows"),
            "forward_s": self.tr("forward"),
            "backward_s": self.tr("backward"),
            "optimizer_s": self.tr("optimizer"),
            "communication_s": self.tr("waiting for ranks"),
        }

    def _draw_memory(self, run: RunState) -> None:
        chart = self._charts["memory"]
        chart.set_factor(1 / _GIB)
        drawn = self._line(run, "memory", "peak_memory_bytes", self.tr("measured"), 2)
        if drawn and self._predicted_bytes:
            ends, value = [float(self._places[0]), float(self._places[-1])], float(self._predicted_bytes)
            chart.set_line(self.tr("predicted, estimated"), ends, [value, value], role="plan")
        else:
            chart.remove_line(self.tr("predicted, estimated"))
