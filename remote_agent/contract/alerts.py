"""What is wrong with a run, said by one fold over its events: on the node while it runs, with nobody looking."""

from __future__ import annotations

import math
from collections import deque
from typing import Callable, Deque, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from remote_agent.contract.amendments import MAX_STEPS, in_order
from remote_agent.contract.events import (
    ENDED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    PAUSED,
    RUNNING,
    AlertCleared,
    AlertRaised,
    Amended,
    AttemptStarted,
    CheckpointCommitted,
    Evaluated,
    NodeSampled,
    Stamped,
    StateChanged,
    StepCompleted,
    StepRows,
    TrainingStarted,
)
from remote_agent.contract.hardware_alerts import DISK as DISK
from remote_agent.contract.hardware_alerts import ERROR as ERROR
from remote_agent.contract.hardware_alerts import GPU_HOT as GPU_HOT
from remote_agent.contract.hardware_alerts import GPU_MEMORY as GPU_MEMORY
from remote_agent.contract.hardware_alerts import GPU_SLOWED as GPU_SLOWED
from remote_agent.contract.hardware_alerts import HOST_MEMORY as HOST_MEMORY
from remote_agent.contract.hardware_alerts import WARNING as WARNING
from remote_agent.contract.hardware_alerts import hardware_findings
from remote_agent.contract.job_spec import JobSpec

INFO = "info"

NONFINITE_LOSS, NONFINITE_GRADIENT = "nonfinite_loss", "nonfinite_gradient"
LOSS_RISE, GRADIENT_SPIKE, OVERFITTING = "loss_rise", "gradient_spike", "overfitting"
STALL, THROUGHPUT_DROP, LR_PLAN = "stall", "throughput_drop", "lr_plan"
RUN_ENDED = "run_ended"
SLOW_RANK = "slow_rank"

STOP, SAVE, ROLL_BACK, RESUME, SKIP = "stop", "save", "roll_back", "resume", "skip"
"""What an alert offers to do beside ignoring it."""
ACTIONS: Mapping[str, Tuple[str, ...]] = {
    NONFINITE_LOSS: (STOP, ROLL_BACK, SKIP),
    NONFINITE_GRADIENT: (STOP, ROLL_BACK, SKIP),
    LOSS_RISE: (STOP, ROLL_BACK),
    GRADIENT_SPIKE: (STOP, ROLL_BACK, SKIP),
    OVERFITTING: (STOP,),
    STALL: (STOP,),
    THROUGHPUT_DROP: (),
    LR_PLAN: (STOP,),
    GPU_HOT: (SAVE, STOP),
    GPU_SLOWED: (SAVE, STOP),
    SLOW_RANK: (SAVE, STOP),
    GPU_MEMORY: (SAVE,),
    HOST_MEMORY: (SAVE,),
    DISK: (STOP,),
    RUN_ENDED: (RESUME,),
}

LEVEL_STEPS = 100
"""Over how many updates a level is taken."""
RECENT_STEPS = 10
LEAST_STEPS = 20
"""How many updates have to be known before they are a level."""
QUIET_STEPS = 50
"""How long a rule that fires at single updates stays silent after it did."""
LEAST_STALL_S = 60.0
ROW_RULES = (NONFINITE_LOSS, NONFINITE_GRADIENT, LOSS_RISE, GRADIENT_SPIKE)
"""The alerts that are about the rows of an update."""
_LR_TOLERANCE = 1e-6

Alert = Union[AlertRaised, AlertCleared]
LrAt = Callable[[int], float]
LrPlan = Callable[[TrainingStarted, Sequence[Amended]], LrAt]


class _Key(NamedTuple):
    rule: str
    rank: int


class Where(NamedTuple):
    """Where a run is: updates done, of all (0: unknown), the last finite loss, seconds left (None: unknown)."""

    step: int
    total_steps: int
    loss: Optional[float]
    eta_s: Optional[float]


