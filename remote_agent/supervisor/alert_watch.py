"""The alerts of a run on its node: folded from the events as they come, journalled, and handed to the sender."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Callable, Iterable, List, Sequence

from remote_agent.contract.alerts import Alert, AlertRules, LrAt
from remote_agent.contract.events import (
    AlertCleared,
    AlertRaised,
    AlertSent,
    Complained,
    Event,
    Stamped,
    TrainingStarted,
)
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.notification import Message, message_text
from remote_agent.contract.run_dir import JOB, JOURNAL, LOG, NOTIFY_WRITER, SUPERVISOR_WRITER
from remote_agent.contract.schedule import horizon_of, lr_factors
from remote_agent.contract.spec_json import spec_from_dict
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.outbox import channels_of, put_message, waiting_messages

_OWN_KINDS = ("state", "attempt", "alert", "alert_cleared")
_LOOKED_BACK = 2000


class AlertWatch:
    """Says what is wrong with a run while it goes on.

    Args:
        run_dir: the run's folder, absolute.
        write: journals an event for the supervisor.
    """

    def __init__(self, run_dir: str, write: Callable[[Event], object]) -> None:
        self._run_dir, self._write = run_dir, write
        with open(os.path.join(run_dir, JOB), encoding="utf-8") as file:
            self._spec = spec_from_dict(json.load(file))
        self._rules = AlertRules(self._spec, lambda start: _planned(self._spec, start))

    def take_over(self, rank0: Sequence[Stamped]) -> None:
        """Fold what happened before this process, as rank 0 and the supervisors journalled it; say what nobody said."""
        own = self._journalled(SUPERVISOR_WRITER, _OWN_KINDS)
        said = [stamped.event for stamped in own if isinstance(stamped.event, (AlertRaised, AlertCleared))]
        # the rules look back over some hundred updates; a fold over a million would keep the run waiting
        for stamped in sorted([*own, *rank0[-_LOOKED_BACK:]], key=lambda stamped: stamped.time_s):
            self._rules.take(stamped)
        self._send_unsent(alert for alert in said if isinstance(alert, AlertRaised))
        self._tell(self._rules.reconcile(said))

    def _send_unsent(self, said: Iterable[AlertRaised]) -> None:
        """Send what the process before journalled and had no time to hand over."""
        waiting = {message.key for _, message in waiting_messages(self._run_dir)}
        sent = {
            (stamped.event.rule, stamped.event.step)
            for stamped in self._journalled(NOTIFY_WRITER, ("alert_sent",))
            if isinstance(stamped.event, AlertSent)
        }
        for alert in said:
            if (alert.rule, alert.step) not in sent and _key(alert) not in waiting:
                self._send(alert)

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
            self._write(alert)
            if isinstance(alert, AlertRaised):
                self._send(alert)

    def _send(self, alert: AlertRaised) -> None:
        channels = channels_of(self._run_dir)
        if not channels:
            return
        title = "{} ({})".format(self._spec.name, os.path.basename(self._run_dir))
        text = message_text(alert.sentence, self._rules.where)
        names = tuple(channel.name for channel in channels)
        message = Message(_key(alert), alert.rule, alert.severity, alert.step, title, text, names)
        try:
            put_message(self._run_dir, message, time.time())
            start_sender(self._run_dir)
        except OSError as error:
            self._write(Complained("warning", "An alert could not be sent: {}.".format(error.strerror)))


def _key(alert: AlertRaised) -> str:
    return "{}-{}-{}-{}".format(alert.rule, alert.attempt, alert.step, alert.rank)


def _planned(spec: JobSpec, start: TrainingStarted) -> LrAt:
    horizon, peak = horizon_of(start, start.train_tokens), spec.optimizer.learning_rate
    factors = lr_factors(spec.schedule, horizon)
    return lambda step: peak * factors(step)


def start_sender(run_dir: str) -> None:
    """Start the short-lived process that sends what waits; it ends by itself, and at once where another is at it."""
    arguments = [
        sys.executable, "-I", "-B", os.path.join(own_agent_dir(), "remote_agent", "__main__.py"), "notify", run_dir
    ]  # fmt: skip
    with open(os.path.join(run_dir, LOG, "notify.log"), "ab") as log:
        subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=run_dir, start_new_session=True
        )
