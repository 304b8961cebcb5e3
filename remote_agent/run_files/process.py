"""Which process is meant: identities that survive the reuse of an id, and the processes that carry a run's mark."""

from __future__ import annotations

import os
import signal
from typing import List, NamedTuple, Optional

from remote_agent.contract.run_dir import RUN_MARK

BOOT_ID_PATH = "/proc/sys/kernel/random/boot_id"


class ProcessIdentity(NamedTuple):
    """One process for good: the boot it belongs to, its id and its start in clock ticks since that boot."""

    boot_id: str
    pid: int
    start_ticks: int


def boot_id() -> str:
    """Return the id of the node's present boot, empty where the system tells none."""
    try:
        with open(BOOT_ID_PATH, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def identify(pid: int) -> Optional[ProcessIdentity]:
    """Return the identity of a living process, None where there is none or it is a zombie."""
    try:
        with open("/proc/{}/stat".format(pid), "rb") as file:
            # the name in parentheses may hold anything, so the fields are counted from its last parenthesis
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return ProcessIdentity(boot_id(), pid, int(fields[19]))


def is_alive(identity: ProcessIdentity) -> bool:
    """Say whether that very process still runs."""
    return identify(identity.pid) == identity


def marked_processes(run: str) -> List[ProcessIdentity]:
    """Return the living processes of this user that carry the mark of a run id, of any attempt, but not our own."""
    wanted = "{}={}/".format(RUN_MARK, run).encode("ascii")
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open("/proc/{}/environ".format(name), "rb") as file:
                environment = file.read()
        except OSError:
            continue  # ended meanwhile, or another user's
        if any(item.startswith(wanted) for item in environment.split(b"\0")):
            identity = identify(int(name))
            if identity is not None:
                found.append(identity)
    return found


def send_signal(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Signal that very process; say whether it was there. A process of another boot or start is never signalled."""
    if not is_alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
