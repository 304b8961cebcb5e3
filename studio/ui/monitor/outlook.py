"""What lies ahead of a run, on one line: learning rate, tokens left, the next checkpoint; all estimates say so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from remote_agent.contract.events import ENDED, RUNNING, CommandRefused
from studio.ui import words
from studio.ui.pieces import ElidedLabel

if TYPE_CHECKING:
    from remote_agent.contract.job_spec import JobSpec
    from studio.state.run import RunState


class Outlook(ElidedLabel):
    """Hidden while there is nothing to tell; a command that was refused last is told here too."""

    def __init__(self) -> None:
        super().__init__("", "caption")
        self.setObjectName("runOutlook")

    def show_run(self, run: RunState) -> None:
        """Show what is known of the run's further way."""
        parts = [] if run.state in ENDED else [*self._ahead(run), self._refusal(run)]
        told = "  ·  ".join(part for part in parts if part)
        if told != self.whole_text():
            self.set_text(told)
        self.setVisible(bool(told))

    def _ahead(self, run: RunState) -> list[str]:
        parts = []
        rate, left = run.recent_mean("learning_rate", 1), run.tokens_left()
        if math.isfinite(rate):
            parts.append(self.tr("learning rate {rate}").format(rate=words.short_number(rate)))
        if left is not None and math.isfinite(left):
            parts.append(self.tr("about {tokens} tokens left").format(tokens=words.count(left)))
        if run.step and run.state == RUNNING:
            parts.append(self._checkpoint(run))
        parts.append(self._beside(run))
        return parts

    def _beside(self, run: RunState) -> str:
        """Return the shares of the run's time that went into anything but updates, empty where that is little."""
        saving, evaluating, sampling = spent_beside(run)
        whole = saving + evaluating + sampling + float(run.series("step_time_s")[1].sum())
        named = ((self.tr("saving"), saving), (self.tr("evaluating"), evaluating), (self.tr("sampling"), sampling))
        said = [f"{words.percent(spent / whole)} {name}" for name, spent in named if whole and spent >= 0.005 * whole]
        return self.tr("of the time {shares}").format(shares=", ".join(said)) if said else ""

    def _checkpoint(self, run: RunState) -> str:
        due = next_checkpoint(run.spec, run.step, run.total_steps)
        if due is None:
            return self.tr("no checkpoint is planned; Save now takes one")
        left, total = run.eta_s(), max(1, run.total_steps - run.step)
        said = self.tr("next checkpoint at step {step}").format(step=words.whole(due))
        if left is None or due <= run.step:
            return said
        soon = words.duration(left * (due - run.step) / total)
        return self.tr("next checkpoint at step {step}, in about {time}").format(step=words.whole(due), time=soon)

    def _refusal(self, run: RunState) -> str:
        last = next(reversed(run.commands.values()), None)
        if not isinstance(last, CommandRefused):
            return ""
        return self.tr("The node refused the last command: {reason}").format(reason=last.reason)


def spent_beside(run: RunState) -> tuple[float, float, float]:
    """Return the seconds that a run has spent on saving, evaluating and answering its sample prompts."""
    return (
        sum(one.seconds for one in run.checkpoints),
        sum(one.seconds for one in run.evaluations),
        sum(one.seconds for one in run.samples),
    )


def next_checkpoint(spec: JobSpec, step: int, total_steps: int) -> int | None:
    """Return the step of the next planned checkpoint after a step, None where none is planned."""
    saving = spec.checkpointing
    every = [steps for steps in (saving.weights_every_steps, saving.state_every_steps) if steps > 0]
    due = [(step // steps + 1) * steps for steps in every]
    planned = [each for each in due if not total_steps or each <= total_steps]
    if saving.save_at_end and total_steps:
        planned.append(total_steps)
    return min(planned, default=None)
