"""Lets a rank write where it stands when the supervisor asks, even while it waits within a library."""

from __future__ import annotations

import faulthandler
import os
import signal
from pathlib import Path
from typing import IO

from remote_agent.contract.run_dir import LOG, stacks_file

_open: list[IO[str]] = []


def answer_requests(run_dir: Path, rank: int) -> None:
    """Write the stacks of all threads into log/ at each SIGUSR2; the file's first line is this process's id."""
    path = run_dir / LOG / stacks_file(rank)
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w")
    faulthandler.register(signal.SIGUSR2, file=file, all_threads=True)
    # only now: who finds the id may send the signal
    file.write(f"{os.getpid()}\n")
    file.flush()
    _open.append(file)  # faulthandler keeps the descriptor, not the file
