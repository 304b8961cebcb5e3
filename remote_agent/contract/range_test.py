"""A learning-rate range test: the job of one, when its loss has diverged, and the peak that its curve suggests."""

from __future__ import annotations

import dataclasses
import math
from typing import List, NamedTuple, Optional, Sequence

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.recipe_spec import RegularizationSpec
from remote_agent.contract.schedule_spans import RANGE_TEST
from remote_agent.contract.tracker_spec import TrackersSpec

LOWEST, HIGHEST, UPDATES = 1e-7, 1e-2, 100
"""Where a range test begins and ends, and its updates: fastai begins at 1e-7 and takes 100 too. It ends at 10, for
models that know nothing yet; AdamW on a trained model has diverged long before."""

SMOOTHING = 0.98
"""The share of itself that the running loss keeps at each update, as in fastai."""

LEAST_UPDATES = 10
_BEHIND_LOWEST = 10.0


class RangeTest(NamedTuple):
    """What a range test goes through: from one learning rate to another, in so many updates."""

    low: float = LOWEST
    high: float = HIGHEST
    updates: int = UPDATES


class Suggestion(NamedTuple):
    """What a range test's curve says: a peak, and the two places it is taken from. All are learning rates.

    ``peak`` is a tenth of ``lowest``, where the smoothed loss is lowest; ``steepest`` is where it falls fastest over
    the logarithm of the rate.
    """

    peak: float
    lowest: float
    steepest: float


def range_test_mistake(test: RangeTest) -> str:
    """Say what is wrong with a range test's bounds, empty where nothing is."""
    if not 0.0 < test.low < test.high <= 1.0:
        return "The learning rate has to rise, from above 0 to 1 at most."
    if test.updates < LEAST_UPDATES:
        return "A range test needs {} updates or more.".format(LEAST_UPDATES)
    return ""


def is_range_test(spec: JobSpec) -> bool:
    """Say whether a job is a range test, which leaves no weights."""
    return spec.schedule.shape == RANGE_TEST


def range_test_job(spec: JobSpec, test: RangeTest = RangeTest()) -> JobSpec:
    """Return the job of a range test for a job: same model, data, batch, optimizer and regularization of the loss.

    Nothing is evaluated, sampled, averaged, tracked or kept; no alert tells that the loss rises, which is the point.
    """
    schedule = dataclasses.replace(
        spec.schedule,
        shape=RANGE_TEST,
        minimum_factor=test.low / test.high,
        weight_decay_end_factor=1.0,
        momentum_low=0.0,
    )
    rules = dataclasses.replace(spec.regularization, averaging=RegularizationSpec().averaging, patience=0)
    alerts = dataclasses.replace(spec.alerts, loss_rise=0.0, gradient_spike=0.0, overfitting_evaluations=0)
    return dataclasses.replace(
        spec,
        name="{} (range test)".format(spec.name),
        optimizer=dataclasses.replace(spec.optimizer, learning_rate=test.high),
        schedule=schedule,
        regularization=rules,
        batch=dataclasses.replace(spec.batch, max_steps=test.updates),
        checkpointing=dataclasses.replace(
            spec.checkpointing, weights_every_steps=0, state_every_steps=0, save_at_end=False
        ),
        evaluation=dataclasses.replace(spec.evaluation, every_steps=0, at_start=False, sample_prompts=()),
        alerts=alerts,
        trackers=TrackersSpec(),
    )


class RunningLoss:
    """The exponential mean of the losses so far, its start corrected as Adam's moments are."""

    def __init__(self) -> None:
        self._sum, self._weight = 0.0, 0.0

    def take(self, loss: float) -> float:
        """Take the loss of an update and return the mean with it."""
        self._sum = SMOOTHING * self._sum + (1.0 - SMOOTHING) * loss
        self._weight = SMOOTHING * self._weight + (1.0 - SMOOTHING)
        return self._sum / self._weight


def smoothed(losses: Sequence[float]) -> List[float]:
    """Return the running mean of the losses at each update."""
    running = RunningLoss()
    return [running.take(loss) for loss in losses]


class Divergence:
    """Says when a range test's loss has diverged: no number, or the smoothed one over ``factor`` times its lowest.

    The same rule as fastai's (``stop_div``, factor 4). A factor of 0 lets only a loss that is no number end it.
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._running = RunningLoss()
        self._lowest = math.inf

    def take(self, step: int, loss: float, rate: float) -> str:
        """Take an update's loss and learning rate; return why the test ends here, empty where it goes on."""
        if not math.isfinite(loss):
            return "The range test ended at step {}: at a learning rate of {:.3g} the loss is no number.".format(
                step, rate
            )
        mean = self._running.take(loss)
        self._lowest = min(self._lowest, mean)
        if self._factor > 0.0 and self._lowest > 0.0 and mean > self._factor * self._lowest:
            return (
                "The range test ended at step {}: at a learning rate of {:.3g} the smoothed loss is {:.4g}, over {:g} "
                "times its lowest."
            ).format(step, rate, mean, self._factor)
        return ""


def suggestion(rates: Sequence[float], losses: Sequence[float]) -> Optional[Suggestion]:
    """Return the peak that a range test suggests, None where the curve is too short or its loss never falls.

    The suggested peak is a tenth of the rate at which the smoothed loss is lowest, fastai's ``minimum``; its ``steep``
    is told beside it. The first tenth, where the mean is of few losses, is left out as there. Losses that are no
    numbers end the curve.

    Args:
        rates: learning rates above 0, rising.
        losses: the loss of each update, of the weights before it.

    Source: Howard and Gugger, fastai, 2020, arXiv:2002.04688; Smith, 2017, arXiv:1506.01186, section 3.3.
    """
    until = next((place for place, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    if until < LEAST_UPDATES:
        return None
    means, first = smoothed(losses[:until]), until // 10
    lowest = min(range(first, until), key=lambda place: means[place])
    if lowest == first:
        return None
    slopes = [
        (means[place + 1] - means[place]) / (math.log(rates[place + 1]) - math.log(rates[place]))
        for place in range(first, lowest)
    ]
    steepest = first + min(range(len(slopes)), key=lambda place: slopes[place])
    return Suggestion(rates[lowest] / _BEHIND_LOWEST, rates[lowest], rates[steepest])
