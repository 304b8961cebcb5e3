"""Where every rank stands: by py-spy where it is installed, else by what the ranks themselves write when asked."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import Dict, List, Optional, Tuple

from remote_agent.contract.events import StacksTaken
from remote_agent.contract.run_dir import LOG, stacks_file
from remote_agent.run_files.process import ProcessIdentity, marked_processes, send_signal
from remote_agent.supervisor.ranks import rank_of

PATIENCE_S = 2.0
_SPY_PATIENCE_S = 10.0
_MOST_CHARACTERS = 8000
_POLL_S = 0.02


def take_stacks(run_dir: str, attempt: int, step: int) -> Optional[StacksTaken]:
    """Return the stacks of all ranks that run, None where none could be had. Waits for at most some seconds."""
    ranks: Dict[int, ProcessIdentity] = {}
    for identity in marked_processes(os.path.basename(run_dir)):
        rank = rank_of(identity.pid)
        # a rank's loader processes carry its number too and come later
        if rank is not None and (rank not in ranks or identity.pid < ranks[rank].pid):
            ranks[rank] = identity
    spy = shutil.which("py-spy")
    tool, found = "py-spy", _by_spy(spy, ranks) if spy else {}
    if not found:
        tool, found = "faulthandler", _by_signal(run_dir, ranks)
    if not found:
        return None
    texts = tuple("rank {}\n{}".format(rank, found[rank][-_MOST_CHARACTERS:]) for rank in sorted(found))
    return StacksTaken(attempt, step, tool, texts)


def _by_spy(spy: str, ranks: Dict[int, ProcessIdentity]) -> Dict[int, str]:
    found: Dict[int, str] = {}
    for rank, identity in ranks.items():
        try:
            done = subprocess.run(
                [spy, "dump", "--nonblocking", "--pid", str(identity.pid)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SPY_PATIENCE_S,
                check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return {}
        if done.returncode:
            return {}  # mostly: no right to look into another process
        found[rank] = done.stdout.decode("utf-8", "replace").strip()
    return found


def _by_signal(run_dir: str, ranks: Dict[int, ProcessIdentity]) -> Dict[int, str]:
    """Ask the ranks; one that is not known to answer is left alone, since the signal would end it."""
    asked: List[Tuple[int, str, int]] = []
    for rank, identity in ranks.items():
        path = os.path.join(run_dir, LOG, stacks_file(rank))
        said = _read(path, 0)
        if said.partition("\n")[0] == str(identity.pid):
            asked.append((rank, path, len(said.encode("utf-8"))))
            send_signal(identity, signal.SIGUSR2)
    deadline = time.monotonic() + PATIENCE_S
    found: Dict[int, str] = {}
    while len(found) < len(asked) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        for rank, path, begin in asked:
            text = _read(path, begin).strip()
            if text and rank not in found:
                found[rank] = text
    return found


def _read(path: str, begin: int) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(begin)
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
