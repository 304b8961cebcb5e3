"""The command `attach`: what the runs' journals and logs hold beyond the client's cursors, and then what is added."""

from __future__ import annotations

import os
import threading
from typing import Any, Dict, Iterator, List

from remote_agent.contract.events import RESTING
from remote_agent.contract.run_dir import JOURNAL, LOG, RANK0_WRITER, RUNS, SUPERVISOR_WRITER, is_run_id
from remote_agent.run_files.journal_segments import writers
from remote_agent.run_files.masking import Mask
from remote_agent.supervisor.cursor import JournalCursor, LogCursor
from remote_agent.supervisor.log_mask import secrets_of_run
from remote_agent.supervisor.run_record import read_record
from remote_agent.supervisor.start import ensure_supervised
from remote_agent.supervisor.talk import CommandError, Talk, group_argument

POLL_S = 0.05
LOOK_S = 1.0
SILENT_S = 60.0
IN_FLIGHT_BYTES = 4 << 20
OVERVIEW_FROM_BYTES = 8 << 20
OVERVIEW_LINES = 2000
OVERVIEW_BYTES = 900 << 10


def attach(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Stream ``overview``, ``journal``, ``log``, ``caught_up`` and ``gone`` frames; the result is empty.

    With ``follow`` it goes on until the client leaves or has been silent for a minute.

    Raises:
        CommandError: the request is malformed.
    """
    follow = arguments.get("follow") is True
    talk.leave_when_silent(SILENT_S)
    stream = _Stream(talk)
    followed: List[_FollowedRun] = []
    for run_id, places in group_argument(arguments, "runs").items():
        run_dir = os.path.join(home, RUNS, run_id)
        if not is_run_id(run_id) or not os.path.isdir(run_dir):
            talk.send("gone", run=run_id)
            continue
        followed.append(_FollowedRun(run_dir, places if isinstance(places, dict) else {}))
    try:
        for run in followed:
            run.keep_supervised(talk)
            if follow and arguments.get("overview") is True:
                run.send_overview(talk)
        if follow:
            # a thread of its own, since a client that reads nothing for a while holds up whoever sends to it
            threading.Thread(target=_look_after, args=(talk, followed), name="look after", daemon=True).start()
        _pump(talk, stream, followed, follow)
    finally:
        for run in followed:
            run.close()
    return {}


def _look_after(talk: Talk, followed: "List[_FollowedRun]") -> None:
    while not talk.aborted.wait(LOOK_S):
        for run in followed:
            run.keep_supervised(talk)


def _pump(talk: Talk, stream: "_Stream", followed: "List[_FollowedRun]", follow: bool) -> None:
    caught_up = False
    while not talk.aborted.is_set():
        # a list first, so that one run with much to tell does not starve the others; journals go before any log
        if any([run.send_journals(stream) for run in followed]) or any([run.send_log(stream) for run in followed]):
            continue
        if not caught_up:
            caught_up = True
            for run in followed:
                talk.send("caught_up", run=run.run_id)
        if not follow:
            return
        talk.aborted.wait(POLL_S)


class _Stream:
    """Sends bodies and keeps what the client has not yet acknowledged below 4 MiB."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._sent = 0

    def send(self, kind: str, body: bytes, **head: Any) -> None:
        """Send a frame once there is room for it; nothing is sent any more where the client is gone."""
        while self._sent + len(body) - self._talk.acknowledged_bytes > IN_FLIGHT_BYTES:
            if self._talk.aborted.wait(0.002):
                return
        self._talk.send(kind, body, **head)
        self._sent += len(body)


class _FollowedRun:
    def __init__(self, run_dir: str, places: Dict[str, Any]) -> None:
        self.run_id = os.path.basename(run_dir)
        self._run_dir = run_dir
        cursors, logs = places.get("cursors"), places.get("logs")
        self._places: Dict[str, Any] = cursors if isinstance(cursors, dict) else {}
        self._log_offsets: Dict[str, Any] = logs if isinstance(logs, dict) else {}
        self._journals: Dict[str, JournalCursor] = {}
        self._logs: Dict[int, LogCursor] = {}
        self._ended = False
        self._mask = Mask()
        self._looks_for_secrets = True
        self._complained = False

    def keep_supervised(self, talk: Talk) -> None:
        """Put a new supervisor in the place of one that died; what stands against it is told once as a progress."""
        if self._ended:
            return
        self._ended = read_record(self._run_dir).state in RESTING
        if not self._ended:
            try:
                ensure_supervised(self._run_dir)
            except (CommandError, OSError) as error:
                if not self._complained:
                    self._complained = True
                    talk.progress("supervisor: {}".format(error), 0, 0)

    def send_overview(self, talk: Talk) -> None:
        """Send evenly spread lines of a long journal of rank 0, so that the whole curve is there at once."""
        cursor = self._journal(RANK0_WRITER)
        unseen = cursor.unseen_bytes()
        if unseen <= OVERVIEW_FROM_BYTES:
            return
        lines = cursor.sample_lines(OVERVIEW_LINES, OVERVIEW_BYTES)
        if lines:
            body = b"".join(lines)
            estimate = unseen * len(lines) // len(body)
            talk.send("overview", body, run=self.run_id, writer=RANK0_WRITER, lines=estimate)

    def send_journals(self, stream: _Stream) -> bool:
        """Send the next block of each journal; say whether there was one."""
        moved = False
        for writer in writers(os.path.join(self._run_dir, JOURNAL)):
            block = self._journal(writer).next_block()
            if block is not None:
                moved = True
                # what the supervisor adds may be that an ended run goes on
                self._ended = self._ended and writer != SUPERVISOR_WRITER
                self._looks_for_secrets = self._looks_for_secrets or writer == SUPERVISOR_WRITER
                stream.send(
                    "journal", block.body, run=self.run_id, writer=writer, segment=block.segment,
                    incarnation=block.incarnation, offset=block.offset,
                )  # fmt: skip
        return moved

    def send_log(self, stream: _Stream) -> bool:
        """Send the next block of each rank's log; say whether there was one."""
        moved = False
        for cursor in self._log_cursors():
            block = cursor.next_block()
            if block is not None:
                moved = True
                if self._looks_for_secrets:
                    # the supervisor strikes them out within a tick, and we may be quicker
                    self._mask, self._looks_for_secrets = secrets_of_run(self.run_id) or self._mask, False
                body = self._mask.struck(block.body)
                stream.send("log", body, run=self.run_id, rank=cursor.rank, offset=block.offset)
        return moved

    def close(self) -> None:
        """Close what is open."""
        for cursor in self._journals.values():
            cursor.close()

    def _journal(self, writer: str) -> JournalCursor:
        if writer not in self._journals:
            self._journals[writer] = JournalCursor(
                os.path.join(self._run_dir, JOURNAL), writer, self._places.get(writer)
            )
        return self._journals[writer]

    def _log_cursors(self) -> Iterator[LogCursor]:
        folder = os.path.join(self._run_dir, LOG)
        for name in os.listdir(folder):
            if name.startswith("rank") and name.endswith(".log") and name[4:-4].isdigit():
                rank = int(name[4:-4])
                if rank not in self._logs:
                    offset = self._log_offsets.get(str(rank), 0)
                    self._logs[rank] = LogCursor(
                        os.path.join(folder, name), rank, offset if isinstance(offset, int) and offset >= 0 else 0
                    )
                yield self._logs[rank]
