"""The processes of an attempt: started, watched by identity, signalled by their mark, swept until none is left."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from typing import Dict, List, Mapping, Optional, Tuple

from remote_agent.contract.run_dir import LOG, SCRATCH
from remote_agent.run_files.process import ProcessIdentity, is_alive, marked_processes, send_signal
from remote_agent.supervisor.log_mask import LogMask, environment_of
from remote_agent.supervisor.verdict import LAUNCHER_LOG, Exit, exit_from_code, exit_of

RESCAN_S = 5.0
SWEEP_POLL_S = 0.05
UNKILLABLE_S = 60.0
_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Inherit the ranks when their launcher dies, where the kernel can; their exit codes then come to us."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Ranks:
    """The launcher and the ranks of one attempt, our own children or those of a supervisor that is gone.

    ``exits`` holds by process id the rank and how it ended, for ranks that outlived their launcher. The secrets of
    their ``environment`` are struck out of their logs.
    """

    def __init__(
        self, run_dir: str, launcher: "Optional[subprocess.Popen[bytes]]", environment: Mapping[str, str]
    ) -> None:
        self._run_id = os.path.basename(run_dir)
        self._launcher = launcher
        self._logs = LogMask(run_dir, environment)
        self._rank_of: Dict[int, int] = {}
        self._known: List[ProcessIdentity] = []
        self._next_scan = 0.0
        self.exits: Dict[int, Tuple[int, Exit]] = {}

    @property
    def launcher_exit(self) -> Optional[Exit]:
        """Return how the launcher ended, None where it runs or was not our child."""
        if self._launcher is None or self._launcher.returncode is None:
            return None
        return exit_from_code(self._launcher.returncode)

    def are_running(self) -> bool:
        """Say whether the attempt goes on: our launcher lives, or any marked process of an adopted attempt."""
        if self._launcher is not None:
            self._learn_ranks()
            runs = self._launcher.poll() is None
        elif any(is_alive(identity) for identity in self._known) and time.monotonic() < self._next_scan:
            runs = True
        else:
            self._learn_ranks(force=True)
            runs = bool(self._known)
        self._logs.look()  # last, so that it has seen all that an ended launcher printed
        return runs

    def signal_all(self, number: signal.Signals) -> None:
        """Signal the launcher and every marked process."""
        if self._launcher is not None and self._launcher.poll() is None:
            self._launcher.send_signal(number)
        for identity in marked_processes(self._run_id):
            send_signal(identity, number)

    def sweep(self, grace_s: float) -> int:
        """End whatever carries the mark: SIGTERM, after the grace SIGKILL, until two looks find nothing.

        Returns the number of processes that the kernel has not let go a minute later.
        """
        deadline = time.monotonic() + grace_s
        number = signal.SIGTERM
        empty = 0
        told: List[ProcessIdentity] = []
        while empty < 2:
            self._reap()
            left = marked_processes(self._run_id)
            empty = 0 if left else empty + 1
            if left and number == signal.SIGTERM and time.monotonic() >= deadline:
                number, told = signal.SIGKILL, []
            if left and time.monotonic() >= deadline + UNKILLABLE_S:
                return len(left)
            for identity in left:
                if identity not in told:
                    send_signal(identity, number)
                    told.append(identity)
            time.sleep(SWEEP_POLL_S if left else SWEEP_POLL_S / 5)
        self._reap()
        self._logs.look()
        return 0

    def _learn_ranks(self, force: bool = False) -> None:
        """Look up which process is which rank, every 5 s; it is known no more when one has ended."""
        now = time.monotonic()
        if now < self._next_scan and not force:
            return
        self._next_scan = now + RESCAN_S
        self._known = marked_processes(self._run_id)
        for identity in self._known:
            if self._launcher is None:
                self._logs.learn(environment_of(identity.pid))
            rank = rank_of(identity.pid)
            if rank is not None:
                self._rank_of[identity.pid] = rank

    def look_again(self) -> None:
        """Learn the ranks at the next call, for a moment when they are known to be there."""
        self._next_scan = 0.0

    def _reap(self) -> None:
        """Take the exit codes of ranks that became our children by their launcher's death."""
        if self._launcher is not None and self._launcher.poll() is None:
            return
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._rank_of:
                self.exits[pid] = (self._rank_of[pid], exit_of(status))


def launch_ranks(run_dir: str, arguments: List[str], environment: Dict[str, str]) -> Ranks:
    """Start the launcher in a session of its own, its output in a file. Raises OSError where it cannot be started."""
    log = os.open(
        os.path.join(run_dir, LOG, LAUNCHER_LOG),
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC,
        0o600,
    )
    try:
        launcher = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=os.path.join(run_dir, SCRATCH),
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(log)
    return Ranks(run_dir, launcher, environment)


def rank_of(pid: int) -> Optional[int]:
    """Return the number of the rank that a process is, or belongs to; None where it is none or is gone."""
    value = environment_of(pid).get("RANK", "")
    return int(value) if value.isdigit() else None
