"""The learning-rate curve that can be taken by the hand: peak with the end of the warmup, and the minimum."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Signal

from remote_agent.contract.job_spec import JobSpec, ScheduleSpec, with_value
from remote_agent.contract.schedule import lr_at, lr_curve, warmup_steps
from studio.state.draft import Draft
from studio.ui import words
from studio.ui.charts.handles import Handle
from studio.ui.charts.line_chart import LineChart

PEAK, MINIMUM = "peak", "minimum"
NOMINAL_STEPS = 1000
"""How many steps the curve is drawn for while the length of the run is not known."""

_MOST_EPOCH_MARKS = 12


class RateCurve(LineChart):
    """The preview of a draft's schedule; ``tried`` carries the values under a handle before the draft takes them."""

    tried = Signal(object)

    def __init__(self, draft: Draft) -> None:
        super().__init__(self.tr("Learning rate"))
        self.setObjectName("rateCurve")
        self._draft = draft
        self._tentative: dict[str, Any] = {}
        self._drawn: tuple[object, ...] = ()
        self.set_from_zero(True)
        self.handle_moved.connect(self._on_handle_moved)
        self.handle_released.connect(self._on_handle_released)
        draft.changed.connect(self.refresh)
        self.refresh()

    @property
    def total_steps(self) -> int:
        """The steps the curve is drawn for."""
        return self._draft.plan.total_steps or NOMINAL_STEPS

    @property
    def curve_name(self) -> str:
        """The legend's words for the curve."""
        return self._words_for(self.tried_spec)

    def refresh(self) -> None:
        """Draw the draft's curve, with what a hand is trying laid over it; nothing happens where it is drawn."""
        spec, total = self.tried_spec, self.total_steps
        per_epoch = self._draft.plan.steps_per_epoch
        wanted = (spec.optimizer.learning_rate, spec.schedule, total, per_epoch, bool(self._tentative))
        if wanted == self._drawn:
            return
        self._drawn = wanted
        name = self._words_for(spec)
        with self.drawing_once():
            for old in self.line_names:
                if old != name:
                    self.remove_line(old)
            if self._tentative:
                self._draw_curve(self.tr("before"), self._draft.spec, total, "plan")
            self._draw_curve(name, spec, total, "fact")
            self._draw_epochs(total, per_epoch)
            self.set_handles(self._places(spec, total))

    def _draw_curve(self, name: str, spec: JobSpec, total: int, role: str) -> None:
        updates, rates = lr_curve(spec, total)
        self.set_line(name, [update + 1 for update in updates], rates, role)

    def _draw_epochs(self, total: int, per_epoch: int) -> None:
        ends = range(per_epoch, total, per_epoch) if per_epoch else range(0)
        shown = list(ends) if len(ends) <= _MOST_EPOCH_MARKS else []
        for number in range(_MOST_EPOCH_MARKS):
            self.set_mark(f"epoch {number + 1}", shown[number] if number < len(shown) else None)

    def _places(self, spec: JobSpec, total: int) -> list[Handle]:
        warmup = min(warmup_steps(spec.schedule, total), total - 1)
        places = [Handle(PEAK, warmup + 1, spec.optimizer.learning_rate)]
        if spec.schedule.shape != "constant":
            places.append(Handle(MINIMUM, total, lr_at(spec, total - 1, total), moves_x=False))
        return places

    def _words_for(self, spec: JobSpec) -> str:
        peak = words.exact_float(spec.optimizer.learning_rate)
        if spec.schedule.shape == "constant":
            return self.tr("constant at {}").format(peak)
        least = words.short_number(spec.optimizer.learning_rate * spec.schedule.minimum_factor)
        shape = words.choice(spec.schedule.shape).lower()
        return self.tr("{shape} from {peak} to {least}").format(shape=shape, peak=peak, least=least)

    @property
    def tried_spec(self) -> JobSpec:
        """The draft's spec with what a hand is trying laid over it."""
        spec = self._draft.spec
        for path, value in self._tentative.items():
            spec = with_value(spec, path, value)
        return spec

    def _on_handle_moved(self, name: str, x: float, y: float) -> None:
        spec, total = self._draft.spec, self.total_steps
        if name == PEAK:
            self._tentative = {"optimizer.learning_rate": rounded(min(1.0, max(y, 1e-12)), 2)}
            steps = min(max(round(x) - 1, 0), total - 1)
            if steps != min(warmup_steps(spec.schedule, total), total - 1):
                self._tentative["schedule.warmup.amount"] = warmup_amount(spec.schedule, steps, total)
        else:
            share = min(1.0, max(0.0, y / spec.optimizer.learning_rate))
            self._tentative = {"schedule.minimum_factor": round(share, 2)}
        self.refresh()
        self.tried.emit(dict(self._tentative))

    def _on_handle_released(self, name: str, x: float, y: float) -> None:
        changes, self._tentative = self._tentative, {}
        if changes:
            self._draft.edit(changes)
        self._drawn = ()
        self.refresh()


def rounded(value: float, digits: int) -> float:
    """Return a number with so many significant digits."""
    return float(f"{value:.{digits - 1}e}") if value and math.isfinite(value) else value


def warmup_amount(schedule: ScheduleSpec, steps: int, total_steps: int) -> float:
    """Return the shortest amount, in the schedule's unit, that comes to so many steps."""
    if schedule.warmup.unit == "steps":
        return float(steps)
    for digits in range(6):
        # Percent are rounded up to steps, so the amount is rounded down.
        factor = 10**digits
        amount = math.floor(100.0 * steps / total_steps * factor) / factor
        tried = with_value(schedule, "warmup.amount", amount)
        if warmup_steps(tried, total_steps) == steps:
            return float(amount)
    return 100.0 * steps / total_steps
