"""The learning-rate curve that can be taken by the hand: peak, minimum, cooldown and the points of a drawn schedule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QColor

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.recipe_spec import PointSpec, ScheduleSpec
from remote_agent.contract.schedule import (
    Horizon,
    cooldown_steps,
    curve_steps,
    lr_at,
    lr_curve,
    momentum_moves,
    momentums,
    point_update,
    span_steps,
    update_percent,
    warmup_steps,
    weight_decay_at,
)
from studio.state.draft import Draft
from studio.ui import theme, words
from studio.ui.charts.card import LegendEntry
from studio.ui.charts.handles import Handle
from studio.ui.charts.line_chart import LineChart
from studio.ui.recipe.card_plans import POINTED
from studio.ui.recipe.curve_axis import STEPS, CurveAxis, amount_for, axes_for

PEAK, MINIMUM, COOLDOWN, POINT = "peak", "minimum", "cooldown", "point "
NOMINAL_STEPS = 1000
"""How many steps the curve is drawn for while the length of the run is not known."""

MOST_PINNED = 4
_MOST_EPOCH_MARKS = 12
_MOST_TICKS = 5000
_NO_MINIMUM = ("constant", "step", "inverse_sqrt", *POINTED)
_CHECKPOINT_COLOUR, _EVALUATION_COLOUR = 2, 3
_DECAY_COLOUR, _MOMENTUM_COLOUR = 2, 6
_PINNED_COLOURS = (1, 4, 3, 5)


class Pinned(NamedTuple):
    """An alternative that stays on the plot: its name, and the job it was pinned from."""

    name: str
    spec: JobSpec


class RateCurve(LineChart):
    """The preview of a draft's schedule; ``tried`` carries the values under a handle before the draft takes them.

    ``pinned_changed`` follows every alternative that is pinned or taken away.
    """

    tried = Signal(object)
    pinned_changed = Signal()

    def __init__(self, draft: Draft) -> None:
        super().__init__(self.tr("Learning rate"))
        self.setObjectName("rateCurve")
        self._draft = draft
        self._tentative: dict[str, Any] = {}
        self._drawn: tuple[object, ...] = ()
        self._axis_unit = STEPS
        self._pinned: list[Pinned] = []
        self._drawn_pinned: dict[str, tuple[object, ...]] = {}
        self._last_point = ""
        self.set_from_zero(True)
        self.handle_moved.connect(self._on_handle_moved)
        self.handle_released.connect(self._on_handle_released)
        self.double_clicked.connect(self._on_double_click)
        draft.changed.connect(self.refresh)
        self.refresh()

    # what is drawn

    @property
    def horizon(self) -> Horizon:
        """The run that the curve is drawn for, a nominal one while the draft's length is not known."""
        horizon = self._draft.horizon
        return horizon if horizon.total_steps > 0 else horizon._replace(total_steps=NOMINAL_STEPS)

    @property
    def total_steps(self) -> int:
        """The steps the curve is drawn for."""
        return self.horizon.total_steps

    @property
    def axis(self) -> CurveAxis:
        """What the x axis counts; updates where what was chosen is not known of this run."""
        axes = axes_for(self.horizon)
        return next((axis for axis in axes if axis.unit == self._axis_unit), axes[0])

    def set_axis(self, unit: str) -> None:
        """Let the x axis count steps, epochs or tokens."""
        self._axis_unit = unit
        self.refresh()

    @property
    def curve_name(self) -> str:
        """The legend's words for the curve."""
        return schedule_words(self.tried_spec)

    def place_words(self, x: float) -> str:
        """Return how a place on the x axis is told under the mouse."""
        return self.axis.words(x)

    def refresh(self) -> None:
        """Draw the draft's curve, with what a hand is trying laid over it; nothing happens where it is drawn."""
        spec, horizon, axis = self.tried_spec, self.horizon, self.axis
        marks = (spec.evaluation.every_steps, _checkpoint_every(spec))
        wanted = (spec.optimizer, spec.schedule, horizon, axis, marks, bool(self._tentative), tuple(self._pinned))
        if wanted == self._drawn:
            return
        self._drawn = wanted
        name = schedule_words(spec)
        kept = {name, *(pinned.name for pinned in self._pinned), self.tr("checkpoint"), self.tr("evaluation")}
        with self.drawing_once():
            for old in self.line_names:
                if old not in kept:
                    self.remove_line(old)
            if self._tentative:
                self._draw_curve(self.tr("before"), self._draft.spec, "plan", 6)
            self._draw_curve(name, spec, "fact", 0)
            self._draw_others(spec)
            self._draw_pinned()
            self._draw_marks(*marks)
            self.set_x_unit(axis.label)
            self.set_handles(list(self._places(spec)))

    def _draw_curve(self, name: str, spec: JobSpec, role: str, colour: int) -> None:
        axis = self.axis
        updates, rates = lr_curve(spec, self.horizon)
        self.set_line(name, [axis.place(update + 1) for update in updates], rates, role, colour)

    def _draw_pinned(self) -> None:
        """Draw the alternatives, each again only where the run or the axis is another one."""
        for number, pinned in enumerate(self._pinned):
            drawn = (pinned.spec, self.horizon, self.axis, number)
            if self._drawn_pinned.get(pinned.name) != drawn or pinned.name not in self.line_names:
                self._drawn_pinned[pinned.name] = drawn
                self._draw_curve(pinned.name, pinned.spec, "plan", _PINNED_COLOURS[number])

    def _draw_others(self, spec: JobSpec) -> None:
        """Draw weight decay and momentum where they change over the run, as high as the peak; the legend tells them."""
        optimizer, schedule, horizon, axis = spec.optimizer, spec.schedule, self.horizon, self.axis
        fades = schedule.weight_decay_end_factor != 1.0 and optimizer.weight_decay > 0
        if not fades and not momentum_moves(schedule):
            return
        updates = curve_steps(schedule, horizon)
        places = [axis.place(update + 1) for update in updates]
        if fades:
            values = [weight_decay_at(spec, update, horizon) for update in updates]
            self._draw_scaled(self.tr("weight decay"), places, values, optimizer.learning_rate, _DECAY_COLOUR)
        if momentum_moves(schedule):
            has_momentum = optimizer.kind in ("sgd", "muon")
            name = self.tr("momentum") if has_momentum else self.tr("beta 1")
            momentum = momentums(schedule, optimizer.momentum if has_momentum else optimizer.beta1, horizon)
            self._draw_scaled(name, places, list(map(momentum, updates)), optimizer.learning_rate, _MOMENTUM_COLOUR)

    def _draw_scaled(self, name: str, places: list[float], values: list[float], peak: float, colour: int) -> None:
        told = max(values) / peak
        ends = {"name": name, "first": words.short_number(values[0]), "last": words.short_number(values[-1])}
        if values[0] != values[-1]:
            name = self.tr("{name} {first} to {last}").format(**ends)
        self.set_line(name, places, [value / told for value in values], "plan", colour, told=told)

    def _draw_marks(self, evaluate_every: int, save_every: int) -> None:
        horizon, axis = self.horizon, self.axis
        ends = range(horizon.steps_per_epoch, horizon.total_steps, horizon.steps_per_epoch or 1)
        shown = [axis.place(end) for end in ends] if horizon.steps_per_epoch and len(ends) <= _MOST_EPOCH_MARKS else []
        for number in range(_MOST_EPOCH_MARKS):
            self.set_mark(f"epoch {number + 1}", shown[number] if number < len(shown) else None)
        rule = LegendEntry(self.tr("end of an epoch"), QColor(theme.tokens().muted), symbol="|")
        self.further_entries = [rule] if shown else []
        for name, every, symbol, colour in (
            (self.tr("checkpoint"), save_every, "t1", _CHECKPOINT_COLOUR),
            (self.tr("evaluation"), evaluate_every, "o", _EVALUATION_COLOUR),
        ):
            times = range(every, horizon.total_steps + 1, every) if every > 0 else range(0)
            thinned = times[:: max(1, -(-len(times) // _MOST_TICKS))]
            self.set_ticks(name, [axis.place(time) for time in thinned], symbol, colour)

    def _places(self, spec: JobSpec) -> Iterator[Handle]:
        horizon, axis, schedule = self.horizon, self.axis, spec.schedule
        total, peak = horizon.total_steps, spec.optimizer.learning_rate
        warmup = min(warmup_steps(schedule, horizon), total - 1)
        yield Handle(PEAK, axis.place(warmup + 1), peak)
        if schedule.shape == "wsd":
            start = max(warmup, total - cooldown_steps(schedule, horizon))
            yield Handle(COOLDOWN, axis.place(min(start, total - 1) + 1), peak, moves_y=False)
        if schedule.shape in POINTED:
            for number, point in enumerate(schedule.points):
                place = point_update(point.at_percent, total) + 1
                yield Handle(f"{POINT}{number}", axis.place(place), peak * point.factor)
        if schedule.shape not in _NO_MINIMUM:
            yield Handle(MINIMUM, axis.place(total), lr_at(spec, total - 1, horizon), moves_x=False)

    # alternatives

    @property
    def pinned(self) -> tuple[Pinned, ...]:
        """The alternatives on the plot, the oldest first."""
        return tuple(self._pinned)

    def pin(self) -> None:
        """Keep the draft's curve on the plot beside what the draft becomes; the oldest goes where there are four."""
        name = self.tr("pinned: {}").format(schedule_words(self._draft.spec))
        self._pinned = [each for each in self._pinned if each.name != name][-MOST_PINNED + 1 :]
        self._pinned.append(Pinned(name, self._draft.spec))
        self.refresh()
        self.pinned_changed.emit()

    def unpin(self, name: str = "") -> None:
        """Take an alternative away, or all of them."""
        self._pinned = [each for each in self._pinned if name and each.name != name]
        self.refresh()
        self.pinned_changed.emit()

    # the hand

    @property
    def tried_spec(self) -> JobSpec:
        """The draft's spec with what a hand is trying laid over it."""
        spec = self._draft.spec
        for path, value in self._tentative.items():
            spec = with_value(spec, path, value)
        return spec

    def _on_handle_moved(self, name: str, x: float, y: float) -> None:
        spec = self._draft.spec
        peak = spec.optimizer.learning_rate
        if name == PEAK:
            self._tentative = self._peak_at(spec, x, y)
        elif name == COOLDOWN:
            steps = min(max(self.total_steps - round(self.axis.updates(x)) + 1, 0), self.total_steps)
            self._tentative = {"schedule.cooldown.amount": cooldown_amount(spec.schedule, steps, self.horizon)}
        elif name.startswith(POINT):
            self._last_point = name
            number = int(name.removeprefix(POINT))
            points = list(spec.schedule.points)
            low = points[number - 1].at_percent if number else 0.0
            high = points[number + 1].at_percent if number + 1 < len(points) else 100.0
            points[number] = self._point_at(x, y, low, high)
            self._tentative = {"schedule.points": tuple(points)}
        else:
            self._tentative = {"schedule.minimum_factor": round(min(1.0, max(0.0, y / peak)), 2)}
        self.refresh()
        self.tried.emit(dict(self._tentative))

    def _peak_at(self, spec: JobSpec, x: float, y: float) -> dict[str, Any]:
        total, horizon = self.total_steps, self.horizon
        changes: dict[str, Any] = {"optimizer.learning_rate": rounded(min(1.0, max(y, 1e-12)), 2)}
        steps = min(max(round(self.axis.updates(x)) - 1, 0), total - 1)
        if steps != min(warmup_steps(spec.schedule, horizon), total - 1):
            changes["schedule.warmup.amount"] = warmup_amount(spec.schedule, steps, horizon)
        return changes

    def _point_at(self, x: float, y: float, low: float = 0.0, high: float = 100.0) -> PointSpec:
        percent = update_percent(self.axis.updates(x) - 1, self.total_steps)
        factor = y / self._draft.spec.optimizer.learning_rate
        return PointSpec(round(min(high, max(low, percent)), 1), round(min(1.0, max(0.0, factor)), 3))

    def _on_handle_released(self, name: str, x: float, y: float) -> None:
        changes, self._tentative = self._tentative, {}
        if changes:
            self._draft.edit(changes, alone=True)
        self._drawn = ()
        self.refresh()

    def _on_double_click(self, x: float, y: float) -> None:
        """Add a point to a drawn schedule."""
        schedule = self._draft.spec.schedule
        if schedule.shape in POINTED:
            points = sorted((*schedule.points, self._point_at(x, y)), key=lambda point: point.at_percent)
            self._draft.edit({"schedule.points": tuple(points)}, alone=True)

    def remove_point(self) -> None:
        """Remove the point of a drawn schedule that the mouse is on, else the one that was dragged last."""
        name = self.handle_under_mouse or self._last_point
        points = self._draft.spec.schedule.points
        number = int(name.removeprefix(POINT)) if name.startswith(POINT) else len(points)
        if number < len(points) and self._draft.spec.schedule.shape in POINTED:
            self._last_point = ""
            self._draft.edit({"schedule.points": points[:number] + points[number + 1 :]}, alone=True)


def schedule_words(spec: JobSpec) -> str:
    """Return what the legend says of a schedule."""
    optimizer, schedule = spec.optimizer, spec.schedule
    peak, shape = words.exact_float(optimizer.learning_rate), words.choice(schedule.shape)
    shape = shape if shape.isupper() else shape[:1].lower() + shape[1:]
    if schedule.shape == "constant":
        return QCoreApplication.translate("RateCurve", "constant at {}").format(peak)
    if schedule.shape in _NO_MINIMUM:
        return QCoreApplication.translate("RateCurve", "{shape}, peak {peak}").format(shape=shape, peak=peak)
    least = words.short_number(optimizer.learning_rate * schedule.minimum_factor)
    text = QCoreApplication.translate("RateCurve", "{shape} from {peak} to {least}")
    return text.format(shape=shape, peak=peak, least=least)


def _checkpoint_every(spec: JobSpec) -> int:
    often = [every for every in (spec.checkpointing.weights_every_steps, spec.checkpointing.state_every_steps) if every]
    return min(often, default=0)


def rounded(value: float, digits: int) -> float:
    """Return a number with so many significant digits."""
    return float(f"{value:.{digits - 1}e}") if value and math.isfinite(value) else value


def warmup_amount(schedule: ScheduleSpec, steps: int, horizon: Horizon | int) -> float:
    """Return a short amount, in the warmup's unit, that comes to so many steps."""
    run = horizon if isinstance(horizon, Horizon) else Horizon(horizon)
    unit = schedule.warmup.unit
    return amount_for(unit, steps, run, lambda amount: span_steps(amount, unit, run))


def cooldown_amount(schedule: ScheduleSpec, steps: int, horizon: Horizon | int) -> float:
    """Return a short amount, in the cooldown's unit, that comes to so many steps."""
    run = horizon if isinstance(horizon, Horizon) else Horizon(horizon)
    unit = schedule.cooldown.unit
    return amount_for(unit, steps, run, lambda amount: span_steps(amount, unit, run))
