"""The process that watches a run: detached from whoever started it, one for each run and node."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Dict, List, Optional

from remote_agent.contract.events import PAUSED, RESTING, Complained
from remote_agent.contract.run_dir import INBOX, JOURNAL, SUPERVISOR_WRITER
from remote_agent.run_files.atomic_write import write_all
from remote_agent.run_files.inbox import list_commands
from remote_agent.run_files.journal import JournalWriter
from remote_agent.supervisor.attempt_shape import launch_of_attempt
from remote_agent.supervisor.launch import read_launch
from remote_agent.supervisor.lease import Lease, read_lease, take_lease
from remote_agent.supervisor.outbox import keep_channels, take_channels
from remote_agent.supervisor.ranks import become_subreaper
from remote_agent.supervisor.resumption import waiting_resume
from remote_agent.supervisor.run_record import RunRecord, is_fresh, read_record
from remote_agent.supervisor.supervision import Supervision
from remote_agent.supervisor.tracker_feeds import start_feeds

NODE_WRITER = "node"


def supervise(arguments: List[str]) -> int:
    """Supervise ``[run_dir, descriptor]`` in a process of its own, and return at once in this one.

    Secrets come as a JSON object on standard input. The descriptor is told "ready" once the run is held and its journal
    says so, or else the sentence why it is not, and closed.
    """
    run_dir, descriptor = arguments[0], int(arguments[1])
    secrets: Dict[str, str] = json.loads(sys.stdin.buffer.read().decode("utf-8") or "{}")
    # we lead a session already; a child of ours does not, and so never gets a terminal
    if os.fork():
        return 0
    os.set_inheritable(descriptor, False)
    ready = _Ready(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(run_dir)
    try:
        _supervise(run_dir, secrets, ready)
    except (OSError, ValueError) as error:
        sys.stderr.write("The supervisor ended: {}\n".format(error))
        ready.tell(str(error) or "it failed.")
    return 0


def _supervise(run_dir: str, secrets: Dict[str, str], ready: "_Ready") -> None:
    lease = read_lease(run_dir)
    holder = take_lease(run_dir)
    record = read_record(run_dir)
    resume = waiting_resume(run_dir, record) if record.state in RESTING else None
    paused = record.state == PAUSED and bool(list_commands(os.path.join(run_dir, INBOX))[0])
    if holder is None or (record.state in RESTING and resume is None and not paused):
        ready.tell("ready")
        return
    channels = take_channels(secrets)
    if channels:
        keep_channels(run_dir, channels)
    become_subreaper()
    folder, run_id = os.path.join(run_dir, JOURNAL), os.path.basename(run_dir)
    launch = launch_of_attempt(read_launch(run_dir), record)
    journal = JournalWriter(folder, SUPERVISOR_WRITER, run_id, time.time)
    supervision = Supervision(
        run_dir,
        launch,
        holder,
        record,
        journal,
        JournalWriter(folder, NODE_WRITER, run_id, time.time),
    )
    try:
        if resume is not None:
            trains = supervision.resume(resume, record)
            ready.tell("ready")
            if trains:
                supervision.launch(secrets)
        else:
            trains = not paused
            _begin(supervision, record, lease, secrets, ready)
        if trains:
            for sentence in start_feeds(run_dir, launch, secrets, waits=resume is not None):
                journal.write(Complained("warning", sentence))
        supervision.watch()
    except OSError:
        if not os.path.isdir(run_dir):
            supervision.end_ranks()  # nobody could ever ask for it again
        raise
    finally:
        supervision.close()


def _begin(
    supervision: Supervision, record: RunRecord, lease: Optional[Lease], secrets: Dict[str, str], ready: "_Ready"
) -> None:
    """Do what a run is for that nobody asked to resume: rest, start, or go on under a new supervisor."""
    if record.state == PAUSED:
        supervision.rest()
        ready.tell("ready")
    elif is_fresh(record):
        supervision.begin()
        ready.tell("ready")
        supervision.launch(secrets)
    else:
        supervision.adopt(lease)
        ready.tell("ready")


class _Ready:
    """The pipe to whoever started us; told once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, word: str) -> None:
        """Say "ready" or why not, and close; later calls do nothing, since the number may be another file by then."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        with contextlib.suppress(OSError):  # nobody waits any more
            write_all(descriptor, word.encode("utf-8", "replace"))
        os.close(descriptor)
