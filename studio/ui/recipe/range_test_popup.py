"""A learning-rate range test: started here on the chosen node, its curve drawn as it comes, its peak taken over."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from remote_agent.contract.range_test import HIGHEST, LOWEST, UPDATES, RangeTest, Suggestion, smoothed, suggestion
from remote_agent.contract.schedule import lr_factors
from studio.session.launching import DOING
from studio.session.session import Session
from studio.state.run import RunState
from studio.ui import words
from studio.ui.charts.line_chart import LineChart
from studio.ui.controls import read_float, read_int
from studio.ui.pickers.popup import Popup
from studio.ui.pieces import button, plain_label
from studio.ui.theme import set_role
from studio.ui.translation import told

_WIDTH, _CHART_HEIGHT, _LINE_PX = 640, 260, 84


class RangeTestPopup(Popup):
    """Bounds and length of the test, the newest one's loss against the learning rate, and the peak it suggests."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(self.tr("Learning-rate range test"), "rangeTest", parent, _WIDTH)
        self._session, self._tests = session, session.range_tests
        self._run: RunState | None = None
        self._drawn = (-1, "")
        self.found: Suggestion | None = None
        self.low = self._line("rangeLow", self.tr("First learning rate"), words.exact_float(LOWEST))
        self.high = self._line("rangeHigh", self.tr("Last learning rate"), words.exact_float(HIGHEST))
        self.updates = self._line("rangeUpdates", self.tr("Updates"), str(UPDATES))
        self.start = button(self.tr("Run the test"), "rangeStart", role="primary")
        self.start.clicked.connect(self._on_start)
        self._state = plain_label("", "muted", "rangeState", wraps=True)
        self.chart = LineChart(self.tr("Loss"), x_unit=self.tr("learning rate"))
        self.chart.setObjectName("rangeChart")
        self.chart.set_x_log()
        self.chart.setFixedHeight(_CHART_HEIGHT)
        self._said = plain_label("", "", "rangeSuggestion", wraps=True)
        self.apply = button(self.tr("Use as peak"), "rangeApply", role="primary")
        self.apply.clicked.connect(self._on_apply)
        self._lay_out()
        self._tests.changed.connect(self._look)
        session.launch_changed.connect(self._look)
        self._look()

    def _line(self, name: str, spoken: str, text: str) -> QLineEdit:
        line = QLineEdit(text)
        line.setObjectName(name)
        line.setAccessibleName(spoken)
        line.setFixedWidth(_LINE_PX)
        line.returnPressed.connect(self._on_start)
        return line

    def _lay_out(self) -> None:
        self.body.addWidget(
            plain_label(
                self.tr(
                    "A short run of its own on the node: the learning rate rises exponentially, update by update, and "
                    "the run ends where the loss diverges. It keeps no weights; its journal stays in the library."
                ),
                "muted",
                "rangeAbout",
                wraps=True,
            )
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        for label, line in (
            (self.tr("From"), self.low),
            (self.tr("to"), self.high),
            (self.tr("in"), self.updates),
            (self.tr("updates"), None),
        ):
            row.addWidget(plain_label(label))
            if line is not None:
                row.addWidget(line)
        row.addStretch(1)
        row.addWidget(self.start)
        self.body.addLayout(row)
        self.body.addWidget(self._state)
        self.body.addWidget(self.chart)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self._said, 1)
        below.addWidget(self.apply)
        self.body.addLayout(below)
        self._source = plain_label(
            self.tr(
                "Smoothed as in fastai: Howard and Gugger, 2020, arXiv:2002.04688; the test: Smith, 2017, "
                "arXiv:1506.01186, section 3.3."
            ),
            "caption",
            "rangeSource",
            wraps=True,
        )
        self.body.addWidget(self._source)

    def _on_start(self) -> None:
        try:
            test = RangeTest(read_float(self.low.text()), read_float(self.high.text()), read_int(self.updates.text()))
            self._tests.start(test)
        except ValueError as error:
            self._state.setText(told(str(error)))

    def _on_apply(self) -> None:
        if self.found is not None:
            peak = float(f"{self.found.peak:.2g}")
            self._session.draft.edit({"optimizer.learning_rate": peak}, alone=True)
            self.close()

    def _look(self) -> None:
        """Take up the newest test of this job, and say where a launch is."""
        newest = self._tests.latest()
        if newest is not self._run:
            if self._run is not None:
                self._run.changed.disconnect(self._show)
            self._run = newest
            if newest is not None:
                newest.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        run = self._run
        self.start.setEnabled(not self._session.is_launching and (run is None or run.is_ended))
        self._state.setText(self._state_words(run))
        drawn = (run.step, run.state) if run is not None else (0, "")
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw(run)

    def _draw(self, run: RunState | None) -> None:
        rates, losses = _curve(run) if run is not None else ([], [])
        self.chart.setVisible(bool(rates))
        self.found = suggestion(rates, losses) if run is not None and run.is_ended else None
        with self.chart.drawing_once():
            shown, top = _worth_showing(smoothed(losses))
            places = [math.log10(rate) for rate in rates[: len(shown)]]
            self.chart.set_line(self.tr("loss"), places, [min(loss, top) for loss in losses[: len(shown)]], "raw", 0)
            self.chart.set_line(self.tr("smoothed"), places, shown, "fact", 0)
            self.chart.set_mark("peak", math.log10(self.found.peak) if self.found is not None else None)
        self._said.setText(self._suggestion_words(run))
        self._said.setVisible(bool(self._said.text()))
        self._source.setVisible(self.found is not None)
        self.apply.setVisible(self.found is not None)
        # one button stands out: the test's, or what it found
        set_role(self.start, "" if self.found is not None else "primary")

    def _state_words(self, run: RunState | None) -> str:
        if self._session.is_launching:
            doing = [step for step in self._session.launch_progress if step.state == DOING]
            return self.tr("Starting: {}").format(told(doing[0].label)) if doing else self.tr("Starting")
        if run is None:
            return self.tr("This job has had no range test yet.")
        if not run.is_ended:
            return self.tr("Step {step} of {total}").format(step=run.step, total=run.total_steps or "?")
        return told(run.reason) if run.reason else self.tr("The newest test has ended.")

    def _suggestion_words(self, run: RunState | None) -> str:
        if run is None or not run.is_ended:
            return ""
        if self.found is None:
            return self.tr("The smoothed loss never falls, so no peak is suggested; begin at a lower learning rate.")
        return self.tr(
            "Suggested peak {peak}: a tenth of {lowest}, where the smoothed loss is lowest. It falls fastest at "
            "{steepest}."
        ).format(
            peak=words.short_number(float(f"{self.found.peak:.2g}")),
            lowest=words.short_number(float(f"{self.found.lowest:.2g}")),
            steepest=words.short_number(float(f"{self.found.steepest:.2g}")),
        )


def _worth_showing(losses: list[float]) -> tuple[list[float], float]:
    """Return the smoothed losses up to where they are far above the first, and how high the plot need be.

    A loss that diverges is many times what the test is about, and would flatten it into a line.
    """
    if not losses:
        return [], math.inf
    fall = losses[0] - min(losses)
    top = losses[0] + 1.5 * fall if fall > 0 else math.inf
    end = next((place for place, loss in enumerate(losses) if loss > top), len(losses))
    return losses[:end], top


def _curve(run: RunState) -> tuple[list[float], list[float]]:
    """Return the learning rates of a range test, by its job, and the losses, as far as they are numbers."""
    steps, losses = run.series("loss")
    factors, peak = lr_factors(run.spec.schedule, run.spec.batch.max_steps), run.spec.optimizer.learning_rate
    finite = [(peak * factors(int(step) - 1), float(loss)) for step, loss in zip(steps, losses, strict=True)]
    end = next((place for place, (_, loss) in enumerate(finite) if not math.isfinite(loss)), len(finite))
    return [rate for rate, _ in finite[:end]], [loss for _, loss in finite[:end]]
