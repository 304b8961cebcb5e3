"""The short-lived process that sends what is said about a run's alerts: once to each channel, patient, then gone."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import Dict, List, Optional, Tuple

from remote_agent.contract.events import AlertSent
from remote_agent.contract.notification import COMMAND, NTFY, Channel, Message, http_body
from remote_agent.contract.run_dir import JOURNAL, NOTIFY_WRITER
from remote_agent.run_files.journal import JournalWriter
from remote_agent.supervisor.outbox import channels_of, folder_of, put_message, remove_message, waiting_messages

ATTEMPT_S = 20.0
"""How long one try may take in all, whatever the other side does."""
BACKOFF_S = (2.0, 5.0, 15.0, 60.0, 180.0, 300.0)
GIVE_UP_S = 3600.0
_LOOK_S = 0.5
_PRIORITIES = {"error": "high", "warning": "default", "info": "low"}


class _TookTooLong(Exception):
    pass


def notify(arguments: List[str]) -> int:
    """Send the waiting messages of ``[run_dir]`` until none is left; returns at once where another process does.

    ``[run_dir, SECONDS…]`` replaces the waits between tries and, as the last, the time after which a channel is given
    up.
    """
    run_dir = arguments[0]
    waits = tuple(float(wait) for wait in arguments[1:]) or (*BACKOFF_S, GIVE_UP_S)
    lock = os.open(os.path.join(folder_of(run_dir), "sender.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while waiting_messages(run_dir):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            journal = JournalWriter(os.path.join(run_dir, JOURNAL), NOTIFY_WRITER, os.path.basename(run_dir), time.time)
            try:
                _Sender(run_dir, journal, waits[:-1], waits[-1]).send_all()
            finally:
                journal.close()
                fcntl.flock(lock, fcntl.LOCK_UN)
            # a message that came while the lock was let go is seen by the loop, or by the process it started
    finally:
        os.close(lock)
    return 0


class _Sender:
    def __init__(self, run_dir: str, journal: JournalWriter, waits: Tuple[float, ...], give_up_s: float) -> None:
        self._run_dir, self._journal = run_dir, journal
        self._waits, self._give_up_s = waits, give_up_s
        self._failed: Dict[str, int] = {}
        self._next_try: Dict[str, float] = {}

    def send_all(self) -> None:
        """Return when nothing waits."""
        while True:
            waiting = waiting_messages(self._run_dir)
            if not waiting:
                return
            channels = {channel.name: channel for channel in channels_of(self._run_dir)}
            for since_s, message in waiting:
                self._send(since_s, message, channels)
            time.sleep(_LOOK_S)

    def _send(self, since_s: float, message: Message, channels: Dict[str, Channel]) -> None:
        left = []
        for name in message.channels:
            channel = channels.get(name)
            if channel is None or self._is_done(since_s, message, channel):
                continue
            left.append(name)
        if not left:
            remove_message(self._run_dir, message.key)
        elif len(left) < len(message.channels):
            put_message(self._run_dir, dataclasses.replace(message, channels=tuple(left)), since_s)

    def _is_done(self, since_s: float, message: Message, channel: Channel) -> bool:
        """Try a channel that is due; say whether this message is through with it, sent or given up."""
        # a channel that refuses is asked again after a while, whatever waits for it, and the others are not held up
        if time.monotonic() < self._next_try.get(channel.name, 0.0):
            return False
        problem = deliver(channel, message, min(ATTEMPT_S, self._give_up_s / 4))
        if problem:
            failed = self._failed[channel.name] = self._failed.get(channel.name, 0) + 1
            self._next_try[channel.name] = time.monotonic() + self._waits[min(failed, len(self._waits)) - 1]
            sys.stderr.write("{}: {}\n".format(channel.name, problem))
            if time.time() - since_s < self._give_up_s:
                return False
        else:
            self._failed.pop(channel.name, None)
        self._journal.write(AlertSent(message.rule, message.step, channel.name, problem))
        return True


def deliver(channel: Channel, message: Message, within_s: float = ATTEMPT_S) -> str:
    """Send a message to a channel; return what is wrong in a sentence without the address, empty where it arrived."""
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.setitimer(signal.ITIMER_REAL, within_s)
    try:
        return _run(channel, message) if channel.kind == COMMAND else _post(channel, message)
    except _TookTooLong:
        return "It did not answer within {:g} s.".format(within_s)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _post(channel: Channel, message: Message) -> str:
    headers = {"User-Agent": "luthier", "Idempotency-Key": message.key}
    if channel.kind == NTFY:
        body = message.text.encode("utf-8")
        headers.update({"Title": _ascii(message.title), "Priority": _PRIORITIES.get(message.severity, "default"),
                        "Content-Type": "text/plain; charset=utf-8"})  # fmt: skip
    else:
        body = json.dumps(http_body(channel, message)).encode("utf-8")
        headers["Content-Type"] = "application/json"
    try:
        # `channel_problem` has seen that it is http or https
        request = urllib.request.Request(channel.address, body, headers, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=ATTEMPT_S) as answer:  # noqa: S310
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        return "It answered {}.".format(error.code)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)
        return "It was not reached: {}.".format(type(reason if isinstance(reason, OSError) else error).__name__)
    return ""


def _run(channel: Channel, message: Message) -> str:
    text = "{}\n{}\n".format(message.title, message.text)
    try:
        # its output joins ours for people: standard output may be a talk's frames
        command = subprocess.Popen(
            shlex.split(channel.address), stdin=subprocess.PIPE, stdout=sys.stderr, start_new_session=True
        )
    except (OSError, ValueError) as error:
        return "The command cannot be started: {}.".format(type(error).__name__)
    try:
        command.communicate(text.encode("utf-8"))
    except _TookTooLong:
        os.killpg(command.pid, signal.SIGKILL)
        command.wait()
        raise
    return "The command ended with {}.".format(command.returncode) if command.returncode else ""


def _ascii(text: str) -> str:
    """Return a header's value: headers are Latin-1 at most, and a line break would begin another one."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def _on_alarm(number: int, frame: Optional[FrameType]) -> None:
    raise _TookTooLong
