"""What the learning-rate plot's x axis counts, updates, epochs or tokens, and the way to a schedule's units."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.schedule import Horizon
from studio.ui import words

STEPS, EPOCHS, TOKENS = "steps", "epochs", "tokens"


class CurveAxis(NamedTuple):
    """An x axis: how many of its units an update is, its name, and the decimals that tell two updates apart."""

    unit: str
    per_step: float
    label: str
    decimals: int

    def place(self, updates: float) -> float:
        """Return where on the axis so many finished updates lie."""
        return updates * self.per_step

    def updates(self, place: float) -> float:
        """Return how many updates are finished at a place of the axis."""
        return place / self.per_step

    def words(self, place: float) -> str:
        """Return a place as the legend tells it, with the update where the axis counts something else."""
        if self.unit == STEPS:
            return words.whole(round(place))
        update = words.whole(max(1, round(self.updates(place))))
        return QCoreApplication.translate("recipe", "{place} (step {step})").format(
            place=f"{place:.{self.decimals}f}", step=update
        )


def axes_for(horizon: Horizon) -> tuple[CurveAxis, ...]:
    """Return the axes that can be drawn: updates always, epochs and tokens where the data is known."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("recipe", text)

    axes = [CurveAxis(STEPS, 1.0, translated("step"), 0)]
    if horizon.steps_per_epoch:
        per_step = 1.0 / horizon.steps_per_epoch
        axes.append(CurveAxis(EPOCHS, per_step, translated("epoch"), _decimals(per_step)))
    if horizon.tokens_per_step:
        total = horizon.tokens_per_step * max(1, horizon.total_steps)
        scale, letter = next(
            ((scale, letter) for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if total >= scale), (1.0, "")
        )
        per_step = horizon.tokens_per_step / scale
        label = translated("{} tokens").format(letter) if letter else translated("tokens")
        axes.append(CurveAxis(TOKENS, per_step, label, _decimals(per_step)))
    return tuple(axes)


def _decimals(per_step: float) -> int:
    return min(6, max(0, math.ceil(-math.log10(per_step))) + 1) if per_step < 1 else 1


def amount_for(unit: str, steps: int, horizon: Horizon, counted: Callable[[float], int]) -> float:
    """Return a short amount, in a schedule's unit, that comes to so many updates.

    Args:
        unit: percent, steps, epochs or tokens.
        steps: the updates it should come to.
        horizon: the run.
        counted: what an amount of that unit comes to, as the schedule itself counts.
    """
    exact = {
        "steps": float(steps),
        "epochs": steps / horizon.steps_per_epoch if horizon.steps_per_epoch else float(steps),
        "tokens": steps * horizon.tokens_per_step if horizon.tokens_per_step else float(steps),
    }.get(unit, 100.0 * steps / max(1, horizon.total_steps))
    for digits in range(-9 if unit == "tokens" else 0, 9):
        factor = 10.0**digits
        for amount in (math.floor(exact * factor) / factor, math.ceil(exact * factor) / factor):
            if amount >= 0 and (amount > 0 or steps == 0) and counted(amount) == steps:
                return float(amount)
    return exact