class AlertRules:
    """Takes a run's events in order and says what alerts they raise or clear. Has no clock: times are given.

    An alert is raised once and stays until what it says is over; those of single updates are silent for `QUIET_STEPS`.

    Args:
        spec: the job, for its thresholds.
        lr_plan: gives the planned peak-group learning rate by update, counted from 0, for a start of the ranks.
    """

    def __init__(self, spec: JobSpec, lr_plan: Optional[LrPlan] = None) -> None:
        self.job_name = spec.name
        self._limits, self._lr_plan = spec.alerts, lr_plan
        self._lr_at: Optional[LrAt] = None
        self._start: Optional[TrainingStarted] = None
        self._amendments: List[Amended] = []
        self._rows: Tuple[int, Tuple[int, ...]] = (-1, ())
        optimizer = spec.optimizer
        self._has_lr_factors = (optimizer.layer_decay, optimizer.embedding_factor, optimizer.head_factor) != (1, 1, 1)
        self._open: Dict[_Key, AlertRaised] = {}
        self._quiet_until: Dict[str, int] = {}
        self._state = ""
        self._attempt, self._step, self._total_steps, self._steps_per_epoch = 0, 0, 0, 0
        self._checkpoint_bytes = 0
        self._begin_attempt()

    @property
    def open_alerts(self) -> Tuple[AlertRaised, ...]:
        """Return what was raised and is not over, oldest first."""
        return tuple(self._open.values())

    @property
    def where(self) -> "Where":
        """Return where the run is, for a message."""
        left = max(0, self._total_steps - self._step)
        eta_s = left * _median(self._times) if self._times and self._total_steps and self._state not in ENDED else None
        return Where(self._step, self._total_steps, self._losses[-1] if self._losses else None, eta_s)

    def take(self, stamped: Stamped) -> List[Alert]:
        """Return what an event raises and clears."""
        time_s, event = stamped
        if isinstance(event, StepCompleted):
            return self._of_step(event, time_s)
        if isinstance(event, Evaluated):
            return self._of_evaluation(event, time_s)
        if isinstance(event, NodeSampled):
            return self._of_node(event, time_s)
        if isinstance(event, StateChanged):
            return self._of_state(event, time_s)
        if isinstance(event, AttemptStarted):
            self._attempt = event.attempt
            self._begin_attempt()
        elif isinstance(event, TrainingStarted):
            self._total_steps, self._steps_per_epoch = event.total_steps, event.steps_per_epoch
            self._last_step_s, self._start = time_s, event
            self._plan_anew()
        elif isinstance(event, Amended):
            self._amendments = in_order([*self._amendments, event])
            self._total_steps = int(event.value) if event.field == MAX_STEPS else self._total_steps
            self._plan_anew()
        elif isinstance(event, StepRows):
            self._rows = event.step, event.rows
        elif isinstance(event, CheckpointCommitted):
            self._checkpoint_bytes = max(self._checkpoint_bytes, event.size_bytes)
            self._last_step_s = time_s
        return []

    def tick(self, now_s: float) -> List[Alert]:
        """Return what the passing of time raises: a stall. ``now_s`` is the clock that stamps the events."""
        factor = self._limits.stall_factor
        if factor <= 0 or self._state != RUNNING or not self._last_step_s or not self._times:
            return []
        limit = max(LEAST_STALL_S, factor * _median(self._times))
        silent_s = now_s - self._last_step_s
        if silent_s <= limit:
            return []
        said = "No update came for {:.0f} s; the median step takes {:.1f} s.".format(silent_s, _median(self._times))
        return self._raise(STALL, ERROR, said, now_s, silent_s, limit)

    def reconcile(self, journalled: Iterable[Alert]) -> List[Alert]:
        """Return what is still to be journalled after a fold over all events so far, given what was said before.

        A process that takes over folds the run's events first, says nothing of it, and then what this returns: alerts
        that are open and were not said, and the end of those that were said and are over.
        """
        said: Dict[_Key, AlertRaised] = {}
        for alert in journalled:
            if isinstance(alert, AlertRaised):
                said[_Key(alert.rule, alert.rank)] = alert
            else:
                said.pop(_Key(alert.rule, alert.rank), None)
        found: List[Alert] = [alert for key, alert in self._open.items() if key not in said]
        found += [AlertCleared(key.rule, self._attempt, self._step, key.rank) for key in said if key not in self._open]
        return found

    def _plan_anew(self) -> None:
        if self._lr_plan is not None and self._start is not None:
            self._lr_at = self._lr_plan(self._start, tuple(self._amendments))

    def _begin_attempt(self) -> None:
        self._slow: Deque[Tuple[int, float]] = deque(maxlen=RECENT_STEPS)
        self._losses: Deque[float] = deque(maxlen=LEVEL_STEPS + RECENT_STEPS)
        self._norms: Deque[float] = deque(maxlen=LEVEL_STEPS)
        self._rates: Deque[float] = deque(maxlen=LEVEL_STEPS + RECENT_STEPS)
        self._times: Deque[float] = deque(maxlen=LEVEL_STEPS)
        self._epoch_sum, self._epoch_count, self._epoch_mean = 0.0, 0, 0.0
        self._last_step_s = 0.0
        self._best_held_out, self._worse, self._loss_at_best = math.inf, 0, math.inf
        self._lr_factor = 0.0

    def _of_step(self, event: StepCompleted, time_s: float) -> List[Alert]:
        self._step, self._attempt = event.step, event.attempt
        self._last_step_s = time_s
        found = self._clear(STALL, time_s)
        found += self._nonfinite(event, time_s)
        found += self._loss_rise(event, time_s)
        found += self._gradient_spike(event, time_s)
        found += self._throughput(event, time_s)
        found += self._slow_rank(event, time_s)
        found += self._lr_unlike_plan(event, time_s)
        if math.isfinite(event.step_time_s):
            self._times.append(event.step_time_s)
        return found

    def _nonfinite(self, event: StepCompleted, time_s: float) -> List[Alert]:
        found: List[Alert] = []
        for rule, what, value in (
            (NONFINITE_LOSS, "loss", event.loss),
            (NONFINITE_GRADIENT, "gradient norm", event.gradient_norm),
        ):
            if math.isfinite(value):
                found += self._clear(rule, time_s)
            else:
                said = "The {} of step {} is {}; the weights may be spoilt from here on.".format(
                    what, event.step, value
                )
                found += self._raise(rule, ERROR, said, time_s, value, 0.0)
        return found

    def _loss_rise(self, event: StepCompleted, time_s: float) -> List[Alert]:
        if not math.isfinite(event.loss):
            return []
        before = list(self._losses)[:-RECENT_STEPS]
        self._losses.append(event.loss)
        self._epoch_sum += event.loss
        self._epoch_count += 1
        if self._steps_per_epoch and event.step % self._steps_per_epoch == 0:
            self._epoch_mean = self._epoch_sum / self._epoch_count
            self._epoch_sum, self._epoch_count = 0.0, 0
        factor = self._limits.loss_rise
        if factor <= 0 or len(before) < LEAST_STEPS:
            return []
        recent = list(self._losses)[-RECENT_STEPS:]
        now, level = sum(recent) / len(recent), _median(before)
        what = "its level of"
        if self._epoch_mean and now > factor * self._epoch_mean and self._epoch_mean < level:
            level, what = self._epoch_mean, "the last epoch's mean of"
        if now > factor * level > 0:
            said = "The loss of the last {} steps is {:.3g}, {:.1f} times {} {:.3g}.".format(
                RECENT_STEPS, now, now / level, what, level)  # fmt: skip
            return self._raise(LOSS_RISE, WARNING, said, time_s, now, factor * level)
        return self._clear(LOSS_RISE, time_s)

    def _gradient_spike(self, event: StepCompleted, time_s: float) -> List[Alert]:
        norm, factor = event.gradient_norm, self._limits.gradient_spike
        if not math.isfinite(norm):
            return []
        level = _median(self._norms) if len(self._norms) >= LEAST_STEPS else 0.0
        self._norms.append(norm)
        if factor <= 0 or level <= 0:
            return []
        if norm <= factor * level:
            return self._clear(GRADIENT_SPIKE, time_s)
        if event.step < self._quiet_until.get(GRADIENT_SPIKE, 0):
            return []
        self._quiet_until[GRADIENT_SPIKE] = event.step + QUIET_STEPS
        said = "The gradient norm of step {} is {:.3g}, {:.0f} times the median of {:.3g}.".format(
            event.step, norm, norm / level, level)  # fmt: skip
        return self._raise(GRADIENT_SPIKE, WARNING, said, time_s, norm, factor * level)

    def _throughput(self, event: StepCompleted, time_s: float) -> List[Alert]:
        if not math.isfinite(event.tokens_per_s):
            return []
        before = list(self._rates)[:-RECENT_STEPS]
        self._rates.append(event.tokens_per_s)
        share = self._limits.throughput_drop
        if share <= 0 or len(before) < LEAST_STEPS:
            return []
        now, usual = _median(list(self._rates)[-RECENT_STEPS:]), _median(before)
        if now < share * usual:
            said = "The last {} steps ran at {:.0f} tokens/s; usual are {:.0f}.".format(RECENT_STEPS, now, usual)
            return self._raise(THROUGHPUT_DROP, WARNING, said, time_s, now, share * usual)
        return self._clear(THROUGHPUT_DROP, time_s)

    def _slow_rank(self, event: StepCompleted, time_s: float) -> List[Alert]:
        factor = self._limits.slow_rank
        self._slow.append((event.slowest_rank, event.slowest_share))
        if factor <= 0 or len(self._slow) < RECENT_STEPS:
            return []
        rank = event.slowest_rank
        found: List[Alert] = []
        for key in tuple(self._open):
            if key.rule == SLOW_RANK and key.rank != rank:
                found += self._clear(SLOW_RANK, time_s, key.rank)
        share = _median([one for _, one in self._slow])
        slow = rank >= 0 and all(one == rank for one, _ in self._slow) and share >= factor
        said = "Rank {} takes {:.1f} times as long as the others for its own part of the last {} steps.".format(
            rank, share, RECENT_STEPS)  # fmt: skip
        return found + self._while(slow, SLOW_RANK, WARNING, said, share, factor, rank, time_s)

    def _lr_unlike_plan(self, event: StepCompleted, time_s: float) -> List[Alert]:
        if self._lr_at is None:
            return []
        planned = self._lr_at(event.step - 1)
        if self._has_lr_factors:
            # the journalled group may be any; its factor stays what it was
            self._lr_factor = self._lr_factor or (event.learning_rate / planned if planned else 0.0)
            planned *= self._lr_factor
        if abs(event.learning_rate - planned) > _LR_TOLERANCE * max(abs(planned), 1e-12):
            said = "The learning rate of step {} is {:.4g}; planned is {:.4g}.".format(
                event.step, event.learning_rate, planned)  # fmt: skip
            return self._raise(LR_PLAN, ERROR, said, time_s, event.learning_rate, planned)
        return self._clear(LR_PLAN, time_s)

    def _of_evaluation(self, event: Evaluated, time_s: float) -> List[Alert]:
        self._last_step_s = time_s
        limit = self._limits.overfitting_evaluations
        if not math.isfinite(event.loss) or limit <= 0:
            return []
        recent = list(self._losses)[-RECENT_STEPS:]
        training = sum(recent) / len(recent) if recent else math.inf
        if event.loss < self._best_held_out:
            self._best_held_out, self._worse, self._loss_at_best = event.loss, 0, training
            return self._clear(OVERFITTING, time_s)
        self._worse += 1
        if self._worse < limit or training >= self._loss_at_best:
            return []
        said = (
            "The held-out loss was above its best of {:.4g} in the last {} evaluations, while the training loss fell "
            "from {:.3g} to {:.3g}: the model memorises."
        ).format(self._best_held_out, self._worse, self._loss_at_best, training)
        return self._raise(OVERFITTING, WARNING, said, time_s, event.loss, self._best_held_out)

    def _of_node(self, event: NodeSampled, time_s: float) -> List[Alert]:
        needed = self._checkpoint_bytes if self._state == RUNNING else 0
        found: List[Alert] = []
        for one in hardware_findings(event, self._limits, needed):
            found += self._while(*one, time_s)
        return found

    def _of_state(self, event: StateChanged, time_s: float) -> List[Alert]:
        self._state = event.state
        if event.state == PAUSED:
            return [each for key in tuple(self._open) for each in self._clear(key.rule, time_s, key.rank)]
        if event.state not in ENDED:
            return self._clear(RUN_ENDED, time_s) if event.state == RUNNING else []
        found: List[Alert] = []
        for key in tuple(self._open):
            if key.rule != RUN_ENDED:
                found += self._clear(key.rule, time_s, key.rank)
        severity = ERROR if event.state in (FAILED, INTERRUPTED) else INFO
        step = "at step {} of {}".format(self._step, self._total_steps) if self._total_steps else "before it trained"
        said = {
            FINISHED: "The run has finished after {} steps.".format(self._step),
            FAILED: "The run failed {}.".format(step),
            INTERRUPTED: "The run was interrupted {}.".format(step),
        }.get(event.state, "The run was stopped {}.".format(step))
        if event.reason:
            said = "{} {}".format(said, event.reason)
        return found + self._raise(RUN_ENDED, severity, said, time_s, 0.0, 0.0)

    def _while(
        self, holds: bool, rule: str, severity: str, said: str, value: float, limit: float, rank: int, time_s: float
    ) -> List[Alert]:
        if holds:
            return self._raise(rule, severity, said, time_s, value, limit, rank)
        return self._clear(rule, time_s, rank)

    def _raise(
        self, rule: str, severity: str, said: str, time_s: float, value: float, limit: float, rank: int = -1
    ) -> List[Alert]:
        key = _Key(rule, rank)
        if key in self._open:
            return []
        rows = self._rows[1] if rule in ROW_RULES and self._rows[0] == self._step else ()
        alert = AlertRaised(rule, severity, said, self._attempt, self._step, time_s, rank, value, limit, rows)
        self._open[key] = alert
        return [alert]

    def _clear(self, rule: str, time_s: float, rank: int = -1) -> List[Alert]:
        if self._open.pop(_Key(rule, rank), None) is None:
            return []
        return [AlertCleared(rule, self._attempt, self._step, rank)]


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
