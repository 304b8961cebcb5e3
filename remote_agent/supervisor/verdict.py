"""How an attempt ended: which rank, which signal, its last words; success where exit code and journal both say so."""

from __future__ import annotations

import os
import re
import signal
from typing import Dict, List, NamedTuple, Optional, Tuple

from remote_agent.contract.events import FAILED, FINISHED, PAUSED, STOPPED, TrainingEnded
from remote_agent.contract.recovery_spec import NONFINITE
from remote_agent.contract.run_dir import LOG, rank_log

LAUNCHER_LOG = "launcher.log"
LAUNCHER = -1
LAST_LINES = 20
_TAIL_BYTES = 16 << 10
_ATTEMPT_MARK = "=== Luthier: attempt "
_LINE_CHARACTERS = 1000
_ROOT_CAUSE = re.compile(
    r"Root Cause \(first observed failure\):.*?rank\s*:\s*(\d+) .*?exitcode\s*:\s*(-?\d+) \(pid: (\d+)\)", re.DOTALL
)
_MEMORY_COUNTERS = (
    ("/sys/fs/cgroup/memory.events", re.compile(r"^oom_kill (\d+)", re.MULTILINE)),
    ("/sys/fs/cgroup/memory/memory.oom_control", re.compile(r"^oom_kill (\d+)", re.MULTILINE)),
    ("/proc/vmstat", re.compile(r"^oom_kill (\d+)", re.MULTILINE)),
)


class Exit(NamedTuple):
    """How a process ended; ``signal`` is 0 where none killed it."""

    code: int
    signal: int


class RankFailure(NamedTuple):
    """The rank that failed first."""

    rank: int
    pid: int
    exit: Exit


class Ending(NamedTuple):
    """What is known when no process of the attempt is left.

    ``launcher`` is None where its exit code is not known; ``stopping``: a stop was asked for; ``by_force``: the ranks
    had to be killed for it; ``out_of_memory``: the kernel killed something for memory meanwhile; ``pausing``: a
    pause was asked for.
    """

    launcher: Optional[Exit]
    ended: Optional[TrainingEnded]
    failure: Optional[RankFailure]
    stopping: bool
    by_force: bool
    out_of_memory: bool
    pausing: bool = False

    @property
    def stopped_at_pause(self) -> bool:
        """Whether the ranks saved and left because they were asked to pause."""
        told = self.ended is not None and not self.ended.complete and not self.ended.cause
        return self.pausing and told and (self.launcher is None or self.launcher == Exit(0, 0))


def verdict(ending: Ending) -> Tuple[str, str]:
    """Return the run's final state and the sentence that says why, empty where the state says it all."""
    exited_well = ending.launcher is not None and ending.launcher == Exit(0, 0)
    complete = ending.ended is not None and ending.ended.complete
    if complete and exited_well and ending.ended is not None:
        return FINISHED, ending.ended.reason
    if complete and ending.launcher is None and ending.failure is None:
        return FINISHED, "The ranks reported the end of the training; their exit code is not known."
    if ending.stopped_at_pause:
        return PAUSED, ""
    if ending.stopping:
        return STOPPED, "The ranks did not end by themselves and were killed." if ending.by_force else ""
    if ending.ended is not None and ending.ended.cause == NONFINITE:
        return FAILED, ending.ended.reason
    if ending.failure is not None:
        return FAILED, _failure_sentence(ending.failure, ending.out_of_memory)
    if ending.launcher is None:
        return FAILED, "The ranks are gone and did not report an end; the supervisor had been killed before them."
    if ending.launcher.signal:
        return FAILED, "The launcher was killed by {}.".format(signal_name(ending.launcher.signal))
    if exited_well:
        return FAILED, "The ranks ended with exit code 0 but did not report the end of the training."
    return FAILED, "The launcher ended with exit code {}; log/{} says why.".format(ending.launcher.code, LAUNCHER_LOG)


def _failure_sentence(failure: RankFailure, out_of_memory: bool) -> str:
    if failure.exit.signal == signal.SIGKILL and out_of_memory:
        return (
            "Rank {} was killed by the kernel because the node ran out of memory; use fewer ranks, a shorter sequence "
            "or a smaller micro batch.".format(failure.rank)
        )
    if failure.exit.signal:
        return "Rank {} was killed by {}.".format(failure.rank, signal_name(failure.exit.signal))
    return "Rank {} failed with exit code {}; its log says why.".format(failure.rank, failure.exit.code)


def exit_of(wait_status: int) -> Exit:
    """Return how a process ended from the status of a wait."""
    if os.WIFSIGNALED(wait_status):
        return Exit(-os.WTERMSIG(wait_status), os.WTERMSIG(wait_status))
    return exit_from_code(os.WEXITSTATUS(wait_status))


def exit_from_code(code: int) -> Exit:
    """Return how a process ended from an exit code that is negative for a signal."""
    return Exit(code, -code if code < 0 else 0)


def signal_name(number: int) -> str:
    """Return a signal's number with its name."""
    try:
        return "signal {} ({})".format(number, signal.Signals(number).name)
    except ValueError:
        return "signal {}".format(number)


def mark_attempt(run_dir: str, attempt: int) -> None:
    """Put a line into every log that there is, so that the words before it are not taken for the new attempt's."""
    line = "{}{} ===\n".format(_ATTEMPT_MARK, attempt).encode("ascii")
    folder = os.path.join(run_dir, LOG)
    for name in os.listdir(folder):
        if name == LAUNCHER_LOG or (name.startswith("rank") and name.endswith(".log")):
            log = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.write(log, line)
            finally:
                os.close(log)


def failure_in_log(run_dir: str) -> Optional[RankFailure]:
    """Return the root cause that the launcher printed, None where it printed none."""
    found = _ROOT_CAUSE.search(_of_this_attempt(tail(os.path.join(run_dir, LOG, LAUNCHER_LOG))))
    if found is None:
        return None
    return RankFailure(int(found.group(1)), int(found.group(3)), exit_from_code(int(found.group(2))))


def first_failure(exits: Dict[int, Tuple[int, Exit]]) -> Optional[RankFailure]:
    """Return a rank that ended badly by itself: one killed by other than SIGTERM before one with an exit code.

    Args:
        exits: by process id the rank and how it ended, as the supervisor saw it after the launcher's death.
    """
    bad = [RankFailure(rank, pid, ended) for pid, (rank, ended) in exits.items() if ended != Exit(0, 0)]
    bad = [failure for failure in bad if failure.exit.signal != signal.SIGTERM]
    return min(bad, key=lambda failure: (not failure.exit.signal, failure.rank), default=None)


def last_lines(run_dir: str, rank: int) -> Tuple[str, ...]:
    """Return the last lines that a rank, or the launcher, printed; each cut at 1000 characters."""
    name = LAUNCHER_LOG if rank == LAUNCHER else rank_log(rank)
    text = _of_this_attempt(tail(os.path.join(run_dir, LOG, name)))
    lines = [line[:_LINE_CHARACTERS] for line in text.splitlines() if line.strip()]
    return tuple(lines[-LAST_LINES:])


def _of_this_attempt(text: str) -> str:
    _, mark, rest = text.rpartition(_ATTEMPT_MARK)
    return rest.partition("\n")[2] if mark else text


def tail(path: str) -> str:
    """Return the end of a text file, empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def memory_kills() -> List[int]:
    """Return the kernel's counters of processes killed for memory; compare two readings."""
    counts = []
    for path, pattern in _MEMORY_COUNTERS:
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                found = pattern.search(file.read())
        except OSError:
            found = None
        counts.append(int(found.group(1)) if found else 0)
    return counts
