"""A run as the studio knows it: a fold over its journal."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.events import (
    ENDED,
    QUEUED,
    TRANSITIONS,
    AlertCleared,
    AlertRaised,
    AlertSent,
    Amended,
    AttemptStarted,
    CheckpointCommitted,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Complained,
    Evaluated,
    Event,
    MemoryMeasured,
    NodeSampled,
    Progressed,
    RankExited,
    Sampled,
    StacksTaken,
    Stamped,
    StateChanged,
    StepCompleted,
    TrainingStarted,
)  # fmt: skip
from remote_agent.contract.job_spec import JobSpec
from studio.state.run_amendments import RunAmendments
from studio.state.series import AttemptSeries, Column
from studio.state.telemetry import Telemetry
from studio.store.journal_decoder import add_step
from studio.store.live import STEP_COLUMNS, STEP_PARTS, LinkState, RunBatch, StepColumns
from studio.store.log_lines import plain_text

MAX_LOG_LINES = 20_000
_KEPT_COLUMNS = (*STEP_COLUMNS[:9], "time_s", *STEP_PARTS)
_KEPT_PLACES = tuple(STEP_COLUMNS.index(name) for name in _KEPT_COLUMNS)
_HELD_OUT = "held_out_loss"
_ATTEMPT = STEP_COLUMNS.index("attempt")
_ETA_STEPS = 50
_LEAST_SPREAD_STEPS = 5
_MOST_KEPT, _MOST_LAST_LINES, _MAX_TEXT = 2_000, 100, 65_536

Key = TypeVar("Key")
Value = TypeVar("Value")


class RunState(QObject):
    """What is known of one run. ``changed`` follows a fold, at most once for each; nothing is emitted per event.

    Attributes:
        state: one of `contract.events`' states. Never follows from the link.
        reason: a sentence about the state, empty where it says all.
        step: completed updates; ``total_steps`` 0 until the ranks have told it; ``epoch`` as the ranks count.
        loss: of the last update, None before the first.
        started_s, ended_s: the writer's clock, seconds since the epoch, 0 where it has not happened.
        exits: ranks and launchers that ended; their lines are plain text.
        commands: what became of each command by id, the newest event of it.
        damaged: journal lines that could not be read.
        notes: sentences about the journal itself.
        caught_up: the first reading is through; before that the figures may be old or sampled.
        memory: what the ranks have held, told after a few updates and at the end.
        amendments: what was changed while it went on. stacks: where each rank stood when it last stalled.
        telemetry: what the node's hardware did. gone: the node has no folder of this run any more.
    """

    changed = Signal()

    def __init__(self, run_id: str, name: str, node: str, spec: JobSpec, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run_id, self.name, self.node, self.spec = run_id, name, node, spec
        self.state, self.reason = QUEUED, ""
        self.attempt, self.step, self.total_steps, self.epoch = 0, 0, 0, 0.0
        self.loss: float | None = None
        self.started_s, self.ended_s = 0.0, 0.0
        self.link: LinkState | None = None
        self.training: TrainingStarted | None = None
        self.memory: MemoryMeasured | None = None
        self.progress: Progressed | None = None
        self.node_sample: NodeSampled | None = None
        self.telemetry = Telemetry()
        self.exits: list[RankExited] = []
        self.commands: dict[str, CommandAccepted | CommandRefused | CommandDone] = {}
        self.notes: list[str] = []
        self.damaged, self.caught_up, self.gone = 0, False, False
        self.log: deque[tuple[int, str]] = deque(maxlen=MAX_LOG_LINES)
        self.log_count = 0
        self._steps = AttemptSeries(len(_KEPT_COLUMNS))
        self._held_out = AttemptSeries(2)
        self._sample: AttemptSeries | None = None
        self._checkpoints: dict[str, CheckpointCommitted] = {}
        self._samples: dict[tuple[int, int, str], Sampled] = {}
        self._complaints: dict[tuple[str, str, int], Complained] = {}
        self._evaluations: dict[tuple[int, int], Evaluated] = {}
        self._medians: dict[str, tuple[int, float]] = {}
        self._alerts: dict[tuple[str, int], AlertRaised] = {}
        self._past_alerts: dict[tuple[str, int, int, int], AlertRaised] = {}
        self.amendments = RunAmendments()
        self.stacks: tuple[str, ...] = ()

    def series(self, name: str) -> tuple[Column, Column]:
        """Return the steps and the values of a metric: the newest attempt from its resume step on, older ones before.

        Args:
            name: loss, learning_rate, gradient_norm, tokens_per_s, step_time_s, peak_memory_bytes, epoch, tokens (of
                the update alone), time_s (the writer's clock), one of `STEP_PARTS` or held_out_loss.

        Returns:
            Two float64 arrays of equal length, views that are good until the next fold.

        Raises:
            ValueError: there is no such metric.
        """
        if name == _HELD_OUT:
            return self._held_out.column(0), self._held_out.column(1)
        return self._steps.column(0), self._steps.column(_KEPT_COLUMNS.index(name))

    @property
    def true_rows(self) -> int:
        """Return how many leading rows of every series but held_out_loss are true; the ones behind are a sample.

        While a long run is read in, true rows take the place of the sample, so that only the leading ones stay as
        they are from one fold to the next. They are all rows once it is read.
        """
        return len(self._steps)

    def recent_mean(self, name: str, rows: int) -> float:
        """Return the mean of a metric's last values, NaN where it has none. Raises ValueError for an unknown name."""
        values = self.series(name)[1][-rows:]
        return float(np.mean(values)) if len(values) else float("nan")

    def median(self, name: str) -> float:
        """Return the median of a metric over the run, NaN where it has no value. Raises ValueError."""
        values = self.series(name)[1]
        count, median = self._medians.get(name, (0, float("nan")))
        if len(values) != count:
            median = float(np.median(values))
            self._medians[name] = (len(values), median)
        return median

    def ghosts(self, name: str) -> tuple[tuple[int, Column, Column], ...]:
        """Return what earlier attempts had beyond the step where a later one went on: (attempt, steps, values) each."""
        series, index = (self._held_out, 1) if name == _HELD_OUT else (self._steps, _KEPT_COLUMNS.index(name))
        return tuple((ghost.attempt, ghost.columns[0], ghost.columns[index]) for ghost in series.ghosts)

    @property
    def best_held_out(self) -> tuple[int, float] | None:
        """Return the step and the value of the lowest held-out loss, None where there is none that is a number."""
        steps, losses = self._held_out.column(0), self._held_out.column(1)
        if not np.isfinite(losses).any():
            return None
        row = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
        return int(steps[row]), float(losses[row])

    @property
    def checkpoints(self) -> tuple[CheckpointCommitted, ...]:
        """Return the committed checkpoints in the order of the journal."""
        return tuple(self._checkpoints.values())

    @property
    def samples(self) -> tuple[Sampled, ...]:
        """Return what the model answered to the fixed prompts, in the order of the journal."""
        return tuple(self._samples.values())

    @property
    def evaluations(self) -> tuple[Evaluated, ...]:
        """Return all evaluations in the order of the journal, those of ghosts among them."""
        return tuple(self._evaluations.values())

    @property
    def complaints(self) -> tuple[Complained, ...]:
        """Return what went wrong, in the order of the journal, each once."""
        return tuple(self._complaints.values())

    @property
    def alerts(self) -> tuple[AlertRaised, ...]:
        """Return the alerts that were raised and are not over, oldest first."""
        return tuple(self._alerts.values())

    @property
    def all_alerts(self) -> tuple[AlertRaised, ...]:
        """Return every alert that was raised, in the order of the journal."""
        return tuple(self._past_alerts.values())

    @property
    def is_ended(self) -> bool:
        """Say whether the run is over, whatever the link is like."""
        return self.state in ENDED

    def eta_s(self) -> float | None:
        """Return the seconds that the updates left will take at the median of the last 50, None where unknown."""
        times = self._steps.column(_KEPT_COLUMNS.index("step_time_s"))[-_ETA_STEPS:]
        finite = times[np.isfinite(times)]
        if self.is_ended or not self.total_steps or not len(finite):
            return None
        return max(0, self.total_steps - self.step) * float(np.median(finite))

    def eta_spread_s(self) -> float | None:
        """Return half the width of the 95 % interval of `eta_s` in seconds, None where too few updates are known.

        The prediction interval of a sum of n further step times, from the spread s of the last m of them: 1.96 s
        sqrt(n + n^2 / m), the second term for what m steps leave unknown of their mean.
        """
        times = self._steps.column(_KEPT_COLUMNS.index("step_time_s"))[-_ETA_STEPS:]
        finite = times[np.isfinite(times)]
        if self.eta_s() is None or len(finite) < _LEAST_SPREAD_STEPS:
            return None
        left = max(0, self.total_steps - self.step)
        return 1.96 * float(np.std(finite, ddof=1)) * float(np.sqrt(left + left * left / len(finite)))

    def tokens_left(self) -> float | None:
        """Return the tokens of the updates left at the mean of the last 50, None where unknown."""
        if not self.total_steps or not len(self._steps):
            return None
        return max(0, self.total_steps - self.step) * self.recent_mean("tokens", _ETA_STEPS)

    @property
    def resume_steps(self) -> tuple[int, ...]:
        """Return how many updates were done before each attempt after the first that has updates."""
        return tuple(int(step) for attempt, step in self._steps.resume_steps.items() if attempt > 1)

    def set_link(self, link: LinkState | None) -> None:
        """Take the state of the link to the run's node."""
        if link != self.link:
            self.link = link
            self.changed.emit()

    def fold_batch(self, batch: RunBatch) -> None:
        """Take what a follower or a replay decoded."""
        if batch.expected_lines:
            self._steps.reserve(min(batch.expected_lines, 20_000_000))
        self._fold_steps(batch.steps)
        if batch.preview is not None:
            self._sample = AttemptSeries(len(_KEPT_COLUMNS))
            _add(batch.preview, self._sample)
        for stamped in batch.events:
            self._fold_event(stamped)
        self._begin_attempts(self.attempt)
        if batch.caught_up:
            self._sample, self.caught_up = None, True
        if self._sample is not None or batch.caught_up:
            self._steps.show_ahead(self._sample)
        self._note_last_step()
        self.log.extend(batch.log)
        self.log_count += len(batch.log)
        self.damaged += batch.damaged
        self.notes = [*self.notes, *batch.notes][-_MOST_KEPT:]
        self.gone = self.gone or batch.gone
        self.changed.emit()

    def fold(self, events: Iterable[Stamped]) -> None:
        """Take events in the order of their journal."""
        batch = RunBatch()
        for stamped in events:
            if isinstance(stamped.event, StepCompleted):
                add_step(stamped, batch.steps)
            else:
                batch.events.append(stamped)
        self.fold_batch(batch)

    def fold_log(self, rank: int, lines: Sequence[str]) -> None:
        """Take whole lines that a rank printed."""
        self.fold_batch(RunBatch(log=[(rank, plain_text(line)) for line in lines]))

    def _fold_steps(self, steps: StepColumns) -> None:
        if not len(steps):
            return
        attempt = int(steps.columns[_ATTEMPT][-1])
        _add(steps, self._steps)
        self.attempt = max(self.attempt, attempt)

    def _note_last_step(self) -> None:
        steps = self._steps.column(0)
        if len(steps):
            self.step = int(steps[-1])
            self.loss = float(self._steps.column(1)[-1])
            self.epoch = float(self._steps.column(_KEPT_COLUMNS.index("epoch"))[-1])

    def _fold_event(self, stamped: Stamped) -> None:
        event = stamped.event
        match event:
            case StateChanged():
                self._enter(event, stamped.time_s)
            case AttemptStarted():
                self.amendments.begin(event)
                self.attempt = max(self.attempt, event.attempt)
            case TrainingStarted():
                self.training, self.total_steps, self.progress = event, event.total_steps, None
                self.total_steps = self.amended_job().total_steps
                self.attempt = max(self.attempt, event.attempt)
            case Amended():
                self.amendments.take(event)
                self.total_steps = self.amended_job().total_steps
            case Evaluated():
                self._evaluate(event)
            case Progressed():
                self.progress = event
            case NodeSampled():
                self.node_sample = event
                self.telemetry.add(stamped.time_s, event)
            case CommandAccepted() | CommandRefused() | CommandDone():
                _put(self.commands, event.command_id, event)
            case _:
                self._keep(event)

    def _keep(self, event: Event) -> None:
        match event:
            case CheckpointCommitted():
                _put(self._checkpoints, event.name, event)
            case Sampled():
                said = dataclasses.replace(event, prompt=_text(event.prompt), text=_text(event.text))
                _put(self._samples, (said.attempt, said.step, said.prompt), said)
            case AlertRaised() | AlertCleared() | AlertSent() | StacksTaken():
                self._keep_alert(event)
            case MemoryMeasured():
                self.memory = event
            case Complained():
                self._complain(Complained(event.severity, _text(event.sentence), event.rank))
            case RankExited():
                lines = tuple(plain_text(line) for line in event.last_lines[-_MOST_LAST_LINES:])
                exited = RankExited(event.attempt, event.rank, event.exit_code, event.signal, lines)
                self.exits = [*self.exits, exited][-_MOST_KEPT:]
            case _:
                # a step went into the columns; that training ended is told by the state; unknown kinds wait for us
                pass

    def _keep_alert(self, event: AlertRaised | AlertCleared | AlertSent | StacksTaken) -> None:
        match event:
            case AlertRaised():
                rows = tuple(row for row in event.rows if isinstance(row, int))
                alert = dataclasses.replace(event, sentence=_text(event.sentence), rows=rows)
                _put(self._alerts, (event.rule, event.rank), alert)
                _put(self._past_alerts, (event.rule, event.rank, event.attempt, event.step), alert)
            case AlertCleared():
                self._alerts.pop((event.rule, event.rank), None)
            case StacksTaken():
                self.stacks = tuple(_text(str(text)) for text in event.stacks)
            case AlertSent() if event.problem:
                sentence = f"An alert of step {event.step} did not reach {event.channel}. {event.problem}"
                self._complain(Complained("warning", _text(sentence)))

    def amended_job(self) -> AmendedJob:
        """Return the job as it stands at each update: with what was changed while the run went on."""
        return self.amendments.job(self.spec, self.training, self.total_steps)

    def _complain(self, complaint: Complained) -> None:
        _put(self._complaints, (complaint.severity, complaint.sentence, complaint.rank), complaint)

    def _enter(self, event: StateChanged, time_s: float) -> None:
        if event.state not in TRANSITIONS:
            # a state of a newer writer: what is known stays, rather than a word that nobody can draw
            return
        self.state, self.reason = event.state, _text(event.reason)
        self.attempt = max(self.attempt, event.attempt)
        self.started_s = self.started_s or time_s
        self.ended_s = time_s if self.is_ended else 0.0
        if self.is_ended:
            self.progress = None

    def _evaluate(self, event: Evaluated) -> None:
        _put(self._evaluations, (event.attempt, event.step), event)
        self._begin_attempts(event.attempt)
        self._held_out.add(np.array([float(event.attempt)]), (np.array([float(event.step)]), np.array([event.loss])))

    def _begin_attempts(self, up_to: int) -> None:
        """Cut the held-out curve where attempts resumed: they may have trained further before they evaluate."""
        for attempt, resume_step in self._steps.resume_steps.items():
            if attempt <= up_to:
                self._held_out.begin(attempt, resume_step)


def _add(steps: StepColumns, series: AttemptSeries) -> None:
    columns = [np.frombuffer(column, dtype=np.float64) for column in steps.columns]
    series.add(columns[_ATTEMPT], [columns[place] for place in _KEPT_PLACES])


def _put(kept: dict[Key, Value], key: Key, value: Value) -> None:
    """Put a value at the end of what is kept; the oldest goes where there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]


def _text(text: str) -> str:
    return plain_text(text, _MAX_TEXT)
