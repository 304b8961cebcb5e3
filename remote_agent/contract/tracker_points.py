"""What trackers are told of a run: each event as named values at a step, under transformers' names.

The names are those of `rewrite_logs` in transformers' integrations, so that dashboards made for its Trainer overlay.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote_agent.contract.events import Evaluated, Event, Stamped, StepCompleted, TrainingStarted

POINT_KINDS = ("step", "evaluated")
"""The kinds of events that are points; all are written by rank 0."""
GLOBAL_STEP = "train/global_step"
"""transformers' name of the step, the axis of its runs in W&B and trackio."""


class Point(NamedTuple):
    """Values at a step: the number of completed updates. ``time_s`` is in seconds since the epoch."""

    step: int
    time_s: float
    values: Dict[str, float]


def values_of(event: Event) -> Dict[str, float]:
    """Return an event's values by transformers' names, none where it is no point."""
    if isinstance(event, StepCompleted):
        return {
            "train/loss": event.loss,
            "train/grad_norm": event.gradient_norm,
            "train/learning_rate": event.learning_rate,
            "train/epoch": event.epoch,
            "train/tokens_per_second": event.tokens_per_s,
        }
    if isinstance(event, Evaluated):
        return {"eval/loss": event.loss, "eval/perplexity": event.perplexity, "eval/runtime": event.seconds}
    return {}


class Attempts:
    """Which points of a run count: where a later attempt began at an earlier step, its updates take the places.

    Args:
        starts: what rank 0 journalled at the begin of each attempt, in order.
    """

    def __init__(self, starts: Sequence[TrainingStarted] = ()) -> None:
        self._last_step: Dict[int, int] = {}
        self._furthest = 0
        for start in starts:
            self.begin(start)

    def begin(self, start: TrainingStarted) -> bool:
        """Take the begin of an attempt; say whether it leaves points behind that were told already."""
        for attempt in self._last_step:
            if attempt < start.attempt:
                self._last_step[attempt] = min(self._last_step[attempt], start.first_step)
        self._last_step.setdefault(start.attempt, 1 << 62)
        goes_back = start.first_step < self._furthest
        self._furthest = min(self._furthest, start.first_step) if goes_back else self._furthest
        return goes_back

    def point(self, stamped: Stamped) -> Optional[Point]:
        """Return the point of an event, None where it is none or another attempt's has its place."""
        event = stamped.event
        values = values_of(event)
        if not values or not isinstance(event, (StepCompleted, Evaluated)):
            return None
        if event.step > self._last_step.get(event.attempt, 1 << 62):
            return None
        self._furthest = max(self._furthest, event.step)
        return Point(event.step, stamped.time_s, values)


def points_of(events: Sequence[Stamped]) -> List[Point]:
    """Return the points that count among all of rank 0's events, in order."""
    starts = [stamped.event for stamped in events if isinstance(stamped.event, TrainingStarted)]
    attempts = Attempts(starts)
    return [point for point in map(attempts.point, events) if point is not None]


def mlflow_names(values: Dict[str, float]) -> List[Tuple[str, float]]:
    """Return values under the names above and under those of transformers' MLflow callback, which rewrites none."""
    named = list(values.items())
    for name, value in values.items():
        prefix, _, rest = name.partition("/")
        named.append(("eval_" + rest if prefix == "eval" else rest, value))
    return named
