"""The command `runs`: every run that lies on the node."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict

from remote_agent.contract.events import RESTING, StepCompleted
from remote_agent.contract.run_dir import JOB, JOURNAL, RANK0_WRITER, RUNS, is_run_id
from remote_agent.run_files.journal_segments import last_events
from remote_agent.supervisor.lease import is_supervised
from remote_agent.supervisor.run_record import read_record
from remote_agent.supervisor.start import ensure_supervised
from remote_agent.supervisor.talk import CommandError, Talk


def list_runs(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{runs}``, oldest first; a run whose supervisor died gets a new one before it is told."""
    folder = os.path.join(home, RUNS)
    return {"runs": [_entry(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if is_run_id(name)]}


def _entry(run_dir: str) -> Dict[str, Any]:
    record = read_record(run_dir)
    if record.state not in RESTING:
        with contextlib.suppress(CommandError, OSError):  # told as it stands; `attach` says what is wrong
            ensure_supervised(run_dir)
        record = read_record(run_dir)
    job = _read_json(os.path.join(run_dir, JOB))
    return {
        "run_id": os.path.basename(run_dir),
        "name": str(job.get("name", "")),
        "state": record.state,
        "attempt": record.attempt,
        "step": _last_step(run_dir),
        "alive": record.state not in RESTING and is_supervised(run_dir),
        "size_bytes": folder_bytes(run_dir),
        "created_s": os.stat(os.path.join(run_dir, JOB)).st_mtime if job else 0.0,
    }


def _last_step(run_dir: str) -> int:
    steps = [
        event.step
        for _, event in last_events(os.path.join(run_dir, JOURNAL), RANK0_WRITER)
        if isinstance(event, StepCompleted)
    ]
    return steps[-1] if steps else 0


def _read_json(path: str) -> Dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def folder_bytes(folder: str) -> int:
    """Return the sizes of all files below a folder; files that go meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total
