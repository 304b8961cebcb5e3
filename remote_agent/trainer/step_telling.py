"""An update's figures, put together over all ranks, and what is odd about them."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from typing import Any

import numpy as np

from remote_agent.contract.events import Complained, StepCompleted, StepRows
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.recovery_spec import GO_ON
from remote_agent.trainer.collectives import gathered, gathered_columns
from remote_agent.trainer.fine_tuner import FineTuner, Update
from remote_agent.trainer.report import Report
from remote_agent.trainer.step_clock import BACKWARD, COMMUNICATION, DATA, FORWARD, OPTIMIZER

MOST_ROWS = 64
"""So many rows of an odd update are named."""

_LEVEL, _LEAST = 100, 20
_LEAST_OWN_S = 0.02


class StepTelling:
    """Tells of every update; every rank calls it, and all find the same.

    Args:
        spec: the job.
        attempt: counts the starts of the ranks.
        report: rank 0's journal.
        steps_per_epoch: updates.
        minds_nonfinite: a loss that is no number is something to tell: not in a range test, which ends at one.

    Attributes:
        gave_up: why the run cannot go on from here, a sentence; empty where it can.
        loss: of the last update, over all ranks.
    """

    def __init__(
        self, spec: JobSpec, attempt: int, report: Report, steps_per_epoch: int, minds_nonfinite: bool
    ) -> None:
        self._spec, self._attempt, self._report = spec, attempt, report
        self._steps_per_epoch, self._minds = steps_per_epoch, minds_nonfinite
        self._skipped_steps = 0
        self._saw_nonfinite = False
        self._losses: deque[float] = deque(maxlen=_LEVEL)
        self._norms: deque[float] = deque(maxlen=_LEVEL)
        self.gave_up = ""
        self.loss = 0.0

    def tell(self, step: int, tuner: FineTuner) -> None:
        """Put the update's figures together, journal them, and see whether the run can go on."""
        update = tuner.update
        mine = [update.read(), float(tuner.gauge.peak()), tuner.clock.own_s()]
        ranks = gathered(mine)
        self.loss = sum(row[0] for row in ranks)
        self._skipped_steps += update.skipped
        seconds = time.monotonic() - update.started_s
        if self._looks_odd(update):
            self._tell_rows(step, update)
        self._mind(step, update)
        slowest, share = _slowest([row[2] for row in ranks])
        parts = tuner.clock.seconds()
        self._report.tell(
            StepCompleted(
                attempt=self._attempt,
                step=step,
                loss=self.loss,
                learning_rate=update.learning_rates[0],
                gradient_norm=update.gradient_norm,
                tokens=update.tokens,
                supervised_tokens=update.supervised_tokens,
                tokens_per_s=update.tokens / seconds,
                step_time_s=seconds,
                peak_memory_bytes=int(max(row[1] for row in ranks)),
                epoch=step / self._steps_per_epoch,
                learning_rates=update.learning_rates if len(set(update.learning_rates)) > 1 else (),
                loss_scale=update.loss_scale,
                skipped_steps=self._skipped_steps,
                data_s=_rounded(parts.get(DATA, 0.0)),
                forward_s=_rounded(parts.get(FORWARD, 0.0)),
                backward_s=_rounded(parts.get(BACKWARD, 0.0)),
                optimizer_s=_rounded(parts.get(OPTIMIZER, 0.0)),
                communication_s=_rounded(parts.get(COMMUNICATION, 0.0)),
                slowest_rank=slowest,
                slowest_share=share,
            )
        )

    def _mind(self, step: int, update: Update) -> None:
        """Give up, or complain once, where loss or gradient is no number; what fp16 skipped changed nothing."""
        wrong = "" if math.isfinite(self.loss) else f"The loss is {self.loss} at step {step}"
        if not wrong and not math.isfinite(update.gradient_norm) and not update.skipped:
            wrong = f"The gradient norm is {update.gradient_norm} at step {step}"
        if not wrong or not self._minds:
            return
        if self._spec.recovery.nonfinite != GO_ON:
            self.gave_up = f"{wrong}, and the weights with it; a lower learning rate or a longer warmup may help."
        elif not self._saw_nonfinite:
            self._saw_nonfinite = True
            self._report.tell(Complained("error", f"{wrong}; a lower learning rate or a longer warmup may help."))

    def _looks_odd(self, update: Update) -> bool:
        """Say whether loss or gradient is no number or far above its level, by the thresholds of the alerts."""
        limits, odd = self._spec.alerts, False
        for value, known, factor in (
            (self.loss, self._losses, limits.loss_rise),
            (update.gradient_norm, self._norms, limits.gradient_spike),
        ):
            if not math.isfinite(value):
                odd = True
                continue
            odd = odd or (factor > 0 and len(known) >= _LEAST and value > factor * statistics.median(known))
            known.append(value)
        return odd

    def _tell_rows(self, step: int, update: Update) -> None:
        mine = [one.row_ids.numpy() for one in update.row_losses]
        rows = np.concatenate([np.zeros(0), *mine]).astype(np.float64)
        found = gathered_columns([rows])[0].astype(np.int64)
        self._report.tell(StepRows(self._attempt, step, tuple(int(row) for row in np.unique(found)[:MOST_ROWS])))


def _slowest(own: list[float]) -> tuple[int, float]:
    """Return the rank that took longest by itself and how often the median that is; -1 where that says nothing."""
    if len(own) < 2 or max(own) < _LEAST_OWN_S:
        return -1, 0.0
    rank = own.index(max(own))
    others = statistics.median(own[:rank] + own[rank + 1 :])
    return rank, round(own[rank] / others, 3) if others > 0 else 0.0


def _rounded(seconds: Any) -> float:
    return round(float(seconds), 6)
