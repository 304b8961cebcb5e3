"""The x axis that the charts of a run share: steps, tokens, epochs or wall time, as places that grow with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from studio.ui.charts.growing_column import GrowingColumn

if TYPE_CHECKING:
    from collections.abc import Hashable

    from studio.state.run import RunState
    from studio.ui.charts.columns import Column

STEPS, TOKENS, EPOCHS, TIME = "step", "tokens", "epoch", "time"
AXES = (STEPS, TOKENS, EPOCHS, TIME)
_RECENT = 50


class Ghost(NamedTuple):
    """What an attempt had beyond the step where a later one went on, in places of the axis."""

    attempt: int
    x: Column
    y: Column


class RunAxis:
    """Places of a run's updates on the chosen axis; the tokens of padding do not count, and time runs on in pauses.

    Attributes:
        x: the place of every update, in steps, tokens, epochs or seconds since training began; a view that is good
            until the next `follow`.
    """

    def __init__(self) -> None:
        import numpy

        self.kind = STEPS
        self.x: Column = numpy.empty(0)
        self._run: RunState | None = None
        self._origin_s = 0.0
        self._tokens = GrowingColumn(self._sum_of_tokens)
        self._seconds = GrowingColumn(self._seconds_since)

    def follow(self, run: RunState, kind: str, key: Hashable) -> None:
        """Bring ``x`` up to date; another key says that earlier updates may have changed."""
        self._run, self.kind = run, kind
        steps, times = run.series("time_s")
        if kind == TOKENS:
            self.x = self._tokens.follow(len(steps), run.true_rows, key)
        elif kind == TIME:
            if len(times):
                self._origin_s = float(times[0]) - _finite(run.series("step_time_s")[1][0])
            self.x = self._seconds.follow(len(steps), run.true_rows, (key, self._origin_s))
        else:
            self.x = run.series("epoch")[1] if kind == EPOCHS else steps

    def of_steps(self, wanted: Column) -> Column | None:
        """Return the places of updates by number, those to come at the recent rate; None while nothing is known."""
        import numpy

        run = self._run
        if self.kind == STEPS or run is None:
            return wanted
        steps = run.series("loss")[0]
        if not len(steps):
            told = run.training
            return wanted / told.steps_per_epoch if self.kind == EPOCHS and told and told.steps_per_epoch else None
        back = min(_RECENT, len(steps))
        begin, place = (steps[-back], self.x[-back]) if back > 1 else (0.0, 0.0)
        rate = (self.x[-1] - place) / max(1.0, steps[-1] - begin)
        places = numpy.interp(wanted, steps, self.x)
        places = numpy.where(wanted > steps[-1], self.x[-1] + rate * (wanted - steps[-1]), places)
        return numpy.where(wanted < steps[0], self.x[0] * wanted / max(1.0, steps[0]), places)

    def of_times(self, times: Column) -> Column:
        """Return the places of moments, in seconds of the writer's clock, but of those before training began.

        The places of the last ones, in order: as many as there are moments since then.
        """
        import numpy

        known = self._run.series("time_s")[1] if self._run is not None else times[:0]
        if not len(known):
            return times[:0]
        origin = self._origin_s if self.kind == TIME else float(known[0])
        since = times[int(numpy.searchsorted(times, origin)) :]
        if self.kind == TIME:
            return since - origin
        # a clock that was set back stands still
        return numpy.maximum.accumulate(numpy.interp(since, known, self.x))

    def ghosts(self, name: str) -> list[Ghost]:
        """Return what earlier attempts had of a metric where a later one took their place."""
        import numpy

        run = self._run
        if run is None:
            return []
        made = []
        column = {TOKENS: "tokens", EPOCHS: "epoch", TIME: "time_s"}.get(self.kind, "epoch")
        for (attempt, steps, values), (_, _, own) in zip(run.ghosts(name), run.ghosts(column), strict=True):
            if self.kind == STEPS:
                places = steps
            elif self.kind == TOKENS:
                before = self.of_steps(steps[:1] - 1)
                places = (before[0] if before is not None else 0.0) + numpy.cumsum(own)
            else:
                places = own if self.kind == EPOCHS else numpy.maximum.accumulate(own - self._origin_s)
            made.append(Ghost(attempt, places, values))
        return made

    def scale(self) -> tuple[str, float]:
        """Return the unit that places are told in, as a key, and what they are multiplied by."""
        furthest = float(self.x[-1]) if len(self.x) else 0.0
        if self.kind == TIME:
            if furthest >= 2 * 3600:
                return "hours", 1 / 3600
            return ("minutes", 1 / 60) if furthest >= 120 else ("seconds", 1.0)
        if self.kind == TOKENS and furthest >= 1e4:
            if furthest >= 1e9:
                return "billion", 1e-9
            return ("million", 1e-6) if furthest >= 1e6 else ("thousand", 1e-3)
        return self.kind, 1.0

    def _sum_of_tokens(self, start: int, stop: int, before: float) -> Column:
        """Return the tokens up to each update; one of a sample stands for those since the one before it."""
        import numpy

        assert self._run is not None
        steps, tokens = self._run.series("tokens")
        previous = float(steps[start - 1]) if start else 0.0
        passed = numpy.diff(steps[start:stop], prepend=previous)
        total: Column = before + numpy.cumsum(numpy.nan_to_num(tokens[start:stop]) * passed)
        return total

    def _seconds_since(self, start: int, stop: int, before: float) -> Column:
        """Return the seconds from the begin of training; a clock that was set back stands still."""
        import numpy

        assert self._run is not None
        times = self._run.series("time_s")[1][start:stop] - self._origin_s
        return numpy.maximum(numpy.fmax.accumulate(times), before)


def _finite(value: float) -> float:
    return float(value) if abs(value) < float("inf") else 0.0
