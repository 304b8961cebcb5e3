"""Who supervises a run: a lock for the machine, and a lease file that says which process it is."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import socket
import tempfile
from typing import List, Optional

from remote_agent.contract.run_dir import SUPERVISOR_LEASE, SUPERVISOR_LOCK
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.run_files.atomic_write import atomic_write_json
from remote_agent.run_files.process import ProcessIdentity, boot_id, identify, is_alive

BEAT_S = 5.0
STILL_BEATS = 4


@dataclasses.dataclass(frozen=True)
class Lease:
    """supervisor.json. ``epoch`` counts supervisors of the run, ``beat`` goes up every 5 s while this one lives."""

    host: str
    boot_id: str
    pid: int
    start_ticks: int
    epoch: int
    beat: int

    @property
    def identity(self) -> ProcessIdentity:
        """Return the process that holds it."""
        return ProcessIdentity(self.boot_id, self.pid, self.start_ticks)


def read_lease(run_dir: str) -> Optional[Lease]:
    """Return the lease, None where no supervisor has run yet or the file is damaged."""
    try:
        with open(os.path.join(run_dir, SUPERVISOR_LEASE), encoding="utf-8") as file:
            return from_wire(Lease, json.load(file))
    except (OSError, ValueError):
        return None


def is_supervised(run_dir: str) -> bool:
    """Say whether the process that holds the lease lives, or beats where another machine shares the folder."""
    lease = read_lease(run_dir)
    if lease is None:
        return False
    if lease.host == socket.gethostname():
        return is_alive(lease.identity)
    return _age_s(run_dir) < STILL_BEATS * BEAT_S


def _age_s(run_dir: str) -> float:
    """Return the time since the last beat by the file server's own clock, whatever ours says."""
    try:
        with tempfile.NamedTemporaryFile(dir=run_dir, prefix=".clock.") as now:
            return os.fstat(now.fileno()).st_mtime - os.stat(os.path.join(run_dir, SUPERVISOR_LEASE)).st_mtime
    except OSError:
        return 0.0


def interruption(lease: Optional[Lease]) -> str:
    """Return the sentence for a run whose supervisor went with its machine; empty where it went by itself."""
    here = socket.gethostname()
    if lease is None or (lease.host == here and lease.boot_id == boot_id()):
        return ""
    if lease.host == here:
        return "The node was restarted while the run was going on."
    return "Its supervisor on {0} is silent; whether its ranks still run on {0} cannot be seen from {1}.".format(
        lease.host, here
    )


class LeaseHolder:
    """The supervisor's hold on its run: the lock while it lives, and the lease that it renews."""

    def __init__(self, run_dir: str, locks: List[int], lease: Lease) -> None:
        self._run_dir = run_dir
        self._locks = locks
        self._lease = lease

    @property
    def epoch(self) -> int:
        """Return the number of this supervisor within the run, from 1."""
        return self._lease.epoch

    def renew(self) -> bool:
        """Write the next beat; say False where another supervisor has taken the run and this one has to go."""
        found = read_lease(self._run_dir)
        if found is not None and found.epoch > self._lease.epoch:
            return False
        self._lease = dataclasses.replace(self._lease, beat=self._lease.beat + 1)
        self._write()
        return True

    def _write(self) -> None:
        atomic_write_json(os.path.join(self._run_dir, SUPERVISOR_LEASE), to_wire(self._lease))


def take_lease(run_dir: str) -> Optional[LeaseHolder]:
    """Become the run's supervisor; None where another process is.

    Where the file system has no locks (some network mounts) the lease of a living process is respected instead.

    Raises:
        OSError: the run directory is gone or the disk is full.
    """
    before = read_lease(run_dir)
    epoch = before.epoch + 1 if before else 1
    lock = _locked(run_dir, SUPERVISOR_LOCK)
    if lock is None and not is_abandoned(run_dir):
        return None
    # the turn decides where the lock cannot, since a process that inherited it may hold it for ever
    turn = _locked(run_dir, _turn(epoch))
    now = read_lease(run_dir)
    if turn is None or (now.epoch if now else 0) != epoch - 1:
        for descriptor in (lock, turn):
            if descriptor is not None:
                os.close(descriptor)
        return None
    own = identify(os.getpid())
    assert own is not None
    lease = Lease(socket.gethostname(), own.boot_id, own.pid, own.start_ticks, epoch, 0)
    holder = LeaseHolder(run_dir, [one for one in (lock, turn) if one is not None], lease)
    holder.renew()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(run_dir, _turn(epoch - 1)))  # whoever takes it now sees that its turn is over
    return holder


def is_abandoned(run_dir: str) -> bool:
    """Say whether a run has had a supervisor that is dead and whose beat has stood still for four beats."""
    return read_lease(run_dir) is not None and not is_supervised(run_dir) and _age_s(run_dir) >= STILL_BEATS * BEAT_S


def _turn(epoch: int) -> str:
    return "{}.{}".format(SUPERVISOR_LOCK, epoch)


def _locked(run_dir: str, name: str) -> Optional[int]:
    """Return a descriptor that holds the lock of a file; None where another process does."""
    # O_CLOEXEC keeps the lock out of the ranks, which would hold it after our death
    lock = os.open(os.path.join(run_dir, name), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES) or is_supervised(run_dir):
            os.close(lock)
            return None
    return lock
