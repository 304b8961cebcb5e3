"""What was changed while a run went on, folded over its job: the same for trainer, alerts, window and rerun.

job.json never changes. Of several amendments of a field the newest that has begun counts, so an update's values depend
on the journal alone and are the same again after a resume.
"""

from __future__ import annotations

import math
from typing import Callable, Dict, Iterable, List, Sequence

from remote_agent.contract.events import Amended
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule import lr_factors
from remote_agent.contract.schedule_spans import Horizon

LEARNING_RATE = "optimizer.learning_rate"
EVALUATE_EVERY = "evaluation.every_steps"
MAX_STEPS = "batch.max_steps"
SKIP_STEPS = "skip_steps"
"""So many updates' rows are left out from an update on; those that would have come later take their place."""

AMENDABLE = (LEARNING_RATE, EVALUATE_EVERY, MAX_STEPS)
"""What may be changed while the ranks train. Rows are left out only where an attempt begins."""


def amendment_problem(spec: JobSpec, field: str, value: object, step: int = 0) -> str:
    """Return why a field may not be amended so at ``step`` updates done, empty where it may."""
    if field not in AMENDABLE:
        return "{} cannot be changed while the run goes on.".format(str(field)[:60])
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "The new value of {} has to be a number.".format(field)
    if field == LEARNING_RATE:
        if spec.optimizer.learning_rate <= 0:
            return "The job's learning rate is 0, so there is nothing to scale."
        return "" if 0 < value <= 100 else "The learning rate has to be above 0."
    if value != int(value) or abs(value) > 10**9:
        return "{} has to be a whole number.".format(field)
    if field == EVALUATE_EVERY:
        return "" if value >= 0 else "The evaluation interval cannot be below 0."
    return "" if value > step else "The run has done {} updates; its end has to lie beyond.".format(step)


def in_order(amendments: Iterable[Amended]) -> List[Amended]:
    """Return the amendments of all journals in the order in which they were made; a journal's own order is kept."""
    return sorted(amendments, key=lambda one: (one.attempt, not one.at_start))


class AmendedJob:
    """The job as it stands at each update, counted from 0.

    Args:
        spec: the job.
        horizon: the length of the run as the job itself gives it.
        amendments: in the order in which they were made.
    """

    def __init__(self, spec: JobSpec, horizon: Horizon, amendments: Sequence[Amended] = ()) -> None:
        self._spec, self._horizon = spec, horizon
        self._amendments = tuple(amendments)
        self._factors: Dict[int, Callable[[int], float]] = {}

    def with_more(self, amendments: Sequence[Amended]) -> "AmendedJob":
        """Return the job with further amendments."""
        return AmendedJob(self._spec, self._horizon, [*self._amendments, *amendments])

    @property
    def planned_steps(self) -> int:
        """Return the length of the run as the job itself gives it."""
        return self._horizon.total_steps

    @property
    def total_steps(self) -> int:
        """Return the length of the run after all amendments."""
        ends = [one.value for one in self._amendments if one.field == MAX_STEPS]
        return int(ends[-1]) if ends else self._horizon.total_steps

    def horizon_at(self, step: int) -> Horizon:
        """Return the length of the run as it was known at an update."""
        return self._horizon._replace(total_steps=int(self._value(MAX_STEPS, step, self._horizon.total_steps)))

    def rate_factor(self, step: int) -> float:
        """Return the share of the job's peak that an update uses."""
        if not self._amendments:
            return self._factors_of(self._horizon)(step)
        peak = self._spec.optimizer.learning_rate
        share = self._value(LEARNING_RATE, step, peak) / peak if peak else 1.0
        return share * self._factors_of(self.horizon_at(step))(step)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate that an update uses."""
        return self._spec.optimizer.learning_rate * self.rate_factor(step)

    def peak_at(self, step: int) -> float:
        """Return what the peak is from an update on, before the schedule's factor."""
        return self._value(LEARNING_RATE, step, self._spec.optimizer.learning_rate)

    def evaluates_every(self, step: int) -> int:
        """Return the evaluation interval that holds once ``step`` updates are done."""
        return int(self._value(EVALUATE_EVERY, step, self._spec.evaluation.every_steps))

    def data_step(self, step: int) -> int:
        """Return whose rows an update trains: its own, but for updates whose rows are left out."""
        skips = (one for one in self._amendments if one.field == SKIP_STEPS and one.from_step <= step)
        return step + sum(int(one.value) for one in skips)

    def _value(self, field: str, step: int, otherwise: float) -> float:
        found = [one.value for one in self._amendments if one.field == field and one.from_step <= step]
        return found[-1] if found else otherwise

    def _factors_of(self, horizon: Horizon) -> Callable[[int], float]:
        if horizon.total_steps not in self._factors:
            self._factors[horizon.total_steps] = lr_factors(self._spec.schedule, horizon)
        return self._factors[horizon.total_steps]
