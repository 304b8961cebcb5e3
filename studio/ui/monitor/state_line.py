"""The lines over the charts: state, step, time left and the buttons; below what lies ahead, and the losses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QVBoxLayout, QWidget

from remote_agent.contract.events import (
    ENDED,
    PAUSED,
    PREPARING,
    QUEUED,
    RESTING,
    RUNNING,
    STARTING,
    STOPPING,
    CommandDone,
    CommandRefused,
)
from studio.session.resuming import resumable_checkpoint
from studio.ui import icons, words
from studio.ui.charts.columns import smoothed
from studio.ui.monitor.outlook import Outlook
from studio.ui.pieces import Card, ElidedLabel, button, plain_label
from studio.ui.sidebar_rows import RUN_ICONS

if TYPE_CHECKING:
    from studio.state.run import RunState

TREND_STEPS = 20
FLAT_SHARE = 0.005
_BUSY_STATES = (QUEUED, PREPARING, STARTING)


class StateLine(Card):
    """Tells at a glance how the run does. The page connects the buttons."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(name="stateLine", parent=parent)
        self.setAccessibleName(self.tr("State of the run"))
        self._state = ""
        self._saving_since: tuple[object, ...] = ()
        self._evaluating_since: tuple[object, ...] = ()
        self._icon = QLabel()
        self._word = plain_label("", "strong", "runStateWord")
        self._detail = ElidedLabel("", "muted")
        self._detail.setObjectName("runStateDetail")
        self.loss = _Figure(self.tr("loss"), "lossFigure")
        self.held_out = _Figure(self.tr("best held-out"), "heldOutFigure")
        self.save_now = button(self.tr("Save now"), "saveNowButton", self.tr("Save a checkpoint now"))
        self.evaluate_now = button(self.tr("Evaluate now"), "evaluateNowButton", self.tr("Take the held-out loss now"))
        self.resume = button(self.tr("Resume"), "resumeButton", self.tr("Let the run go on from its last checkpoint"))
        otherwise = self.tr("Let the run go on with other ranks or at another ZeRO stage")
        self.resume_otherwise = button(self.tr("Resume with…"), "resumeOtherwiseButton", otherwise)
        self.pause = button(self.tr("Pause"), "pauseButton", self.tr("Save the full state and free the GPUs"))
        self.more = button(self.tr("More"), "moreButton", self.tr("Further things to ask of the run"))
        self.sample_now, self.change = self._more_actions()
        self.stop = button(self.tr("Stop…"), "stopButton", self.tr("Stop the run"))
        self.progress = QProgressBar()
        self.progress.setObjectName("runProgressBar")
        self.progress.setTextVisible(False)
        self._phase = ElidedLabel("", "caption")
        self._phase.setObjectName("runPhase")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._word)
        row.addWidget(self._detail, 1)
        row.addWidget(self.evaluate_now)
        row.addWidget(self.save_now)
        row.addWidget(self.more)
        row.addWidget(self.pause)
        row.addWidget(self.stop)
        row.addWidget(self.resume_otherwise)
        row.addWidget(self.resume)
        self._outlook = Outlook()
        self.body.addLayout(row)
        second = QHBoxLayout()
        second.setSpacing(8)
        second.addWidget(self._outlook, 1)
        second.addWidget(self.loss, 0, Qt.AlignmentFlag.AlignLeft)
        second.addWidget(self.held_out, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addLayout(second)
        self._below = self._progress_below()
        self.body.addWidget(self._below)
        icons.set_icon(self.pause, "pause", "text")
        icons.set_icon(self.stop, "stop", "text")
        icons.set_icon(self.resume, "play", "text")

    def _progress_below(self) -> QWidget:
        made = QWidget()
        below = QVBoxLayout(made)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self.progress)
        below.addWidget(self._phase)
        return made

    def _more_actions(self) -> tuple[QAction, QAction]:
        menu = QMenu(self)
        made = (menu.addAction(self.tr("Answer the sample prompts now")), menu.addAction(self.tr("Change the rest…")))
        for action, name in zip(made, ("sampleNowAction", "changeRunAction"), strict=True):
            action.setObjectName(name)
        self.more.setMenu(menu)
        return made

    def show_run(self, run: RunState) -> None:
        """Show the run as it stands now."""
        if run.state != self._state:
            self._state = run.state
            self._dress()
        self._word.setText(words.run_state(run.state))
        self._detail.set_text(self._detail_of(run))
        _, y = run.series("loss")
        self.loss.show_value(_loss_words(y), trend_of(y))
        best = run.best_held_out
        self.held_out.show_value(best_words(best) if best is not None else "–", "")
        self.held_out.setVisible(best is not None)
        live, trains = run.state not in ENDED, run.state == RUNNING
        self.stop.setVisible(live)
        for control in (self.save_now, self.pause, self.more):
            control.setVisible(live and run.state != PAUSED)
        self.pause.setEnabled(trains)
        self.more.setEnabled(trains)
        self.sample_now.setEnabled(bool(run.spec.evaluation.sample_prompts))
        self.change.setEnabled(run.total_steps > 0)
        self.stop.setEnabled(run.state != STOPPING)
        if self._saving_since != _news(run) or run.state != RUNNING:
            self._saving_since = ()
        saving = bool(self._saving_since)
        self.save_now.setEnabled(run.state == RUNNING and not saving)
        self.save_now.setText(self.tr("Saving…") if saving else self.tr("Save now"))
        self._show_evaluating(run)
        self._outlook.show_run(run)
        saved = resumable_checkpoint(run)
        self.resume.setVisible(saved is not None)
        self.resume_otherwise.setVisible(saved is not None)
        if saved is not None:
            self.resume.setToolTip(self.tr("Go on from step {step}").format(step=words.whole(saved.step)))
        self._show_progress(run)

    def show_saving(self, run: RunState) -> None:
        """Say that a checkpoint was asked for, until it is there or the run says why it is not."""
        self._saving_since = _news(run)
        self.show_run(run)

    def show_evaluating(self, run: RunState) -> None:
        """Say that the held-out loss was asked for, until the journal has it or says why not."""
        self._evaluating_since = _evaluation_news(run)
        self.show_run(run)

    def _show_evaluating(self, run: RunState) -> None:
        if self._evaluating_since != _evaluation_news(run) or run.state != RUNNING:
            self._evaluating_since = ()
        evaluating = bool(self._evaluating_since)
        has_rows = run.training is not None and run.training.held_out_sequences > 0
        self.evaluate_now.setVisible(run.state not in RESTING)
        self.evaluate_now.setEnabled(run.state == RUNNING and has_rows and not evaluating)
        self.evaluate_now.setText(self.tr("Evaluating…") if evaluating else self.tr("Evaluate now"))
        lacking = run.training is not None and not has_rows
        self.evaluate_now.setToolTip(self.tr("The job holds no rows out to evaluate on") if lacking else "")

    def _show_progress(self, run: RunState) -> None:
        busy = run.state in _BUSY_STATES or (run.state == RUNNING and not run.step)
        self._below.setVisible(busy)
        if not busy:
            return
        progress = run.progress
        if progress is not None:
            said = phase_words(progress.phase, progress.done, progress.total, progress.unit)
        elif run.training is not None:
            said = self.tr("The model is loaded; the first update is under way")
        else:
            said = self.tr("Waiting for the node's first word")
        self._phase.set_text(said)
        if progress is None or not progress.total:
            self.progress.setRange(0, 0)
        else:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * min(1.0, progress.done / progress.total)))
        self.progress.setAccessibleName(self._phase.whole_text())

    def _detail_of(self, run: RunState) -> str:
        parts = []
        if run.total_steps:
            said = self.tr("step {step} of {total}")
            parts.append(said.format(step=words.whole(run.step), total=words.whole(run.total_steps)))
        if run.attempt > 1:
            parts.append(self.tr("attempt {number}").format(number=run.attempt))
        if run.state not in RESTING and run.state != STOPPING:
            left = run.eta_s()
            if left is not None and math.isfinite(left):
                spread = run.eta_spread_s() or 0.0
                told = self.tr("about {time} (±{spread}) left") if spread >= 1 else self.tr("about {time} left")
                parts.append(told.format(time=words.duration(left), spread=words.duration(spread)))
        elif run.started_s and run.ended_s > run.started_s:
            parts.append(self.tr("took {time}").format(time=words.duration(run.ended_s - run.started_s)))
        if run.reason:
            parts.append(run.reason)
        return "  ·  ".join(parts)

    def _dress(self) -> None:
        name, token = RUN_ICONS.get(self._state, ("hourglass-medium", "muted"))
        icons.set_pixmap(self._icon, name, token, 18)
        self._icon.setAccessibleName(words.run_state(self._state))


