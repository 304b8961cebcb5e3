"""The amendments of a run, read from its journals."""

from __future__ import annotations

import os
from typing import List

from remote_agent.contract.amendments import in_order
from remote_agent.contract.events import Amended
from remote_agent.contract.run_dir import JOURNAL, RANK0_WRITER, SUPERVISOR_WRITER
from remote_agent.run_files.journal_segments import JournalReader


def read_amendments(run_dir: str) -> List[Amended]:
    """Return what was amended so far, in order; nothing where there is no journal yet."""
    return in_order([*_of(run_dir, SUPERVISOR_WRITER), *_of(run_dir, RANK0_WRITER)])


def _of(run_dir: str, writer: str) -> List[Amended]:
    reader = JournalReader(os.path.join(run_dir, JOURNAL), writer, (Amended.kind,))
    try:
        return [event for _, event in reader.poll() if isinstance(event, Amended)]
    finally:
        reader.close()
