"""The alerts of a run on its node: folded from the events as they come, journalled, and handed to the sender."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Callable, List, Sequence

from remote_agent.contract.alerts import STALL, Alert, AlertRules, LrAt
from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.events import (
    AlertCleared,
    AlertRaised,
    Amended,
    Complained,
    Event,
    Stamped,
    TrainingStarted,
)
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.notification import Message, message_text
from remote_agent.contract.run_dir import JOB, JOURNAL, LOG, SUPERVISOR_WRITER
from remote_agent.contract.schedule import horizon_of
from remote_agent.contract.spec_json import spec_from_dict
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.outbox import channels_of, put_message, waiting_messages
from remote_agent.supervisor.stacks import take_stacks

_OWN_KINDS = ("state", "attempt", "alert", "alert_cleared", "amended")
BULKY_KINDS, LOOKED_BACK = ("step", "step_rows"), 4000
"""What every update adds, and how much of it the rules are given of a run's past; they need some hundred updates."""


class AlertWatch:
    """Says what is wrong with a run while it goes on.

    Args:
        run_dir: the run's folder, absolute.
        write: journals an event for the supervisor.
    """

    def __init__(self, run_dir: str, write: Callable[[Event], object]) -> None:
        self._run_dir, self._write = run_dir, write
        self._rules = AlertRules(JobSpec())
        try:
            with open(os.path.join(run_dir, JOB), encoding="utf-8") as file:
                spec = spec_from_dict(json.load(file))
        except (OSError, ValueError) as error:
            # the ranks need a supervisor, whatever it makes of their job
            write(
                Complained(
                    "warning", "The alerts take their usual thresholds; the job cannot be read: {}.".format(error)
                )
            )
        else:
            self._rules = AlertRules(spec, lambda start, amendments: _planned(spec, start, amendments))

    def take_over(self, rank0: Sequence[Stamped]) -> None:
        """Fold what happened before this process, as rank 0 and the supervisors journalled it; say what nobody said."""
        own = self._journalled(SUPERVISOR_WRITER, _OWN_KINDS)
        said = [stamped.event for stamped in own if isinstance(stamped.event, (AlertRaised, AlertCleared))]
        for stamped in sorted([*own, *rank0], key=lambda stamped: stamped.time_s):
            self._rules.take(stamped)
        self._tell(self._rules.reconcile(said))
        if waiting_messages(self._run_dir):
            self._start_sender()

    def _journalled(self, writer: str, kinds: Sequence[str]) -> List[Stamped]:
        reader = JournalReader(os.path.join(self._run_dir, JOURNAL), writer, kinds)
        try:
            return reader.poll()
        finally:
            reader.close()

    def take(self, event: Event, time_s: float) -> None:
        """Fold an event."""
        self._tell(self._rules.take(Stamped(time_s, event)))

    def tick(self) -> None:
        """Look at the clock."""
        self._tell(self._rules.tick(time.time()))

    def _tell(self, alerts: List[Alert]) -> None:
        for alert in alerts:
            # the message is on the disk first: where a process that takes over finds the alert, it finds the message
            is_waiting = isinstance(alert, AlertRaised) and self._put(alert)
            self._write(alert)
            if isinstance(alert, AlertRaised) and alert.rule == STALL:
                stacks = take_stacks(self._run_dir, alert.attempt, alert.step)
                if stacks is not None:
                    self._write(stacks)
            if is_waiting:
                self._start_sender()

    def _put(self, alert: AlertRaised) -> bool:
        """Let the message of an alert wait; say whether there is anyone to send it to."""
        names = tuple(channel.name for channel in channels_of(self._run_dir))
        if not names:
            return False
        title = "{} ({})".format(self._rules.job_name, os.path.basename(self._run_dir))
        text = message_text(alert.sentence, self._rules.where)
        message = Message(_key(alert), alert.rule, alert.severity, alert.step, title, text, names)
        try:
            put_message(self._run_dir, message, time.time())
        except OSError as error:
            self._complain(error)
            return False
        return True

    def _start_sender(self) -> None:
        try:
            start_sender(self._run_dir)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        self._write(Complained("warning", "An alert could not be sent: {}.".format(error.strerror)))


def _key(alert: AlertRaised) -> str:
    return "{}-{}-{}-{}".format(alert.rule, alert.attempt, alert.step, alert.rank)


def _planned(spec: JobSpec, start: TrainingStarted, amendments: Sequence[Amended]) -> LrAt:
    horizon = horizon_of(start, start.train_tokens)
    horizon = horizon._replace(total_steps=start.planned_steps or start.total_steps)
    return AmendedJob(spec, horizon, amendments).learning_rate


def start_sender(run_dir: str) -> None:
    """Start the short-lived process that sends what waits; it ends by itself, and at once where another is at it."""
    arguments = [
        sys.executable, "-I", "-B", os.path.join(own_agent_dir(), "remote_agent", "__main__.py"), "notify", run_dir
    ]  # fmt: skip
    with open(os.path.join(run_dir, LOG, "notify.log"), "ab") as log:
        subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=run_dir, start_new_session=True
        )
