"""Progress on a terminal: the steps of a launch and the bar of a run; plain lines where nobody watches."""

from __future__ import annotations

import json
import math
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from remote_agent.contract.events import (
    CheckpointCommitted,
    Complained,
    Evaluated,
    NodeSampled,
    Sampled,
    StateChanged,
    event_to_body,
)
from remote_agent.contract.journal_line import strict
from studio.cli.desk import say
from studio.session.launching import DOING, DONE, FAILED, LaunchStep
from studio.store.live import STEP_COLUMNS, RunBatch
from studio.store.rows import RunRow

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class LaunchView:
    """Shows each step of a launch once it is over, and how far a long one is."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._said: set[str] = set()
        self._bar = Bar(enabled=not as_json)

    def __enter__(self) -> LaunchView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, steps: tuple[LaunchStep, ...]) -> None:
        """Show what changed."""
        for step in steps:
            if step.state == DOING:
                self._bar.update(step.label, step.done, step.total, "")
            elif step.state in (DONE, FAILED) and step.key not in self._said:
                self._said.add(step.key)
                self._say(step)

    def _say(self, step: LaunchStep) -> None:
        if self._as_json:
            say(json.dumps({"launch": step.key, "state": step.state, "detail": step.detail}))
            return
        mark = "✓" if step.state == DONE else "✗"
        self._bar.print(f"{mark} {step.label}{'  ' + step.detail if step.detail else ''}")


class RunView:
    """Shows a run: a bar with loss and rate, and a line for what happens beside the updates.

    As JSON: one object a line, events as in the journal, updates as kind "step".
    """

    def __init__(self, row: RunRow, as_json: bool) -> None:
        self._as_json = as_json
        self._bar = Bar(enabled=not as_json)
        self._bar.update(row.run_id, row.step, row.total_steps, "")

    def __enter__(self) -> RunView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, row: RunRow, batch: RunBatch) -> None:
        """Show what is new."""
        if self._as_json:
            self._say_json(batch)
            return
        for stamped in batch.events:
            words = _event_words(stamped.event)
            if words:
                self._bar.print(words)
        for note in batch.notes:
            self._bar.print(note)
        if len(batch.steps):
            rate = batch.steps.column("tokens_per_s")[-1]
            speed = f", {rate:.0f} tokens/s" if math.isfinite(rate) else ""
            self._bar.update(row.run_id, row.step, row.total_steps, f"loss {row.loss:.4f}{speed}")

    def _say_json(self, batch: RunBatch) -> None:
        names = [name if name != "time_s" else "t" for name in STEP_COLUMNS]
        for values in zip(*batch.steps.columns, strict=True):
            step: dict[str, Any] = {"k": "step", **dict(zip(names, values, strict=True))}
            for whole in ("step", "attempt", "tokens", "supervised_tokens", "peak_memory_bytes"):
                step[whole] = int(step[whole])
            say(json.dumps(strict(step)))
        for stamped in batch.events:
            say(json.dumps(strict(event_to_body(stamped.event, stamped.time_s)), ensure_ascii=False))
        sys.stdout.flush()


class Bar:
    """A progress bar of rich on a terminal; where output goes to a file, only the lines.

    ``aside`` draws it on standard error, so that standard output holds nothing but the answer.
    """

    def __init__(self, enabled: bool, aside: bool = False) -> None:
        self._enabled = enabled and (sys.stderr if aside else sys.stdout).isatty()
        self._silent = not enabled
        self._aside = aside
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def update(self, label: str, done: float, total: float, words: str) -> None:
        """Show how far something is; ``total`` 0 where that is unknown."""
        if not self._enabled:
            return
        if self._progress is None:
            self._progress = self._started()
            self._task = self._progress.add_task(label, total=None, words="")
        assert self._task is not None
        self._progress.update(
            self._task, description=label, completed=done, total=total if total > 0 else None, words=words
        )

    def print(self, line: str) -> None:
        """Write a line over the bar."""
        if self._progress is not None:
            self._progress.console.print(line, markup=False, highlight=False)
        elif not self._silent:
            say(line)
            sys.stdout.flush()

    def stop(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _started(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=self._aside),
            transient=self._aside,
        )
        progress.start()
        return progress


def _event_words(event: object) -> str:
    """Return what a person reads of an event, empty where it is of no interest beside the bar."""
    match event:
        case StateChanged():
            return f"{event.state}{': ' + event.reason if event.reason else ''}"
        case Evaluated():
            return f"step {event.step}: held-out loss {event.loss:.4f}, perplexity {event.perplexity:.2f}"
        case CheckpointCommitted():
            return f"step {event.step}: checkpoint {event.name}"
        case Sampled():
            return f"step {event.step}: {event.prompt!r} -> {event.text!r}"
        case Complained():
            return f"{event.severity}: {event.sentence}"
        case NodeSampled() | _:
            return ""
