"""How far the estimate is off published peaks, with the calibration fitted to the other sources only."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from remote_agent.contract.memory.calibration import CALIBRATION, CHOICES, Calibration
from remote_agent.contract.memory.estimate import Pools, outside_bytes, pools_of, reserved_bytes
from remote_agent.contract.memory.phases import phases
from remote_agent.contract.memory.setup import Setup

COLUMN_OF_METRIC = {"allocated": "allocated", "reserved": "reserved", "unknown": "card"}


class Published(NamedTuple):
    """A published peak: whose, of which run, which number, its bytes."""

    source: str
    setup: Setup
    metric: str
    measured: float


class _Row(NamedTuple):
    source: str
    metric: str
    measured: float
    allocated: float
    pools: Pools


class Shares(NamedTuple):
    """How a group of ratios of predicted to measured lies: their median, and the shares within 5, 10, 15 and 20 %."""

    rows: int
    median: float
    within_5: float
    within_10: float
    within_15: float
    within_20: float


def predicted(row: Published, calibration: Calibration = CALIBRATION) -> float:
    """Return the predicted bytes of the number that was published."""
    return _predicted(_prepared(row), calibration)


def fit(rows: Sequence[Published], start: Calibration = Calibration()) -> Calibration:
    """Return the calibration whose predictions are off the least, by the mean of the absolute logarithms of the ratios.

    One constant after the other is chosen from `CHOICES`, twice over.
    """
    return _fit([_prepared(row) for row in rows], start)


def cross_validated(rows: Sequence[Published]) -> List[float]:
    """Return each row's ratio of predicted to measured under a calibration fitted without the row's source."""
    prepared = [_prepared(row) for row in rows]
    without: Dict[str, Calibration] = {}
    for source in {row.source for row in rows}:
        others = [ready for ready in prepared if ready.source != source]
        without[source] = _fit(others, Calibration())
    return [_predicted(ready, without[ready.source]) / ready.measured for ready in prepared]


def _fit(rows: Sequence[_Row], start: Calibration) -> Calibration:
    rows = [row for row in rows if row.metric != "allocated"]
    chosen = start
    for _ in range(2):
        for name, values in CHOICES.items():
            candidates = [_with(chosen, name, value) for value in values]
            losses = [(_loss(rows, candidate), candidate != chosen) for candidate in candidates]
            chosen = candidates[losses.index(min(losses))]
    return chosen


def _with(calibration: Calibration, name: str, value: float) -> Calibration:
    values: Dict[str, Any] = {**calibration._asdict(), name: value}
    return Calibration(**values)


def _prepared(row: Published) -> _Row:
    made = phases(row.setup)
    allocated = float(max(phase.total for phase in made))
    return _Row(row.source, row.metric, row.measured, allocated, pools_of(row.setup, made))


def _predicted(row: _Row, calibration: Calibration) -> float:
    if row.metric == "allocated":
        return row.allocated
    reserved = reserved_bytes(row.pools, calibration)
    return reserved if row.metric == "reserved" else reserved + outside_bytes(row.pools, calibration)


def _loss(rows: Sequence[_Row], calibration: Calibration) -> float:
    return sum(abs(math.log(max(1.0, _predicted(row, calibration)) / row.measured)) for row in rows) / max(1, len(rows))


def shares(ratios: Sequence[float]) -> Shares:
    """Return where ratios lie. Raises ValueError where there are none."""
    if not ratios:
        raise ValueError("There is no row to compare.")
    ordered = sorted(ratios)
    half = len(ordered) // 2
    median = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

    def within(limit: float) -> float:
        return sum(abs(ratio - 1.0) <= limit for ratio in ratios) / len(ratios)

    return Shares(len(ratios), median, within(0.05), within(0.10), within(0.15), within(0.20))


def grouped(
    rows: Sequence[Published], ratios: Sequence[float], key: Callable[[Published], str]
) -> List[Tuple[str, Shares]]:
    """Return the shares of each group of rows, in the order of the groups' names."""
    groups: Dict[str, List[float]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(key(row), []).append(ratios[number])
    return [(name, shares(groups[name])) for name in sorted(groups)]


def strategy_name(setup: Setup) -> str:
    """Return a strategy with its stage, such as "zero 3"."""
    return "zero {}".format(setup.zero_stage) if setup.strategy == "zero" else setup.strategy
