"""Marks on the loss chart: checkpoints, evaluations, resumes and the ends of epochs, explained below the plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from studio.ui import theme
from studio.ui.charts.card import LegendEntry, LegendRow

if TYPE_CHECKING:
    from studio.state.run import RunState
    from studio.ui.charts.line_chart import LineChart
    from studio.ui.charts.run_axis import RunAxis

MOST_EPOCHS = 24
_SYMBOLS = {"checkpoint": ("t1", 2, 1), "evaluation": ("o", 1, 0), "resume": ("d", 3, 1)}
"""The symbol of each kind, its colour and its row: a checkpoint and the evaluation of its step are both seen."""


class LossMarks(LegendRow):
    """Marks a chart and says below it what the marks mean; hidden while there are none."""

    def __init__(self, chart: LineChart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lossMarks")
        self._chart = chart
        self._epochs: tuple[str, ...] = ()
        chart.column.addWidget(self)
        self.hide()

    def draw(self, run: RunState, axis: RunAxis) -> None:
        """Bring the marks up to date, inside of the chart's `drawing_once`."""
        names = {
            "checkpoint": self.tr("checkpoint"),
            "evaluation": self.tr("evaluation"),
            "resume": self.tr("resume"),
        }
        steps = {
            "checkpoint": {saved.step for saved in run.checkpoints},
            "evaluation": {taken.step for taken in run.evaluations},
            "resume": set(run.resume_steps),
        }
        entries = []
        for kind, (symbol, colour, row) in _SYMBOLS.items():
            self._chart.set_ticks(names[kind], _places(axis, steps[kind]), symbol, colour, in_legend=False, row=row)
            if steps[kind]:
                entries.append(LegendEntry(names[kind], theme.series_colour(colour), symbol=symbol[0]))
        if self._draw_epochs(run, axis):
            entries.append(LegendEntry(self.tr("end of an epoch"), QColor(theme.tokens().muted), symbol="|"))
        self.show_entries(entries)
        self.setVisible(bool(entries))

    def _draw_epochs(self, run: RunState, axis: RunAxis) -> bool:
        """Draw a rule at the end of every epoch but those of a run of very many; return whether there is any."""
        length = run.training.steps_per_epoch if run.training is not None else 0
        done = run.step // length if length else 0
        ends = {epoch * length for epoch in range(1, done + 1)} if done <= MOST_EPOCHS else set()
        places = _places(axis, ends)
        names = tuple(f"epoch {number}" for number in range(1, len(places) + 1))
        for name in set(self._epochs) - set(names):
            self._chart.set_mark(name, None)
        for name, place in zip(names, places, strict=True):
            self._chart.set_mark(name, place)
        self._epochs = names
        return bool(names)


def _places(axis: RunAxis, steps: set[int]) -> list[float]:
    import numpy

    found = axis.of_steps(numpy.array(sorted(steps), dtype=numpy.float64)) if steps else None
    return [] if found is None else [float(place) for place in found]