def _news(run: RunState) -> tuple[object, ...]:
    """Return what changes with a checkpoint, with a complaint and with a refusal."""
    return run.run_id, len(run.checkpoints), len(run.complaints), _answered(run, "save", CommandRefused)


def _evaluation_news(run: RunState) -> tuple[object, ...]:
    """Return what changes with an evaluation, with a complaint and with the answer to a command to evaluate."""
    answered = _answered(run, "evaluate", CommandRefused, CommandDone)
    return run.run_id, len(run.evaluations), len(run.complaints), answered


def _answered(run: RunState, verb: str, *kinds: type) -> int:
    return sum(isinstance(each, kinds) and each.verb == verb for each in run.commands.values())


class _Figure(QWidget):
    """A caption and a number with an arrow that says where it goes."""

    def __init__(self, caption: str, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._caption_text = caption
        self._value = plain_label("–", "strong")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(plain_label(caption, "caption"), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._value)

    def show_value(self, text: str, trend: str) -> None:
        arrows = {"falling": "↘", "rising": "↗", "flat": "→"}
        said = {"falling": self.tr("falling"), "rising": self.tr("rising"), "flat": self.tr("level")}
        self._value.setText(f"{text} {arrows[trend]}" if trend else text)
        self.setAccessibleName(" ".join([self._caption_text, text, said.get(trend, "")]).strip())
        self.setToolTip(self.tr("Over the last {count} updates, smoothed: {word}").format(
            count=TREND_STEPS, word=said[trend]) if trend else "")  # fmt: skip


def _loss_words(y: object) -> str:
    values = y[-TREND_STEPS * 4 :] if hasattr(y, "__getitem__") else ()
    return "–" if not len(values) else loss_words(float(smoothed(values)[-1]))


def loss_words(loss: float) -> str:
    """Return a loss with three decimals, so that the figure does not jump about while it changes."""
    return f"{loss:.3f}" if math.isfinite(loss) and abs(loss) < 1e4 else words.short_number(loss)


def trend_of(y: object) -> str:
    """Return falling, rising or flat for the smoothed end of a column; empty where there is too little of it."""
    assert hasattr(y, "__getitem__")
    tail = smoothed(y[-TREND_STEPS * 4 :])
    if len(tail) <= TREND_STEPS:
        return ""
    now, before = float(tail[-1]), float(tail[-1 - TREND_STEPS])
    if not (math.isfinite(now) and math.isfinite(before)) or before == 0:
        return ""
    change = (now - before) / abs(before)
    if abs(change) < FLAT_SHARE:
        return "flat"
    return "falling" if change < 0 else "rising"


def phase_words(phase: str, done: float, total: float, unit: str) -> str:
    """Return what a phase before the first step does and how far it is; a phase without a name stays as it is."""
    known = {
        "environment": words.translated("Preparing the environment"),
        "data": words.translated("Preparing the data"),
        "model": words.translated("Loading the model"),
        "evaluation": words.translated("Taking the held-out loss"),
        "samples": words.translated("Answering the sample prompts"),
    }
    name = known.get(phase) or (phase[:1].upper() + phase[1:])
    if not total:
        return name
    if unit == "bytes":
        return f"{name}  ·  " + words.translated("{done} of {total}").format(
            done=words.size(done), total=words.size(total)
        )
    amount = words.translated("{done} of {total} {unit}")
    return f"{name}  ·  " + amount.format(done=words.whole(round(done)), total=words.whole(round(total)), unit=unit)


def best_words(best: tuple[int, float]) -> str:
    """Return the best held-out loss and its step, such as "1.34 at 175"."""
    step, loss = best
    said = words.translated("{loss} at {step}")
    return said.format(loss=loss_words(loss), step=words.whole(step))
