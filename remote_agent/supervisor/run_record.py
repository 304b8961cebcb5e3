"""What a run's journals say so far: the fold that a new supervisor and the list of runs begin with."""

from __future__ import annotations

import os
from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Tuple

from remote_agent.contract.events import (
    QUEUED,
    AttemptStarted,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Restarted,
    StateChanged,
)
from remote_agent.contract.run_dir import JOURNAL, SUPERVISOR_WRITER
from remote_agent.run_files.journal_segments import JournalReader

_KINDS = ("state", "attempt", "accepted", "refused", "done", "restarted")


class RunRecord(NamedTuple):
    """The supervisor's own history. ``state`` is empty before its first line; ``seen`` are ids of commands taken.

    ``open_stops`` are stops that were accepted and not yet done, ``refused`` the reasons by command id, ``resume_step``
    the updates that were done before the newest attempt, ``restarts`` what followed by itself since; ``ranks`` and
    ``zero_stage`` are the newest attempt's, the latter -1 where both are the job's.
    """

    state: str = ""
    attempt: int = 0
    reason: str = ""
    seen: FrozenSet[str] = frozenset()
    open_stops: FrozenSet[str] = frozenset()
    refused: Mapping[str, str] = {}
    resume_step: int = 0
    restarts: Tuple[Restarted, ...] = ()
    ranks: int = 0
    zero_stage: int = -1


def read_record(run_dir: str) -> RunRecord:
    """Return what the supervisor's journal says; nothing where there is none."""
    state, attempt, reason, resume_step = "", 0, "", 0
    ranks, zero_stage = 0, -1
    seen, stops = set(), set()
    refused: Dict[str, str] = {}
    restarts: List[Restarted] = []
    reader = JournalReader(os.path.join(run_dir, JOURNAL), SUPERVISOR_WRITER, _KINDS)
    try:
        events = reader.poll()
    finally:
        reader.close()
    for _, event in events:
        if isinstance(event, StateChanged):
            state, reason = event.state, event.reason
        elif isinstance(event, AttemptStarted):
            attempt, resume_step = event.attempt, event.resume_step
            ranks, zero_stage = event.ranks, event.zero_stage
        elif isinstance(event, (CommandAccepted, CommandRefused)):
            seen.add(event.command_id)
            if isinstance(event, CommandAccepted) and event.verb == "stop":
                stops.add(event.command_id)
            elif isinstance(event, CommandAccepted) and event.verb == "resume":
                restarts.clear()
            elif isinstance(event, CommandRefused):
                refused[event.command_id] = event.reason
        elif isinstance(event, CommandDone):
            stops.discard(event.command_id)
        elif isinstance(event, Restarted):
            restarts.append(event)
    return RunRecord(
        state, attempt, reason, frozenset(seen), frozenset(stops), refused, resume_step, tuple(restarts), ranks,
        zero_stage,
    )  # fmt: skip


def is_fresh(record: RunRecord) -> bool:
    """Say whether no attempt of the run was ever begun."""
    return record.state in ("", QUEUED) and record.attempt == 0
